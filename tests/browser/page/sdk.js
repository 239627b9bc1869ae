// SPDX-License-Identifier: MPL-2.0
// Calls to the API as MonsterUI's SDK makes them: from another origin, each GET with a cache buster, JSON declared
// on every call, the token in a header (the text "undefined" before there is one), error bodies parsed only when
// their type is exactly application/json.

import { md5 } from "./md5.js";

const ACCEPT = "application/json, text/javascript, */*; q=0.01";
const FILE_TYPES = ["application/x-base64", "application/pdf", "text/html"];

export class Refused extends Error {
  constructor(status, envelope) {
    super(`${status}`);
    this.status = status;
    this.envelope = envelope;
  }
}

export class Sdk {
  /** @param {string} root the API's root, with a slash at its end */
  constructor(root) {
    this.root = root;
    this.token = undefined;
    this.credentials = undefined;
  }

  async logIn(username, password, accountName) {
    const credentials = { credentials: md5(`${username.toLowerCase()}:${password}`), account_name: accountName };
    const envelope = await this.authenticate(credentials);
    this.credentials = credentials;
    return envelope.data;
  }

  async authenticate(credentials) {
    const envelope = await this.send("PUT", "user_auth", { data: credentials, bare: true });
    JSON.parse(atob(envelope.auth_token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    this.token = envelope.auth_token;
    return envelope;
  }

  /** One call; after an expired token one silent log-in, then the call again. */
  async call(method, path, options = {}) {
    try {
      return await this.send(method, path, options);
    } catch (error) {
      if (error.status !== 401 || !this.credentials) throw error;
      await this.authenticate(this.credentials);
      return this.send(method, path, options);
    }
  }

  async send(method, path, { data, type = "application/json", query = {}, bare = false } = {}) {
    const url = new URL(this.root + path);
    for (const [key, values] of Object.entries(query)) {
      for (const value of [values].flat()) url.searchParams.append(key, value);
    }
    if (method === "GET") url.searchParams.set("_", Date.now());
    const headers = { Accept: ACCEPT, "Content-Type": type };
    if (!bare) headers["X-Auth-Token"] = String(this.token);
    const response = await fetch(url, { method, headers, body: body(method, data, type, bare), credentials: "omit" });
    const isJson = response.headers.get("Content-Type") === "application/json";
    if (!response.ok) throw new Refused(response.status, isJson ? await response.json() : undefined);
    return isJson ? response.json() : response.text();
  }
}

function body(method, data, type, bare) {
  if (method === "GET") return undefined;
  if (FILE_TYPES.includes(type)) return data;
  const about = bare ? {} : { ui_metadata: { version: "4.3.0", ui: "monster-ui", origin: "page" } };
  return JSON.stringify({ data: { ...data, ...about } });
}
