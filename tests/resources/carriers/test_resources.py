# SPDX-License-Identifier: MPL-2.0
"""`/resources`: carriers of an account, and those that are everybody's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.carriers import CARRIER_DEFAULTS, GATEWAY_DEFAULTS
from tests.harness import Answer, Api, RunningServer, Tenant, new_person, set_options

FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})
GATEWAY = {"server": "sip.example.com", "username": "u", "password": "p"}


def kept(name: str, *gateways: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A carrier as it is stored, without its id."""
    given = gateways or (GATEWAY,)
    return {
        **CARRIER_DEFAULTS,
        "name": name,
        "gateways": [{**GATEWAY_DEFAULTS, **gateway} for gateway in given],
        **fields,
    }


def missing(resource_id: str) -> tuple[int, str, str, Any]:
    return 404, "404", "bad_identifier", {"message": "bad identifier", "cause": resource_id}


@pytest.fixture(params=["account", "global"])
def carriers(request: pytest.FixtureRequest, tenant: Tenant, master: Tenant) -> Api:
    """Where carriers are: below an account, or everybody's."""
    return tenant.api if request.param == "account" else master.root


@pytest_asyncio.fixture(loop_scope="session")
async def peers_allowed(master: Tenant) -> AsyncIterator[None]:
    saved = await master.root.put("/system_configs/crossbar.resources", {"default": {"allow_peers": True}})
    assert saved.status == 201, saved.envelope
    yield
    await master.root.delete("/system_configs/crossbar.resources")


async def test_a_carrier_from_its_beginning_to_its_end(carriers: Api) -> None:
    sent = {
        "name": "Acme",
        "gateways": [GATEWAY],
        "classifiers": {"did_us": {"weight_cost": 7}},
        "template_name": "t",
        "own": {"a": 1},
    }
    created = await carriers.put("/resources", sent)
    expected = {
        **kept("Acme"),
        "classifiers": {"did_us": {"weight_cost": 7, "emergency": False, "enabled": True}},
        "template_name": "t",
        "own": {"a": 1},
        "id": created.id,
    }
    assert (created.status, created.data) == (201, expected)
    assert created.headers["Location"].endswith(f"/resources/{created.id}")
    read = await carriers.get(f"/resources/{created.id}")
    assert (read.status, read.data, read.envelope["revision"]) == (200, expected, created.envelope["revision"])
    listed = await carriers.get("/resources", query={"filter_id": created.id})
    row = {key: expected[key] for key in ("id", "name", "enabled", "weight_cost", "template_name", "classifiers")}
    assert (listed.status, listed.data) == (200, [row])

    merged = await carriers.patch(f"/resources/{created.id}", {"enabled": False, "own": None})
    del expected["own"]
    assert (merged.status, merged.data) == (200, {**expected, "enabled": False})
    replaced = await carriers.post(f"/resources/{created.id}", {"name": "Other", "gateways": [GATEWAY]})
    assert (replaced.status, replaced.data) == (200, {**kept("Other"), "id": created.id})
    removed = await carriers.delete(f"/resources/{created.id}")
    assert (removed.status, removed.data) == (200, {**replaced.data, "_read_only": {"deleted": True}})
    for verb in ("GET", "POST", "PATCH", "DELETE"):
        refused = await carriers.request(verb, f"/resources/{created.id}", sent)
        assert refused.error() == missing(created.id)


async def test_what_the_schema_says(carriers: Api) -> None:
    refused = await carriers.put("/resources", {"gateways": [{}], "weight_cost": 101})
    assert refused.invalid() == {
        "gateways.0.server": {"required": {"message": "Field is required but missing", "value": "server"}},
        "name": {"required": {"message": "Field is required but missing", "value": "name"}},
        "weight_cost": {"maximum": {"message": "Value must be at most 100", "target": 100, "value": 101}},
    }


async def test_carriers_of_accounts_and_those_of_everybody_are_apart(tenant: Tenant, master: Tenant) -> None:
    own = (await tenant.api.put("/resources", {"name": "own", "gateways": [GATEWAY]})).id
    everybodys = (await master.root.put("/resources", {"name": "all", "gateways": [GATEWAY]})).id
    masters = (await master.api.put("/resources", {"name": "masters", "gateways": [GATEWAY]})).id
    assert (await master.root.get(f"/resources/{own}")).error() == missing(own)
    assert (await master.root.get(f"/resources/{masters}")).error() == missing(masters)
    assert (await tenant.api.get(f"/resources/{everybodys}")).error() == missing(everybodys)
    assert [row["id"] for row in (await tenant.api.get("/resources")).data] == [own]
    assert everybodys in {row["id"] for row in (await master.root.get("/resources")).data}
    assert masters not in {row["id"] for row in (await master.root.get("/resources")).data}


# Peers


