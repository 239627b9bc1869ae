# SPDX-License-Identifier: MPL-2.0
"""wazo-auth, tokens: checks C04 to C06, C10 to C18 and C21 of the acceptance list."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import pytest
from pymongo import MongoClient

from crossbar import clock
from crossbar.dialects.accesses import Accesses
from tests.dialects.speaker import ACCEPT, Speaker, Told, basic
from tests.harness import RunningServer, Tenant, new_person

PASSWORD = "a word: with colon"


def unique() -> str:
    return f"user-{uuid.uuid4().hex}"


async def login(auth: Speaker, name: str, password: str = PASSWORD, **body: Any) -> Told:
    return await auth.acting(None).post("/token", body, headers=basic(name, password))


async def person(auth: Speaker, **fields: Any) -> Any:
    body = {"purpose": "external_api", "username": unique(), "password": PASSWORD, **fields}
    made = await auth.post("/users", body)
    assert made.status == 200, made.raw
    return made.json


async def policy(auth: Speaker, *acl: str) -> Any:
    made = await auth.post("/policies", {"name": unique(), "acl_templates": list(acl)})
    assert made.status == 200, made.raw
    return made.json


async def token_with(auth: Speaker, *acl: str, **body: Any) -> Any:
    """A new user's token, and all that is told of it."""
    user = await person(auth)
    if acl:
        given = await auth.put(f"/users/{user['uuid']}/policies/{(await policy(auth, *acl))['uuid']}")
        assert (given.status, given.is_empty) == (204, True)
    told = await login(auth, user["username"], **body)
    assert told.status == 200, told.raw
    return told.json["data"]


async def test_c04_c10_the_quickstart(auth: Speaker, confd: Speaker) -> None:
    data = await token_with(auth, "#", expiration=3600)
    assert data["acl"] == data["acls"] == ["#"]
    assert (await confd.acting(data["token"]).get("/users")).status == 200
    told = await auth.acting(None).post("/tokens", {}, headers=basic("admin@" + "nowhere", "x"))
    assert told.status == 401


async def test_c05_what_is_told_of_a_token(auth: Speaker, confd: Speaker, tenant: Tenant) -> None:
    told = await login(auth, f"admin@{tenant.realm}", "correct horse", expiration=10)
    assert told.headers["Wazo-Sessions-Revoked"] == "0"
    data = told.json["data"]
    server = (await confd.get("/infos")).json["uuid"]
    assert {"auth_id", "xivo_user_uuid", "issued_at", "expires_at", "session_uuid", "remote_addr", "user_agent"} <= set(
        data
    )
    assert data["xivo_uuid"] == data["metadata"]["xivo_uuid"] == server
    assert data["auth_id"].replace("-", "") == tenant.admin_id
    assert data["metadata"]["tenant_uuid"].replace("-", "") == tenant.id
    assert (data["acl"], data["metadata"]["purpose"]) == (["#"], "user")
    assert data["metadata"]["pbx_user_uuid"] == data["auth_id"]
    program = await token_with(auth)
    assert program["xivo_user_uuid"] is None


async def test_c06_a_token_expires(auth: Speaker, confd: Speaker) -> None:
    data = await token_with(auth, "#", expiration=2)
    issued, expires = (datetime.fromisoformat(data[name]) for name in ("utc_issued_at", "utc_expires_at"))
    assert (expires - issued).total_seconds() == 2
    assert (await auth.get(f"/token/{data['token']}")).status == 200
    with clock.frozen(clock.unix_now() + 3):
        assert (await auth.get(f"/token/{data['token']}")).status == 404
        assert (await confd.acting(data["token"]).get("/users")).status == 401


async def test_c11_rights_are_those_of_the_policies(auth: Speaker, confd: Speaker, tenant: Tenant) -> None:
    nothing = (await token_with(auth))["token"]
    assert (await confd.acting(nothing).get("/users")).status == 401
    refused = await auth.acting(nothing).get("/users")
    assert (refused.status, refused.json["details"]["invalid_token"]) == (401, nothing)
    one = (await token_with(auth, "confd.users.read"))["token"]
    assert (await confd.acting(one).get("/users")).status == 200
    for path in ("/users/1", "/voicemails", "/lines"):
        assert (await confd.acting(one).get(path)).status == 401, path
    assert (await confd.acting(one).post("/users", {"firstname": "A"})).status == 401
    assert (await auth.acting(one).get("/users")).status == 401
    assert (await tenant.api.acting(one).get("/users")).status == 401, "a dialect's token opens that dialect alone"


