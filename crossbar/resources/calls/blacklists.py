"""Blacklists: callers who are not let in. An account uses those whose ids stand in its `blacklists`.

Source: KAZOO `cb_blacklists`.
"""

from __future__ import annotations

from crossbar.documents.shape import Summary, or_default
from crossbar.resource import Call, Draft, Resource
from crossbar.resources.identity.numbers import account_dial_plan, normalize

blacklists = Resource(
    "blacklists",
    document_type="blacklist",
    schema="blacklists",
    summary=Summary("id", "name", flags=or_default("flags", [])),
)


@blacklists.normalize
async def normalize_numbers(call: Call, draft: Draft) -> None:
    """Numbers are kept as calls bring them: in E.164 form."""
    if isinstance(numbers := draft.data.get("numbers"), dict) and numbers:
        dial_plan = await account_dial_plan(call)
        draft.data["numbers"] = {normalize(number, dial_plan): about for number, about in numbers.items()}
