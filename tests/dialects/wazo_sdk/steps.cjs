// SPDX-License-Identifier: MPL-2.0
// What both scripts have in common: they take what they need as JSON from stdin, and print what each step gave.
const fs = require('node:fs');

/** The JSON on stdin: `{sdk, server, ...}`, `sdk` being the folder of the package. */
exports.given = JSON.parse(fs.readFileSync(0, 'utf8'));
exports.sdk = require(`${exports.given.sdk}/dist/wazo-sdk.js`);

const told = {};

/** Do one thing and keep what it gave under a name: `{value}`, or `{error, status, message}` of what it threw. */
exports.step = async (name, work) => {
  try {
    const value = await work();
    told[name] = { value };
    return value;
  } catch (error) {
    told[name] = { error: error.constructor.name, status: error.status, message: error.message };
    return undefined;
  }
};

/** Print all, and end although the SDK's timers are still running. */
exports.end = () => {
  fs.writeSync(1, JSON.stringify(told));
  process.exit(0);
};
