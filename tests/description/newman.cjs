// SPDX-License-Identifier: MPL-2.0
// Run a collection with newman as a library; stdin has `{newman, collection, environment}`, newman being its folder.
const fs = require('node:fs');

const given = JSON.parse(fs.readFileSync(0, 'utf8'));
const newman = require(given.newman);
const told = { sent: [], failures: [] };

const run = newman.run({
  collection: given.collection,
  environment: given.environment,
  timeoutRequest: 20000,
  color: 'off',
});
run.on('request', (error, { item, response }) => {
  const body = response ? response.stream.toString().slice(0, 400) : '';
  told.sent.push({ name: item.name, status: response ? response.code : null, body, error: error && error.message });
});
run.on('done', (error, summary) => {
  if (error) {
    told.failures.push({ name: null, message: error.message });
  }
  for (const { source, error: failed } of summary.run.failures) {
    told.failures.push({ name: source && source.name, test: failed.test, message: failed.message });
  }
  told.statistics = summary.run.stats;
  process.stdout.write(JSON.stringify(told));
});
