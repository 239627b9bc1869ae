# SPDX-License-Identifier: MPL-2.0
"""Documents and attachments that come in: compared with what is here, and written some hundred in a transaction.

Whoever brings them in again changes nothing: what is the same is skipped. What somebody else here holds (a realm, a
number, a SIP user name) is not taken, and the report names both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from crossbar.access.pepper import Pepper
from crossbar.dialing import NUMBER
from crossbar.documents.attachments import Attachment
from crossbar.documents.document import ACCOUNTS, TREE, Document
from crossbar.documents.document_types import ACCOUNT, USER
from crossbar.documents.store import Duplicate, Stale, Write
from crossbar.errors import JSON, CrossbarError, SystemFault
from crossbar.moving import secrets
from crossbar.moving.account_arrival import AccountArrival
from crossbar.moving.claims_held import held_by_others
from crossbar.moving.private_fields import modified, with_private
from crossbar.moving.report import CREATED, FILES, SKIPPED, UPDATED, MovingReport
from crossbar.resources.numbers.domain import port_request
from crossbar.resources.numbers.domain.number import owner_of
from crossbar.runtime import Runtime

AT_A_TIME: Final = 300
"""Documents of one transaction."""
BYTES_AT_A_TIME: Final = 4 * 2**20
"""Of their JSON: one transaction of MongoDB's should stay below 16 MB."""


IS_TAKEN: Final = "its id, or a value that it alone may hold, is taken here; it may have been deleted here"


class Vanished(Exception):
    """An attachment could not be read to its end where it comes from."""


@dataclass(frozen=True, slots=True)
class ArrivingFile:
    """An attachment as it is where it comes from: `size` in bytes, `created` in Gregorian seconds."""

    name: str
    content_type: str
    size: int
    created: int

    def is_like(self, stored: Attachment | None) -> bool:
        """Whether an attachment here is the same, as far as can be told without reading it."""
        return stored is not None and (stored.name, stored.content_type, stored.size, stored.created) == (
            self.name,
            self.content_type,
            self.size,
            self.created,
        )


def _held_here(before: Document, document: Document) -> str:
    """Why a number or a port request, which all accounts have in one place, is not to be replaced; else empty text."""
    if document.type == NUMBER and owner_of(before) not in (None, owner_of(document)):
        return f"the number is assigned to the account {owner_of(before)} here"
    owner = before.fields.get(port_request.OWNER)
    if document.type == port_request.TYPE and owner not in (None, document.fields.get(port_request.OWNER)):
        return f"the port request is one of the account {owner} here"
    return ""


