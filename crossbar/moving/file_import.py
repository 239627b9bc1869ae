# SPDX-License-Identifier: MPL-2.0
"""An account, and those below it, read from a file."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from crossbar.dialing import ASSIGNED_TO, NUMBERS
from crossbar.documents.attachments import Attachment
from crossbar.documents.document import Document, DocumentKey
from crossbar.moving import secrets
from crossbar.moving.account_arrival import AccountArrival
from crossbar.moving.arrivals import Arrivals, ArrivingFile, Vanished, is_definition
from crossbar.moving.belongings import SHARED_PARTITIONS
from crossbar.moving.export import NOT_ONE_MOMENT, Told
from crossbar.moving.file_format import AccountFile, Line
from crossbar.moving.report import FILES, SKIPPED, MovingReport
from crossbar.resources.numbers.domain import port_request
from crossbar.runtime import Runtime

LINES_AT_A_TIME: Final = 200
"""After so many lines others may run."""
OTHER_PEPPER: Final = (
    "the file comes from a server of another pepper: passwords, ingest tokens and recovery codes do not come along"
)
WITHOUT_SECRETS: Final = "the file was written without credentials"


@dataclass(slots=True)
class FileImport:
    """Takes in what a file holds; see `import_file`."""

    file: AccountFile
    arrivals: Arrivals
    told: Told
    _done: int = 0
    _owner: Document | None = None
    _had: dict[str, Attachment] | None = None
    """The attachments that the owner had before; None: they are not wanted."""
    _named: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """All of the file."""
        lines = self.file.lines()
        for number, (line, size) in enumerate(lines):
            if number % LINES_AT_A_TIME == 0:
                await asyncio.sleep(0)
            if "document" in line:
                await self._document(line, size)
            elif "attachment" in line:
                await self._attachment(line, lines)
        await self._leave_owner()
        await self.arrivals.flush()

    async def _document(self, line: Line, size: int) -> None:
        document = Document(*DocumentKey.parse(line["document"]), fields=line["fields"])
        if is_definition(document):
            await self.arrivals.account(document)
        elif self._is_of_an_account_here(document):
            await self.arrivals.add(document, size)
        self._done += 1
        self.told(self._done, self.file.header["documents"])

    def _is_of_an_account_here(self, document: Document) -> bool:
        """Whether a document belongs to an account that came with the file and was taken in."""
        owner = {NUMBERS: ASSIGNED_TO, port_request.DATABASE: port_request.OWNER}.get(document.partition)
        account_id = document.partition if owner is None else document.text(owner)
        return account_id in self.arrivals.accounts.here

    async def _attachment(self, line: Line, lines: Iterator[tuple[Line, int]]) -> None:
        owner = Document(*DocumentKey.parse(line["attachment"]), fields={})
        if self._owner is None or owner.key != self._owner.key:
            await self._leave_owner()
            wanted = owner.partition in self.arrivals.accounts.here | SHARED_PARTITIONS
            self._owner, self._had = owner, await self.arrivals.attachments_of(owner) if wanted else None
        about = ArrivingFile(line["name"], line["content_type"], line["size"], line["created"])
        self._named.add(about.name)
        contents = _contents(lines)
        if self._had is not None:
            stored = self._had.get(about.name)
            if about.is_like(stored):
                self.arrivals.report.count(SKIPPED, FILES)
            else:
                await self.arrivals.attach(owner, about, contents, known=stored is not None)
        with suppress(Vanished):
            async for _ in contents:  # what nobody wanted
                pass

    async def _leave_owner(self) -> None:
        """Go on to another document: what this one had beside what came in, it has no more."""
        if self._owner is not None and self._had is not None:
            await self.arrivals.detach(self._owner, sorted(self._had.keys() - self._named))
        self._owner, self._had, self._named = None, None, set()


async def _contents(lines: Iterator[tuple[Line, int]]) -> AsyncIterator[bytes]:
    """The bytes of the attachment whose line was read last. Raises Vanished for one that could not be read whole."""
    for line, _ in lines:
        if "data" in line:
            yield base64.b64decode(line["data"])
            continue
        if line["end"] is None:
            raise Vanished("the file could not be read whole when the account was exported")
        return


async def import_file(
    runtime: Runtime, file: AccountFile, *, parent_id: str | None, dry_run: bool, told: Told
) -> MovingReport:
    """Take in the accounts of a file that was checked, the first one below `parent_id`. It can be done again."""
    report = MovingReport()
    same = file.header["pepper"] == secrets.fingerprint(runtime.access.pepper)
    arrivals = Arrivals(
        runtime, report, AccountArrival(runtime, report, parent_id, dry_run), dry_run=dry_run, digests_count=same
    )
    if not file.header["secrets"]:
        report.notes.append(WITHOUT_SECRETS)
    elif not same:
        report.notes.append(OTHER_PEPPER)
    if not file.counts["consistent"]:
        report.notes.append(NOT_ONE_MOMENT)
    for left_out in file.counts["left_out"]:
        report.trouble(left_out, "it could not be read when the account was exported")
    await FileImport(file, arrivals, told).run()
    return report
