// SPDX-License-Identifier: MPL-2.0
// A person's telephone program on Wazo's simple API: log in, see one's own line, come back with the token, log out.
// A log-in of the simple API ends by opening a socket for events, which browsers have and Node has from 22 on. There are
// no events of telephones here: the socket stays as it is before it is connected.
globalThis.WebSocket = class {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;
  readyState = 0;
  addEventListener() {}
  removeEventListener() {}
  close() {}
};

const { given, sdk, step, end } = require('./steps.cjs');

const { Auth, api } = sdk.default;

(async () => {
  Auth.init('telephone', 600);
  Auth.setHost(given.server);
  const session = await step('logIn', () => Auth.logIn(given.username, given.password));
  await step('name', () => session.displayName());
  await step('number', () => session.primaryNumber());
  await step('another log-in by the refresh token', () => Auth.generateNewToken(session.refreshToken));
  Auth.authenticated = false;
  await step('validateToken', () => Auth.validateToken(session.token));
  await step('forceRefreshToken', () => Auth.forceRefreshToken());
  await step('own settings', () => sdk.getApiClient().confd.updateDoNotDisturb(session.uuid, true));
  await step('others', () => sdk.getApiClient().confd.listUsers());
  const client = sdk.getApiClient();
  await step('logout', () => Auth.logout());
  await step('checkToken afterwards', () => client.auth.checkToken(session.token));
  await step('refreshToken afterwards', () => client.auth.refreshToken(session.refreshToken));
  end();
})();
