"""`/websockets` and `/accounts/{A}/websockets`."""

from __future__ import annotations

from typing import Any

from crossbar.documents.document import Document
from tests.harness import Api, RunningServer, Tenant, new_tenant


async def test_everybody_may_see_what_can_be_heard(anonymous: Api) -> None:
    told = await anonymous.get("/websockets")
    assert (told.status, sorted(told.data)) == (200, ["call", "conference", "fax", "object", "presence"])
    assert "object.doc_edited.user" in told.data["object"]
    assert len(told.data["call"]) == 9


async def test_open_sockets(server: RunningServer, tenant: Tenant) -> None:
    child = await new_tenant(server, tenant, f"child-{tenant.id[:8]}")
    rows: dict[str, dict[str, Any]] = {}
    for port, account_id in ((1001, tenant.id), (1002, child.id)):
        row = {
            "bindings": ["object.*.*"],
            "websocket_session_id": f"192.0.2.7:{port}",
            "timestamp": port,
            "destination": "host",
            "source": "192.0.2.7",
        }
        rows[account_id] = row
        socket = Document("websockets", "websocket", f"192.0.2.7:{port}", {**row, "account_id": account_id})
        await server.runtime.store.insert(socket)
    own = await tenant.api.get("/websockets")
    assert (own.status, own.data) == (200, [rows[tenant.id]])
    # A parent that asks for a child sees its own sockets there, too.
    below = await tenant.root.get(f"/accounts/{child.id}/websockets")
    assert below.data == [rows[child.id], rows[tenant.id]]
    assert (await child.api.get("/websockets")).data == [rows[child.id]]
    assert (await tenant.api.get("/websockets/192.0.2.7:1001")).data == rows[tenant.id]
    assert (await child.api.get("/websockets/192.0.2.7:1001")).data == []
