# SPDX-License-Identifier: MPL-2.0
"""Named tokens: what they open, and how they end."""

from __future__ import annotations

from typing import Any, Final

from crossbar import clock
from crossbar.access.named_tokens import TYPE
from crossbar.access.token_uses import NOTED_SECONDS
from tests.harness import Answer, Api, RunningServer, Tenant, Workers, new_person, new_tenant, until

SECOND: Final = 1.0
READS_DEVICES: Final = {
    "devices": [{"allowed_accounts": ["{AUTH_ACCOUNT_ID}"], "rules": {"/": ["GET", "PUT"], "*": ["GET"]}}]
}


async def made(tenant: Tenant, **fields: Any) -> tuple[Answer, Api]:
    """A token, and the API as its bearer sees it."""
    token = await tenant.api.put("/tokens", {"name": "script", **fields})
    assert token.status == 201, token.envelope
    return token, tenant.api.acting(token.data["token"])


async def test_a_token_is_shown_once_and_acts_as_its_maker(tenant: Tenant, server: RunningServer) -> None:
    token, bearer = await made(tenant)
    secret = token.data["token"]
    assert (await bearer.get("/devices")).status == 200
    written = await bearer.put("/skels", {"name": "x"})
    assert (await tenant.api.get(f"/skels/{written.id}/history")).data[0]["author"]["user_id"] == tenant.admin_id
    plain = tenant.api.acting(None)
    assert (await plain.get("/devices", headers={"Authorization": f"Bearer {secret}"})).status == 200
    assert (await plain.get("/devices", query={"auth_token": secret})).status == 200
    assert (await plain.put("/skels", {}, auth_token=secret)).status == 201
    assert (
        await plain.get("/devices", query={"auth_token": secret[:-1] + ("0" if secret[-1] != "0" else "1")})
    ).status == 401
    await server.runtime.access.named_tokens.uses.settle()
    [row] = (await tenant.api.get("/tokens")).data
    assert row["created_by"] == {"account_id": tenant.id, "user_id": tenant.admin_id}
    assert row["last_used"] >= row["created"]
    shown = await tenant.api.get(f"/tokens/{token.id}")
    assert secret.rpartition("-")[2] not in f"{row}{shown.envelope['data']}"
    stored = await server.runtime.store.database["documents"].find_one({"_id": f"{tenant.id}/{TYPE}/{token.id}"})
    assert secret.rpartition("-")[2] not in str(stored)


async def test_a_scope_a_network_and_a_time_narrow_it(tenant: Tenant, stranger: Tenant) -> None:
    _, bearer = await made(tenant, scope=READS_DEVICES)
    assert (await bearer.get("/devices")).status == 200
    assert (await bearer.put("/devices", {"name": "phone"})).status == 201
    for verb, path in (("GET", "/users"), ("DELETE", "/devices/x"), ("GET", ""), ("PUT", "/tokens")):
        assert (await bearer.request(verb, path, {})).status == 403, path
    assert (await bearer.acting(bearer.token, f"/accounts/{stranger.id}").get("/devices")).status == 403
    _, elsewhere = await made(tenant, networks=["192.0.2.0/24"])
    assert (await elsewhere.get("/devices")).status == 403
    _, here = await made(tenant, networks=["127.0.0.1"])
    assert (await here.get("/devices")).status == 200
    _, bearer = await made(tenant, expires=clock.now() + 100)
    assert (await bearer.get("/devices")).status == 200
    with clock.frozen(clock.unix_now() + 101):
        assert (await bearer.get("/devices")).status == 401
    refused = await tenant.api.put(
        "/tokens", {"networks": ["x"], "expires": 1, "scope": {"devices": [{"rules": {"#": "GET"}}]}}
    )
    assert set(refused.refusals()) == {"name", "networks.0", "expires", "scope.devices"}
    assert (await tenant.api.put("/tokens", {"name": "x"}, query={"dry_run": "true"})).envelope["dry_run"] is True
    assert len((await tenant.api.get("/tokens")).data) == 4


