# SPDX-License-Identifier: MPL-2.0
"""Functions: scripts that decide on the next step of a call.

Source: KAZOO `cb_functions`. An account's functions are kept with the account and not in a partition of their own.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.filters import Filters
from crossbar.documents.shape import Shape, Summary, or_default
from crossbar.endpoint import Collection, Context, Lists, Reply, Who

SAMPLES: Final[tuple[dict[str, Any], ...]] = (
    {
        "eanbled": True,  # spelt so on the wire
        "function_js": (
            "var call = cfDoc ? JSON.parse(cfDoc) : {};\n"
            "if (call.CallerNumber === '1000') {\n"
            "  return {module: 'voicemail', data: {action: 'check'}, children: {}};\n"
            "}\n"
            "return {module: 'hangup', data: {}, children: {}};\n"
        ),
        "name": "Test Function",
    },
)

functions = Collection(
    "functions",
    "/accounts/{account_id}/functions/{function_id}",
    Shape(
        "function",
        summary=Summary(
            "id",
            "name",
            "function_js",
            enabled=or_default("enabled", True),
            disable_reason="pvt_disabled_message",
        ),
    ),
    schema="functions",
)


@functions.get("/functions")
async def available(context: Context) -> Reply:
    """What kinds of functions the system offers: none beside the accounts' own."""
    return Reply([])


@functions.get("/functions/samples", who=Who.ANONYMOUS, lists=Lists.FILTERS)
@functions.get("/accounts/{account_id}/functions/samples", lists=Lists.FILTERS)
async def samples(context: Context) -> Reply:
    """Scripts to begin with; filters apply to them."""
    wanted = Filters.parse(context.query.pairs)
    return Reply([sample for sample in SAMPLES if wanted.matches(sample)])
