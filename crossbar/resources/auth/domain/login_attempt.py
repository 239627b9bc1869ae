"""Log-in attempts: recorded by month, and shown to those who may see the account.

Source: `crossbar_auth.erl` (`log_attempts`), views `auth/login_attempt_by_time`, `auth/login_attempt_by_auth_type`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crossbar import clock
from crossbar.access.logins import LoginAttempt, Record
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Context, Reply, answer_listing
from crossbar.errors import NotFound
from crossbar.ids import monthly_id

TYPE: Final = "login_attempt"


def _tags(attempt: Document) -> Iterable[str]:
    yield f"auth_type/{attempt.at('auth_type')}"


SHAPE: Final = Shape(
    TYPE,
    summary=Summary("id", "auth_type", "auth_module", "status", "message", "timestamp", "client_ip"),
    sort="pvt_created",
    tags=_tags,
    collection="records",
)
RECORDED_HEADERS: Final = ("User-Agent", "Referer", "Origin", "X-Forwarded-For", "Host")
"""Headers that tell where an attempt came from; none that holds a credential."""


def recorder(context: Context) -> Record:
    """Keeps what becomes of a log-in, in the account it was meant for."""

    async def record(attempt: LoginAttempt) -> None:
        if attempt.account_id is None:
            return
        now = clock.now()
        headers = {name: context.request.headers[name] for name in RECORDED_HEADERS if name in context.request.headers}
        metadata = {"account_id": attempt.account_id} | ({"owner_id": attempt.user_id} if attempt.user_id else {})
        fields = {
            "auth_type": attempt.auth_type,
            "auth_module": attempt.auth_module,
            "status": attempt.status,
            "message": attempt.message,
            "client_headers": {name.lower(): value for name, value in headers.items()},
            "client_ip": context.client_ip,
            "crossbar_request_id": context.request_id,
            "timestamp": now,
            "metadata": metadata,
            "pvt_type": TYPE,
            "pvt_account_id": attempt.account_id,
            "pvt_created": now,
            "pvt_modified": now,
        }
        await context.store.insert(Document(attempt.account_id, TYPE, monthly_id(now), fields))

    return record


async def answer_attempts(context: Context, auth_type: str | None = None) -> Reply:
    """A page of the account's attempts, the newest first; all, or those of one kind."""
    tag = None if auth_type is None else f"auth_type/{auth_type}"
    return await answer_listing(context, TYPE, tag=tag, time_range=context.config.api.maximum_range)


async def answer_attempt(context: Context, attempt_id: str) -> Reply:
    """One attempt; 404 where the account has none of this id."""
    raw = await context.store.get_json(context.account_id, TYPE, attempt_id)
    if raw is None:
        raise NotFound(attempt_id)
    return Reply.raw(raw)
