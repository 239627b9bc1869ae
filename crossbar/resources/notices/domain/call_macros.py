# SPDX-License-Identifier: MPL-2.0
"""What letters tell of a call: who called whom, and when.

Source: KAZOO `teletype_util.erl` (`build_call_data`), `teletype_util:fix_date_called`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crossbar.documents.document import Document
from crossbar.documents.document_types import USER
from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.resources.notices.domain.template_notice import about_time
from crossbar.resources.records.domain.cdr_row import whole


def about_call(payload: Mapping[str, Any], time: int, *zones: JSON) -> dict[str, Any]:
    """The macros of a call from an event's payload; `time` in Gregorian seconds."""
    date = about_time(time, *zones)
    return {
        "call_id": payload.get("call_id"),
        "caller_id": _party(payload, "caller_id"),
        "callee_id": _party(payload, "callee_id", "to_user"),
        "date_called": {key: date[key] for key in ("local", "utc")},
        "from": {"user": payload.get("from_user"), "realm": payload.get("from_realm")},
        "to": {"user": payload.get("to_user"), "realm": payload.get("to_realm")},
    }


def _party(payload: Mapping[str, Any], prefix: str, otherwise: str = "") -> dict[str, str]:
    number = str(payload.get(f"{prefix}_number") or payload.get(otherwise) or "")
    name = str(payload.get(f"{prefix}_name") or "")
    both = f"{name} ({number})" if name and number and name != number else name or number
    return {"number": number, "name": name, "name_number": both}


def time_of(payload: Mapping[str, Any], *keys: str, otherwise: int) -> int:
    """The first time that a payload has under some keys, in Gregorian seconds."""
    return next((time for key in keys if (time := whole(payload.get(key))) > 0), otherwise)


async def user_of(store: Store, account_id: str, user_id: JSON) -> Document | None:
    """A user of an account, if there is one of that id."""
    return await store.get(account_id, USER, user_id) if isinstance(user_id, str) and user_id else None
