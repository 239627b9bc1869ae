# SPDX-License-Identifier: MPL-2.0
"""Dial plans that the installation offers: how people dial, and what the switch makes of it.

Kept as system setting `dialplans`. Source: KAZOO `cb_dialplans`.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import JSON

dialplans = Endpoint("dialplans")


@dialplans.get("/accounts/{account_id}/dialplans", "/accounts/{account_id}/{collection}/{document_id}/dialplans")
async def read(context: Context) -> Reply:
    """The plans by name; one without a name is known by the pattern that it is for."""
    return Reply(named(context.runtime.settings.section("dialplans")))


def named(plans: Mapping[str, JSON]) -> dict[str, JSON]:
    """Plans by pattern, or lists of them, as plans by name that say what they are for."""
    shown: dict[str, JSON] = {}
    for pattern, given in plans.items():
        for plan in given if isinstance(given, list) else [given]:
            if not isinstance(plan, dict):
                continue
            if name := plan.get("name"):
                shown[str(name)] = {**plan, "regex": pattern}
            else:
                shown[pattern] = {**plan, "name": pattern}
    return shown
