# SPDX-License-Identifier: MPL-2.0
"""An account, and those below it, written to a file."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from crossbar import __version__, clock
from crossbar.access.directory import Account
from crossbar.documents.attachments import Attachment
from crossbar.documents.document import ACCOUNTS, Document, DocumentKey
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.store import Snapshot
from crossbar.errors import JSON, CrossbarError
from crossbar.moving import secrets
from crossbar.moving.belongings import SHARED_PARTITIONS, accounts_below, documents_of
from crossbar.moving.file_format import FileWriter, writing
from crossbar.moving.trouble import CannotMove
from crossbar.runtime import Runtime

Told = Callable[[int, int], None]
"""Hears how far it has come: documents done, and about how many there are."""
NOT_ONE_MOMENT: Final = (
    "the database did not remember the moment of the beginning to the end: what changed meanwhile may be told in part"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportWanted:
    """What is to be written to the new file `path`: an account, with or without those below it and its credentials.

    With a passphrase the file is encrypted.
    """

    path: Path
    descendants: bool = False
    with_secrets: bool = True
    passphrase: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Exported:
    """What a file holds, by type; `is_consistent` says whether all of it was so at one moment."""

    path: Path
    documents: Counter[str] = field(default_factory=Counter)
    attachments: int = 0
    attachment_bytes: int = 0
    is_consistent: bool = True
    left_out: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, JSON]:
        """As the trailer of the file has it."""
        return {
            "documents": dict(sorted(self.documents.items())),
            "attachments": self.attachments,
            "attachment_bytes": self.attachment_bytes,
            "consistent": self.is_consistent,
            "left_out": self.left_out,
        }


@dataclass(slots=True)
class Exporter:
    """Writes accounts to a file; see `export`."""

    runtime: Runtime
    snapshot: Snapshot
    file: FileWriter
    exported: Exported
    told: Told
    with_secrets: bool
    total: int = 0

    async def write(self, account: Account, *, descendants: bool) -> None:
        """All of the file. Raises CannotMove for an account that is gone by now."""
        top = await self.snapshot.get(ACCOUNTS, ACCOUNT, account.id)
        if top is None:
            raise CannotMove(f"the account {account.id} was deleted just now")
        accounts = [top, *(await accounts_below(self.snapshot, account.id) if descendants else ())]
        self.total = len(accounts) + sum([await self.snapshot.count(one.id) for one in accounts])
        self.file.header(
            {
                "server": __version__,
                "account": {"id": account.id, "name": account.name, "realm": account.realm},
                "accounts": len(accounts),
                "documents": self.total,
                "exported": clock.iso_timestamp(),
                "pepper": secrets.fingerprint(self.runtime.access.pepper),
                "secrets": self.with_secrets,
            }
        )
        for one in accounts:
            self._document(one)
        for one in accounts:
            await self._belongings(one.id)
        self.exported.is_consistent = self.snapshot.is_consistent
        self.file.trailer(self.exported.counts)

    async def _belongings(self, account_id: str) -> None:
        attachments, shared = self.runtime.attachments, []
        async for document in documents_of(self.snapshot, self.runtime.store.shapes, account_id):
            self._document(document)
            if document.partition in SHARED_PARTITIONS:
                shared += await attachments.all(document)
        async for attachment in attachments.of_partition(account_id, self.snapshot):
            await self._attachment(attachment)
        for attachment in shared:
            await self._attachment(attachment)

    def _document(self, document: Document) -> None:
        fields = secrets.opened(document.type, document.fields, self.runtime.access.pepper)
        if not self.with_secrets:
            sealed = self.runtime.store.shapes[document.type].sealed
            fields = secrets.without_secrets(document.type, fields, sealed)
        self.file.document(document.key, fields)
        self.exported.documents[document.type] += 1
        self.told(self.exported.documents.total(), self.total)

    async def _attachment(self, attachment: Attachment) -> None:
        shapes, document_type = self.runtime.store.shapes, DocumentKey.parse(attachment.owner).type
        if document_type not in shapes or not shapes[document_type].moves:
            return
        about = {"name": attachment.name, "content_type": attachment.content_type, "size": attachment.size}
        self.file.attachment(attachment.owner, {**about, "created": attachment.created})
        digest = hashlib.sha256()
        try:
            async for piece in self.runtime.attachments.stream(attachment):
                digest.update(piece)
                self.file.contents(piece)
        except CrossbarError as error:
            self.file.end_attachment(None)
            self.exported.left_out.append(f"{attachment.owner} {attachment.name}: {error}")
            return
        self.file.end_attachment(digest.hexdigest())
        self.exported.attachments += 1
        self.exported.attachment_bytes += attachment.size


async def export(runtime: Runtime, account: Account, wanted: ExportWanted, told: Told) -> Exported:
    """Write an account to a new file, all as of one moment. Raises CannotMove; then there is no file."""
    exported = Exported(wanted.path)
    with writing(wanted.path, wanted.passphrase) as file:
        async with runtime.store.snapshot() as snapshot:
            exporter = Exporter(runtime, snapshot, file, exported, told, wanted.with_secrets)
            await exporter.write(account, descendants=wanted.descendants)
    return exported
