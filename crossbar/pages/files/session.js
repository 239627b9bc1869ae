// SPDX-License-Identifier: MPL-2.0
// Who is logged in, in this tab alone: the token ends with the tab, or with the log-out.

import { md5 } from "./md5.js";

const PLACE = "crossbar";
const REALM = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i;
const listeners = [];

/** What is kept of the log-in: { token, account, user }; null while nobody is logged in. */
export function session() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE));
  } catch {
    return null;
  }
}

/** Call `listener` with the session, now and whenever it changes. */
export function onSession(listener) {
  listeners.push(listener);
  listener(session());
}

function keep(value) {
  if (value) sessionStorage.setItem(PLACE, JSON.stringify(value));
  else sessionStorage.removeItem(PLACE);
  listeners.forEach((listener) => listener(value));
}

export class Refused extends Error {
  constructor(message, needsCode = false) {
    super(message);
    this.needsCode = needsCode;
  }
}

const REFUSALS = {
  401: "These are not the name, password and account of anybody here.",
  423: "The account is disabled, or its trial has expired.",
  429: "Too many attempts. Wait a minute, then try again.",
};

async function authenticate(data) {
  const options = { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ data }) };
  let response;
  try {
    response = await fetch("/v2/user_auth", options);
  } catch {
    throw new Refused("The server does not answer.");
  }
  const envelope = await response.json().catch(() => ({}));
  if (response.ok) return envelope;
  if (response.status === 401 && envelope.data?.multi_factor_request) throw new Refused("Enter the one-time code.", true);
  throw new Refused(REFUSALS[response.status] || `The server answered ${response.status} ${envelope.message || ""}`);
}

/** Log in by name, password and the account's name or realm. Throws Refused. */
export async function logIn({ account, user, password, code }) {
  const data = { credentials: md5(`${user.toLowerCase()}:${password}`) };
  data[REALM.test(account) ? "account_realm" : "account_name"] = account;
  if (code) data.multi_factor_response = code;
  const envelope = await authenticate(data);
  keep({ token: envelope.auth_token, user, account: envelope.data.account_name || account });
}

/** Forget the token, and have the server end it. */
export async function logOut() {
  const token = session()?.token;
  keep(null);
  if (token) await fetch("/v2/token_auth", { method: "DELETE", headers: { "X-Auth-Token": token } }).catch(() => {});
}

/** The token is no good any more. */
export function forget() {
  keep(null);
}

/** The box in which one logs in and out. */
export function loginBox(box) {
  const [form, who, problem] = [".fields", ".who", ".problem"].map((part) => box.querySelector(part));
  const code = form.elements.code;
  onSession((value) => {
    form.hidden = Boolean(value);
    who.hidden = !value;
    if (value) who.firstElementChild.textContent = `${value.user}, ${value.account}`;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    problem.textContent = "";
    button.disabled = true;
    try {
      await logIn(Object.fromEntries(new FormData(form)));
      form.reset();
      code.parentElement.hidden = true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      problem.textContent = error.message;
      if (error.needsCode) {
        code.parentElement.hidden = false;
        code.focus();
      }
    } finally {
      button.disabled = false;
    }
  });
  who.querySelector("button").addEventListener("click", logOut);
  document.querySelectorAll(".bar nav a").forEach((link) => {
    if (link.getAttribute("href") === location.pathname.replace(/\/$/, "")) link.setAttribute("aria-current", "page");
  });
}