async def test_a_token_hands_out_no_log_in_and_no_other_token(tenant: Tenant) -> None:
    _, bearer = await made(tenant)
    assert (await bearer.put("/tokens", {"name": "another"})).status == 403
    assert (await bearer.put(f"/users/{tenant.admin_id}/user_auth", {})).status == 403
    root = bearer.acting(bearer.token, "")
    assert (await root.put("/auth", {"action": "refresh_token"})).status == 403


async def test_nobody_makes_one_with_more_rights(tenant: Tenant, stranger: Tenant, server: RunningServer) -> None:
    person = await new_person(server, tenant)
    own = await person.api.put("/tokens", {"name": "mine"})
    bearer = tenant.api.acting(own.data["token"])
    assert (await bearer.put("/users", {"first_name": "x"})).status == 403  # as the plain user
    assert (await person.api.put(f"/users/{tenant.admin_id}/tokens", {"name": "x"})).status == 403
    assert (await stranger.root.put(f"/accounts/{tenant.id}/tokens", {"name": "x"})).status == 403
    _, admins = await made(tenant)
    assert [row["id"] for row in (await person.api.get("/tokens")).data] == [own.id]
    theirs = (await tenant.api.get("/tokens")).data
    assert len(theirs) == 2
    [other] = [row["id"] for row in theirs if row["id"] != own.id]
    assert (await person.api.delete(f"/tokens/{other}")).status == 404
    assert (await admins.get("/tokens")).status == 200
    mine = await tenant.api.put(f"/users/{person.id}/tokens", {"name": "for them"})
    assert mine.data["user_id"] == person.id
    assert len((await tenant.api.get(f"/users/{person.id}/tokens")).data) == 2


async def test_it_ends_with_the_log_ins_of_its_bearer(tenant: Tenant, server: RunningServer) -> None:
    person = await new_person(server, tenant, "second", priv_level="admin")
    token = await person.api.put("/tokens", {"name": "x"})
    bearer, path = tenant.api.acting(token.data["token"]), f"/users/{person.id}"
    assert (await bearer.get("/devices")).status == 200
    await tenant.api.patch(path, {"enabled": False})
    assert (await bearer.get("/devices")).status == 401
    await tenant.api.patch(path, {"enabled": True})
    assert (await bearer.get("/devices")).status == 200
    await tenant.api.patch(path, {"password": "another word"})
    assert (await bearer.get("/devices")).status == 401


async def test_a_revoked_token_ends_within_a_second_on_every_worker(workers: Workers) -> None:
    first, second = workers
    tenant = await new_tenant(first, first.master, "revoking")
    token = await tenant.api.put("/tokens", {"name": "x"})
    everywhere = [
        Api(tenant.api.session, one.master.api.base, token.data["token"], tenant.api.prefix) for one in workers
    ]
    assert [(await api.get("/devices")).status for api in everywhere] == [200, 200]
    async with tenant.api.session.ws_connect(f"{second.url}/v2/websocket") as socket:
        subscription = {
            "action": "subscribe", "request_id": "1", "auth_token": token.data["token"],
            "data": {"account_id": tenant.id, "binding": "object.doc_created.device"},
        }  # fmt: skip
        await socket.send_json(subscription)
        assert (await socket.receive_json())["status"] == "success"
        assert (await tenant.api.delete(f"/tokens/{token.id}")).status == 200

        async def ended() -> bool:
            return [(await api.get("/devices")).status for api in everywhere] == [401, 401]

        await until(ended, SECOND)
        assert (await socket.receive(SECOND)).data in (1008, 4401, 3000) or socket.closed


async def test_of_uses_no_more_is_remembered_than_of_a_minute(tenant: Tenant, server: RunningServer) -> None:
    named_tokens, now = server.runtime.access.named_tokens, clock.unix_now() + clock.DAY
    bearers = [(await made(tenant))[1] for _ in range(3)]
    for minute, bearer in enumerate([*bearers, bearers[0]], 1):
        with clock.frozen(now + minute * (NOTED_SECONDS + 1)):
            assert (await bearer.get("/devices")).status == 200
            assert (await bearer.get("/devices")).status == 200
        await named_tokens.uses.settle()
        assert named_tokens.uses.lately == 1
    uses = [row["last_used"] for row in (await tenant.api.get("/tokens")).data]
    assert sorted(uses) == [clock.gregorian(now + minute * (NOTED_SECONDS + 1)) for minute in (2, 3, 4)]
