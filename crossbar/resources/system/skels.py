"""Skels: plain documents for tests of compatibility.

Source: KAZOO `cb_skels`.
"""

from __future__ import annotations

from crossbar.documents.shape import Summary
from crossbar.endpoint import Context, Resource
from crossbar.errors import JSON

skels = Resource("skels", document_type="skel", schema="skels", summary=Summary("id"))


@skels.decorate_rows()
async def ids_alone(_: Context, rows: list[JSON]) -> None:
    """The list is one of ids, not of objects."""
    rows[:] = [row["id"] for row in rows]
