# SPDX-License-Identifier: MPL-2.0
"""Faxes: jobs waiting to be sent, and faxes received and sent, each with its paper.

A job is a fax that has no `folder` yet. A switch takes jobs, reports what became of them, and hands in what it
received: `FaxStore.queue` makes a job, `finish` turns one into a sent fax, `keep` keeps a fax that is done.

Source: `core/kazoo_fax` (`kz_fax_attachment.erl`), `kzd_fax.erl`, `cb_faxes` (`maybe_save_attachment`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from crossbar import clock, ids
from crossbar.access.authorship import Author, stamps
from crossbar.conversion.converter import MediaConverter
from crossbar.conversion.media_types import attachment_name
from crossbar.conversion.tools import ToolError
from crossbar.dialing import account_dial_plan, is_reconcilable, normalize
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Transaction
from crossbar.errors import JSON, Invalid, NotFound, SystemFault
from crossbar.events.notices import insert_telling, tell
from crossbar.resources.calls.fax.domain.fax_callback import fax_callbacks
from crossbar.resources.calls.fax.domain.fax_notice import fax_notice
from crossbar.resources.calls.media.domain.media_file import record_id, save_with_files
from crossbar.runtime import Runtime
from crossbar.wire.body import UploadedFile

log = logging.getLogger(__name__)

TYPE: Final = "fax"
OUTGOING: Final = "outgoing"
INBOX: Final = "inbox"
OUTBOX: Final = "outbox"
Folder = Literal["inbox", "outbox"]
STATUS: Final = "pvt_job_status"
PENDING: Final = "pending"
PDF: Final = "application/pdf"
PDF_NAME: Final = "fax_file.pdf"
ORIGINAL_NAME: Final = "original_file"


def folder(fax: Document) -> str:
    """Where a fax is: `outgoing` while it waits, else `inbox` or `outbox`."""
    stored = fax.at("folder")
    return str(stored) if stored else OUTGOING if STATUS in fax.fields else INBOX


def tags(fax: Document) -> Iterator[str]:
    """Listings by folder: of the account, of a fax box, of a user."""
    where = folder(fax)
    yield where
    if faxbox_id := fax.at("faxbox_id"):
        yield f"{where}/faxbox/{faxbox_id}"
    if owner_id := fax.at("owner_id"):
        yield f"{where}/owner/{owner_id}"


class FaxRow(Summary):
    """What a list tells of a fax: the essentials of a job, everything of a fax that is done."""

    def of(self, document: Document) -> dict[str, JSON]:
        """The row for `document`."""
        essentials = {
            "id": document.id,
            "status": document.at(STATUS),
            "to": document.at("to_number"),
            "from": document.at("from_number"),
            "created": document.at("pvt_created"),
        }
        if folder(document) == OUTGOING:
            more = {name: document.at(name) for name in ("faxbox_id", "from_name", "attempts")}
        else:
            more = document.public
        return {key: value for key, value in {**more, **essentials}.items() if value is not None}


FAX_SHAPE: Final = Shape(TYPE, summary=FaxRow(), sort="pvt_created", tags=tags, stored_in="records", announced=True)


@dataclass(frozen=True, slots=True)
class FaxStore:
    """Keeps faxes and their papers, as changes of one author."""

    runtime: Runtime
    converter: MediaConverter
    author: Author

    async def checked_job(self, account_id: str, data: dict[str, Any], *, has_file: bool) -> dict[str, Any]:
        """The fields of a job, the number in its stored form. Raises 400."""
        fields = self.runtime.valid("faxes", data)
        if not has_file and not Document("", TYPE, "", fields).at("document.url"):
            raise Invalid.field("document.url", "required", "add document url or upload a document")
        number = normalize(fields["to_number"], await account_dial_plan(self.runtime.store, account_id))
        if not is_reconcilable(number):
            raise Invalid.field("document.to_number", "required", "add a valid number to send the fax to")
        return {**fields, "to_number": number, "attempts": 0}

    async def queue(self, account_id: str, fields: dict[str, Any], file: UploadedFile | None) -> Document:
        """A new job with its paper, or with the URL where it is to be had; `fields` as `checked_job` gives them.

        Raises 500 for a file that is no paper.
        """
        return await self._save(self._job(account_id, fields), file)

    async def requeue(
        self, fax: Document, changes: dict[str, Any], dropped: tuple[str, ...], *, ready: Callable[[], None]
    ) -> Document:
        """Another job like a fax that is done, `changes` merged over it and `dropped` fields left out.

        Raises 400 for what is no job.
        """
        attachments = self.runtime.attachments
        papers = await attachments.all(fax)
        kept = {key: value for key, value in fax.public.items() if key not in (*dropped, "id", "folder")}
        fields = await self.checked_job(fax.partition, {**kept, **changes}, has_file=bool(papers))
        job = self._job(fax.partition, fields)
        job.fields |= {key: fax.fields[key] for key in ("pvt_pages", "pvt_size") if key in fax.fields}
        ready()
        try:
            for paper in papers:
                await attachments.copy(paper, job)
            return await self.runtime.store.insert(job)
        except BaseException:
            await attachments.delete(job)
            raise

    async def keep(
        self,
        account_id: str,
        where: Folder,
        data: dict[str, Any],
        file: UploadedFile | None,
        *,
        reference: str | None = None,
    ) -> Document:
        """Keep a fax that was received (`inbox`) or sent (`outbox`), with its paper. Raises 400 for what does not fit
        the schema, 500 for a file that is no paper.

        `data` is of schema `faxes`; `timestamp` (Gregorian seconds), if given, is the time it is kept and listed under.
        With a `reference` the same fax is kept once: a second one raises Duplicate.
        """
        fields, errors = self.runtime.schema_errors("faxes", data)
        dated, wrong = self.runtime.schema_errors(
            "ingest.fax", {"timestamp": data["timestamp"]} if "timestamp" in data else {}
        )
        if errors or wrong:
            raise Invalid({**errors, **wrong})
        fields.pop("timestamp", None)
        created = dated.get("timestamp") or clock.now()
        fax = Document(
            account_id, TYPE, record_id(created, reference), {**fields, "folder": where, "pvt_created": created}
        )
        fax.fields |= stamps(self.author, fax) | {STATUS: "completed"}
        return await self._save(fax, file, await self._told(fax))

    async def finish(self, job: Document, result: dict[str, JSON]) -> Document:
        """Turn a job into a fax of the outbox: `result` is its `tx_result`. Raises 404 when somebody else did."""
        sent = replace(
            job, id=ids.monthly_id(), fields={**job.fields, "folder": OUTBOX, "tx_result": result}, revision=None
        )
        sent.fields |= stamps(self.author, sent) | {STATUS: "completed" if result.get("success") else "failed"}
        told = await self._told(sent, job.id)

        async def exchange(transaction: Transaction) -> Document:
            if await transaction.get(job.partition, TYPE, job.id) is None:
                raise NotFound(job.id)
            await transaction.remove(job)
            await tell(transaction, told)
            return await transaction.insert(sent)

        attachments = self.runtime.attachments
        try:
            for paper in await attachments.all(job):
                await attachments.copy(paper, sent)
            saved = await self.runtime.store.transact(exchange)
        except BaseException:
            await attachments.delete(sent)
            raise
        await attachments.delete(job)
        return saved

    async def _told(self, fax: Document, job_id: str | None = None) -> list[Document]:
        """What a fax that is done gives rise to: its notice, and the callback that its box wants."""
        notice = fax_notice(fax, job_id)
        return [notice, *await fax_callbacks(self.runtime.store, fax, notice)]

    def _job(self, account_id: str, fields: dict[str, Any]) -> Document:
        job = Document(account_id, TYPE, ids.new_id(), fields)
        job.fields |= stamps(self.author, job) | {STATUS: PENDING}
        return job

    async def _save(self, fax: Document, file: UploadedFile | None, notices: Sequence[Document] = ()) -> Document:
        """Save a new fax with its paper, as it came and as a PDF, and what it gives rise to."""
        if file is None:
            return await insert_telling(self.runtime.store, fax, notices)
        try:
            paper = await self.converter.fax(file.contents)
        except ToolError as error:
            log.warning("request %s: %s", self.author.request_id, error)
            raise SystemFault("error processing fax file") from error
        fax.fields |= {"pvt_pages": paper.pages, "pvt_size": len(file.contents)}
        files = [UploadedFile(PDF_NAME, PDF, paper.pdf)]
        if paper.pdf != file.contents:
            files.append(UploadedFile(attachment_name(ORIGINAL_NAME, "image/tiff"), "image/tiff", file.contents))
        return await save_with_files(self.runtime, fax, files, notices)
