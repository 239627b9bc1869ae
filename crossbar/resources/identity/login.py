"""The answer to a log-in, and the service that logs in.

Source: `crossbar_util.erl` (`response_auth`, `populate_resp`), `crossbar_auth.erl`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web

from crossbar import clock
from crossbar.access.directory import Account, User
from crossbar.access.logins import Attempt, Login, Logins, ModuleSettings, Record
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.errors import JSON
from crossbar.ids import monthly_id
from crossbar.resource import Call, Reply, Services
from crossbar.wire.envelope import AUTOMATIC

LOGINS: Final = web.AppKey("logins", Logins)
ATTEMPT: Final = "login_attempt"
ATTEMPT_SHAPE: Final = Shape(
    ATTEMPT,
    summary=Summary("id", "auth_type", "auth_module", "status", "message", "timestamp", "client_ip"),
    sort="pvt_created",
    room="records",
)
_RECORDED_HEADERS: Final = ("User-Agent", "Referer", "Origin", "X-Forwarded-For", "Host")
"""Headers that tell where an attempt came from; none that holds a credential."""


@asynccontextmanager
async def part(app: web.Application, services: Services) -> AsyncIterator[None]:
    """The log-in service of one worker."""
    access = services.access

    async def settings_of(_: Account | None, method: str) -> ModuleSettings:
        security = services.config.security
        return ModuleSettings(
            enabled=method in security.auth_modules,
            lifetime=security.token_auth_expiry_s,
            log_failed=method in security.log_failed_attempts,
            log_successful=method in security.log_successful_attempts,
        )

    async def account_of_number(_: str) -> str | None:
        return None

    async def no_second_factor(account: Account, user: User, response: JSON) -> JSON:
        return None

    app[LOGINS] = Logins(
        access.directory,
        access.tokens,
        access.costs,
        access.pepper,
        settings_of=settings_of,
        account_of_number=account_of_number,
        second_factor=no_second_factor,
    )
    yield


def recorder(call: Call) -> Record:
    """Keeps what becomes of a log-in, in the account it was meant for."""

    async def record(attempt: Attempt) -> None:
        if attempt.account_id is None:
            return
        now = clock.now()
        headers = {name: call.request.headers[name] for name in _RECORDED_HEADERS if name in call.request.headers}
        fields = {
            "auth_type": attempt.auth_type,
            "auth_module": attempt.auth_module,
            "status": attempt.status,
            "message": attempt.message,
            "client_headers": {name.lower(): value for name, value in headers.items()},
            "client_ip": call.client_ip,
            "crossbar_request_id": call.request_id,
            "timestamp": now,
            "pvt_type": ATTEMPT,
            "pvt_account_id": attempt.account_id,
            "pvt_created": now,
            "pvt_modified": now,
        }
        if attempt.user_id is not None:
            fields["pvt_owner_id"] = attempt.user_id
        await call.store.insert(Document(attempt.account_id, ATTEMPT, monthly_id(now), fields))

    return record


async def login_object(
    services: Services, account: Account, user: User | None, claims: Mapping[str, JSON] | None = None
) -> dict[str, Any]:
    """What a client is told after a log-in; `claims` are those of a token that is looked at."""
    language = (user.language if user else None) or account.language or services.config.api.default_language
    directory = services.access.directory
    answer: dict[str, Any] = {
        **(claims or {}),
        "account_id": account.id,
        "account_name": account.name,
        "apps": [],
        "language": language,
        "cluster_id": (await services.access.keys.ring()).cluster_id,
        "is_reseller": account.is_reseller,
        "is_master_account": account.id == await directory.master_id(),
        "capabilities": {"voicemail": {"transcription": {"available": False, "default": False}}},
        "ui_config": {},
    }
    if user is not None:
        answer["owner_id"] = user.id
    if (reseller_id := await directory.reseller_of(account)) is not None:
        answer["reseller_id"] = reseller_id
    return answer


async def logged_in(call: Call, login: Login, *, location: str | None = None) -> Reply:
    """201 with the login object and, in the envelope, the new token.

    A log-in by credentials or API key also shows `page_size`, `revision` and a location, which clients know.
    """
    envelope: dict[str, Any] = {"auth_token": login.token}
    if location is not None:
        envelope["page_size"] = 1
    return Reply(
        await login_object(call.services, login.account, login.user),
        revision=AUTOMATIC if location is not None else None,
        envelope=envelope,
        location=location,
    )
