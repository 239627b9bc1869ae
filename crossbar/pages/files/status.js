// SPDX-License-Identifier: MPL-2.0
// The state of the server, asked for every two seconds: what happened in between is the difference of two answers.

import { LineChart } from "./charts.js";
import { forget, loginBox, onSession, session } from "./session.js";

const SECONDS = 2;
const at = (id) => document.getElementById(id);
const UNITS = ["B", "KB", "MB", "GB", "TB"];

const whole = (value) => Math.round(value).toLocaleString("en");
function number(value) {
  if (value >= 10_000) return `${(value / 1000).toLocaleString("en", { maximumFractionDigits: 1 })} k`;
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });
}
function seconds(value) {
  if (value < 0.9995) return `${(value * 1000).toLocaleString("en", { maximumFractionDigits: value < 0.01 ? 2 : value < 0.1 ? 1 : 0 })} ms`;
  return `${value.toLocaleString("en", { maximumFractionDigits: 1 })} s`;
}
function bytes(value) {
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) { value /= 1024; unit++; }
  return `${value.toLocaleString("en", { maximumFractionDigits: value < 10 && unit ? 1 : 0 })} ${UNITS[unit]}`;
}
function duration(value) {
  const parts = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = parts.findIndex(([, size]) => value >= size);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).map(([unit, size], index) => {
    const amount = Math.floor((index ? value % parts[first][1] : value) / size);
    return `${amount} ${unit}`;
  }).join(" ");
}

const charts = {
  rate: new LineChart({ title: "Requests a second", series: ["2xx", "3xx", "4xx", "5xx"], format: number }),
  latency: new LineChart({ title: "Time to answer", series: ["half of them", "99 %"], format: seconds, least: 0.002 }),
  work: new LineChart({ title: "Work at the same time", series: ["requests", "database calls", "connections"], format: number, least: 4 }),
  database: new LineChart({ title: "Database", series: ["half of the calls", "99 %", "ping"], format: seconds, least: 0.002 }),
  queues: new LineChart({ title: "Waiting", series: ["webhooks", "mail", "tasks", "files"], format: number, least: 4 }),
  events: new LineChart({ title: "Events behind the changes", series: ["behind", "change to event"], format: seconds, least: 1 }),
};
at("charts").append(...Object.values(charts).map((chart) => chart.element));

