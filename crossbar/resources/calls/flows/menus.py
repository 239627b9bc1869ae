# SPDX-License-Identifier: MPL-2.0
"""Menus: prompts that a caller answers with a key press.

Source: KAZOO `cb_menus`.
"""

from __future__ import annotations

from crossbar.documents.document_types import MENU
from crossbar.documents.shape import Shape, Summary, or_default
from crossbar.endpoint import Collection, Context, Draft

menus = Collection(
    "menus",
    "/accounts/{account_id}/menus/{menu_id}",
    Shape(MENU, summary=Summary("id", "name", flags=or_default("flags", []))),
    schema="menus",
)


@menus.finish
async def set_version(context: Context, draft: Draft) -> None:
    """Menus are of the second layout that KAZOO gave them."""
    draft.private["pvt_vsn"] = "2"
