# SPDX-License-Identifier: MPL-2.0
"""The whole Postman collection, sent by newman from the first request to the last."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from crossbar.app import WINGS
from crossbar.description.examples import EXAMPLES
from crossbar.description.operations import operations
from crossbar.description.postman_collection import collection, environment
from tests import node
from tests.harness import RunningServer, ServerWith

VERSION = "6.2.2"
SCRIPT = Path(__file__).parent / "newman.cjs"
NAMES = {f"{one.verb} {one.path}" for one in operations(WINGS)}
REFUSED = {key for key, example in EXAMPLES.items() if example.refused} | {
    name for name in NAMES if name.endswith("/{revision}")
}
MAKING = re.compile(r"(PUT|POST) .*|GET .*/(api_key|keys|samples)")
"""What makes something, and what knows something that others need."""


@pytest_asyncio.fixture(scope="session")
async def newman(pytestconfig: pytest.Config) -> Path:
    """The folder of newman, with all that it needs beside it."""

    async def fetch(folder: Path) -> None:
        package = folder / "package"
        package.mkdir()
        what = ("install", f"newman@{VERSION}", "--ignore-scripts", "--no-audit", "--no-fund")
        await node.npm(*what, "--prefix", str(package), folder=package)

    return await node.cached(pytestconfig, "newman", VERSION, fetch) / "node_modules" / "newman"


async def sent(newman: Path, server: RunningServer, whole: dict[str, Any]) -> dict[str, Any]:
    """What newman tells of a run of a collection."""
    login = {"base_url": server.url, "account_name": "Master", "user": "root", "password": "a master's word"}
    filled = environment()
    for value in filled["values"]:
        value["value"] = login.get(value["key"], value["value"])
    given = {"newman": str(newman), "collection": whole, "environment": filled}
    status, printed, said = await node.run(["node", str(SCRIPT)], SCRIPT.parent, json.dumps(given).encode())
    assert status == 0, said
    told: dict[str, Any] = json.loads(printed)
    return told


def making(part: dict[str, Any]) -> dict[str, Any]:
    """A folder without the requests that make nothing, which what a run before has left behind cannot disturb."""
    if "item" not in part:
        return part
    items = [making(one) for one in part["item"] if "item" in one or MAKING.fullmatch(one["name"])]
    return {**part, "item": [one for one in items if one.get("item") != []]}


async def test_no_request_fails_and_what_makes_things_can_be_sent_again(newman: Path, server_with: ServerWith) -> None:
    async with server_with() as server:
        made = collection(WINGS)
        for whole, names in ((made, NAMES), (making(made), set(filter(MAKING.fullmatch, NAMES)))):
            told = await sent(newman, server, whole)
            assert told["failures"] == []
            statuses = {request["name"]: request["status"] for request in told["sent"] if "name" in request}
            assert statuses.keys() == names
            assert {name for name, status in statuses.items() if status >= 400} <= REFUSED
