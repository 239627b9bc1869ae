# SPDX-License-Identifier: MPL-2.0
"""`/ips`: dedicated addresses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from crossbar import clock
from crossbar.resources.carriers.domain import dedicated_ip
from tests.harness import Answer, Api, RunningServer, Tenant, new_person, new_tenant, set_options

FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})


@dataclass
class Inventory:
    """Addresses of the test's own, in a zone of its own."""

    root: Api
    zone: str
    made: list[str] = field(default_factory=list)

    async def add(self) -> str:
        chance = uuid4().int
        ip = f"198.18.{chance % 250}.{chance // 250 % 250}" if len(self.made) % 2 else f"2001:db8::{chance % 65536:x}"
        created = await self.root.put("/ips", {"ip": ip, "zone": self.zone, "host": f"host.{self.zone}"})
        if created.status == 409:  # another test has it
            return await self.add()
        assert created.status == 201, created.envelope
        self.made.append(ip)
        return ip

    def told(self, ip: str, account: Tenant | None = None) -> dict[str, Any]:
        assigned = {"status": "assigned", "assigned_to": account.id} if account else {"status": "available"}
        return {"id": ip, "ip": ip, "zone": self.zone, "host": f"host.{self.zone}", "type": "dedicated_ip", **assigned}


@pytest_asyncio.fixture(loop_scope="session")
async def inventory(master: Tenant) -> AsyncIterator[Inventory]:
    inventory = Inventory(master.root, f"zone{uuid4().hex[:8]}")
    yield inventory
    for ip in inventory.made:
        await master.root.delete(f"/ips/{ip}")


def wrong(**errors: tuple[str, str, str]) -> tuple[int, str, str, Any]:
    """The refusal of a list: by place, code, text and address."""
    return (
        400,
        "400",
        "validation error",
        {f"ips.{place[1:]}": {code: {"message": text, "value": ip}} for place, (code, text, ip) in errors.items()},
    )


async def test_the_inventory(inventory: Inventory, master: Tenant) -> None:
    before = clock.now()
    sent = {"ip": "2001:DB8:0:0::7", "zone": inventory.zone, "host": "h1"}
    created = await master.root.put("/ips", sent)
    read_only = created.data["_read_only"]
    assert before <= read_only["created"] <= clock.now()
    assert (created.status, created.data) == (
        201,
        {
            "_read_only": {
                "id": "2001:db8::7",
                "created": read_only["created"],
                "modified": read_only["created"],
                "host": "h1",
                "zone": inventory.zone,
                "status": "available",
                "type": "dedicated_ip",
                "vsn": "1",
            }
        },
    )
    expected = {
        "id": "2001:db8::7",
        "ip": "2001:db8::7",
        "zone": inventory.zone,
        "host": "h1",
        "status": "available",
        "type": "dedicated_ip",
    }
    again = await master.root.put("/ips", {**sent, "ip": "2001:db8::7"})
    assert again.error()[:3] == (409, "409", "datastore_conflict")
    for written in ("2001:db8::7", "2001:DB8::0:7"):
        read = await master.root.get(f"/ips/{written}")
        assert (read.status, read.data) == (200, expected)
    listed = await master.root.get("/ips", query={"zone": inventory.zone})
    assert (listed.status, listed.data) == (200, [{"ip": "2001:db8::7", "zone": inventory.zone}])
    assert {"ip": "2001:db8::7", "zone": inventory.zone} in (
        await master.root.get("/ips", query={"paginate": "false"})
    ).data
    assert inventory.zone in (await master.root.get("/ips/zones")).data
    assert "h1" in (await master.root.get("/ips/hosts")).data
    removed = await master.root.delete("/ips/2001:db8::7")
    assert (removed.status, removed.data) == (200, expected)
    missing = (404, "404", "bad_identifier", {"message": "bad identifier", "cause": "2001:db8::7"})
    for verb in ("GET", "DELETE"):
        assert (await master.root.request(verb, "/ips/2001:db8::7")).error() == missing
    assert inventory.zone not in (await master.root.get("/ips/zones")).data


