# SPDX-License-Identifier: MPL-2.0
"""wazo-auth, users and policies: checks C07 to C09, C19, C20 and C22 to C24 of the acceptance list."""

from __future__ import annotations

import uuid
from urllib.parse import quote

import pytest

from tests.dialects.speaker import ACCEPT, Speaker
from tests.dialects.test_wazo_tokens import PASSWORD, login, person, policy, token_with, unique
from tests.harness import RunningServer, Tenant, new_tenant

NOBODY = str(uuid.UUID(int=7))


async def test_c07_a_new_user(auth: Speaker, confd: Speaker, tenant: Tenant) -> None:
    name = unique()
    body = {"purpose": "external_api", "username": name, "password": PASSWORD}
    made = await auth.post("/users", body)
    assert made.status == 200
    assert made.json == {
        "uuid": made.json["uuid"], "username": name, "firstname": None, "lastname": None, "purpose": "external_api",
        "enabled": True, "tenant_uuid": str(uuid.UUID(tenant.id)), "authentication_method": "default", "emails": [],
    }  # fmt: skip
    again = await auth.post("/users", {**body, "username": name.upper()})
    assert (again.status, again.json["error_id"], again.json["resource"]) == (409, "conflict", "users")
    assert again.json["details"]["username"]["constraint_id"] == "unique"
    assert (await confd.get("/users")).json["total"] == 1, "log-ins are no telephone users"
    assert (await tenant.api.get(f"/users/{made.json['uuid'].replace('-', '')}")).data["username"] == name


async def test_c08_a_new_policy(auth: Speaker) -> None:
    made = await policy(auth, "#")
    assert made["acl"] == made["acl_templates"] == ["#"]
    assert uuid.UUID(made["uuid"])
    both = await auth.post("/policies", {"name": unique(), "acl": ["a"], "acl_templates": ["b"]})
    assert both.json["acl_templates"] == ["a"]
    for body in ({}, {"name": ""}, {"name": "x" * 81}):
        refused = await auth.post("/policies", body)
        assert (refused.status, refused.json["reason"]) == (400, ["Invalid value supplied for field: name"])
    refused = await auth.post("/policies", {"name": made["name"]})
    assert (refused.status, refused.json["reason"]) == (409, [f'Policy "{made["name"]}" already exists'])
    assert (await auth.get(f"/policies/{made['slug']}")).json == made
    replaced = await auth.put(f"/policies/{made['uuid']}", {"name": made["name"], "description": "d"})
    assert (replaced.json["acl"], replaced.json["description"]) == ([], "d")
    for method, wanted in (("PUT", ["confd.users.#"]), ("DELETE", [])):
        path = f"/policies/{made['uuid']}/acl/{quote('confd.users.#', safe='')}"
        assert (await auth.request(method, path)).status == 204
        assert (await auth.get(f"/policies/{made['uuid']}")).json["acl"] == wanted
    listed = (await auth.get("/policies", query={"search": made["name"]})).json
    assert [one["uuid"] for one in listed["items"]] == [made["uuid"]]
    assert (await auth.delete(f"/policies/{made['uuid']}")).status == 204
    gone = await auth.get(f"/policies/{made['uuid']}")
    assert (gone.status, gone.json["reason"]) == (404, [f"No such policy {made['uuid']}"])


async def test_c09_users_and_policies(auth: Speaker) -> None:
    user, given = await person(auth), await policy(auth, "#")
    path = f"/users/{user['uuid']}/policies"
    for _ in range(2):
        assert (await auth.put(f"{path}/{given['uuid']}", headers={"Accept": None})).status == 204
    assert (await auth.get(path)).json == {"total": 1, "filtered": 1, "items": [given]}
    assert (await auth.put(f"{path}/{NOBODY}")).status == 404
    assert (await auth.put(f"/users/{NOBODY}/policies/{given['uuid']}")).status == 404
    for _ in range(2):
        assert (await auth.delete(f"{path}/{given['uuid']}")).status == 204
    assert (await auth.get(path)).json["total"] == 0


async def test_nobody_hands_out_more_than_he_has(auth: Speaker) -> None:
    own = auth.acting((await token_with(auth, "auth.#", "confd.users.read"))["token"])
    user, everything = await person(auth), await policy(auth, "#")
    refused = await own.post("/policies", {"name": unique(), "acl": ["confd.users.create"]})
    assert (refused.status, refused.json["details"]["required_access"]) == (401, "confd.users.create")
    assert (await own.put(f"/users/{user['uuid']}/policies/{everything['uuid']}")).status == 401
    made = await own.post("/policies", {"name": unique(), "acl": ["confd.users.read", "!anything"]})
    assert made.status == 200
    assert (await own.put(f"/users/{user['uuid']}/policies/{made.json['uuid']}")).status == 204
    assert (await own.put(f"/policies/{made.json['uuid']}/acl/x.y")).status == 401


