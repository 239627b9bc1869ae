# SPDX-License-Identifier: MPL-2.0
"""What a switch asks during a call: the next step, of the web server that a callflow's `pivot` names.

An endpoint of this server alone.
"""

from __future__ import annotations

from typing import Any

from crossbar.endpoint import Context, Reply
from crossbar.errors import JSON, Invalid
from crossbar.resources.calls.flows.domain.pivot_cdr import remember_pivot
from crossbar.resources.calls.flows.domain.pivot_request import PIVOT, USUAL_TIMEOUT_MS, PivotAnswer, PivotRequest
from crossbar.resources.ingest.ingest import PostedAccounts, ingest
from crossbar.resources.records.domain.cdr_row import whole


@ingest.post(
    "/ingest/pivot",
    options={
        "account_id": "The account",
        "account_realm": "Its realm",
        "data": "As schema `callflows.pivot` says",
        "call": "The call, with its `call_id`",
    },
)
async def pivot(context: Context) -> Reply:
    """Ask the web server of `data` (schema `callflows.pivot`) about a `call`; answers what it answered."""
    account_id = await PostedAccounts(context).of(context.object)
    call = context.object.get("call")
    if not isinstance(call, dict) or not isinstance(call.get("call_id"), str) or not call["call_id"]:
        raise Invalid.field("call.call_id", "required", "Field is required but missing")
    data = context.valid("callflows.pivot", _object(context.object.get("data")))
    asked = PivotRequest.of(data, {**call, "account_id": account_id})
    await remember_pivot(context.store, account_id, call, data)
    pivots = context.service(PIVOT)
    answer = await pivots.ask(asked, whole(data.get("req_timeout_ms")) or USUAL_TIMEOUT_MS)
    if data.get("debug") is True:
        await pivots.note(context.store, account_id, call, asked, answer)
    return Reply(_shown(answer))


def _shown(answer: PivotAnswer) -> dict[str, JSON]:
    if answer.status is None:
        return {"error": answer.error}
    return {"status_code": answer.status, "content_type": answer.content_type, "body": answer.body}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