@dataclass(slots=True)
class Arrivals:
    """Takes documents in; `flush` before the end. With `dry_run` nothing is written, and the report is as it would be.

    `digests_count` says whether keyed digests are good here: those of a file from a server of the same pepper.
    """

    runtime: Runtime
    report: MovingReport
    accounts: AccountArrival
    dry_run: bool
    digests_count: bool
    is_whole: bool = True
    """Whether documents come with their private fields; those that do not keep the ones they have here."""
    _waiting: list[Document] = field(default_factory=list)
    _bytes: int = 0
    _refused: set[str] = field(default_factory=set)

    @property
    def _pepper(self) -> Pepper:
        return self.runtime.access.pepper

    async def account(self, definition: Document) -> bool:
        """Take an account's definition in, the ones above before those below; says whether it is here now."""
        return await self.accounts.take(definition)

    async def add(self, document: Document, size: int) -> None:
        """Take a document of an account in, of `size` bytes. It is written with others."""
        if document.type not in self.runtime.store.shapes:
            self._refuse(document, f"this server knows no documents of type {document.type}")
            return
        if not self.runtime.store.shapes[document.type].moves:  # a file of an earlier release, or of somebody else
            self._refuse(document, f"documents of type {document.type} are good where they were made alone")
            return
        self._waiting.append(document)
        self._bytes += size
        if len(self._waiting) >= AT_A_TIME or self._bytes >= BYTES_AT_A_TIME:
            await self.flush()

    async def flush(self) -> None:
        """Write what waits."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        collections: dict[str, list[Document]] = defaultdict(list)
        for document in waiting:
            collections[self.runtime.store.shapes[document.type].stored_in].append(document)
        for documents in collections.values():
            await self._keep(documents)

    # Documents

    async def _keep(self, documents: list[Document]) -> None:
        writes: list[Write] = []
        known = await self._known(documents)
        for document in documents:
            before = known.get(document.key)
            after = await self._changed(document, before)
            if after is not None:
                writes.append(Write(before, after))
        if not writes:
            return
        taken = await held_by_others(self.runtime.store, [write.after for write in writes if write.after])
        for write in writes:
            if write.after is not None and (reason := taken.get(write.after.key)) is not None:
                self._refuse(write.after, reason)
        await self._write([write for write in writes if write.after and write.after.key not in taken])

    async def _known(self, documents: Iterable[Document]) -> dict[str, Document]:
        """Those of the documents that are here, as they are here."""
        ids: dict[tuple[str, str], list[str]] = defaultdict(list)
        for document in documents:
            ids[document.partition, document.type].append(document.id)
        found: dict[str, Document] = {}
        for (partition, document_type), some in ids.items():
            stored = await self.runtime.store.get_many(partition, document_type, some)
            found.update((document.key, document) for document in stored.values())
        return found

    async def _changed(self, document: Document, before: Document | None) -> Document | None:
        """The document as it is to be written; None where there is nothing to write."""
        if before is not None and (reason := _held_here(before, document)):
            self._refuse(document, reason)
            return None
        opened = secrets.opened(before.type, before.fields, self._pepper) if before else None
        fields = self._brought(document, opened)
        if document.type == port_request.TYPE:
            fields |= await self._place(fields)
        if secrets.lacks_what_it_needs(document.type, fields):
            self._refuse(document, "its secret is not known here; make a new one")
            return None
        if fields == opened:
            self.report.count(SKIPPED, document.type)
            return None
        if not self.is_whole and before is not None:
            fields |= modified(document)
        closed = secrets.closed(document.type, fields, self._pepper)
        return Document(document.partition, document.type, document.id, closed, before.revision if before else None)

    def _brought(self, document: Document, before: dict[str, JSON] | None) -> dict[str, JSON]:
        """The fields (opened) of a document that comes in, with what it has here alone."""
        fields = document.fields
        if not self.is_whole:
            fields = with_private(document, before)
        if not self.digests_count:
            fields = secrets.without_digests(document.type, fields)
        completed = secrets.completed(document.type, fields, before)
        if document.type == USER and completed.get("username") and not _has_password(completed):
            name = completed["username"]
            self.report.trouble(document.key, f"the password of {name} is not known here; give the user a new one")
        return completed

    async def _place(self, request: dict[str, JSON]) -> dict[str, JSON]:
        """What follows, for a port request, from where its account has its place here."""
        account = await self.runtime.access.directory.account(str(request.get(port_request.OWNER)))
        decides = await self.runtime.access.directory.account(str(request.get(port_request.AUTHORITY)))
        master = await self.runtime.access.directory.master_id()
        place: dict[str, JSON] = {TREE: list(account.tree) if account else []}
        return place if decides else {**place, port_request.AUTHORITY: master}

    async def _write(self, writes: Sequence[Write]) -> None:
        if not writes:
            return
        if not self.dry_run:
            try:
                await self.runtime.store.transact(lambda transaction: transaction.write_all(writes))
            except (Duplicate, Stale, CrossbarError) as error:
                if isinstance(error, SystemFault):
                    raise
                if len(writes) == 1:
                    self._refuse_write(writes[0], error)
                    return
                for write in writes:  # one of them is in the way of the others
                    await self._write([write])
                return
        for write in writes:
            if write.after is not None:
                self.report.count(UPDATED if write.before else CREATED, write.after.type)

    def _refuse_write(self, write: Write, error: Exception) -> None:
        document = write.after or write.before
        if document is None:
            return
        reason = {Stale: "somebody changed it just now; import again", Duplicate: IS_TAKEN}
        self._refuse(document, reason.get(type(error), str(getattr(error, "data", None) or error)))

    def _refuse(self, document: Document, reason: str) -> None:
        self._refused.add(document.key)
        self.report.trouble(document.key, reason)

    # Attachments

    async def attachments_of(self, owner: Document) -> dict[str, Attachment] | None:
        """The attachments that a document here has by now, by name; None where the document is not here."""
        await self.flush()
        if owner.key in self._refused:
            return None
        if not self.dry_run and await self.runtime.store.get(owner.partition, owner.type, owner.id) is None:
            return None
        return {one.name: one for one in await self.runtime.attachments.all(owner)}

    async def attach(
        self, owner: Document, about: ArrivingFile, contents: bytes | AsyncIterator[bytes], *, known: bool
    ) -> None:
        """Store an attachment. One that was not read to its end leaves what was there."""
        try:
            if not self.dry_run:
                await self.runtime.attachments.put(
                    owner, about.name, about.content_type, contents, created=about.created
                )
        except Vanished as error:
            self.report.trouble(f"{owner.key} {about.name}", str(error))
            return
        self.report.count(UPDATED if known else CREATED, FILES)

    async def detach(self, owner: Document, names: Iterable[str]) -> None:
        """Take attachments away that the document no longer has where it comes from."""
        for name in names:
            if not self.dry_run:
                await self.runtime.attachments.delete(owner, name)
            self.report.count(UPDATED, FILES)


def _has_password(fields: dict[str, JSON]) -> bool:
    return any(fields.get(name) for name in secrets.DIGESTS[USER])


def is_definition(document: Document) -> bool:
    """Whether a document defines an account."""
    return document.partition == ACCOUNTS and document.type == ACCOUNT
