"""Menus: prompts that a caller answers with a key press.

Source: KAZOO `cb_menus`.
"""

from __future__ import annotations

from crossbar.documents.shape import Summary, or_default
from crossbar.endpoint import Context, Draft, Resource

menus = Resource(
    "menus",
    document_type="menu",
    schema="menus",
    summary=Summary("id", "name", flags=or_default("flags", [])),
)


@menus.finish
async def set_version(context: Context, draft: Draft) -> None:
    """Menus are of the second layout that KAZOO gave them."""
    draft.private["pvt_vsn"] = "2"