async def test_what_an_address_of_the_inventory_has(master: Tenant) -> None:
    refused = await master.root.put("/ips", {"ip": "300.1.1.1", "zone": ""})
    assert refused.error()[:3] == (400, "400", "validation error")
    assert set(refused.data) == {"ip", "zone", "host"}


async def test_an_account_gets_addresses_and_gives_them_back(inventory: Inventory, tenant: Tenant) -> None:
    one, two = [await inventory.add() for _ in range(2)]
    assigned = await tenant.api.post("/ips", {"ips": [one, two]})
    expected = {ip: inventory.told(ip, tenant) for ip in (one, two)}
    assert (assigned.status, assigned.data) == (200, {"success": expected, "error": {}})
    for ip in (one, two):
        read = await tenant.api.get(f"/ips/{ip}")
        assert (read.status, read.data) == (200, inventory.told(ip, tenant))
    listed = await tenant.api.get("/ips/assigned")
    assert listed.status == 200
    assert sorted(row["ip"] for row in listed.data) == sorted([one, two])
    assert {row["zone"] for row in listed.data} == {inventory.zone}
    assert (await tenant.api.get("/ips", query={"zone": inventory.zone})).data == []
    everywhere = await inventory.root.get("/ips/assigned", query={"paginate": "false"})
    assert {one, two} <= {row["ip"] for row in everywhere.data}
    summary = await tenant.api.get("/services/summary")
    assert summary.data["quantities"]["account"]["ips"] == {"dedicated": 2}

    released = await tenant.api.delete("/ips", {"ips": [one, two]})
    free = {ip: inventory.told(ip) for ip in (one, two)}
    assert (released.status, released.data) == (200, {"success": free, "error": {}})
    assert (await tenant.api.get("/ips/assigned")).data == []
    listed = await tenant.api.get("/ips", query={"zone": inventory.zone})
    assert sorted(row["ip"] for row in listed.data) == sorted([one, two])
    assert "ips" not in (await tenant.api.get("/services/summary")).data["quantities"]["account"]
    assert (await tenant.api.get("/ips/zones")).data.count(inventory.zone) == 1
    assert (await tenant.api.get("/ips/hosts")).data.count(f"host.{inventory.zone}") == 1


async def test_one_address(inventory: Inventory, tenant: Tenant) -> None:
    ip = await inventory.add()
    assert (await tenant.api.get(f"/ips/{ip}")).data == inventory.told(ip)
    assigned = await tenant.api.post(f"/ips/{ip}", {})
    assert (assigned.status, assigned.data) == (200, {"success": {ip: inventory.told(ip, tenant)}, "error": {}})
    released = await tenant.api.delete(f"/ips/{ip}")
    assert (released.status, released.data) == (200, inventory.told(ip))
    again = await tenant.api.delete(f"/ips/{ip}")
    assert again.error() == wrong(_0=("superfluous", "ip not assigned", ip))


