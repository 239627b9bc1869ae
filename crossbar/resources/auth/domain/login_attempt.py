# SPDX-License-Identifier: MPL-2.0
"""Log-in attempts: recorded by month, and listed by kind.

Source: `crossbar_auth.erl` (`log_attempts`), views `auth/login_attempt_by_time`, `auth/login_attempt_by_auth_type`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from crossbar import clock
from crossbar.access.login_types import LoginAttempt, Record
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.ids import monthly_id
from crossbar.wire.text import clean

TYPE: Final = "login_attempt"


def tags(attempt: Document) -> Iterable[str]:
    """Listing by kind of log-in."""
    yield f"auth_type/{attempt.at('auth_type')}"


LOGIN_ATTEMPT_SHAPE: Final = Shape(
    TYPE,
    summary=Summary("id", "auth_type", "auth_module", "status", "message", "timestamp", "client_ip"),
    sort="pvt_created",
    tags=tags,
    stored_in="records",
)
RECORDED_HEADERS: Final = ("User-Agent", "Referer", "Origin", "X-Forwarded-For", "Host")
"""Headers that tell where an attempt came from; none that holds a credential."""


def recording(store: Store, *, client_ip: str, headers: Mapping[str, str], request_id: str) -> Record:
    """Keeps what becomes of the log-in that a client tries, in the account it was meant for."""

    async def record(attempt: LoginAttempt) -> None:
        if attempt.account_id is None:
            return
        now = clock.now()
        metadata = {"account_id": attempt.account_id} | ({"owner_id": attempt.user_id} if attempt.user_id else {})
        fields = {
            "auth_type": attempt.auth_type,
            "auth_module": attempt.auth_module,
            "status": attempt.status,
            "message": attempt.message,
            "client_headers": {name.lower(): clean(headers[name]) for name in RECORDED_HEADERS if name in headers},
            "client_ip": client_ip,
            "crossbar_request_id": request_id,
            "timestamp": now,
            "metadata": metadata,
            "pvt_type": TYPE,
            "pvt_account_id": attempt.account_id,
            "pvt_created": now,
            "pvt_modified": now,
        }
        await store.insert(Document(attempt.account_id, TYPE, monthly_id(now), fields))

    return record


def of_kind(auth_type: str) -> str:
    """The tag of attempts of one kind."""
    return f"auth_type/{auth_type}"
