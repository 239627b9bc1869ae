# SPDX-License-Identifier: MPL-2.0
"""Sends what webhooks are told, again where no answer comes, and turns off those that fail too often.

Source: KAZOO `applications/webhooks/src/webhooks_util.erl` (`do_fire`, `retry_hook`), `webhooks_disabler.erl`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from aiohttp import ClientSession

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.document_types import ACCOUNT_CONFIG
from crossbar.documents.event import Event, unix_time_of
from crossbar.documents.listing import Listing, Position
from crossbar.errors import JSON
from crossbar.events.notices import notice, update_telling
from crossbar.metrics import DELIVERIES, Metrics
from crossbar.resources.notices.domain.server_request import outcome_of
from crossbar.resources.notices.domain.webhook_attempt import (
    ATTEMPT,
    FAILURE,
    Outcome,
    Try,
    attempt_of,
    hook_tag,
)
from crossbar.resources.notices.domain.webhook_hook import DISABLED_MESSAGE, TYPE, Webhook
from crossbar.resources.notices.domain.webhook_request import WebhookRequest
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 2.0
CATEGORY: Final = "webhooks"
FAILURE_COUNT: Final = 6
FAILURE_EXPIRY_MS: Final = 60_000
TOO_MANY_FAILURES: Final = "too many failed attempts"


class Failures:
    """The failures of one hook not long ago."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=1000)
        self.were_too_many = False
        """Whether the hook was turned off because of them."""

    def add(self, seconds_ago: float = 0.0) -> None:
        """One more, now or a while ago."""
        self._times.append(time.monotonic() - seconds_ago)

    def forget(self) -> None:
        """The hook was changed."""
        self._times.clear()
        self.were_too_many = False

    def within(self, seconds: float) -> int:
        """How many there were within so many seconds."""
        since = time.monotonic() - seconds
        return sum(at >= since for at in self._times)


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Sends requests of hooks through a session whose connections are guarded."""

    runtime: Runtime
    session: ClientSession
    metrics: Metrics

    async def deliver(
        self, hook: Webhook, event: Event, payload: dict[str, JSON], failures: Failures, slot: asyncio.Semaphore
    ) -> None:
        """Tell a hook's server of an event, once or, where no answer comes, as often as the hook says.

        Raises SystemFault (503) where a failure cannot be noted.
        """
        cluster_id = (await self.runtime.access.keys.ring()).cluster_id
        request = WebhookRequest.of(hook, hook.sent(payload, cluster_id))
        for number in range(1, hook.attempts + 1):
            headers = request.signed(hook.secret, event.token, int(clock.unix_now()))
            async with slot:
                outcome = await self._send(request, headers)
            if await self._settled(hook, Try(event.token, number, headers, request.body, outcome), failures):
                return
            if number < hook.attempts:
                await asyncio.sleep(RETRY_SECONDS)

    async def recall(self, hook: Webhook, failures: Failures) -> None:
        """Add the failures of a hook that others noted since it was turned on, and that still count."""
        expiry_s = await self._limit(hook, "attempt_failure_expiry_ms", FAILURE_EXPIRY_MS) / 1000
        now = clock.unix_now()
        # Attempts are noted by the second: one of that in which the hook was turned on may be from before.
        since = max(now - expiry_s, (unix_time_of(hook.since) if hook.since else 0) + 1)
        noted = Listing(
            hook.account_id, ATTEMPT, tag=hook_tag(hook.id), descending=False,
            start=Position.value(clock.gregorian(since)), end=Position.value(clock.gregorian(now)),
        )  # fmt: skip
        for attempt in await self.runtime.store.all(noted):
            if attempt.at("result") == FAILURE:
                failures.add(now - clock.unix(attempt.fields["pvt_created"]))

    async def _settled(self, hook: Webhook, tried: Try, failures: Failures) -> bool:
        """Note what became of a try; whether there is nothing more to try."""
        answered, success = tried.outcome.status is not None, tried.outcome.is_success(hook.verb)
        self.metrics.add(DELIVERIES, value="success" if success else "failure" if answered else "error")
        if not success or self.runtime.settings.get(CATEGORY, "log_successful_attempts", False) is True:
            await self.runtime.store.insert(attempt_of(hook, tried))
        if success:
            return True
        failures.add()
        return await self._disabled(hook, failures) or answered

    async def _send(self, request: WebhookRequest, headers: dict[str, str]) -> Outcome:
        return await outcome_of(
            self.session,
            request.verb,
            request.url,
            headers=headers,
            body=request.body,
            seconds=self.runtime.config.events.delivery_timeout_s,
        )

    async def _disabled(self, hook: Webhook, failures: Failures) -> bool:
        """Turn a hook off that failed too often; whether it is."""
        if failures.within(await self._limit(hook, "attempt_failure_expiry_ms", FAILURE_EXPIRY_MS) / 1000) < (
            await self._limit(hook, "attempt_failure_count", FAILURE_COUNT)
        ):
            return False

        def disable(webhook: Document) -> list[Document]:
            was_enabled = webhook.fields.get("enabled") is not False
            webhook.fields |= {"enabled": False, DISABLED_MESSAGE: TOO_MANY_FAILURES}
            return [notice("webhook_disabled", hook.account_id, {"hook_id": hook.id})] if was_enabled else []

        await update_telling(self.runtime.store, (hook.account_id, TYPE, hook.id), disable)
        failures.were_too_many = True
        log.warning("webhook %s of account %s failed too often and is turned off", hook.id, hook.account_id)
        return True

    async def _limit(self, hook: Webhook, key: str, usual: int) -> int:
        """What the account, else the system, says about how many failures are too many."""
        config = await self.runtime.store.get(hook.account_id, ACCOUNT_CONFIG, f"configs_{CATEGORY}")
        own = config.at(key) if config else None
        value = self.runtime.settings.get(CATEGORY, key, usual) if own is None else own
        return value if isinstance(value, int) and value > 0 else usual
