# SPDX-License-Identifier: MPL-2.0
"""What changes of numbers give rise to: callers' names to be shown, and features that somebody sets up by hand.

Source: KAZOO `knm_cnam_notifier.erl` (`handle_outbound_cnam`), `knm_im.erl` (`notify`).
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Final

from crossbar.documents.document import Document, as_object
from crossbar.events.notices import notice
from crossbar.resources.numbers.domain.number import FEATURES, LOCAL, carrier_of, owner_of, state_of

CALLER_NAME: Final = "outbound_cnam"
BY_HAND: Final = ("mms", "sms")
"""Features that no carrier switches on by itself."""


def number_notices(number: Document, before: Document | None) -> list[Document]:
    """The notices of a number's account that a save gives rise to."""
    account_id = owner_of(number)
    if account_id is None:
        return []
    held = before is not None and owner_of(before) == account_id
    now = as_object(number.fields.get(FEATURES))
    was = as_object(before.fields.get(FEATURES)) if before is not None and held else {}
    return [
        *_caller_name(number, account_id, as_object(now.get(CALLER_NAME)), as_object(was.get(CALLER_NAME))),
        *_by_hand(number, account_id, now.keys(), was.keys()),
    ]


def _caller_name(number: Document, account_id: str, now: dict[str, str], was: dict[str, str]) -> Iterator[Document]:
    if now and now != was:
        payload = {
            "number": number.id,
            "number_state": str(state_of(number)),
            "local_number": carrier_of(number) == LOCAL,
            "acquired_for": number.fields.get("pvt_auth_account_id", account_id),
            "cnam": now,
        }
        yield notice("cnam_request", account_id, payload)


def _by_hand(number: Document, account_id: str, now: Set[str], was: Set[str]) -> Iterator[Document]:
    for name in BY_HAND:
        if (name in now) is not (name in was):
            feature = {"name": name, "action": "enable" if name in now else "disable", "provider": carrier_of(number)}
            yield notice("number_feature_manual_action", account_id, {"number": number.id, "feature": feature})
