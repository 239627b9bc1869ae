# SPDX-License-Identifier: MPL-2.0
"""Skels: plain documents for tests of compatibility.

Source: KAZOO `cb_skels`.
"""

from __future__ import annotations

from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context
from crossbar.errors import JSON

skels = Collection(
    "skels", "/accounts/{account_id}/skels/{skel_id}", Shape("skel", summary=Summary("id")), schema="skels"
)


@skels.decorate_rows()
async def ids_alone(_: Context, rows: list[JSON]) -> None:
    """The list is one of ids, not of objects."""
    rows[:] = [row["id"] for row in rows]
