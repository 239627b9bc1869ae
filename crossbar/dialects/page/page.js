// SPDX-License-Identifier: MPL-2.0
"use strict";

const address = document.getElementById("address");
const token = document.getElementById("token");
const api = document.getElementById("api");

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick" || key === "onsubmit") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/* Text with a colon is a name and a password, any other text a token. */
function credentials() {
  const text = token.value.trim();
  if (!text) return {};
  if (!text.includes(":")) return { "X-Auth-Token": text };
  const bytes = new TextEncoder().encode(text);
  return { Authorization: "Basic " + btoa(String.fromCharCode(...bytes)) };
}

function example(schema) {
  if (schema.example !== undefined) return schema.example;
  const sample = {};
  for (const name of schema.required || []) sample[name] = "";
  return sample;
}

function field(parameter, number) {
  const id = `field-${number}-${parameter.name}`;
  const isBody = parameter.in === "body";
  const input = element(isBody ? "textarea" : "input", { id, name: parameter.name });
  if (isBody) input.value = JSON.stringify(example(parameter.schema), null, 2);
  if (parameter.required) input.required = true;
  return { parameter, input, shown: element("div", { class: "field" }, element("label", { for: id }, parameter.name), input) };
}

function request(base, path, method, fields) {
  const query = new URLSearchParams();
  const options = { method: method.toUpperCase(), headers: { Accept: "application/json", ...credentials() } };
  let target = path;
  for (const { parameter, input } of fields) {
    if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (parameter.in === "body") {
      options.body = input.value;
      options.headers["Content-Type"] = "application/json";
    } else if (input.value) query.set(parameter.name, input.value);
  }
  const asked = query.toString();
  return [base + target + (asked ? "?" + asked : ""), options];
}

let operations = 0;

function operation(base, path, method, described) {
  const number = operations++;
  const fields = (described.parameters || []).map((parameter) => field(parameter, number));
  const answer = element("div", { class: "answer", "aria-live": "polite" });
  const form = element("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      const [url, options] = request(base, path, method, fields);
      answer.replaceChildren(element("p", {}, "…"));
      try {
        const response = await fetch(url, options);
        const text = await response.text();
        let shown = text;
        try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON */ }
        answer.replaceChildren(
          element("p", {}, "Response code: ", element("strong", { class: "status" }, String(response.status))),
          element("pre", {}, shown),
        );
      } catch (error) {
        answer.replaceChildren(element("p", { class: "error" }, String(error)));
      }
    },
  }, ...fields.map((one) => one.shown), element("button", { type: "submit" }, "Try it out"));
  return element("details", { class: `operation ${method}` },
    element("summary", {}, element("span", { class: "method" }, method.toUpperCase()), element("code", {}, path), " ", described.summary || ""),
    element("div", { class: "body" }, form, answer));
}

async function explore() {
  api.replaceChildren(element("p", {}, "…"));
  try {
    const response = await fetch(address.value);
    if (!response.ok) throw new Error(`The description could not be read: ${response.status}`);
    const described = JSON.parse(await response.text());
    const base = new URL(address.value).origin + (described.basePath || "");
    const tags = new Map();
    for (const [path, methods] of Object.entries(described.paths)) {
      for (const [method, one] of Object.entries(methods)) {
        const tag = (one.tags || [""])[0];
        if (!tags.has(tag)) tags.set(tag, element("details", { class: "tag" }, element("summary", {}, tag)));
        tags.get(tag).append(operation(base, path, method, one));
      }
    }
    const sorted = [...tags.keys()].sort().map((tag) => tags.get(tag));
    api.replaceChildren(element("h2", {}, `${described.info.title} ${described.info.version}`), ...sorted);
  } catch (error) {
    api.replaceChildren(element("p", { class: "error" }, String(error)));
  }
}

document.getElementById("explore").onsubmit = (event) => {
  event.preventDefault();
  explore();
};

/* Behind a proxy the server may not know that it is reached by HTTPS. */
function reachable(url) {
  const target = new URL(url);
  if (target.host === location.host) target.protocol = location.protocol;
  return target.href;
}

async function list() {
  const catalog = await (await fetch("/api/catalog/index.json")).json();
  const entries = catalog.apis.map(({ title, url }) => element("li", {},
    element("button", { type: "button", onclick: () => { address.value = reachable(url); explore(); } }, title)));
  document.querySelector("#catalog ul").replaceChildren(...entries);
}

list();