async def test_c12_c13_others_ask_of_a_token(auth: Speaker, tenant: Tenant, stranger: Tenant) -> None:
    data = await token_with(auth, "confd.users.read")
    path = f"/token/{data['token']}"
    assert (await auth.acting(None).get(path)).json["data"] == data
    told = await auth.get(f"/token/{uuid.uuid4()}")
    assert (told.status, told.json["reason"], told.json["status_code"]) == (404, ["No such token"], 404)
    for query, status in (
        ({"scope": "confd.users.read"}, 204),
        ({"scope": "confd.users.create"}, 403),
        ({"tenant": tenant.id}, 204),
        ({"tenant": stranger.id}, 403),
        ({}, 204),
    ):
        assert (await auth.request("HEAD", path, query=query)).status == status, query
        assert (await auth.get(path, query=query)).status == (200 if status == 204 else status), query
    told = await auth.get(path, query={"scope": "confd.users.create"})
    assert told.json["reason"] == ["Unauthorized for confd.users.create"]
    assert (await auth.request("HEAD", f"/token/{uuid.uuid4()}")).status == 404


ACCESSES: list[tuple[list[str], list[str], list[str]]] = [
    (["confd.users.*.read"], ["confd.users.12.read"], ["confd.users.12.lines.read", "confd.users.read"]),
    (["confd.#"], ["confd.users.read"], ["confd"]),
    (["dird.#.read"], ["dird.a.b.read"], ["dird.a.update"]),
    (["confd.#", "!confd.users.7.#"], ["confd.users.8.read"], ["confd.users.7.read", "confd.users.7.a\nb"]),
    (["#"], ["anything"], []),
    (["confd.users"], [], ["confd.users.read", "confdXusers"]),
    (["confd.users.edit"], ["confd.users.update"], []),
    (["confd.use*.read"], ["confd.users.read"], []),
    (["confdXusers"], [], ["confd.users"]),
    (["a.me.b"], ["a.1-2.b", "a.me.b"], ["a.3-4.b"]),
    (["a.my_session"], ["a.s-s"], ["a.t-t"]),
    ([], [], ["a"]),
]
"""Elements of a token's accesses, what they allow, and what they do not."""


@pytest.mark.parametrize(("elements", "allowed", "refused"), ACCESSES)
def test_c14_c15_accesses(elements: list[str], allowed: list[str], refused: list[str]) -> None:
    accesses = Accesses(elements, "1-2", "s-s")
    assert [required for required in allowed + refused if accesses.allow(required)] == allowed


async def test_c15_c16_scopes(auth: Speaker) -> None:
    data = await token_with(auth, "auth.users.me.#", "auth.sessions.my_session.delete", "!a.c", "a.*")
    scopes = {
        f"auth.users.{data['auth_id']}.read": True,
        "auth.users.me.read": True,
        f"auth.users.{uuid.uuid4()}.read": False,
        f"auth.sessions.{data['session_uuid']}.delete": True,
        "a.b": True,
        "a.c": False,
    }
    path = f"/token/{data['token']}/scopes/check"
    assert (await auth.post(path, {"scopes": list(scopes)})).json == {"scopes": scopes}
    assert (await auth.post(path, {"scopes": "a"})).status == 400
    assert (await auth.post(f"/token/{uuid.uuid4()}/scopes/check", {"scopes": []})).status == 404
    own = auth.acting(data["token"])
    assert (await own.get(f"/users/{data['auth_id']}")).status == 200
    assert (await own.get("/users")).status == 401
    assert (await own.get(f"/users/{data['auth_id']}/policies")).json["total"] == 1


async def test_c17_a_token_is_revoked(auth: Speaker, confd: Speaker) -> None:
    token = (await token_with(auth, "#"))["token"]
    for _ in range(2):
        told = await auth.acting(None).delete(f"/token/{token}")
        assert (told.status, told.json) == (200, {"data": {"message": "success"}})
        assert (await auth.get(f"/token/{token}")).status == 404
        assert (await confd.acting(token).get("/users")).status == 401


async def test_c18_who_does_not_get_in(auth: Speaker) -> None:
    user = await person(auth)
    for name, password in ((user["username"], "wrong"), (unique(), PASSWORD), ("", "")):
        told = await login(auth, name, password)
        assert (told.status, told.json["reason"]) == (401, ["Authentication Failed"])
    assert (await auth.acting(None).post("/token", {})).status == 401
    for body, key in (
        ({"expiration": 0}, "expiration"),
        ({"expiration": -5}, "expiration"),
        ({"expiration": "soon"}, "expiration"),
        ({"access_type": "offline"}, "client_id"),
        ({"tenant_id": "a", "domain_name": "b"}, "domain_name"),
    ):
        told = await login(auth, user["username"], **body)
        assert told.status == 400
        assert key in told.json["reason"][0]
    headers = {**basic(user["username"], PASSWORD), "Content-Type": "text/plain"}
    assert (await auth.post("/token", body=b"{}", headers=headers)).status == 200
    assert (await auth.post("/token", headers=headers)).status == 400


async def test_c21_backends_and_status(auth: Speaker) -> None:
    nobody = auth.acting(None)
    assert (await nobody.get("/backends")).json == {"data": ["wazo_user"]}
    assert (await nobody.request("HEAD", "/status")).status == 200


