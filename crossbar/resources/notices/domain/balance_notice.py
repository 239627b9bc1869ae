# SPDX-License-Identifier: MPL-2.0
"""Who is told of an account's money: that it is running out.

What this worker enters into a ledger is looked at right after; all accounts are looked at again and again, for what a
worker that ended left undone. An account is told once that its balance fell below its threshold, and again only when
it has been above in between; with `notifications.low_balance.enabled` it is told each day for as long as that lasts.

Source: KAZOO `kt_low_balance.erl`, `teletype_low_balance.erl`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web

from crossbar import clock
from crossbar.access.authorship import Author
from crossbar.background import in_background
from crossbar.documents.document import ACCOUNTS, Document, as_object
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing
from crossbar.documents.periodic import PeriodicLease, keep_doing
from crossbar.errors import CrossbarError
from crossbar.events.notices import letter, notice, update_telling
from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.low_balance import Shortage, shortage
from crossbar.resources.billing.domain.top_up import top_up_automatically
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

NAME: Final = "balances"
FIRST_SECONDS: Final = 60
"""How long after the start all accounts are looked at first."""
USUAL_INTERVAL_MS: Final = clock.DAY * 1000
USUAL_REPEAT_S: Final = clock.DAY
SENT: Final = "sent_low_balance"
"""Under `notifications.low_balance` of an account: whether it was told of this shortage."""
LAST: Final = "last_notification"
"""Beside it: when it was told."""


class BalanceNotices:
    """Looks at balances that changed, and tells whom they concern."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._author = Author(NAME, None)
        self._changed: dict[str, None] = {}
        self._wake = asyncio.Event()
        runtime.feed.hear_own(ledger_sum.BALANCE, self._note_change)

    def _note_change(self, balance: Document) -> None:
        self._changed[balance.partition] = None
        self._wake.set()

    async def run(self) -> None:
        """Look at whatever changes, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            changed, self._changed = [*self._changed], {}
            for account_id in changed:
                await self._try(account_id)

    async def look_at_all(self, lease: PeriodicLease | None = None) -> None:
        """Look at the balance of every account that has one, as long as the lease is held."""
        await self._runtime.settings.fresh()
        if self._setting("should_crawl_for_low_balance", default=True) is False:
            return
        async for _, account in self._runtime.store.stream_documents(Listing(ACCOUNTS, ACCOUNT)):
            if lease is not None and not await lease.held():
                return
            await self._try(account.id)

    async def _try(self, account_id: str) -> None:
        try:
            await self.look_at(account_id)
        except CrossbarError as error:
            log.warning("the balance of account %s cannot be looked at, it will be later: %s", account_id, error)
        except Exception:  # one account must not keep all others from being looked at
            log.exception("the balance of account %s cannot be looked at", account_id)

    async def look_at(self, account_id: str) -> None:
        """Top an account up that wants it, and tell it of a balance that is too low and that it was not told of."""
        await self._runtime.settings.fresh()
        account = await self._runtime.access.directory.account(account_id)
        store = self._runtime.store
        if account is None or await store.get(account_id, ledger_sum.BALANCE, ledger_sum.BALANCE) is None:
            return
        await top_up_automatically(self._runtime, account, self._author)
        short = await shortage(self._runtime, account_id)
        repeat = self._setting("low_balance_repeat_s", default=USUAL_REPEAT_S)
        repeat_s = repeat if isinstance(repeat, int) else USUAL_REPEAT_S
        if short is None:
            await self._mark(account_id, _above, [])
        else:
            await self._mark(account_id, lambda told: _below(told, repeat_s), [_notice(account_id, short)])

    async def _mark(
        self, account_id: str, change: Callable[[dict[str, Any]], bool], notices: Sequence[Document]
    ) -> None:
        """Change what an account was told of its shortage, and tell it in the same step.

        Of many who look at the same time one changes it, and only that one tells.
        """

        def mark(account: Document) -> Sequence[Document]:
            told = _told(account)
            if not change(told):
                return ()
            account.fields["notifications"] = {**as_object(account.at("notifications")), "low_balance": told}
            return notices

        account = await self._runtime.store.get(ACCOUNTS, ACCOUNT, account_id)
        if account is None or not change(_told(account)):
            return
        await update_telling(self._runtime.store, (ACCOUNTS, ACCOUNT, account_id), mark)

    def _setting(self, name: str, *, default: Any) -> Any:
        return self._runtime.settings.get("tasks", name, default=default)

    def interval(self) -> float:
        """Seconds between two looks at all accounts."""
        wanted = self._setting("crawler_timer_ms", default=USUAL_INTERVAL_MS)
        return max(wanted / 1000, FIRST_SECONDS) if isinstance(wanted, int) else clock.DAY


def _notice(account_id: str, short: Shortage) -> Document:
    told = {"current_balance": f"{short.available:.2f}", "threshold": f"{short.threshold:.2f}"}
    payload = {"current_balance": short.available}
    return notice("low_balance", account_id, payload, letters=[letter("low_balance", told)])


def _told(account: Document) -> dict[str, Any]:
    """What an account says, and what is noted, of being told of shortages: a copy."""
    return dict(as_object(account.at("notifications.low_balance")))


def _above(told: dict[str, Any]) -> bool:
    """Forget that an account was told."""
    known = told.get(SENT) is True or LAST in told
    if known:
        told[SENT] = False
        told.pop(LAST, None)
    return known


def _below(told: dict[str, Any], repeat_s: int) -> bool:
    """Note that an account is told now, unless it was or does not want to be."""
    if told.get("enabled") is False:
        return False
    last = told.get(LAST)
    again = told.get("enabled") is True and isinstance(last, int) and clock.now() - last >= repeat_s
    if told.get(SENT) is True and not again:
        return False
    told |= {SENT: True, LAST: clock.now()}
    return True


@asynccontextmanager
async def balance_notices(_: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Look at balances as long as the server runs."""
    notices = BalanceNotices(runtime)

    async def crawl() -> None:
        await asyncio.sleep(FIRST_SECONDS)
        await keep_doing(PeriodicLease(runtime.store, NAME), notices.look_at_all, notices.interval)

    async with in_background(notices.run(), name="changed balances"), in_background(crawl(), name=NAME):
        yield
