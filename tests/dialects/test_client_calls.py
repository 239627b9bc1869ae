# SPDX-License-Identifier: MPL-2.0
"""What the client libraries of Wazo send (check C25): their exact methods, paths, headers and bodies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialects.speaker import UNKNOWN, Speaker
from tests.harness import RunningServer, Tenant

HEADERS = {"Accept": "application/json", "Connection": "close", "Content-Type": "application/json"}


@pytest.fixture
def client(server: RunningServer, tenant: Tenant) -> Speaker:
    """wazo-confd behind its prefix, with the headers that its client library sends with every request."""
    return Speaker(tenant.api.session, f"{server.url}/api/confd/1.1", tenant.token, HEADERS)


async def create(client: Speaker, resource: str, body: dict[str, Any]) -> Any:
    told = await client.post(f"/{resource}", body)
    assert told.status == 201, told.raw
    return told.json


async def update(client: Speaker, resource: str, body: dict[str, Any]) -> None:
    """The whole object without `links`, addressed by its uuid, else its id."""
    sent = {key: value for key, value in body.items() if key != "links"}
    told = await client.put(f"/{resource}/{body.get('uuid') or body['id']}", sent)
    assert told.status == 204, told.raw


async def test_crud_of_every_resource(client: Speaker) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "users": {"firstname": "Ana"},
        "voicemails": {"name": "a", "number": "1", "context": "default"},
        "lines": {"context": "default"},
        "extensions": {"exten": "100", "context": "default"},
        "endpoints/sip": {},
        "devices": {"mac": "00:11:22:33:44:55"},
    }
    for resource, body in bodies.items():
        made = await create(client, resource, body)
        listed = await client.get(f"/{resource}", query={"recurse": "False"})
        assert made in listed.json["items"], resource
        await update(client, resource, made)
        assert (await client.get(f"/{resource}/{made['id']}")).json == made, resource
        assert (await client.delete(f"/{resource}/{made['id']}")).status == 204
        assert (await client.get(f"/{resource}/{made['id']}")).status == 404
    for path in ("/infos", "/status", "/contexts"):
        assert (await client.get(path)).status == 200
    (own,) = (await client.get("/tenants", query={"recurse": "False"})).json["items"]
    assert own == (await client.get(f"/tenants/{own['uuid']}")).json
    user = await create(client, "users", {"firstname": "Ana"})
    assert (await client.get(f"/users/{user['uuid']}/fallbacks")).json == user["fallbacks"]


async def test_associations_without_a_body(client: Speaker) -> None:
    user = await create(client, "users", {"firstname": "Ana"})
    line = await create(client, "lines", {"context": "default"})
    sip = await create(client, "endpoints/sip", {})
    extension = await create(client, "extensions", {"exten": "100", "context": "default"})
    box = await create(client, "voicemails", {"name": "a", "number": "1", "context": "default"})
    device = await create(client, "devices", {})
    pairs = [
        f"/lines/{line['id']}/endpoints/sip/{sip['id']}",
        f"/users/{user['uuid']}/lines/{line['id']}",
        f"/lines/{line['id']}/extensions/{extension['id']}",
        f"/users/{user['id']}/voicemails/{box['id']}",
        f"/lines/{line['id']}/devices/{device['id']}",
    ]
    for path in pairs:
        for body in (b"", None):
            assert (await client.request("PUT", path, body=body)).status == 204, path
    assert (await client.request("HEAD", f"/users/{user['uuid']}")).status == 200
    whole = (await client.get(f"/users/{user['uuid']}")).json
    assert whole["voicemail"]["id"] == box["id"]
    assert whole["lines"][0]["endpoint_sip"]["id"] == sip["id"]
    assert whole["lines"][0]["extensions"][0]["exten"] == "100"
    await update(client, "users", whole)
    found = (await client.get(f"/lines/{line['id']}")).json
    assert [one["uuid"] for one in found["users"]] == [user["uuid"]]
    assert found["endpoint_sip"]["username"] == sip["username"]
    await update(client, "lines", found)
    await update(client, "extensions", (await client.get(f"/extensions/{extension['id']}")).json)
    assert (await client.get(f"/users/{user['uuid']}/voicemails")).json["items"][0]["id"] == box["id"]
    main = await client.get(f"/users/{user['uuid']}/lines/main/associated/endpoints/sip")
    assert main.json["username"] == sip["username"]
    assert (await client.get(f"/lines/{line['id']}/devices")).json["device_id"] == device["id"]
    for path in (pairs[4], pairs[2], pairs[1], pairs[0], f"/users/{user['uuid']}/voicemails"):
        assert (await client.delete(path)).status == 204, path
    for path in (f"/users/{user['uuid']}", f"/lines/{line['id']}", f"/endpoints/sip/{sip['id']}"):
        assert (await client.delete(path)).status == 204, path


async def test_the_endpoint_of_each_line_of_a_user(client: Speaker) -> None:
    users = [(await create(client, "users", {"firstname": name}))["uuid"] for name in ("Ana", "Bo")]
    lines, names = [], []
    for user in (users[0], users[0], users[1]):
        lines.append((await create(client, "lines", {"context": "default"}))["id"])
        sip = await create(client, "endpoints/sip", {})
        names.append(sip["username"])
        for path in (f"/lines/{lines[-1]}/endpoints/sip/{sip['id']}", f"/users/{user}/lines/{lines[-1]}"):
            assert (await client.put(path)).status == 204

    async def endpoint(user: str, line: object) -> Any:
        path = f"/users/{user}/lines/{line}/associated/endpoints/sip"
        told = await client.get(path, query={"view": "merged"})
        return told.json["username"] if told.status == 200 else (told.status, told.json[0].partition(" (")[0])

    assert [await endpoint(users[0], line) for line in (*lines[:2], "main")] == [*names[:2], names[0]]
    assert await endpoint(users[1], lines[2]) == names[2]
    missing = (404, "Resource Not Found - UserLine was not found")
    assert [await endpoint(users[0], lines[2]), await endpoint(users[1], lines[0])] == [missing, missing]
    assert await endpoint(users[1], UNKNOWN) == (404, "Resource Not Found - Line was not found")
    assert (await client.delete(f"/users/{users[1]}/lines/{lines[2]}")).status == 204
    assert await endpoint(users[1], "main") == missing


async def test_the_number_that_programs_show_where_there_is_none_comes_back_as_none(client: Speaker) -> None:
    user = await create(client, "users", {"firstname": "Ana"})
    for number in ("", "+55", ""):
        await update(client, "users", {"uuid": user["uuid"], "mobile_phone_number": number})
        found = (await client.get(f"/users/{user['uuid']}")).json
        assert found == {**user, "mobile_phone_number": number or None}


async def test_what_lies_in_another_tenant_is_not_brought_together(
    client: Speaker, auth: Speaker, tenant: Tenant
) -> None:
    child = (await auth.post("/tenants", {"name": f"child of {tenant.id}"})).json["uuid"]
    below = Speaker(client.session, client.base, client.token, {**HEADERS, "Wazo-Tenant": child})
    bodies: dict[str, dict[str, Any]] = {
        "lines": {"context": "default"},
        "endpoints/sip": {},
        "users": {"firstname": "Ana"},
        "extensions": {"exten": "100", "context": "default"},
        "voicemails": {"name": "a", "number": "1", "context": "default"},
    }
    theirs = {name: (await create(below, name, body))["id"] for name, body in bodies.items()}
    ours = {name: (await create(client, name, body))["id"] for name, body in bodies.items()}

    async def refused(path: str, what: str) -> None:
        for one, other in ((theirs, ours), (ours, theirs)):
            told = await client.put(path.format(one=one, other=other))
            assert (told.status, told.json) == (400, [f"Resource Error - {what} are in different tenants"])

    await refused("/lines/{one[lines]}/endpoints/sip/{other[endpoints/sip]}", "Line and Endpoint")
    await refused("/users/{one[users]}/voicemails/{other[voicemails]}", "User and Voicemail")
    for things, who in ((theirs, below), (ours, client)):
        assert (await who.put(f"/lines/{things['lines']}/endpoints/sip/{things['endpoints/sip']}")).status == 204
    await refused("/users/{one[users]}/lines/{other[lines]}", "User and Line")
    await refused("/lines/{one[lines]}/extensions/{other[extensions]}", "Line and Extension")