@pytest.mark.parametrize("path", ["/users", "/policies"])
async def test_c19_nobody_gets_in_without_a_token(auth: Speaker, path: str) -> None:
    for token in (None, "wrong"):
        refused = await auth.acting(token).get(path)
        assert (refused.status, refused.json["error_id"], refused.json["message"]) == (
            401,
            "unauthorized",
            "Unauthorized",
        )
        assert refused.json["details"]["invalid_token"] == (token or "")
        assert refused.json["details"]["required_access"] == f"auth{path.replace('/', '.')}.read"


async def test_c20_users(auth: Speaker) -> None:
    address = f"{unique()}@example.com"
    user = await person(auth, email_address=address, firstname="Ana", lastname="Lima")
    (email,) = user["emails"]
    assert (email["address"], email["main"], email["confirmed"]) == (address, True, True)
    assert (await login(auth, address)).status == 200
    for query in ({"search": address[5:20]}, {"username": user["username"]}, {"email_address": address}):
        listed = (await auth.get("/users", query=query)).json
        assert (listed["total"], listed["filtered"], listed["items"]) == (2, 1, [user]), query
    assert (await auth.get("/users", query={"search": "external"})).json["filtered"] == 0
    replaced = await auth.put(f"/users/{user['uuid']}", {"username": user["username"], "firstname": "Bo"})
    assert replaced.status == 200
    assert replaced.json == user | {"firstname": "Bo", "lastname": None, "purpose": "user"}
    assert (await auth.get(f"/users/{user['uuid']}")).json == replaced.json
    renamed = unique()
    assert (await auth.put(f"/users/{user['uuid']}", {"username": renamed})).json["username"] == renamed
    assert (await login(auth, renamed)).status == 200
    assert (await login(auth, user["username"])).status == 401
    for method in ("GET", "PUT", "DELETE"):
        gone = await auth.request(method, f"/users/{NOBODY}", {"username": "x"})
        assert (gone.status, gone.json["error_id"], gone.json["resource"]) == (404, "unknown-user", "users")
        assert gone.json["details"] == {"uuid": NOBODY}
    wrong = await auth.post("/users", {"username": "x" * 257})
    assert (wrong.status, wrong.json["error_id"]) == (400, "invalid-data")
    assert {"message", "constraint_id", "constraint"} == set(wrong.json["details"]["username"])
    for query in ({"direction": "sideways"}, {"order": "shoe_size"}, {"limit": "-1"}, {"offset": "x"}):
        wrong = await auth.get("/users", query=query)
        assert (wrong.status, wrong.json["error_id"], wrong.json["resource"]) == (400, "invalid-list-param", "users")
    ordered = (await auth.get("/users", query={"order": "username", "direction": "desc", "limit": 1})).json
    assert len(ordered["items"]) == 1


async def test_passwords_and_addresses(auth: Speaker) -> None:
    user = await person(auth)
    path = f"/users/{user['uuid']}"
    change = {"old_password": "wrong", "new_password": "another"}
    assert (await auth.put(f"{path}/password", change)).status == 401
    assert (await auth.put(f"{path}/password", {**change, "old_password": PASSWORD})).status == 204
    assert (await login(auth, user["username"], "another")).status == 200
    told = await auth.put(f"{path}/emails", {"emails": [{"address": "a@example.com"}, {"address": "b@example.com"}]})
    assert [(one["address"], one["main"]) for one in told.json] == [("a@example.com", True), ("b@example.com", False)]
    assert (await auth.get(path)).json["emails"] == told.json


async def test_c22_a_deleted_user(auth: Speaker) -> None:
    user = await person(auth)
    token = (await login(auth, user["username"])).json["data"]["token"]
    deleted = await auth.delete(f"/users/{user['uuid']}")
    assert (deleted.status, deleted.is_empty) == (204, True)
    assert (await auth.get(f"/users/{user['uuid']}")).status == 404
    assert (await login(auth, user["username"])).status == 401
    assert (await auth.get(f"/token/{token}")).status == 404


