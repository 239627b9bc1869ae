# SPDX-License-Identifier: MPL-2.0
"""What the server answers is what the description says: every operation, with what is there and with what is not."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import orjson
import pytest
import pytest_asyncio

from crossbar.app import WINGS
from crossbar.description.operations import ApiOperation, operations
from crossbar.endpoint import Lists
from tests.description.conformance import Conformance, request_example, whole
from tests.harness import RunningServer, new_tenant
from trials.fuzz import ENDS_THE_CALLER
from trials.worlds import handed_in, made_in

MISSING: Final = "f" * 32
STRIDE: Final = 8
"""Of what is the same for all operations one in so many is asked; `python -m trials schemathesis` asks all."""
OPERATIONS: Final = [one for one in operations(WINGS) if (one.verb, one.path) not in ENDS_THE_CALLER]
READING: Final = [one for one in OPERATIONS if one.verb == "GET"]
WRITING: Final = [one for one in OPERATIONS if one.verb != "GET"]


@pytest.fixture(scope="module")
def conformance() -> Conformance:
    return Conformance(whole())


@dataclass
class World:
    """An account with something of everything, and who calls."""

    server: RunningServer
    token: str
    ids: Mapping[str, str]

    async def complaints(
        self,
        conformance: Conformance,
        operation: ApiOperation,
        ids: Mapping[str, str],
        *,
        query: str = "",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> list[str]:
        """What of the answer to a request the description does not allow."""
        path = re.sub(r"\{(\w+)\}", lambda name: quote(ids.get(name[1], MISSING), safe=""), operation.path)
        sent = {"X-Auth-Token": self.token, "Content-Type": "application/json", **(headers or {})}
        data = None if body is None else orjson.dumps(body)
        session, url = self.server.master.api.session, f"{self.server.url}{path}{query}"
        async with session.request(operation.verb, url, data=data, headers=sent, allow_redirects=False) as answer:
            raw = await answer.read()
            kind = answer.headers.get("Content-Type")
            found = conformance.complaints(operation.verb, operation.path, answer.status, kind, raw)
            return [f"{operation.verb} {operation.path}{query}: {complaint}" for complaint in found]


def some(listed: list[ApiOperation], salt: object) -> list[ApiOperation]:
    """One in so many operations, other ones for each `salt`."""
    return listed[zlib.crc32(str(salt).encode()) % STRIDE :: STRIDE]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(server: RunningServer) -> AsyncIterator[World]:
    target = await new_tenant(server, server.master, "described")
    ids = await made_in(target)
    await handed_in(server, ids)
    yield World(server, server.master.token, ids)


async def test_what_is_there_is_answered_as_described(world: World, conformance: Conformance) -> None:
    found = [
        complaint for operation in READING for complaint in await world.complaints(conformance, operation, world.ids)
    ]
    assert not found, "\n".join(found)


async def test_what_is_missing_is_refused_as_described(world: World, conformance: Conformance) -> None:
    ids = {"account_id": world.ids["account_id"], "collection": "users"}
    found = [
        complaint
        for operation in some(OPERATIONS, "missing")
        for complaint in await world.complaints(conformance, operation, ids)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("query", ["?page_size=1", "?page_size=0", "?paginate=false", "?full_docs=true", "?fields=id"])
async def test_lists_are_as_described(world: World, conformance: Conformance, query: str) -> None:
    listing = some([one for one in READING if one.lists is not Lists.NOTHING], query)
    found = [
        complaint
        for operation in listing
        for complaint in await world.complaints(conformance, operation, world.ids, query=query)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Auth-Token": "no token"},
        {"Accept": "text/csv"},
        {"Accept": "model/vrml"},
        {"Accept": "?"},
        {"If-None-Match": "*"},
        {"If-Match": '"1-ab"'},
        {"Range": "bytes=1-2"},
    ],
    ids=str,
)
async def test_headers_are_heeded_as_described(
    world: World, conformance: Conformance, headers: Mapping[str, str]
) -> None:
    found = [
        complaint
        for operation in some(READING, headers)
        for complaint in await world.complaints(conformance, operation, world.ids, headers=headers)
    ]
    assert not found, "\n".join(found)


async def test_the_example_of_every_write_is_answered_as_described(world: World, conformance: Conformance) -> None:
    found = []
    for operation in sorted(WRITING, key=lambda one: one.verb == "DELETE"):
        described = conformance.description["paths"][operation.path][operation.verb.lower()]
        body = request_example(described)
        found += await world.complaints(conformance, operation, world.ids, body=body)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, {"data": {}}),
        ({}, {"data": []}),
        ({}, {"data": "text"}),
        ({}, [1]),
        ({"Content-Type": "model/vrml"}, {}),
        ({"Content-Encoding": "br"}, {}),
        ({"If-Match": '"1-ab"'}, {"data": {}}),
        ({"If-None-Match": "*"}, {"data": {}}),
    ],
    ids=str,
)
async def test_wrong_writes_are_refused_as_described(
    world: World, conformance: Conformance, headers: Mapping[str, str], body: Any
) -> None:
    changing = some([one for one in WRITING if one.verb != "DELETE"], (headers, body))
    found = [
        complaint
        for operation in changing
        for complaint in await world.complaints(conformance, operation, world.ids, body=body, headers=headers)
    ]
    assert not found, "\n".join(found)