async def test_peers_are_disabled(tenant: Tenant, master: Tenant) -> None:
    sent = {"name": "peer", "gateways": [GATEWAY], "peer": True}
    refused = await tenant.api.put("/resources", sent)
    message = "Peers are currently disabled, please contact the system admin"
    error = (400, "400", "validation error", {"peer": {"forbidden": {"message": message}}})
    assert refused.error() == error
    assert (await master.root.put("/resources", sent)).status == 201
    made = await tenant.api.put("/resources", {**sent, "peer": False})
    assert made.status == 201
    assert (await tenant.api.patch(f"/resources/{made.id}", {"peer": "true"})).error() == error


def taken(field: str, index: int, message: str) -> tuple[int, str, str, Any]:
    return 400, "400", "validation error", {field: {"unique": {"message": message, "cause": index}}}


@pytest.mark.usefixtures("peers_allowed")
async def test_peers_have_addresses_of_their_own(tenant: Tenant, stranger: Tenant) -> None:
    base = f"10.{uuid4().int % 200 + 20}.{uuid4().int % 250}"

    async def put(account: Tenant, *gateways: dict[str, Any], **fields: Any) -> Answer:
        return await account.api.put("/resources", {"name": "peer", "peer": True, "gateways": gateways, **fields})

    refused = await put(tenant, {"server": f"{base}.1"}, GATEWAY)
    required = {"message": "Gateway server must be an IP when peering with the resource", "cause": 1}
    assert refused.invalid() == {"gateways.1.server": {"required": required}}

    made = await put(tenant, {"server": f"{base}.1"}, {"server": "sip.example.com", "inbound_ip": f"{base}.2"})
    assert made.status == 201, made.envelope
    server, inbound = "Gateway server ip is already in use", "Gateway inbound ip is already in use"
    for account in (tenant, stranger):
        refused = await put(account, {"server": f"{base}.9"}, {"server": f"{base}.2"})
        assert refused.error() == taken("gateways.1.server", 1, server)
        refused = await put(account, {"server": "x", "inbound_ip": f"{base}.1"})
        assert refused.error() == taken("gateways.0.inbound_ip", 0, inbound)
    assert (await tenant.api.patch(f"/resources/{made.id}", {"weight_cost": 1})).status == 200

    phone = {"name": "phone", "sip": {"method": "ip", "ip": f"{base}.1"}}
    refused = await stranger.api.put("/devices", phone)
    assert refused.data == {"sip.ip": {"unique": {"message": "SIP IP already in use", "cause": f"{base}.1"}}}
    await tenant.api.delete(f"/resources/{made.id}")
    assert (await stranger.api.put("/devices", phone)).status == 201
    assert (await put(tenant, {"server": f"{base}.1"})).error() == taken("gateways.0.server", 0, server)
    assert (await put(tenant, {"server": f"{base}.1"}, peer=False)).status == 201


@pytest.mark.usefixtures("peers_allowed")
async def test_peers_are_in_no_trusted_network(tenant: Tenant, master: Tenant) -> None:
    acls = {"default": {"acls": {"sbc": {"cidr": "10.9.8.0/24", "type": "allow"}}}}
    await master.root.put("/system_configs/ecallmgr", acls)
    try:
        sent = {"name": "peer", "peer": True, "gateways": [{"server": "10.9.8.7"}]}
        refused = await tenant.api.put("/resources", sent)
        assert refused.error() == taken("gateways.0.server", 0, "Gateway server ip is already in use")
        refused = await tenant.api.put("/resources/collection", [sent])
        assert refused.data["errors"]["0"]["gateways.0.server"].keys() == {"unique"}
    finally:
        await master.root.delete("/system_configs/ecallmgr")


# Many at a time


async def test_many_carriers(carriers: Api) -> None:
    mine = f"mine{uuid4().hex}"
    sent = [{"name": "a", "gateways": [GATEWAY], "id": mine}, {"name": "b", "gateways": [GATEWAY], "weight_cost": 3}]
    created = await carriers.put("/resources/collection", sent)
    assert created.status == 201
    assert created.envelope["status"] == "success"
    other = created.data[1]["id"]
    assert created.data == [
        {"id": mine, "name": "a", "enabled": True, "weight_cost": 50},
        {"id": other, "name": "b", "enabled": True, "weight_cost": 3},
    ]
    assert (await carriers.get(f"/resources/{mine}")).data == {**kept("a"), "id": mine}

    merged = await carriers.post("/resources/collection", [{"id": mine, "name": "c"}, {"id": other, "enabled": False}])
    assert (merged.status, merged.data) == (
        200,
        [
            {"id": mine, "name": "c", "enabled": True, "weight_cost": 50},
            {"id": other, "name": "b", "enabled": False, "weight_cost": 3},
        ],
    )
    assert (await carriers.get(f"/resources/{other}")).data == kept("b", weight_cost=3, enabled=False, id=other)
    again = await carriers.put("/resources/collection", [{**sent[1]}, sent[0]])
    assert again.error()[:3] == (409, "409", "datastore_conflict")
    assert (await carriers.post("/resources/collection", [])).data == []