async def test_what_cannot_be_moved(inventory: Inventory, tenant: Tenant, stranger: Tenant) -> None:
    own, others, free = [await inventory.add() for _ in range(3)]
    await tenant.api.post("/ips", {"ips": [own]})
    await stranger.api.post("/ips", {"ips": [others]})
    nowhere = "203.0.113.255"
    refused = await tenant.api.post("/ips", {"ips": [free, own, others, nowhere]})
    other, missing = ("forbidden", "ip assigned to another account", others), ("not_found", "ip not found", nowhere)
    assert refused.error() == wrong(_1=("superfluous", "ip already assigned", own), _2=other, _3=missing)
    assert (await tenant.api.get(f"/ips/{free}")).data["status"] == "available"
    refused = await tenant.api.delete("/ips", {"ips": [own, free, others, nowhere]})
    assert refused.error() == wrong(_1=("superfluous", "ip not assigned", free), _2=other, _3=missing)
    assert (await tenant.api.get(f"/ips/{own}")).data["status"] == "assigned"
    for verb in ("POST", "DELETE"):
        assert (await tenant.api.request(verb, f"/ips/{others}", {})).error() == wrong(_0=other)
        assert (await tenant.api.request(verb, f"/ips/{nowhere}", {})).error() == wrong(_0=missing)
        refused = await tenant.api.request(verb, "/ips", {"ips": ["x"]})
        assert refused.error()[:3] == (400, "400", "validation error")
        assert [*refused.data] == ["ips.0"]
        refused = await tenant.api.request(verb, "/ips", {})
        required = {"ips": {"required": {"message": "Field is required but missing", "value": "ips"}}}
        assert refused.invalid() == required


async def test_one_of_many_gets_an_address(inventory: Inventory, tenant: Tenant, stranger: Tenant) -> None:
    ip = await inventory.add()

    def got(answer: Answer) -> bool:
        return answer.status == 200 and ip in answer.data["success"]

    answers = await asyncio.gather(*(api.post(f"/ips/{ip}", {}) for api in (tenant.api, stranger.api) * 8))
    assert sum(map(got, answers)) == 1
    owners = [account.id for account in (tenant, stranger) if (await account.api.get("/ips/assigned")).data]
    assert owners == [(await inventory.root.get(f"/ips/{ip}")).data["assigned_to"]]


async def test_addresses_of_an_account_that_is_gone_are_free(
    server: RunningServer, inventory: Inventory, master: Tenant
) -> None:
    ip = await inventory.add()
    leaving = await new_tenant(server, master, f"leaving{uuid4().hex[:8]}")
    await leaving.api.post(f"/ips/{ip}", {})
    await master.root.delete(f"/accounts/{leaving.id}")
    assert (await master.root.get(f"/ips/{ip}")).data == inventory.told(ip)
    await dedicated_ip.free(server.runtime, leaving.id)


async def test_who_may(
    server: RunningServer,
    inventory: Inventory,
    tenant: Tenant,
    stranger: Tenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ip = await inventory.add()
    await tenant.api.post(f"/ips/{ip}", {})
    person = await new_person(server, tenant)
    sent = {"ips": [ip], "ip": "198.51.100.1", "zone": "z", "host": "h"}
    for verb, path in (
        *(("GET", path) for path in ("", "/assigned", "/zones", "/hosts", f"/{ip}")),
        *((verb, path) for verb in ("POST", "DELETE") for path in ("", f"/{ip}")),
        ("PUT", ""),
    ):
        assert (await stranger.root.request(verb, f"/accounts/{tenant.id}/ips{path}", sent)).error() == FORBIDDEN
        if verb in ("GET", "PUT") or (verb, path) == ("DELETE", f"/{ip}"):
            assert (await tenant.root.request(verb, f"/ips{path}", sent)).error() == FORBIDDEN
        if verb in ("POST", "DELETE"):
            assert (await person.api.request(verb, f"/ips{path}", sent)).error() == FORBIDDEN
    for api in (tenant.api, inventory.root.acting(inventory.root.token, f"/accounts/{tenant.id}")):
        assert (await api.put("/ips", sent)).error() == FORBIDDEN
    # whose an address is, is nothing for others
    unknown = (404, "404", "bad_identifier", {"message": "bad identifier", "cause": ip})
    assert (await stranger.api.get(f"/ips/{ip}")).error() == unknown
    assert (await tenant.api.get(f"/ips/{ip}")).data["assigned_to"] == tenant.id
    assert (await person.api.get("/ips/assigned")).data == [{"ip": ip, "zone": inventory.zone}]
    set_options(monkeypatch, server, "access", plain_users="as_kazoo")
    assert (await person.api.delete(f"/ips/{ip}")).status == 200
