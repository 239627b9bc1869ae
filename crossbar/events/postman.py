# SPDX-License-Identifier: MPL-2.0
"""Delivers what lies in the mail spool, and tries again what could not be delivered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from typing import Final

import aiosmtplib

from crossbar import clock
from crossbar.config import MailOptions
from crossbar.events.spool import Spool, SpoolEntry

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 30.0
"""How often the spool is looked through for messages whose time has come."""
TIMEOUT_SECONDS: Final = 30.0
SHORTEST_WAIT: Final = 30.0
LONGEST_WAIT: Final = 3_600.0
PATIENCE: Final = 3 * clock.DAY
"""How long delivery is tried."""
KEPT: Final = 30 * clock.DAY
"""How long a message is kept that failed, or that waits for a relay to be configured."""


class Postman:
    """Takes messages from the spool to the configured relay; without one they stay where they are.

    A message that the relay refuses for good is given up; any other failure is tried again after a wait that grows
    with the message's age.
    """

    def __init__(self, spool: Callable[[], Spool], options: Callable[[], MailOptions]) -> None:
        self._spool = spool
        self._options = options
        self._wake = asyncio.Event()
        self._stopping = False

    def stop(self) -> None:
        """Finish the message in hand and no other."""
        self._stopping = True
        self._wake.set()

    def wake(self) -> None:
        """There is something new."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until stopped."""
        while not self._stopping:
            try:
                await self.round()
            except OSError as error:
                log.warning("the mail spool cannot be read: %s", error)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def round(self) -> None:
        """Try every message whose time has come, once."""
        spool = self._spool()
        entries = await asyncio.to_thread(spool.entries)
        now = clock.unix_now()
        for entry in entries:
            if entry.created < now - KEPT:
                spool.remove(entry.id)
        if self._options().host is not None:
            await self._deliver(spool, [entry for entry in entries if not entry.failed and entry.due <= now])

    async def _deliver(self, spool: Spool, entries: Iterable[SpoolEntry]) -> None:
        relay: aiosmtplib.SMTP | None = None
        try:
            for entry in entries:
                if self._stopping:
                    break
                with spool.claimed(entry.id) as message:
                    if message is None:
                        continue
                    try:
                        relay = relay or await self._connect()
                        await relay.send_message(message)
                    except (aiosmtplib.SMTPException, OSError) as error:
                        self._failed(spool, entry, message, error)
                        _close(relay)
                        relay = None
                    else:
                        spool.remove(entry.id)
                        log.info("mail %s delivered", entry.id)
        finally:
            _close(relay)

    async def _connect(self) -> aiosmtplib.SMTP:
        options = self._options()
        relay = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.port,
            username=options.user,
            password=options.password,
            use_tls=options.tls == "tls",
            start_tls=options.tls == "starttls",
            timeout=TIMEOUT_SECONDS,
        )
        await relay.connect()
        return relay

    @staticmethod
    def _failed(spool: Spool, entry: SpoolEntry, message: EmailMessage, error: Exception) -> None:
        age = clock.unix_now() - entry.created
        if _is_final(error) or age > PATIENCE:
            log.warning("mail %s (%s) is given up: %s", entry.id, message["Subject"], error)
            spool.give_up(entry.id)
            return
        wait = min(max(age, SHORTEST_WAIT), LONGEST_WAIT)
        log.warning("mail %s waits %d s: %s", entry.id, wait, error)
        spool.postpone(entry.id, clock.unix_now() + wait)


def _close(relay: aiosmtplib.SMTP | None) -> None:
    if relay is not None:
        relay.close()


def _is_final(error: Exception) -> bool:
    """Whether the relay refused this message, and would again (5xx): not that it refuses us."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(_is_final(refused) for refused in error.recipients)
    refusals = (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError)
    return isinstance(error, refusals) and error.code >= 500
