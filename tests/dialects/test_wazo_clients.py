# SPDX-License-Identifier: MPL-2.0
"""Wazo's own Python clients, where somebody has installed them: `docs/dialects.md` says how."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from yarl import URL

from crossbar.dialects.identifiers import dashed
from tests.dialects.speaker import Speaker
from tests.dialects.test_wazo_tokens import PASSWORD, person, policy
from tests.harness import RunningServer, Tenant, set_options

requests: Any = pytest.importorskip("requests")
auth_client: Any = pytest.importorskip("wazo_auth_client")
confd_client: Any = pytest.importorskip("wazo_confd_client")

BODIES: dict[str, dict[str, Any]] = {
    "users": {"firstname": "Ana", "lastname": "L"},
    "lines": {"context": "default"},
    "endpoints_sip": {},
    "extensions": {"exten": "100", "context": "default"},
    "voicemails": {"name": "v", "number": "1", "context": "default"},
    "devices": {"mac": "00:11:22:33:44:55"},
}


@pytest.fixture
def place(server: RunningServer) -> dict[str, Any]:
    """Where the clients find the server."""
    url = URL(server.url)
    return {"host": url.host, "port": url.port, "https": False}


async def test_auth(place: dict[str, Any], tenant: Tenant) -> None:
    await asyncio.to_thread(speak_auth, place, tenant)


async def test_confd(place: dict[str, Any], tenant: Tenant) -> None:
    await asyncio.to_thread(speak_confd, confd_client.Client(token=tenant.token, **place))


def speak_auth(place: dict[str, Any], tenant: Tenant) -> None:
    admin = auth_client.Client(username=f"admin@{tenant.realm}", password="correct horse", **place)
    token = admin.token.new(expiration=600)["token"]
    auth = auth_client.Client(token=token, **place)
    auth.status.check()
    assert auth.token.check(token, "confd.users.read") and not auth.token.is_valid("x" * 36)
    assert auth.token.get(token)["token"] == token
    assert auth.token.check_scopes(token, ["confd.users.read"])["scopes"] == {"confd.users.read": True}
    policy = auth.policies.new("everything", acl=["confd.#"])["uuid"]
    assert auth.policies.edit(policy, "all", acl=["confd.#", "auth.#"])["name"] == "all"
    auth.policies.add_access(policy, "dird.*.read")
    auth.policies.remove_access(policy, "dird.*.read")
    assert auth.policies.get(policy)["acl"] == ["confd.#", "auth.#"]
    assert policy in [one["uuid"] for one in auth.policies.list(search="all", order="name")["items"]]
    name = f"program-{tenant.id}"
    user = auth.users.new(username=name, password="a secret word", purpose="external_api")["uuid"]
    assert auth.users.edit(user, username=name, firstname="X", purpose="external_api")["firstname"] == "X"
    assert auth.users.list(search=name)["filtered"] == 1 and auth.users.get(user)["username"] == name
    assert auth.users.update_emails(user, [{"address": "n@example.com", "main": True}])[0]["main"]
    auth.users.add_policy(user, policy)
    assert [one["uuid"] for one in auth.users.get_policies(user)["items"]] == [policy]
    group = auth.groups.new(name="people")["uuid"]
    auth.groups.edit(group, name="folk")
    auth.groups.add_user(group, user)
    auth.groups.add_policy(group, policy)
    assert auth.groups.get(group)["name"] == "folk" and group in [one["uuid"] for one in auth.groups.list()["items"]]
    assert [one["uuid"] for one in auth.groups.get_users(group)["items"]] == [user]
    assert [one["uuid"] for one in auth.groups.get_policies(group)["items"]] == [policy]
    assert [one["uuid"] for one in auth.users.get_groups(user)["items"]] == [group]
    program = auth_client.Client(username=name, password="a secret word", **place)
    stays = program.token.new(access_type="offline", client_id="me", session_type="mobile")
    assert program.token.new(client_id="me", refresh_token=stays["refresh_token"])["acl"] == ["confd.#", "auth.#"]
    assert auth.token.list(user_uuid=user)["total"] == 1 and auth.users.get_sessions(user)["total"] == 2
    auth.token.delete(user, "me")
    auth.users.remove_session(user, stays["session_uuid"])
    assert not auth.token.is_valid(stays["token"])
    auth.users.change_password(user, old_password="a secret word", new_password="another")
    with pytest.raises(requests.HTTPError):
        program.token.new()
    auth.groups.remove_user(group, user)
    auth.groups.remove_policy(group, policy)
    auth.users.remove_policy(user, policy)
    auth.groups.delete(group)
    auth.users.delete(user)
    auth.policies.delete(policy)
    child = auth.tenants.new(name=f"child of {tenant.id}", parent_uuid=dashed(tenant.id))["uuid"]
    assert auth.tenants.edit(child, name=f"kid of {tenant.id}")["name"] == auth.tenants.get(child)["name"]
    assert child in [one["uuid"] for one in auth.tenants.list()["items"]]
    speak_confd(confd_client.Client(token=token, tenant=child, **place))
    auth.tenants.delete(child)
    auth.token.revoke(token)
    assert not auth.token.is_valid(token)


def speak_confd(confd: Any) -> None:
    assert confd.infos()["uuid"] and confd.status() and confd.contexts.list()["total"] >= 2
    made = {}
    for name, body in BODIES.items():
        command = getattr(confd, name)
        made[name] = command.create(body)
        assert made[name] in command.list()["items"], name
        command.update(made[name])
        assert command.get(made[name]) == made[name], name
    user, line, sip, extension, box, device = made.values()
    confd.lines(line).add_endpoint_sip(sip)
    confd.lines(line).add_user(user)
    confd.lines(line).add_extension(extension)
    confd.lines(line).add_device(device)
    assert confd.lines(line).get_device()["device_id"] == device["id"]
    assert confd.devices(device).list_lines()["total"] == 1
    confd.devices.autoprov(device)
    confd.devices.synchronize(device)
    confd.users(user).add_voicemail(box)
    assert confd.users(user).get_voicemail()["id"] == box["id"]
    assert confd.users.exist(user["uuid"]) and not confd.users.exist(dashed("1" * 32))
    assert confd.users.get_main_endpoint_sip(user["uuid"], view="merged")["id"] == sip["id"]
    assert confd.users(user["uuid"]).get_endpoint_sip(line["id"])["id"] == sip["id"]
    busy = {"enabled": True, "destination": "200"}
    confd.users(user).update_forward("busy", busy)
    assert confd.users(user).list_forwards()["busy"] == confd.users(user).get_forward("busy") == busy
    confd.users(user).update_service("dnd", {"enabled": True})
    assert confd.users(user).list_services()["dnd"] == {"enabled": True}
    confd.users.update({**confd.users.get(user), "lastname": "M"})
    confd.extensions.update({**confd.extensions.get(extension), "exten": "101"})
    whole = confd.users.get(user)
    assert (whole["lastname"], whole["lines"][0]["extensions"][0]["exten"]) == ("M", "101")
    found = confd.users.list(search="ana", order="lastname", direction="desc", limit=1, offset=0)
    assert (found["total"], found["items"]) == (1, [whole])
    confd.voicemails(box).remove_users()
    confd.voicemails(box).add_user(user)
    confd.users(user).remove_voicemail()
    confd.devices(device).remove_line(line)
    confd.lines(line).remove_extension(extension)
    confd.users(user).remove_line(line)
    confd.users(user).update_lines([line])
    confd.users(user).update_lines([])
    confd.endpoints_sip(sip["id"]).dissociate_line(line["id"])
    for name, thing in made.items():
        getattr(confd, name).delete(thing)
        with pytest.raises(requests.HTTPError, match="was not found"):
            getattr(confd, name).get(thing["id"])


async def test_digest_as_the_confd_client_of_2019_sends_it(
    server: RunningServer, auth: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_options(monkeypatch, server, "dialects", digest=True)
    user = await person(auth)
    given = await auth.put(f"/users/{user['uuid']}/policies/{(await policy(auth, '#'))['uuid']}")
    assert given.status == 204
    session = requests.Session()
    session.auth = requests.auth.HTTPDigestAuth(user["username"], PASSWORD)

    def ask() -> tuple[int, int]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        made = session.post(f"{server.url}/1.1/users", data=b'{"firstname": "Ana"}', headers=headers)
        return made.status_code, session.get(made.headers["Location"], headers=headers).status_code

    assert await asyncio.to_thread(ask) == (201, 200)