async def test_c23_behind_prefixes(auth: Speaker, confd: Speaker, server: RunningServer) -> None:
    for speaker, prefix, path in ((auth, "/api/auth/0.1", "/users"), (confd, "/api/confd/1.1", "/users")):
        other = Speaker(speaker.session, f"{server.url}{prefix}", speaker.token)
        mine, theirs = (await speaker.get(path)).json, (await other.get(path)).json
        assert mine["total"] == theirs["total"] == 1
    created = await other.post("/users", {"firstname": "A"})
    assert created.headers["Location"] == f"{server.url}/api/confd/1.1/users/{created.json['id']}"


async def test_c24_tenants(auth: Speaker, confd: Speaker, tenant: Tenant, stranger: Tenant) -> None:
    for speaker in (auth, confd):
        own = {**ACCEPT, "Wazo-Tenant": str(uuid.UUID(tenant.id))}
        assert (await speaker.get("/users", headers=own)).status == 200
        for other in (NOBODY, stranger.id, "x"):
            assert (await speaker.get("/users", headers={**ACCEPT, "Wazo-Tenant": other})).status == 401
    refused = await auth.get("/users", headers={"Wazo-Tenant": NOBODY})
    assert (refused.json["error_id"], refused.json["details"]) == ("unauthorized-tenant", {"tenant_uuid": NOBODY})


async def test_tenants_are_accounts(auth: Speaker, server: RunningServer, tenant: Tenant) -> None:
    made = await auth.post("/tenants", {"name": unique(), "address": {"city": "Lyon"}})
    assert made.status == 200, made.raw
    assert (made.json["parent_uuid"], made.json["address"]["city"]) == (str(uuid.UUID(tenant.id)), "Lyon")
    path = f"/tenants/{made.json['uuid']}"
    assert (await auth.get(path)).json == made.json
    renamed = await auth.put(path, {"name": unique()})
    assert renamed.json["name"] != made.json["name"]
    assert (await auth.get("/tenants")).json["total"] == 2
    below = await new_tenant(server, tenant, f"other{tenant.id[:8]}")
    assert (await auth.get("/users", query={"recurse": "true"})).json["total"] == 2
    assert (await auth.acting(below.token).get(path)).status == 404
    assert (await auth.delete(path)).status == 204
    assert (await auth.get(path)).status == 404
    assert (await auth.delete(f"/tenants/{tenant.id}")).status == 403


async def test_groups_give_their_policies(auth: Speaker) -> None:
    user, given = await person(auth), await policy(auth, "confd.users.read")
    made = await auth.post("/groups", {"name": unique()})
    assert made.status == 200
    path = f"/groups/{made.json['uuid']}"
    assert (await auth.post("/groups", {"name": made.json["name"]})).status == 409
    for member in (f"users/{user['uuid']}", f"policies/{given['uuid']}"):
        assert (await auth.put(f"{path}/{member}")).status == 204
    assert (await auth.get(f"{path}/users")).json["items"] == [user]
    assert (await auth.get(f"{path}/policies")).json["items"] == [given]
    assert (await auth.get(f"/users/{user['uuid']}/groups")).json["total"] == 1
    assert (await login(auth, user["username"])).json["data"]["acl"] == ["confd.users.read"]
    assert (await auth.delete(f"{path}/users/{user['uuid']}")).status == 204
    assert (await login(auth, user["username"])).json["data"]["acl"] == []
    assert (await auth.put(path, {"name": "other"})).json["name"] == "other"
    assert (await auth.delete(path)).status == 204
    assert (await auth.get(path)).json["error_id"] == "unknown-group"


@pytest.mark.parametrize("purpose", ["user", "internal", "external_api"])
async def test_logins_of_every_purpose_are_found_as_me_and_from_above(auth: Speaker, purpose: str) -> None:
    below = {"Wazo-Tenant": (await auth.post("/tenants", {"name": unique()})).json["uuid"]}
    made = await auth.post("/users", {"username": unique(), "purpose": purpose}, headers=below)
    assert (await auth.get(f"/users/{made.json['uuid']}")).json == made.json
    user = await person(auth, purpose=purpose)
    given = await policy(auth, "auth.users.me.#")
    assert (await auth.put(f"/users/{user['uuid']}/policies/{given['uuid']}")).status == 204
    token = (await login(auth, user["username"], access_type="offline", client_id="c")).json["data"]
    own = auth.acting(token["token"])
    assert (await own.get("/users/me")).json == (await auth.get(f"/users/{user['uuid']}")).json
    assert [one["client_id"] for one in (await own.get("/users/me/tokens")).json["items"]] == ["c"]
    assert (await own.delete("/users/me/tokens/c")).status == 204
