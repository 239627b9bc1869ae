// SPDX-License-Identifier: MPL-2.0
// An administrator's program on Wazo's API client: accounts, users, policies, groups, and the settings of telephones.
const { given, sdk, step, end } = require('./steps.cjs');

const open = () => {
  const client = new sdk.WazoApiClient({ server: given.server, clientId: 'administration' });
  client.disableErrorLogging();
  return client;
};

const tokens = async (client) => {
  const { auth } = client;
  await step('a wrong password', () => auth.logIn({ username: given.username, password: 'wrong' }));
  const session = await step('logIn', () => auth.logIn({ username: given.username, password: given.password }));
  client.setToken(session.token);
  client.setRefreshToken(session.refreshToken);
  await step('has expired', () => session.hasExpired());
  await step('checkToken', () => auth.checkToken(session.token));
  await step('authenticate', () => auth.authenticate(session.token));
  await step('getRestrictionPolicies', () => auth.getRestrictionPolicies(['confd.users.read', 'auth.users.create']));
  await step('getUserSession', () => auth.getUserSession('me'));
  return session;
};

const logins = async ({ auth }) => {
  const user = await step('createUser', () => auth.createUser(given.name, 'a word', 'Ana', 'Lima'));
  await step('the same again', () => auth.createUser(given.name, 'a word', 'Ana', 'Lima'));
  await step('addUserEmail', () => auth.addUserEmail(user.uuid, 'ana@example.com', true));
  await step('getUser', () => auth.getUser(user.uuid));
  await step('listUsers', () => auth.listUsers());
  await step('updatePassword', () => auth.updatePassword(user.uuid, 'a word', 'another word'));
  const policy = await step('createPolicy', () => auth.createPolicy('own things', 'all', ['confd.users.me.#']));
  await step('listPolicies', () => auth.listPolicies());
  await step('addUserPolicy', () => auth.addUserPolicy(user.uuid, policy.uuid));
  await step('the user logs in', () => auth.logIn({ username: given.login, password: 'another word' }));
  await step('deleteUserPolicy', () => auth.deleteUserPolicy(user.uuid, policy.uuid));
  await step('deletePolicy', () => auth.deletePolicy(policy.uuid));
  const group = await step('createGroup', () => auth.createGroup('sales'));
  await step('listGroups', () => auth.listGroups());
  await step('addUserGroup', () => auth.addUserGroup(user.uuid, group.uuid));
  await step('listUsersGroup', () => auth.listUsersGroup(group.uuid));
  await step('deleteUserGroup', () => auth.deleteUserGroup(user.uuid, group.uuid));
  await step('nobody in the group', () => auth.listUsersGroup(group.uuid));
  await step('deleteGroup', () => auth.deleteGroup(group.uuid));
  return user;
};

const tenants = async (client) => {
  const { auth } = client;
  const tenant = await step('createTenant', () => auth.createTenant(`${given.name} below`));
  await step('updateTenant', () => auth.updateTenant(tenant.uuid, tenant.name, 'Bo', '123', { city: 'Lima' }));
  await step('getTenant', () => auth.getTenant(tenant.uuid));
  await step('listTenants', () => auth.listTenants());
  client.setTenant(tenant.uuid);
  const below = await step('createUser below', () => auth.createUser(`${given.name}-below`, 'a word', 'Cy', 'Low'));
  await step('listUsers below', () => auth.listUsers());
  client.setTenant(null);
  await step('getUser below', () => auth.getUser(below.uuid));
  await step('deleteUser below', () => auth.deleteUser(below.uuid));
  await step('deleteTenant', () => auth.deleteTenant(tenant.uuid));
};

const telephones = async ({ confd }, user) => {
  await step('getInfos', () => confd.getInfos());
  await step('confd.listUsers', () => confd.listUsers());
  const profile = await step('confd.getUser', () => confd.getUser(user.uuid));
  await step('updateUser as it is', () => confd.updateUser(user.uuid, profile));
  const changes = { firstName: 'Anna', lastName: 'Lima', email: 'anna@example.com', mobileNumber: '+5511999' };
  await step('updateUser', () => confd.updateUser(user.uuid, changes));
  await step('updateForwardOption', () => confd.updateForwardOption(user.uuid, 'unconditional', '1002', true));
  const forwards = { busy: { destination: '1003', enabled: true }, noanswer: { destination: '', enabled: false } };
  await step('updateForwardOptions', () => confd.updateForwardOptions(user.uuid, forwards));
  await step('updateDoNotDisturb', () => confd.updateDoNotDisturb(user.uuid, true));
  await step('confd.getUser again', () => confd.getUser(user.uuid));
  await step('getUserLineSipFromToken', () => confd.getUserLineSipFromToken(given.owner));
  await step('getUserLineSip', () => confd.getUserLineSip(given.owner, String(given.line)));
  await step('getUserLinesSip', () => confd.getUserLinesSip(given.owner, [String(given.line), '999999999']));
  await step('a line of somebody else', () => confd.getUserLineSip(user.uuid, String(given.line)));
};

const ends = async (client, session, user) => {
  const { auth } = client;
  await step('deleteUser', () => auth.deleteUser(user.uuid));
  await step('a deleted user', () => auth.getUser(user.uuid));
  await step('logOut', () => auth.logOut(session.token));
  await step('checkToken afterwards', () => auth.checkToken(session.token));
  await step('with a token made anew', () => client.confd.listUsers());
  await step('another token', () => client.client.token !== session.token);
  await step('deleteRefreshToken', () => auth.deleteRefreshToken('administration'));
  await step('logOut again', () => auth.logOut(client.client.token));
  await step('nothing is left', () => client.confd.listUsers());
};

(async () => {
  const client = open();
  const session = await tokens(client);
  const user = await logins(client);
  await tenants(client);
  await telephones(client, user);
  await ends(client, session, user);
  end();
})();
