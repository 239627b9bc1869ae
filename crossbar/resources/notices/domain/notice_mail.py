# SPDX-License-Identifier: MPL-2.0
"""Makes letters of notices: each is in the mail spool once, whatever ends in between.

A letter is put into the spool without being released; then one transaction logs it and notes in the notice where it
lies; then it is released, and the notice goes. Of several workers that make a letter of one notice only one gets
through the transaction. Who is killed before it leaves a notice that is worked on again, and a held letter that nobody
releases; who is killed after it leaves one that the next look at the spool releases.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from typing import Final

from crossbar import clock
from crossbar.access.authorship import Author
from crossbar.access.directory import Account
from crossbar.documents.document import Document
from crossbar.documents.document_types import NOTICE
from crossbar.documents.listing import Listing
from crossbar.documents.store import Stale, Transaction
from crossbar.errors import CrossbarError
from crossbar.events.letters import BadAddress
from crossbar.events.macros import BadTemplate
from crossbar.events.mail import Mail
from crossbar.events.notices import NOTICES
from crossbar.events.spool import created
from crossbar.ids import new_id
from crossbar.resources.notices.domain.notice_letter import Also, Notice
from crossbar.resources.notices.domain.template_notice import order_of
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

LEASE: Final = "notices"
LOOK_SECONDS: Final = 30.0
"""How often it is looked for notices that a worker left behind, and for letters that it held."""
PATIENCE_SECONDS: Final = 30
"""How long a notice is left to the worker that wrote it."""
SHORTEST_WAIT: Final = 30
LONGEST_WAIT: Final = 3_600
MOST_TRIES: Final = 30
"""How often a letter is tried that cannot be made: for more than a day."""
HELD_SECONDS: Final = clock.DAY
"""After how long a letter is dropped that nobody released."""
FORGOTTEN_SECONDS: Final = 30 * clock.DAY
"""After how long a notice goes whose letters are to be released by a server that does not run."""
MOST_WAITING: Final = 10_000
"""Notices that a worker remembers to work on; others are found when it is looked for them."""
SPOOLED: Final = "pvt_spooled"
"""Of a notice: under which ids its letters lie in the spool."""
TRIES: Final = "pvt_tries"
DUE: Final = "pvt_due"


@dataclass(slots=True)
class _Made:
    """What a notice becomes: messages, what the log says of them and of those that failed, and what else is done."""

    messages: list[EmailMessage] = field(default_factory=list)
    entries: list[Document] = field(default_factory=list)
    also: list[Also] = field(default_factory=list)


class NoticeMail:
    """Makes letters of the notices that this worker writes at once, and of those of others that were left behind."""

    def __init__(self, runtime: Runtime, mail: Mail) -> None:
        self._runtime = runtime
        self._store = runtime.store
        self._mail = mail
        self._holder = new_id()
        self._waiting: deque[str] = deque(maxlen=MOST_WAITING)
        self._wake = asyncio.Event()
        runtime.feed.hear_own(NOTICE, self._hear)

    def _hear(self, notice: Document) -> None:
        if notice.revision is not None and notice.revision.startswith("1-"):
            self._waiting.append(notice.id)
            self._wake.set()

    async def run(self) -> None:
        """Work on what this worker writes, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._try(self._waiting.popleft())

    async def look_after(self) -> None:
        """Work on what was left behind, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except (CrossbarError, OSError) as error:
                log.warning("notices that were left behind will be looked for later: %s", error)
            except Exception:  # nobody would look after them again before the server is started anew
                log.exception("notices that were left behind will be looked for later")

    async def look(self) -> None:
        """Release the letters that are certain, drop those that are not wanted, and make those that are due."""
        for entry_id in await self._mail.held():
            await self._settle(entry_id)
        if not await self._store.leases.take(LEASE, self._holder, LOOK_SECONDS):
            return
        now = clock.now()
        for notice in await self._store.all(Listing(NOTICES, NOTICE, descending=False)):
            age = now - notice.fields["pvt_created"]
            if SPOOLED in notice.fields:
                if age > FORGOTTEN_SECONDS:
                    await self._forget(notice)
            elif age >= PATIENCE_SECONDS and notice.fields[DUE] <= now:
                await self._try(notice.id)

    async def _settle(self, entry_id: str) -> None:
        """Release a held letter, or drop it, if it is known which."""
        _, dash, about = entry_id.partition("-")
        if not dash:  # no letter: nobody here gives a file such a name
            return
        notice = await self._store.get(NOTICES, NOTICE, about.partition("-")[0])
        chosen = notice.fields.get(SPOOLED) if notice else None
        if chosen is not None and entry_id in chosen:
            await self._mail.release(entry_id)
        elif notice is None or chosen is not None or created(entry_id) < clock.unix_now() - HELD_SECONDS:
            await self._mail.discard(entry_id)

    async def _try(self, notice_id: str) -> None:
        """Work on a notice; what fails is put off, and given up in the end."""
        try:
            await self.work_on(notice_id)
        except (CrossbarError, OSError) as error:
            log.warning("notice %s waits: %s", notice_id, error)
            await self._put_off(notice_id)
        except Exception:
            log.exception("notice %s cannot be made a letter", notice_id)
            await self._put_off(notice_id)

    async def work_on(self, notice_id: str) -> None:
        """Put the letters of a notice into the spool that somebody wants; then the notice is gone.

        Raises OSError where the spool does not take them.
        """
        document = await self._store.get(NOTICES, NOTICE, notice_id)
        if document is None or SPOOLED in document.fields:
            return
        account = await self._runtime.access.directory.account(document.text("account_id"))
        made = await self._made(account, document) if account else _Made()
        if not made.entries:
            await self._forget(document)
            return
        held = await self._hold(document, made)
        try:
            await self._commit(document, made, held)
        except Stale:  # somebody else was faster
            for entry_id in held:
                await self._settle(entry_id)
            return
        for entry_id in held:
            log.info("mail %s (%s) is in the spool", entry_id, document.text("event_name"))
            await self._mail.release(entry_id)
        await self._forget(document)

    async def _made(self, account: Account, document: Document) -> _Made:
        """The messages that a notice becomes, and what the log says of them."""
        made = _Made()
        for letter in await Notice(self._runtime, account, document).letters():
            order = await order_of(self._runtime, account, letter, Author(LEASE, None))
            if order is None:
                continue
            try:
                message = order.message(f"{document.id}.{len(made.messages)}")
            except (BadAddress, BadTemplate) as error:
                log.warning("notice %s (%s) cannot be sent: %s", document.id, letter.template_id, error)
                made.entries.append(order.entry(error=str(error)))
                continue
            made.messages.append(message)
            made.entries.append(order.entry(receipt=message["Message-ID"]))
            if letter.also is not None:
                made.also.append(letter.also)
        return made

    async def _hold(self, document: Document, made: _Made) -> list[str]:
        """Put messages into the spool without releasing them; their ids."""
        held: list[str] = []
        try:
            for number, message in enumerate(made.messages):
                held.append(await self._mail.hold(message, f"{document.id}-{number}"))
        except OSError:
            for entry_id in held:
                await self._mail.discard(entry_id)
            raise
        return held

    async def _commit(self, document: Document, made: _Made, held: list[str]) -> None:
        """Log the letters and note where they lie. Raises Stale when somebody else was faster."""
        noted = replace(document, fields={**document.fields, SPOOLED: held})

        async def commit(transaction: Transaction) -> None:
            await transaction.replace(noted, document)
            for entry in made.entries:
                await transaction.insert(entry)
            for also in made.also:
                await also(transaction)

        await self._store.transact(commit)

    async def _forget(self, notice: Document) -> None:
        await self._store.remove_by_ids(NOTICES, NOTICE, [notice.id])

    async def _put_off(self, notice_id: str) -> None:
        def later(notice: Document) -> None:
            tries = notice.fields[TRIES] + 1
            wait = min(SHORTEST_WAIT * 2 ** min(tries, 16), LONGEST_WAIT)
            notice.fields |= {TRIES: tries, DUE: clock.now() + wait}

        try:
            notice = await self._store.update(NOTICES, NOTICE, notice_id, later)
            if notice is not None and notice.fields[TRIES] >= MOST_TRIES:
                log.error("notice %s (%s) is given up", notice_id, notice.text("event_name"))
                await self._forget(notice)
        except CrossbarError as error:
            log.warning("notice %s is worked on later: %s", notice_id, error)
