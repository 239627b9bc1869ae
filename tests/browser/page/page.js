// SPDX-License-Identifier: MPL-2.0
import { Sdk } from "./sdk.js";

const sdk = new Sdk(window.settings?.api.default ?? new URLSearchParams(location.search).get("api"));
const session = {};
const at = (id) => document.getElementById(id);
window.sdk = sdk;
window.session = session;

await greet();

/** The looks of the host's owner, if it has any; the log-in form follows when the logo is there or known to be missing. */
async function greet() {
  const place = `whitelabel/${location.hostname}`;
  const [looks] = await Promise.allSettled([sdk.call("GET", place), sdk.call("GET", `${place}/icon`)]);
  if (looks.value?.data.domain === location.hostname) at("company").textContent = looks.value.data.company_name;
  const [logo] = await Promise.allSettled([sdk.call("GET", `${place}/logo`), sdk.call("GET", `${place}/logo`)]);
  if (logo.value) at("logo").src = `${sdk.root}${place}/logo`;
  at("log-in").hidden = false;
}

at("log-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { account_name: account, username, password } = Object.fromEntries(new FormData(event.target));
  say("");
  try {
    Object.assign(session, await sdk.logIn(username, password, account));
  } catch (error) {
    return say(refusal(error));
  }
  session.root = `accounts/${session.account_id}`;
  const [{ data: own, metadata }, { data: user }] = await Promise.all([
    sdk.call("GET", session.root),
    sdk.call("GET", `${session.root}/users/${session.owner_id}`),
  ]);
  Object.assign(session, { account: { ...metadata, ...own }, user });
  at("who").textContent = `${user.first_name} ${user.last_name}, ${own.name}`;
  event.target.hidden = true;
  at("dashboard").hidden = false;
  await showUsers();
});

at("reload").addEventListener("click", showUsers);

at("new-user").addEventListener("submit", async (event) => {
  event.preventDefault();
  document.querySelectorAll(".mistake").forEach((element) => element.remove());
  const filled = [...new FormData(event.target)].filter(([, value]) => value);
  try {
    await sdk.call("PUT", `${session.root}/users`, { data: Object.fromEntries(filled) });
  } catch (error) {
    return Object.entries(error.envelope.data).forEach(([field, rules]) => mark(event.target, field, rules));
  }
  event.target.reset();
  await showUsers();
});

at("upload").addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = await dataUrl(new FormData(event.target).get("file"));
  await sdk.call("POST", `${session.root}/whitelabel/logo`, { data, type: "application/x-base64" });
  at("logo").src = `${sdk.root}whitelabel/${location.hostname}/logo?${Date.now()}`;
});

async function showUsers() {
  const { data: users } = await sdk.call("GET", `${session.root}/users`, { query: { paginate: false } });
  users.sort((one, other) => one.first_name.localeCompare(other.first_name));
  at("users").replaceChildren(...users.map(row));
}

function row(user) {
  const element = document.createElement("tr");
  const rename = document.createElement("button");
  rename.textContent = "Promote";
  rename.addEventListener("click", async () => {
    const answer = await sdk.call("PATCH", `${session.root}/users/${user.id}`, { data: { priv_level: "admin" } });
    element.replaceWith(row(answer.data));
  });
  element.insertCell().textContent = `${user.first_name} ${user.last_name}`;
  element.insertCell().textContent = user.priv_level;
  element.insertCell().append(rename);
  return element;
}

function mark(form, field, rules) {
  const element = document.createElement("span");
  element.className = "mistake";
  element.textContent = Object.values(rules).map((rule) => rule.message).join(", ");
  form.elements[field].after(element);
}

function refusal({ status, envelope }) {
  if (status === 401) return "Invalid credentials: please check your user name, password and account name.";
  if (status === 423) return envelope.data.account.expired ? "The trial has expired." : "The account is disabled.";
  return Object.entries(envelope.data).map(([field]) => `Please check ${field}.`).join(" ");
}

function dataUrl(file) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.readAsDataURL(file);
  });
}

function say(text) {
  at("message").textContent = text;
}
