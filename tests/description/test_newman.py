# SPDX-License-Identifier: MPL-2.0
"""The whole Postman collection, sent by newman from the first request to the last."""

from __future__ import annotations

import json
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
REFUSED = {key for key, example in EXAMPLES.items() if example.refused}


@pytest_asyncio.fixture(scope="session")
async def newman(pytestconfig: pytest.Config) -> Path:
    """The folder of newman, with all that it needs beside it."""

    async def fetch(folder: Path) -> None:
        package = folder / "package"
        package.mkdir()
        what = ("install", f"newman@{VERSION}", "--ignore-scripts", "--no-audit", "--no-fund")
        await node.npm(*what, "--prefix", str(package), folder=package)

    return await node.cached(pytestconfig, "newman", VERSION, fetch) / "node_modules" / "newman"


async def sent(newman: Path, server: RunningServer) -> dict[str, Any]:
    """What newman tells of a run of the whole collection."""
    login = {"base_url": server.url, "account_name": "Master", "user": "root", "password": "a master's word"}
    filled = environment()
    for value in filled["values"]:
        value["value"] = login.get(value["key"], value["value"])
    given = {"newman": str(newman), "collection": collection(WINGS), "environment": filled}
    status, printed, said = await node.run(["node", str(SCRIPT)], SCRIPT.parent, json.dumps(given).encode())
    assert status == 0, said
    told: dict[str, Any] = json.loads(printed)
    return told


async def test_no_request_fails_and_none_does_the_second_time(newman: Path, server_with: ServerWith) -> None:
    async with server_with() as server:
        for _ in range(2):
            told = await sent(newman, server)
            open("/tmp/fixdesc.newman", "a").write(json.dumps(told) + "\n")
            assert told["failures"] == []
            statuses = {request["name"]: request["status"] for request in told["sent"] if "name" in request}
            assert statuses.keys() == {f"{one.verb} {one.path}" for one in operations(WINGS)}
            assert {name for name, status in statuses.items() if status >= 400} <= REFUSED