/** The time within which a share of what was counted between two histograms took; null where nothing was. */
function quantile(before, now, share) {
  const counts = now.counts.map((count, index) => Math.max(count - before.counts[index], 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (!total) return null;
  let left = share * total;
  for (const [index, count] of counts.entries()) {
    if (count && left <= count) {
      const low = index ? now.bounds[index - 1] : 0;
      const high = now.bounds[index] ?? low;
      return low + (high - low) * (left / count);
    }
    left -= count;
  }
  return now.bounds.at(-1);
}

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function tile(name, text, kind = "") {
  const made = element("div", "", `tile ${kind}`);
  made.append(element("span", name), element("strong", text));
  return made;
}

function rows(body, table) {
  body.replaceChildren(...table.map((cells) => {
    const row = document.createElement("tr");
    cells.forEach((cell, index) => {
      const made = element(index ? "td" : "th", cell);
      if (!index) made.scope = "row";
      row.append(made);
    });
    return row;
  }));
}

function list(place, entries) {
  place.replaceChildren(...entries.map(([name, text, kind = ""]) => {
    const row = document.createElement("div");
    row.append(element("dt", name), element("dd", text, kind));
    return row;
  }));
}

const orUnknown = (value, format) => (value === null || value === undefined ? "not told" : format(value));

/** What happened between two answers. */
function between(before, now) {
  const passed = Math.max(now.time - before.time, 0.001);
  const rate = (status) => Math.max((now.requests.by_status[status] || 0) - (before.requests.by_status[status] || 0), 0) / passed;
  const written = now.events.written - before.events.written;
  return {
    rates: ["2xx", "3xx", "4xx", "5xx"].map(rate),
    half: quantile(before.requests, now.requests, 0.5),
    most: quantile(before.requests, now.requests, 0.99),
    callsHalf: quantile(before.database.calls, now.database.calls, 0.5),
    callsMost: quantile(before.database.calls, now.database.calls, 0.99),
    toEvent: written > 0 ? (now.events.seconds - before.events.seconds) / written : null,
  };
}

function draw(now, change) {
  const connections = now.workers.reduce((sum, worker) => sum + worker.connections, 0);
  const mail = now.queues.mails + now.queues.notices;
  const hooks = now.queues.webhooks + now.queues.callbacks;
  const files = now.queues.files + now.queues.files_to_delete;
  if (change) {
    charts.rate.push(now.time, change.rates);
    charts.latency.push(now.time, [change.half, change.most]);
    charts.database.push(now.time, [change.callsHalf, change.callsMost, now.database.ping]);
  }
  charts.work.push(now.time, [now.requests.under_way, now.database.under_way, connections]);
  charts.queues.push(now.time, [hooks, mail, now.queues.tasks, files]);
  charts.events.push(now.time, [now.events.behind, change?.toEvent ?? null]);
  const total = change ? change.rates.reduce((sum, one) => sum + one, 0) : null;
  const failed = change ? change.rates[3] : 0;
  at("tiles").replaceChildren(
    tile("Requests a second", total === null ? "…" : number(total)),
    tile("99 % answered in", change?.most == null ? "–" : seconds(change.most)),
    tile("Failures a second", number(failed), failed ? "bad" : ""),
    tile("Workers", whole(now.workers.length)),
    tile("Database ping", orUnknown(now.database.ping, seconds), now.database.ping === null ? "bad" : ""),
    tile("Waiting", whole(hooks + mail + now.queues.tasks + files)),
  );
  rows(at("workers"), now.workers.map((worker) => [
    String(worker.pid), orUnknown(worker.memory, bytes), orUnknown(worker.started, (started) => duration(now.time - started)),
    whole(worker.requests), whole(worker.under_way), whole(worker.connections), whole(worker.sockets),
  ]));
  at("workers-ended").textContent = now.workers_ended ? `${now.workers_ended} ended since the server started.` : "";
  list(at("queues"), [
    ["Deliveries to webhooks", whole(now.queues.webhooks)],
    ["Callbacks of calls and faxes", whole(now.queues.callbacks)],
    ["Notices to become mail", whole(now.queues.notices)],
    ["Mail in the spool", whole(now.queues.mails)],
    ["Mail that was given up", whole(now.queues.mails_failed), now.queues.mails_failed ? "warn" : ""],
    ["Tasks at work", whole(now.queues.tasks)],
    ["Files to be sent to stores", whole(now.queues.files)],
    ["Files for stores to delete", whole(now.queues.files_to_delete)],
    ["Events written", whole(now.events.written)],
    ["Times that events were lost", whole(now.events.gaps), now.events.gaps ? "bad" : ""],
  ]);
  const database = now.database;
  list(at("database"), [
    ["MongoDB", orUnknown(database.version, String)],
    ["Members of the replica set", orUnknown(database.members, whole)],
    ["Connections at the server", orUnknown(database.connections, whole)],
    ["Pool of each worker", whole(database.pool_size)],
    ["Calls under way", whole(database.under_way)],
    ["The log of changes reaches back", orUnknown(database.oplog, duration)],
  ]);
  rows(at("collections"), database.collections.map((one) => [one.name, whole(one.documents), bytes(one.bytes), bytes(one.disk), bytes(one.indexes)]));
}

let last = null;
let timer = null;
let paused = false;

function say(text) {
  if (at("state").textContent !== text) at("state").textContent = text;
}

async function look() {
  const token = session()?.token;
  if (!token) return;
  try {
    const response = await fetch("/status.json", { headers: { "X-Auth-Token": token } });
    if (response.status === 401) {
      forget();
      return say("The log-in has ended; log in again.");
    }
    if (response.status === 403) {
      at("board").hidden = true;
      return say("This is for administrators of the master account; you are somebody else.");
    }
    if (!response.ok) throw new Error(`The server answers ${response.status}.`);
    const now = await response.json();
    at("board").hidden = false;
    draw(now, last && between(last, now));
    last = now;
    say(`${now.node}, version ${now.version}`);
  } catch (error) {
    last = null;
    say(error instanceof TypeError ? "The server does not answer; it is asked again." : error.message);
  }
  clearTimeout(timer);
  if (!paused && session()) timer = setTimeout(look, SECONDS * 1000);
}

at("pause").addEventListener("click", () => {
  paused = !paused;
  at("pause").setAttribute("aria-pressed", String(paused));
  at("pause").textContent = paused ? "Go on" : "Pause";
  if (paused) clearTimeout(timer);
  else { last = null; look(); }
});
loginBox(at("login"));
onSession((value) => {
  clearTimeout(timer);
  last = null;
  if (value) look();
  else {
    at("board").hidden = true;
    say("For administrators of the master account.");
  }
});
