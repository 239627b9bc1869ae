# SPDX-License-Identifier: MPL-2.0
"""Integers: given once, never again, whoever asks first."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from crossbar import clock
from tests.dialects.speaker import Speaker
from tests.harness import Tenant, two_workers

READERS = 16


def numbers(listed: Any) -> dict[str, int]:
    return {item["firstname"]: item["id"] for item in listed["items"]}


async def test_many_first_readers_agree(old: Speaker, tenant: Tenant) -> None:
    for seconds, name in enumerate("abcdef", 1):
        with clock.frozen(clock.unix_now() + seconds):
            await tenant.api.put("/users", {"first_name": name, "last_name": "x"})
    told = await asyncio.gather(*(old.get("/users/") for _ in range(READERS)))
    first, *others = [numbers(one.json) for one in told]
    assert all(other == first for other in others)
    assert len(set(first.values())) == len(first) == 7
    made = ["Ada", *"abcdef"]
    assert sorted(first, key=first.__getitem__) == made, "the oldest first"
    assert numbers((await old.get("/users/")).json) == first


async def test_many_first_readers_of_every_kind_agree(confd: Speaker, tenant: Tenant) -> None:
    for number in range(4):
        await tenant.api.put("/vmboxes", {"name": str(number), "mailbox": str(100 + number)})
        sip = {"username": f"phone{number}", "password": "12345"}
        device = await tenant.api.put("/devices", {"name": "d", "sip": sip})
        flow = {"module": "device", "data": {"id": device.id}}
        await tenant.api.put("/callflows", {"numbers": [str(200 + number), str(300 + number)], "flow": flow})
    for path, count in (("/lines", 4), ("/endpoints/sip", 4), ("/extensions", 8), ("/voicemails", 4)):
        told = await asyncio.gather(*(confd.get(path) for _ in range(READERS)))
        first, *others = [sorted(item["id"] for item in one.json["items"]) for one in told]
        assert all(other == first for other in others), path
        assert len(set(first)) == len(first) == count, path


async def test_first_readers_of_several_workers_agree(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path: Path
) -> None:
    async with two_workers(mongo_uri, mongo_client, tmp_path) as workers:
        for index in range(12):
            await workers[0].master.api.put("/users", {"first_name": str(index), "last_name": "x"})
        clients = [Speaker(one.master.api.session, f"{one.url}/1.0", one.master.token) for one in workers]
        told = await asyncio.gather(*(client.get("/users/") for client in clients * (READERS // 2)))
        first, *others = [numbers(each.json) for each in told]
        assert all(other == first for other in others)
        assert len(set(first.values())) == len(first) == 13
        created = await asyncio.gather(
            *(client.post("/users/", {"firstname": "new"}) for client in clients * (READERS // 2))
        )
        given = [answer.number for answer in created]
        assert len({*given, *first.values()}) == len(given) + len(first)


async def test_a_number_is_never_used_again(old: Speaker, tenant: Tenant) -> None:
    given = []
    for _ in range(3):
        created = await old.post("/users/", {"firstname": "Ana"})
        given.append(created.number)
        assert (await old.delete(f"/users/{created.number}")).status == 200
    assert given == sorted(set(given))
    assert [(await old.get(f"/users/{number}")).status for number in given] == [404] * 3


async def test_numbering_does_not_change_what_crossbar_shows(old: Speaker, tenant: Tenant) -> None:
    made = await tenant.api.put("/vmboxes", {"name": "B", "mailbox": "8"})
    before = await tenant.api.get(f"/vmboxes/{made.id}")
    assert (await old.get("/voicemails/")).json["total"] == 1
    assert (await tenant.api.get(f"/vmboxes/{made.id}")).data == before.data