async def test_what_ends_a_token(auth: Speaker, confd: Speaker, tenant: Tenant) -> None:
    for change in ({"password": "another"}, {"enabled": False}):
        user = await person(auth)
        token = (await login(auth, user["username"], access_type="offline", client_id="c")).json["data"]
        path = f"/users/{user['uuid'].replace('-', '')}"
        assert (await auth.get(f"/token/{token['token']}")).status == 200
        assert (await tenant.api.patch(path, change)).status == 200
        assert (await auth.get(f"/token/{token['token']}")).status == 404
        body = {"refresh_token": token["refresh_token"], "client_id": "c"}
        assert (await auth.acting(None).post("/token", body)).status == 401


async def test_refresh_tokens(auth: Speaker) -> None:
    user = await person(auth)
    first = (await login(auth, user["username"], access_type="offline", client_id="c")).json["data"]
    again = (await login(auth, user["username"], access_type="offline", client_id="c")).json["data"]
    assert first["refresh_token"] == again["refresh_token"]
    body = {"refresh_token": first["refresh_token"], "client_id": "c"}
    told = await auth.acting(None).post("/token", body)
    assert told.json["data"]["auth_id"] == user["uuid"]
    assert (await auth.acting(None).post("/token", {**body, "client_id": "d"})).status == 401
    listed = (await auth.get(f"/users/{user['uuid']}/tokens")).json
    assert [one["client_id"] for one in listed["items"]] == ["c"]
    assert (await auth.get("/tokens")).json == listed
    assert (await auth.get(f"/users/{user['uuid']}/sessions")).json["total"] == 3
    everybodys = (await auth.read("/sessions"))["items"]
    assert {first["session_uuid"], again["session_uuid"]} <= {one["uuid"] for one in everybodys}
    page = await auth.read("/sessions?limit=1&offset=1")
    assert (page["total"], page["items"]) == (len(everybodys), everybodys[1:2])
    assert (await auth.delete(f"/sessions/{again['session_uuid']}")).status == 204
    assert (await auth.delete(f"/sessions/{again['session_uuid']}")).status == 404
    assert (await auth.get(f"/token/{again['token']}")).status == 404
    assert (await auth.delete(f"/users/{user['uuid']}/sessions/{first['session_uuid']}")).status == 204
    assert (await auth.get(f"/token/{first['token']}")).status == 404
    assert (await auth.delete(f"/users/{user['uuid']}/tokens/c")).status == 204
    assert (await auth.acting(None).post("/token", body)).status == 401


async def test_people_of_crossbars_see_to_themselves(
    auth: Speaker, confd: Speaker, server: RunningServer, tenant: Tenant
) -> None:
    one = await new_person(server, tenant, unique(), email=f"{unique()}@example.com")
    name = (await tenant.api.get(f"/users/{one.id}")).data["email"]
    username = (await tenant.api.get(f"/users/{one.id}")).data["username"]
    data = (await login(auth, name, f"{username} password")).json["data"]
    assert data["acl"] == ["confd.users.me.#", "auth.users.me.#", "confd.infos.read"]
    assert (await confd.acting(data["token"]).get("/users/me")).status == 200
    assert (await confd.acting(data["token"]).get("/infos")).status == 200
    assert (await confd.acting(data["token"]).get("/users")).status == 401
    assert (await confd.acting(data["token"]).get(f"/users/{data['auth_id']}/lines", headers=ACCEPT)).status == 200


async def test_nobody_becomes_more_by_changing_others(auth: Speaker, confd: Speaker, tenant: Tenant) -> None:
    api = confd.acting((await token_with(auth, "confd.#"))["token"])
    for path, body in (
        (tenant.admin_id, {"password": "mine"}),
        (tenant.admin_id, {"email": "mine@example.com"}),
        (tenant.admin_id, {"username": "mine", "password": "mine"}),
        ((await token_with(auth, "auth.#"))["auth_id"], {"password": "mine"}),
    ):
        assert (await api.put(f"/users/{path}", body)).status in (401, 404), body
    assert (await api.delete(f"/users/{tenant.admin_id}")).status == 401
    assert (await api.put(f"/users/{tenant.admin_id}", {"userfield": "x"})).status == 204


async def test_the_database_forgets_tokens_that_have_expired(
    auth: Speaker, server: RunningServer, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    data = await token_with(auth, "#", expiration=600)
    documents = mongo_client[server.runtime.config.database.name]["documents"]
    index = documents.index_information()["expires"]
    assert (index["expireAfterSeconds"], index["partialFilterExpression"]) == (0, {"expires": {"$exists": True}})
    stored = documents.find_one({"tags": f"wazo_token/session/{data['session_uuid']}"})
    assert stored is not None
    ends = datetime.fromisoformat(data["utc_expires_at"])
    assert abs((stored["expires"] - ends).total_seconds()) < 0.01
    assert documents.count_documents({"expires": {"$exists": True}, "k": {"$not": {"$regex": "^wazo_token"}}}) == 0
