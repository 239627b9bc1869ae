# SPDX-License-Identifier: MPL-2.0
"""Blacklists: callers who are not let in. An account uses those whose ids stand in its `blacklists`.

Source: KAZOO `cb_blacklists`.
"""

from __future__ import annotations

from crossbar.dialing import account_dial_plan, normalize
from crossbar.documents.shape import Shape, Summary, or_default
from crossbar.endpoint import Collection, Context, Draft

blacklists = Collection(
    "blacklists",
    "/accounts/{account_id}/blacklists/{blacklist_id}",
    Shape("blacklist", summary=Summary("id", "name", flags=or_default("flags", []))),
    schema="blacklists",
)


@blacklists.normalize
async def normalize_numbers(context: Context, draft: Draft) -> None:
    """Numbers are kept as calls bring them: in E.164 form."""
    if isinstance(numbers := draft.data.get("numbers"), dict) and numbers:
        dial_plan = await account_dial_plan(context.store, context.account_id)
        draft.data["numbers"] = {normalize(number, dial_plan): about for number, about in numbers.items()}
