# SPDX-License-Identifier: MPL-2.0
"""HTTP Digest on XiVO's dialects, with aiohttp's own client for it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from crossbar import clock
from crossbar.documents.document_types import USER
from tests.dialects.speaker import ACCEPT, JSON, Speaker
from tests.dialects.test_wazo_tokens import PASSWORD, person, policy
from tests.harness import RunningServer, Tenant, set_options

LISTS = ("/1.0/users", "/1.1/users", "/api/confd/1.1/users", "/1.1/users?search=a%20b&limit=2")


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch, server: RunningServer) -> None:
    set_options(monkeypatch, server, "dialects", digest=True)


async def ask(server: RunningServer, name: str, password: str, path: str = LISTS[1], **options: Any) -> int:
    """The status that a client gets who answers challenges."""
    method = options.pop("method", "GET")
    async with (
        ClientSession(middlewares=(DigestAuthMiddleware(name, password),), headers=ACCEPT) as session,
        session.request(method, server.url + path, **options) as response,
    ):
        return response.status


async def program(auth: Speaker, *acl: str) -> Any:
    """A user for programs, with a policy of some accesses."""
    user = await person(auth)
    given = await auth.put(f"/users/{user['uuid']}/policies/{(await policy(auth, *acl))['uuid']}")
    assert given.status == 204
    return user


async def test_who_answers_a_challenge_may_do_what_a_token_of_his_would_let_him(
    server: RunningServer, auth: Speaker, tenant: Tenant
) -> None:
    user = await program(auth, "confd.users.read")
    for name in (user["username"], f"{user['username']}@{tenant.realm}"):
        assert [await ask(server, name, PASSWORD, path) for path in LISTS] == [200] * 4
    assert await ask(server, user["username"], PASSWORD, "/1.1/voicemails") == 401
    assert await ask(server, user["username"], PASSWORD, method="POST", json={"firstname": "Ana"}) == 401
    everything = await program(auth, "#")
    assert await ask(server, everything["username"], PASSWORD, method="POST", json={"firstname": "Ana"}) == 201
    for wrong in ((user["username"], "x"), ("nobody", PASSWORD), (user["username"].upper(), PASSWORD)):
        assert await ask(server, *wrong) == 401


async def test_the_digest_goes_with_the_password(server: RunningServer, auth: Speaker, tenant: Tenant) -> None:
    user = await program(auth, "#")
    kept = await server.runtime.store.get(tenant.id, USER, user["uuid"].replace("-", ""))
    assert kept is not None and PASSWORD not in str(kept.fields)
    change = {"old_password": PASSWORD, "new_password": "another"}
    assert (await auth.put(f"/users/{user['uuid']}/password", change)).status == 204
    assert [await ask(server, user["username"], word) for word in (PASSWORD, "another")] == [401, 200]
    await tenant.api.patch(f"/users/{user['uuid'].replace('-', '')}", {"password": "a third"})
    assert [await ask(server, user["username"], word) for word in ("another", "a third")] == [401, 401]
    await auth.put(f"/users/{user['uuid']}/password", {"old_password": "a third", "new_password": "a fourth"})
    assert await ask(server, user["username"], "a fourth") == 200
    await tenant.api.patch(f"/users/{user['uuid'].replace('-', '')}", {"enabled": False})
    assert await ask(server, user["username"], "a fourth") == 401


async def test_nonces_expire_and_are_the_servers_own(server: RunningServer, auth: Speaker) -> None:
    user = await program(auth, "#")
    middleware = DigestAuthMiddleware(user["username"], PASSWORD)
    sent: dict[str, str] = {}

    async def remember(request: Any, handler: Any) -> Any:
        sent.update({"Authorization": request.headers.get("Authorization", "")})
        return await handler(request)

    async with (
        ClientSession(middlewares=(middleware, remember), headers=ACCEPT) as session,
        session.get(server.url + LISTS[1]) as response,
    ):
        assert response.status == 200
    async with ClientSession(headers=ACCEPT) as session:

        async def again(path: str = LISTS[1], **headers: str) -> tuple[int, str]:
            async with session.get(server.url + path, headers={**sent, **headers}) as response:
                return response.status, response.headers.get("WWW-Authenticate", "")

        assert (await again())[0] == 200
        assert (await again(LISTS[0]))[0] == 401, "an answer holds for one path"
        with clock.frozen(clock.unix_now() + 61):
            status, challenge = await again()
        assert status == 401 and challenge.endswith(", stale=true")
        for header in (
            sent["Authorization"].replace('nonce="', 'nonce="0'),
            sent["Authorization"].replace("qop=", "qop2="),
            "Digest",
            'Digest username=,"',
            "Digest é",
        ):
            status, challenge = await again(Authorization=header)
            assert (status, challenge.endswith("true")) == (401, False), header


async def test_it_is_offered_where_it_is_switched_on_only(
    server: RunningServer, auth: Speaker, old: Speaker, confd: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await program(auth, "#")
    for speaker in (old, confd):
        challenge = (await speaker.acting(None).get("/users")).headers["WWW-Authenticate"]
        assert challenge.startswith('Digest realm="XivoRealm", nonce="')
    assert "WWW-Authenticate" not in (await auth.acting(None).get("/users")).headers
    set_options(monkeypatch, server, "dialects", digest=False)
    assert (await old.acting(None).get("/users")).headers["WWW-Authenticate"] == 'Basic realm="XivoRealm"'
    assert "WWW-Authenticate" not in (await confd.acting(None).get("/users")).headers
    assert await ask(server, user["username"], PASSWORD) == 401
    later = await person(auth)
    set_options(monkeypatch, server, "dialects", digest=True)
    assert await ask(server, later["username"], PASSWORD) == 401
    assert JSON in (await confd.acting(None).get("/users")).headers["Content-Type"]
