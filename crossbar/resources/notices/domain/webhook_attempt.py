# SPDX-License-Identifier: MPL-2.0
"""Deliveries of webhooks as they are kept, by month.

Source: KAZOO `applications/webhooks/src/webhooks_util.erl` (`successful_hook`, `failed_hook`, `save_attempt`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.errors import JSON
from crossbar.ids import monthly_id
from crossbar.resources.notices.domain.webhook_hook import Webhook

ATTEMPT: Final = "webhook_attempt"
SUCCESS: Final = "success"
FAILURE: Final = "failure"
BAD_RESPONSE: Final = "bad response code"
NO_RESPONSE: Final = "kazoo http client error"
EXCEEDED: Final = "retries exceeded"
LONGEST_TEXT: Final = 16 * 1024
"""Characters of a body that are kept."""


def hook_tag(hook_id: JSON) -> str:
    """Under which the attempts of a hook are listed."""
    return f"hook/{hook_id}"


ATTEMPT_SHAPE: Final = Shape(
    ATTEMPT,
    summary=Summary(
        "hook_id",
        "hook_event",
        "custom_data",
        "event_id",
        "uri",
        "method",
        "req_headers",
        "req_body",
        "result",
        "reason",
        "resp_status_code",
        "resp_headers",
        "resp_body",
        "client_error",
        "try",
        "retries",
        "retries_left",
        timestamp="pvt_created",
    ),
    sort="pvt_created",
    tags=lambda attempt: [hook_tag(attempt.at("hook_id"))],
    stored_in="records",
)
"""One delivery of a webhook, kept by month."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try: the answer's status, headers and body, or why there was none."""

    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: str = ""
    error: str = ""

    def is_success(self, verb: str) -> bool:
        """Whether the server took it: 200, and 201 for PUT."""
        return self.status == 200 or (verb == "PUT" and self.status == 201)


@dataclass(frozen=True, slots=True)
class Try:
    """One sending of a request for an event, the `number`-th from 1, and what became of it."""

    event_id: str
    number: int
    headers: Mapping[str, str]
    body: str
    outcome: Outcome


def attempt_of(hook: Webhook, tried: Try) -> Document:
    """The document of one try."""
    outcome = tried.outcome
    success, left = outcome.is_success(hook.verb), hook.attempts - tried.number
    fields: dict[str, JSON] = {
        "hook_id": hook.id,
        "hook_event": hook.hook,
        "custom_data": dict(hook.custom_data) or None,
        "event_id": tried.event_id,
        "uri": hook.uri,
        "method": hook.verb.lower(),
        "req_headers": dict(tried.headers),
        "req_body": tried.body[:LONGEST_TEXT],
        "result": SUCCESS if success else FAILURE,
        "reason": None if success else NO_RESPONSE if outcome.status is None else BAD_RESPONSE,
        "resp_status_code": outcome.status,
        "resp_headers": None if outcome.headers is None else dict(outcome.headers),
        "resp_body": None if outcome.status is None else outcome.body[:LONGEST_TEXT],
        "client_error": outcome.error or None,
        "try": tried.number,
        "retries": hook.attempts,
        "retries_left": left or EXCEEDED,
        "pvt_type": ATTEMPT,
        "pvt_account_id": hook.account_id,
        "pvt_created": clock.now(),
        "pvt_modified": clock.now(),
    }
    kept = {name: value for name, value in fields.items() if value is not None}
    return Document(hook.account_id, ATTEMPT, monthly_id(), kept)
