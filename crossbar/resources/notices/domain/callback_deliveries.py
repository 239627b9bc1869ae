# SPDX-License-Identifier: MPL-2.0
"""Sends callbacks: each at least once, whichever worker dies, and again where no answer comes.

The worker that writes a callback sends it at once; one that a worker left behind is found when it is due. Whoever sends
one has put off when it is due for as long as that may take, so that nobody else does at the same time. An answer of any
status is an end of it, as for webhooks.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, Final

import orjson
from aiohttp import ClientSession, web

from crossbar import clock
from crossbar.background import end, in_background
from crossbar.documents.document import SYSTEM_DATA, Document, as_object
from crossbar.documents.listing import Listing, Position
from crossbar.documents.periodic import SHORT_LEASE_SECONDS, PeriodicLease, keep_doing
from crossbar.documents.store import Stale
from crossbar.errors import CrossbarError
from crossbar.events.callbacks import CALLBACK, DUE, TRIES
from crossbar.metrics import DELIVERIES, METRICS, Metrics
from crossbar.resources.calls.flows.domain.pivot_request import PivotAnswer, PivotRequest, PivotRequests
from crossbar.resources.notices.domain.server_request import outcome_of, session_to_servers
from crossbar.resources.notices.domain.webhook_attempt import Outcome
from crossbar.resources.notices.domain.webhook_hook import MOST_ATTEMPTS
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

NAME: Final = "callbacks"
RETRY_SECONDS: Final = 2.0
"""The pause between two tries."""
LOOK_SECONDS: Final = 5.0
"""How often it is looked for callbacks that a worker left behind."""
MARGIN_SECONDS: Final = 10
"""How much longer than it can take a callback is left to the worker that sends it."""
GRACE_SECONDS: Final = 5.0
"""How long the callbacks in hand may take when the server ends; cut off, they are sent again."""
MOST: Final = 5_000
"""Callbacks that a worker is at, at a time; others are found later."""
MOST_OF_ACCOUNT: Final = 1_000


class CallbackDeliveries:
    """The callbacks that this worker is at."""

    def __init__(self, runtime: Runtime, session: ClientSession, metrics: Metrics) -> None:
        self._runtime = runtime
        self._store = runtime.store
        self._session = session
        self._metrics = metrics
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._of_account: Counter[str] = Counter()
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._ending = False

    def hear(self, callback: Document) -> None:
        """This process wrote a callback, or changed or removed one."""
        if _is_fresh(callback):
            self._begin(callback.id, callback.text("account_id"))

    async def run(self) -> None:
        """Send what was left behind, too, until cancelled."""

        async def look(_: PeriodicLease) -> None:
            await self.look()

        await keep_doing(PeriodicLease(self._store, NAME, SHORT_LEASE_SECONDS), look, lambda: LOOK_SECONDS)

    async def close(self) -> None:
        """Begin with no more, and return when those in hand are done, or have taken too long."""
        self._ending = True
        tasks = set(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        await asyncio.gather(*(end(task) for task in tasks), return_exceptions=True)

    async def look(self) -> None:
        """Begin with the callbacks that are due: their workers are gone, or had no room for them."""
        due = Listing(SYSTEM_DATA, CALLBACK, end=Position.value(clock.now()), descending=False)
        async for row in self._store.stream(due):
            self._begin(row.id, str(orjson.loads(row.body)["account_id"]))

    def _begin(self, callback_id: str, account_id: str) -> None:
        full = len(self._tasks) >= MOST or self._of_account[account_id] >= MOST_OF_ACCOUNT
        if self._ending or full or callback_id in self._tasks:
            return
        self._of_account[account_id] += 1
        task = asyncio.create_task(self._work(callback_id, account_id), name=f"callback {callback_id}")
        self._tasks[callback_id] = task
        task.add_done_callback(lambda _: self._over(callback_id, account_id))

    def _over(self, callback_id: str, account_id: str) -> None:
        self._tasks.pop(callback_id, None)
        self._of_account[account_id] -= 1
        if not self._of_account[account_id]:
            del self._of_account[account_id]
            self._slots.pop(account_id, None)

    async def _work(self, callback_id: str, account_id: str) -> None:
        most = self._runtime.config.events.deliveries_per_account
        slot = self._slots.setdefault(account_id, asyncio.Semaphore(most))
        try:
            async with slot:
                await self._deliver(callback_id)
        except CrossbarError as error:
            log.warning("callback %s is sent later: %s", callback_id, error)
        except Exception:
            log.exception("callback %s is sent later", callback_id)

    async def _deliver(self, callback_id: str) -> None:
        """Send a callback until an answer comes, or no more; then it is gone. Nothing where another worker has it."""
        callback = await self._store.get(SYSTEM_DATA, CALLBACK, callback_id)
        if callback is None or not (_is_fresh(callback) or callback.fields[DUE] <= clock.now()):
            return
        while True:
            try:
                callback = await self._hold(callback)
            except Stale:
                return
            outcome = await self._send(callback)
            tries = callback.fields[TRIES] + 1
            if outcome.status is not None or tries >= MOST_ATTEMPTS:
                break
            callback = replace(callback, fields={**callback.fields, TRIES: tries})
            await asyncio.sleep(RETRY_SECONDS)
        await self._note(callback, outcome)
        await self._store.remove_by_ids(SYSTEM_DATA, CALLBACK, [callback_id])

    async def _hold(self, callback: Document) -> Document:
        """Keep others away while it is sent once, and note how often it was. Raises Stale where another has it."""
        seconds = self._runtime.config.events.delivery_timeout_s + RETRY_SECONDS + MARGIN_SECONDS
        held = replace(callback, fields={**callback.fields, DUE: clock.now() + int(seconds)})
        return await self._store.replace(held, callback)

    async def _send(self, callback: Document) -> Outcome:
        request = as_object(callback.at("request"))
        outcome = await outcome_of(
            self._session,
            request["verb"],
            request["url"],
            headers=self._headers(callback, request),
            body=request["body"],
            seconds=self._runtime.config.events.delivery_timeout_s,
        )
        success, answered = outcome.is_success(request["verb"]), outcome.status is not None
        self._metrics.add(DELIVERIES, value="success" if success else "failure" if answered else "error")
        if not success:
            about = outcome.status if answered else outcome.error
            log.info("callback %s of account %s: %s", callback.id, callback.text("account_id"), about)
        return outcome

    @staticmethod
    def _headers(callback: Document, request: Mapping[str, Any]) -> dict[str, str]:
        return {
            "Content-Type": request["content_type"],
            "X-Account-ID": callback.text("account_id"),
            "X-Callback-ID": callback.id,
        }

    async def _note(self, callback: Document, outcome: Outcome) -> None:
        """Keep what was sent and answered where a callflow's pivot wants that."""
        call, account_id = as_object(callback.at("debug")), callback.text("account_id")
        if not call or await self._runtime.access.directory.account(account_id) is None:
            return
        request = as_object(callback.at("request"))
        headers = self._headers(callback, request)
        asked = PivotRequest(request["verb"], request["url"], headers, request["body"])
        answer = PivotAnswer(outcome.status, outcome.headers or {}, outcome.body, outcome.error or None)
        with suppress(CrossbarError):
            await PivotRequests(self._session, self._runtime.settings.node).note(
                self._store, account_id, call, asked, answer
            )


def _is_fresh(callback: Document) -> bool:
    """Whether no worker has had it yet."""
    return callback.revision is not None and callback.revision.startswith("1-")


@asynccontextmanager
async def calling_back(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Send callbacks as long as the server runs."""
    async with session_to_servers(runtime) as session:
        deliveries = CallbackDeliveries(runtime, session, app[METRICS])
        runtime.feed.hear_own(CALLBACK, deliveries.hear)
        try:
            async with in_background(deliveries.run(), name=NAME):
                yield
        finally:
            await deliveries.close()
