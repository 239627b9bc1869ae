// SPDX-License-Identifier: MPL-2.0
// Swagger UI over this server's own description, with the token of the log-in in each request.

import { forget, loginBox, onSession, session } from "./session.js";
import { quick } from "./swagger-plugin.js";

const HEADER = "X-Auth-Token";
const dark = matchMedia("(prefers-color-scheme: dark)");

function dress() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

function isOwn(url) {
  return new URL(url, location.href).origin === location.origin;
}

/** The names of the ways to authenticate that are a token in a header. */
function schemes(ui) {
  const known = ui.specSelectors.specJson().toJS().components?.securitySchemes || {};
  return Object.entries(known).filter(([, one]) => one.in === "header" && one.name === HEADER).map(([name]) => name);
}

/* Before anybody was authorized Swagger UI has nothing that it could take away. */
let isAuthorized = false;

function authorize(ui, value) {
  for (const name of schemes(ui)) {
    if (value) ui.preauthorizeApiKey(name, value.token);
    else if (isAuthorized) ui.authActions.logout([name]);
  }
  isAuthorized = Boolean(value);
}

dress();
dark.addEventListener("change", dress);
loginBox(document.getElementById("login"));

const ui = window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  plugins: [quick],
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  filter: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  validatorUrl: null,
  requestInterceptor(request) {
    const token = session()?.token;
    if (token && isOwn(request.url) && !request.loadSpec) request.headers[HEADER] = token;
    return request;
  },
  responseInterceptor(response) {
    if (response.status === 401 && session() && isOwn(response.url) && response.body?.data?.message === undefined) forget();
    return response;
  },
  onComplete() {
    onSession((value) => authorize(ui, value));
  },
});
window.ui = ui;