async def test_of_many_all_are_saved_or_none(carriers: Api) -> None:
    good = {"name": f"good{uuid4().hex}", "gateways": [GATEWAY]}
    name = {"name": {"required": {"message": "Field is required but missing", "value": "name"}}}
    wrong = {"": {"type": {"message": "Value did not match type(s): object", "target": "object", "value": 5}}}
    refused = await carriers.put(
        "/resources/collection", [good, {"gateways": [GATEWAY]}, {"id": "i", "gateways": []}, 5]
    )
    assert refused.status == 201
    assert refused.envelope["status"] == "success"
    assert refused.data == {"errors": {"1": name, "i": name, "3": wrong}}
    twice = await carriers.put("/resources/collection", [{**good, "id": "x"}, {**good, "id": "x"}])
    assert twice.data == {"errors": {"x": {"id": {"unique": {"message": "Value is given twice", "cause": "x"}}}}}
    made = await carriers.put("/resources", good)
    refused = await carriers.post(
        "/resources/collection", [{"id": made.id, "name": "changed"}, {"id": "f" * 32, "name": "x"}, {"name": "y"}]
    )
    assert (refused.status, refused.data) == (
        200,
        {"errors": {"f" * 32: "resource does not exist", "2": "resource does not exist"}},
    )
    listed = await carriers.get("/resources", query={"filter_name": good["name"]})
    assert [row["id"] for row in listed.data] == [made.id]
    assert (await carriers.get("/resources/i")).status == 404
    for data in ({}, {"name": "a", "gateways": []}):
        refused = await carriers.put("/resources/collection", data)
        assert refused.data == {"": {"type": {"message": "Value did not match type(s): array", "target": "array"}}}


@pytest.mark.usefixtures("peers_allowed")
async def test_many_peers_have_addresses_of_their_own(tenant: Tenant, stranger: Tenant) -> None:
    base = f"10.{uuid4().int % 200 + 20}.{uuid4().int % 250}"
    peer = {"name": "peer", "peer": True, "gateways": [{"server": f"{base}.1"}]}
    message = "Gateway server ip is already in use"
    error = {"gateways.0.server": {"unique": {"message": message, "cause": 0}}}
    refused = await tenant.api.put("/resources/collection", [peer, {**peer, "id": "second"}])
    assert refused.data == {"errors": {"second": error}}
    [made] = (await tenant.api.put("/resources/collection", [peer])).data
    assert (await stranger.api.put("/resources/collection", [peer])).data == {"errors": {"0": error}}
    assert (await tenant.api.post("/resources/collection", [{"id": made["id"], "name": "renamed"}])).status == 200


# Who may


async def test_whose_they_are(tenant: Tenant, stranger: Tenant, anonymous: Api) -> None:
    made = await tenant.api.put("/resources", {"name": "own", "gateways": [GATEWAY]})
    for path in ("/resources", f"/resources/{made.id}", "/resources/jobs", "/resources/jobs/202601-a"):
        whole = f"/accounts/{tenant.id}{path}"
        assert (await stranger.root.get(whole)).error() == FORBIDDEN
        assert (await tenant.root.get(path)).error() == FORBIDDEN
        assert (await anonymous.get(whole)).error()[:2] == (401, "401")
    for verb, path in (("PUT", ""), ("PUT", "/collection"), ("POST", "/collection"), ("PUT", "/jobs")):
        assert (await stranger.root.request(verb, f"/accounts/{tenant.id}/resources{path}", [])).error() == FORBIDDEN
        assert (await tenant.root.request(verb, f"/resources{path}", [])).error() == FORBIDDEN
    for verb in ("POST", "PATCH", "DELETE"):
        refused = await stranger.root.request(verb, f"/accounts/{tenant.id}/resources/{made.id}", {"name": "x"})
        assert refused.error() == FORBIDDEN
    assert (await tenant.api.get(f"/resources/{made.id}")).data["name"] == "own"


async def test_plain_users_see_no_passwords_of_gateways(
    server: RunningServer, tenant: Tenant, master: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await tenant.api.put("/resources", {"name": "own", "gateways": [GATEWAY]})
    person = await new_person(server, tenant)
    clerk = await new_person(server, master, f"clerk{tenant.id[:8]}")
    for verb, path in (
        ("GET", ""),
        ("PUT", ""),
        ("GET", f"/{made.id}"),
        ("POST", f"/{made.id}"),
        ("PATCH", f"/{made.id}"),
        ("DELETE", f"/{made.id}"),
        ("PUT", "/collection"),
        ("POST", "/collection"),
        ("GET", "/jobs"),
        ("PUT", "/jobs"),
        ("GET", "/jobs/202601-a"),
    ):
        assert (await person.api.request(verb, f"/resources{path}", {})).error() == FORBIDDEN
        assert (await clerk.root.request(verb, f"/resources{path}", {})).error() == FORBIDDEN
    set_options(monkeypatch, server, "access", plain_users="as_kazoo")
    assert (await person.api.get(f"/resources/{made.id}")).status == 200
