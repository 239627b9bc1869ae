"""What the client libraries of Wazo send (check C25): their exact methods, paths, headers and bodies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialects.speaker import Speaker
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
