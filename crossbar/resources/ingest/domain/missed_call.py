# SPDX-License-Identifier: MPL-2.0
"""Calls that nobody answered: whom a callflow names for such calls (`missed_call_alert`) is told of them.

A CDR tells of one when it is that of the caller's leg, and that was never connected. The callflow is the one of the
number that was called.

Source: KAZOO `cf_missed_call_alert.erl` (`handle_termination`, `should_notify`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from crossbar.dialing import account_dial_plan, normalize
from crossbar.documents.document import Document, as_list
from crossbar.documents.document_types import CALLFLOW
from crossbar.documents.shape import Unique
from crossbar.documents.store import Store
from crossbar.events.notices import notice
from crossbar.resources.calls.flows.callflows import NUMBER_CLAIM, steps
from crossbar.resources.records.domain.cdr_row import CCV, before_at, whole

ALERT: Final = "missed_call_alert"
CALLED: Final = ("request", "to", "callee_id_number", "digits_dialed")
"""Fields of a CDR that may have the number that was called."""
TOLD: Final = ("call_id", "caller_id_name", "caller_id_number", "callee_id_name", "callee_id_number", "timestamp")


async def missed_calls(store: Store, legs: list[Document]) -> dict[str, list[Document]]:
    """The notices that legs of any accounts give rise to, by their keys."""
    missed: dict[str, list[Document]] = defaultdict(list)
    for leg in legs:
        if is_missed(leg):
            missed[leg.partition].append(leg)
    notices: dict[str, list[Document]] = {}
    for account_id, unanswered in missed.items():
        notices |= await _notices(store, account_id, unanswered)
    return notices


def is_missed(leg: Document) -> bool:
    """Whether a leg is a caller's whom nobody answered."""
    connected = whole(leg.at("billing_seconds")) > 0 or bool(leg.at("other_leg_call_id"))
    return leg.at("call_direction") == "inbound" and not connected


async def _notices(store: Store, account_id: str, legs: list[Document]) -> dict[str, list[Document]]:
    """Key of a leg → the notice of a missed call, where a callflow names somebody for it."""
    dial_plan = await account_dial_plan(store, account_id)
    called = {leg.key: _numbers(leg, dial_plan) for leg in legs}
    claims = {number: Unique(NUMBER_CLAIM, number, "", "") for numbers in called.values() for number in numbers}
    holders = await store.claims.holders(account_id, list(claims.values())) if claims else {}
    notices: dict[str, list[Document]] = {}
    for leg in legs:
        found = (holders.get(claims[number].key) for number in called[leg.key])
        holder = next(filter(None, found), None)
        callflow = await store.get(account_id, CALLFLOW, holder.id) if holder else None
        if callflow is not None and (recipients := _recipients(callflow)):
            notices[leg.key] = [_notice(leg, recipients)]
    return notices


def _numbers(leg: Document, dial_plan: Any) -> list[str]:
    """The number that was called, as callflows may have it."""
    told = [before_at(leg.at(field)) for field in CALLED]
    return list(dict.fromkeys(form for number in told if number for form in (number, normalize(number, dial_plan))))


def _recipients(callflow: Document) -> list[Any]:
    """Whom the steps of a callflow name that are not switched off."""
    found: list[Any] = []
    for step in steps(callflow.at("flow")):
        data = step.get("data")
        if step.get("module") == ALERT and isinstance(data, dict) and data.get("skip_module") is not True:
            found += as_list(data.get("recipients"))
    return found


def _notice(leg: Document, recipients: list[Any]) -> Document:
    from_user, _, from_realm = str(leg.at("from") or "").partition("@")
    to_user, _, to_realm = str(leg.at("to") or "").partition("@")
    told = {key: leg.at(key) for key in TOLD}
    told |= {"from_user": from_user, "from_realm": from_realm, "to_user": to_user, "to_realm": to_realm}
    told |= {"call_bridged": False, "message_left": False, "notify": recipients}
    told["reason"] = leg.at("hangup_cause") or leg.at(f"{CCV}.hangup_cause")
    return notice("missed_call", leg.partition, {key: value for key, value in told.items() if value is not None})
