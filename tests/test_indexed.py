# SPDX-License-Identifier: MPL-2.0
"""Every query has an index: the database's own profiler watches while every GET route is asked, and every list paged.

What MongoDB planned as a scan of a whole collection (COLLSCAN) fails the test, whichever endpoint asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from crossbar.app import ENDPOINTS
from crossbar.endpoint import Route
from tests.harness import RunningServer, Tenant

SAMPLE = "f" * 32
QUESTIONS = (
    {},
    {"page_size": "1"},
    {"paginate": "false"},
    {"filter_name": "x", "has_key": "name"},
    {"created_from": "63000000000", "created_to": "63000000100"},
    {"ascending": "true", "start_key": "m"},
    {"t": "user", "q": "name", "v": "a", "by_name": "a"},
)


def reading_routes() -> list[Route]:
    routes = (route for endpoint in ENDPOINTS for route in endpoint.routes)
    return sorted((route for route in routes if route.verb == "GET"), key=lambda route: route.template)


@contextmanager
def profiled(database: Database[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Collects what the database did in the meantime."""
    found: list[dict[str, Any]] = []
    database.command("profile", 0)
    database.drop_collection("system.profile")
    database.create_collection("system.profile", capped=True, size=64 * 1024 * 1024)
    database.command("profile", 2)
    try:
        yield found
    finally:
        database.command("profile", 0)
        found += database["system.profile"].find({"ns": {"$not": {"$regex": "system.profile$"}}})
        database.drop_collection("system.profile")


@pytest.fixture
def database(server: RunningServer, mongo_client: MongoClient[dict[str, Any]]) -> Database[dict[str, Any]]:
    return mongo_client[server.runtime.config.database.name]


async def test_no_listing_scans_a_collection(
    server: RunningServer,
    tenant: Tenant,
    master: Tenant,
    database: Database[dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked: dict[str, int] = {}
    with profiled(database) as seen:
        for route in reading_routes():
            path = route.template.removeprefix("/v2").replace("{account_id}", tenant.id)
            path = "/".join(SAMPLE if step.startswith("{") else step for step in path.split("/"))
            path = path.replace(f"users/{SAMPLE}", f"users/{tenant.admin_id}")
            listing = not route.template.endswith("}")
            for query in QUESTIONS if listing else QUESTIONS[:1]:  # of one document nothing is filtered or paged
                answer = await master.root.get(path, query=query)
                asked[path] = answer.status
        status = await master.root.get(f"{server.url}/status.json")
        asked["/status.json"] = status.status
    scans = [
        (entry["ns"], entry.get("command", {}).get("filter") or entry.get("command"))
        for entry in seen
        if "COLLSCAN" in entry.get("planSummary", "")
    ]
    assert len(seen) > len(asked), "the profiler saw nothing"
    assert scans == []
    # No question may end in an error that nobody foresaw, either.
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
