# SPDX-License-Identifier: MPL-2.0
"""Deliveries of all webhooks: each worker has its share of the accounts, and takes over that of one that dies.

Every worker knows all webhooks that are turned on. Which one delivers an account's is agreed on by who is there
(`Membership`); that two never do is what the cursors are for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiohttp import web

from crossbar.background import in_background
from crossbar.documents.document import Document, DocumentKey
from crossbar.documents.feed import Change
from crossbar.documents.membership import LOOK_SECONDS, Membership
from crossbar.errors import CrossbarError
from crossbar.metrics import METRICS, Metrics
from crossbar.resources.notices.domain.server_request import session_to_servers
from crossbar.resources.notices.domain.webhook_hook import TYPE, Webhook
from crossbar.resources.notices.domain.webhook_runner import WebhookRunner
from crossbar.resources.notices.domain.webhook_sender import WebhookSender
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

AT_A_TIME: Final = 500
"""Webhooks that are read in one query."""


class WebhookDeliveries:
    """The webhooks of the installation, and those of them that this worker delivers."""

    def __init__(self, runtime: Runtime, sender: WebhookSender, metrics: Metrics) -> None:
        self._runtime = runtime
        self._sender = sender
        self._metrics = metrics
        self._membership = Membership(runtime.store, "webhook deliveries")
        self._hooks: dict[str, Webhook] = {}
        self._runners: dict[str, WebhookRunner] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._changed: set[str] | None = None
        """Keys of the webhooks to read anew; None for all."""
        self._wake = asyncio.Event()

    def hear(self, change: Change) -> None:
        """A webhook changed, or something else that listens."""
        if change.type == TYPE:
            if self._changed is not None:
                self._changed.add("/".join((change.partition, change.type, change.id)))
            self._wake.set()

    def forget(self) -> None:
        """Any webhook may have changed."""
        self._changed = None
        self._wake.set()

    async def run(self) -> None:
        """Deliver this worker's share, until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self._read_changed()
                if self._hooks:
                    await self._membership.look()
                self._share()
            except CrossbarError as error:
                log.warning("webhooks cannot be read, it will be tried again: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)

    async def close(self) -> None:
        """Bring to an end what is in hand, and let other workers go on at once.

        Not a part of `run`, which is cancelled again and again until it has ended.
        """
        for runner in self._runners.values():
            runner.stop()
        await asyncio.gather(*(runner.ended() for runner in self._runners.values()), return_exceptions=True)
        with suppress(CrossbarError):
            await self._membership.leave()

    async def _read_changed(self) -> None:
        """Learn of the webhooks that changed."""
        changed, self._changed = self._changed, set()
        try:
            if changed is None:
                listeners = await self._runtime.store.event_log.listeners(TYPE)
                await self._read([listener.key for listener in listeners])
                for key in self._hooks.keys() - {listener.key for listener in listeners}:
                    del self._hooks[key]
            else:
                await self._read(list(changed))
        except BaseException:
            self._changed = None if changed is None or self._changed is None else self._changed | changed
            raise

    async def _read(self, keys: list[str]) -> None:
        by_account: dict[str, list[str]] = {}
        for key in keys:
            parsed = DocumentKey.parse(key)
            by_account.setdefault(parsed.partition, []).append(parsed.id)
        accounts = list(by_account.items())
        for start in range(0, len(accounts), AT_A_TIME):
            await asyncio.gather(*(self._read_account(*account) for account in accounts[start : start + AT_A_TIME]))

    async def _read_account(self, account_id: str, ids: list[str]) -> None:
        found = await self._runtime.store.get_many(account_id, TYPE, ids)
        for webhook_id in ids:
            self._note(found.get(webhook_id), f"{account_id}/{TYPE}/{webhook_id}")

    def _note(self, document: Document | None, key: str) -> None:
        if document is None or document.at("enabled") is False:
            self._hooks.pop(key, None)
            return
        hook = self._hooks[key] = Webhook.of(document)
        runner = self._runners.get(key)
        if runner is not None and runner.hook != hook:
            if (runner.hook.below, runner.hook.since) == (hook.below, hook.since):
                runner.change(hook)
            else:
                runner.stop()

    def _share(self) -> None:
        """Begin and end deliveries, so that this worker has its share."""
        mine: dict[str, bool] = {}
        for key, runner in list(self._runners.items()):
            if runner.done:
                del self._runners[key]
            elif key not in self._hooks or not self._is_mine(self._hooks[key], mine):
                runner.stop()
        for key, hook in self._hooks.items():
            if key not in self._runners and self._is_mine(hook, mine):
                self._runners[key] = WebhookRunner(
                    runtime=self._runtime,
                    hook=hook,
                    sender=self._sender,
                    membership=self._membership,
                    slot=self._slot(hook.account_id),
                    metrics=self._metrics,
                )
        if len(self._slots) > 2 * len(self._hooks) + 16:
            accounts = {hook.account_id for hook in self._hooks.values()}
            self._slots = {account_id: slot for account_id, slot in self._slots.items() if account_id in accounts}

    def _is_mine(self, hook: Webhook, known: dict[str, bool]) -> bool:
        if hook.account_id not in known:
            known[hook.account_id] = self._membership.is_mine(hook.account_id)
        return known[hook.account_id]

    def _slot(self, account_id: str) -> asyncio.Semaphore:
        slot = self._slots.get(account_id)
        if slot is None:
            slot = self._slots[account_id] = asyncio.Semaphore(self._runtime.config.events.deliveries_per_account)
        return slot


@asynccontextmanager
async def delivering(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Deliver webhooks as long as the server runs."""
    async with session_to_servers(runtime) as session:
        sender = WebhookSender(runtime, session, app[METRICS])
        deliveries = WebhookDeliveries(runtime, sender, app[METRICS])
        runtime.events.on_listener(deliveries.hear)
        runtime.feed.on_loss(deliveries.forget)
        try:
            async with in_background(deliveries.run(), name="webhook deliveries"):
                yield
        finally:
            await deliveries.close()
