# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/pivot`."""

from __future__ import annotations

from typing import Any

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.ids import monthly_id
from tests.harness import RunningServer, Tenant


async def keep(server: RunningServer, tenant: Tenant, created: int, **fields: Any) -> None:
    """Store a debug document, as what runs the calls would."""
    private = {"pvt_created": created, "pvt_type": "pivot_debug", "pvt_node": "pivot@here"}
    document = Document(tenant.id, "pivot_debug", monthly_id(created), {**fields, **private})
    await server.runtime.store.insert(document)


async def test_without_calls(tenant: Tenant) -> None:
    listed = await tenant.api.get("/pivot/debug")
    assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, [], 0)
    for name in ("somecall", "202601-somecall"):
        read = await tenant.api.get(f"/pivot/debug/{name}")
        assert (read.status, read.data) == (200, [])


async def test_calls(tenant: Tenant, server: RunningServer) -> None:
    now = clock.now()
    url = "http://pivot.test/"
    await keep(server, tenant, now - 9, call_id="a@x", iteration=1, method="get", uri=url)
    await keep(server, tenant, now - 8, call_id="a@x", iteration=1, resp_status_code=200, schema_errors=[{}])
    await keep(server, tenant, now - 7, call_id="a@x", iteration=2, method="get", uri=f"{url}next")
    await keep(server, tenant, now - 6, call_id="b@x", iteration=1, method="get", uri=url)

    listed = await tenant.api.get("/pivot/debug")
    month_a, month_b = clock.year_month(now - 8), clock.year_month(now - 6)
    row = {"uri": url, "iteration": 1, "node": "pivot@here", "has_json_errors": False}
    assert listed.data == [
        {**row, "call_id": "b@x", "created": now - 6, "debug_id": f"{month_b}-b@x", "has_schema_errors": False},
        {
            **row,
            "call_id": "a@x",
            "created": now - 8,
            "debug_id": f"{month_a}-a@x",
            "has_schema_errors": True,
            "status_code": 200,
        },
    ]
    assert listed.envelope["page_size"] == 2
    for name in ("a@x", f"{month_a}-a@x"):
        read = await tenant.api.get(f"/pivot/debug/{name}")
        assert [debug["created"] for debug in read.data] == [now - 9, now - 8, now - 7]
        assert read.data[1] == {
            "id": read.data[1]["id"],
            "call_id": "a@x",
            "iteration": 1,
            "resp_status_code": 200,
            "schema_errors": [{}],
            "created": now - 8,
            "node": "pivot@here",
            "debug_id": f"{month_a}-a@x",
        }
