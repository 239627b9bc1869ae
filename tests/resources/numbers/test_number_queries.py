# SPDX-License-Identifier: MPL-2.0
"""What numbers ask of the database: by an index, always, and of no more documents than they tell of."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from crossbar.resources.numbers.domain import number_count
from tests.harness import RunningServer, Tenant
from tests.numbers import fresh, stock
from tests.tasks import run_task
from tests.test_indexed import profiled

SPARE = 5
"""Documents beyond those told of: the one after a page, the account, its settings."""


@pytest.fixture
def database(server: RunningServer, mongo_client: MongoClient[dict[str, Any]]) -> Database[dict[str, Any]]:
    return mongo_client[server.runtime.config.database.name]


def scans(seen: list[dict[str, Any]]) -> list[Any]:
    return [entry.get("command") for entry in seen if "COLLSCAN" in entry.get("planSummary", "")]


def examined(seen: list[dict[str, Any]]) -> int:
    return max((entry.get("docsExamined", 0) for entry in seen), default=0)


async def test_every_operation_has_an_index(tenant: Tenant, master: Tenant, database: Database[dict[str, Any]]) -> None:
    numbers = [fresh() for _ in range(6)]
    first = numbers[0]
    collection = {"numbers": numbers}
    with profiled(database) as seen:
        await stock(master, *numbers)
        for verb, path, data in (
            ("PUT", f"/phone_numbers/{first}/reserve", {}),
            ("PUT", f"/phone_numbers/{first}/activate", {}),
            ("PATCH", f"/phone_numbers/{first}", {"note": "x"}),
            ("POST", f"/phone_numbers/{first}", {"note": "y"}),
            ("GET", f"/phone_numbers/{first}/identify", {}),
            ("PUT", "/phone_numbers/collection/activate", collection),
            ("PATCH", "/phone_numbers/collection", {**collection, "note": "z"}),
            ("POST", "/phone_numbers/check", collection),
            ("POST", "/phone_numbers/locality", collection),
            ("POST", "/phone_numbers/fix", {}),
            ("GET", "/services/summary", {}),
        ):
            assert (await tenant.api.request(verb, path, data)).status in (200, 201), path
        for query in ({"filter_state": "in_service"}, {"filter_used_by": "callflow"}, {"prefix": first[2:8]}):
            assert (await tenant.api.get("/phone_numbers", query=query)).status == 200
        for action in ("list", "list_all"):
            await run_task(tenant.api, "number_management", action)
        await run_task(master.api, "number_management", "dump_in_service")
        for action in ("find", "update_merge", "assign_to", "release", "reserve", "delete"):
            await run_task(tenant.api, "number_management", action, "\n".join(["e164", *numbers, ""]))
    assert len(seen) > 50, "the profiler saw nothing"
    assert scans(seen) == []


async def test_a_page_and_a_search_look_at_what_they_tell_of(
    tenant: Tenant, master: Tenant, database: Database[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many numbers there are beside them."""
    numbers = [fresh() for _ in range(60)]
    await stock(master, *[number.replace("+1415", "+1417") for number in numbers])
    path = f"/accounts/{tenant.id}/phone_numbers/collection"
    assert (await master.root.put(path, {"numbers": numbers, "carrier_name": "inventory"})).data["error"] == []
    await tenant.api.get("/phone_numbers", query={"page_size": "1"})
    for query, told in (
        ({"page_size": "10"}, 10),
        ({"page_size": "10", "filter_state": "in_service"}, 10),
        ({"prefix": "417", "quantity": "10"}, 10),
        ({"prefix": "417", "quantity": "10", "offset": "20"}, 30),
    ):
        with profiled(database) as seen:
            answer = await tenant.api.get("/phone_numbers", query=query)
        assert len(answer.data if "prefix" in query else answer.data["numbers"]) == 10
        assert scans(seen) == []
        assert examined(seen) <= told + SPARE, query
    monkeypatch.setattr(number_count, "FEW", 3)
    with profiled(database) as seen:
        summary = await tenant.api.get("/services/summary")
    assert summary.data["quantities"]["account"]["phone_numbers"] == {"did_us": 60}
    assert examined(seen) <= SPARE
