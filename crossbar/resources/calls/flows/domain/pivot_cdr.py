# SPDX-License-Identifier: MPL-2.0
"""The record of a call that went through a callflow's pivot, for the server that its `cdr_url` names.

What a call's pivot said is remembered when the application is asked. When the call's record is handed in, it is sent
by POST, as a form, without the channel variables, once.

Source: KAZOO `pivot_call.erl` (`handle_cast({'cdr', JObj}, State)`), `kz_api.erl` (`remove_defaults`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.events.callbacks import callback
from crossbar.resources.records.domain.cdr_row import CCV, whole

PIVOT_CALL: Final = "pivot_call"
LONGEST_SECONDS: Final = 7 * clock.DAY
"""How long after its last pivot request the record of a call may come."""
PIVOT_CALL_SHAPE: Final = Shape(
    PIVOT_CALL,
    summary=Summary("id"),
    expires=lambda call: call.fields.get("pvt_expires"),
    moves=False,
    history=False,
)
"""`call_id`; `cdr_url`; `iteration`, if what is sent is to be kept for `pivot/debug`."""

NOT_SENT: Final = frozenset(
    {
        CCV, "id", "interaction_id", "interaction_key", "interaction_time", "app_name", "app_version", "event_category",
        "event_name", "msg_id", "node", "server_id", "system_log_id",
    }
)  # fmt: skip
"""Fields of a CDR that are the bus's or this server's."""
_UPPER: Final = frozenset({"id", "ip", "rtp", "sdp", "sip"})


async def remember_pivot(store: Store, account_id: str, call: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Note where the record of a call goes, if `data` (schema `callflows.pivot`) says so; the last one counts."""
    url = data.get("cdr_url")
    if not url:
        return
    call_id, now = str(call["call_id"]), clock.now()
    fields: dict[str, JSON] = {
        "call_id": call_id,
        "cdr_url": url,
        "pvt_type": PIVOT_CALL,
        "pvt_account_id": account_id,
        "pvt_created": now,
        "pvt_modified": now,
        "pvt_expires": clock.unix(now) + LONGEST_SECONDS,
    }
    if data.get("debug") is True:
        fields["iteration"] = max(whole(call.get("iteration"), 1), 1)
    await store.upsert(Document(account_id, PIVOT_CALL, _id_of(call_id), fields))


async def pivot_callbacks(store: Store, legs: list[Document]) -> dict[str, list[Document]]:
    """The callbacks that legs of any accounts give rise to, by their keys."""
    by_account: dict[str, list[Document]] = defaultdict(list)
    for leg in legs:
        by_account[leg.partition].append(leg)
    callbacks: dict[str, list[Document]] = {}
    for account_id, own in by_account.items():
        ids = {_id_of(str(leg.at("call_id"))): leg for leg in own}
        for call_id, call in (await store.get_many(account_id, PIVOT_CALL, list(ids))).items():
            callbacks[ids[call_id].key] = [_callback(ids[call_id], call)]
    return callbacks


def kazoo_name(field: str) -> str:
    """How a field is called on KAZOO's bus: `Caller-ID-Name`."""
    return "-".join(word.upper() if word in _UPPER else word.capitalize() for word in field.split("_"))


def _callback(leg: Document, call: Document) -> Document:
    told = {kazoo_name(name): value for name, value in leg.public.items() if name not in NOT_SENT}
    iteration = call.at("iteration")
    debug = None if iteration is None else {"call_id": call.at("call_id"), "iteration": iteration}
    return callback(leg.partition, "POST", call.text("cdr_url"), told, form="form", debug=debug)


def _id_of(call_id: str) -> str:
    return hashlib.md5(call_id.encode(), usedforsecurity=False).hexdigest()
