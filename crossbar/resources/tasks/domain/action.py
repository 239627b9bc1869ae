# SPDX-License-Identifier: MPL-2.0
"""What tasks can do: actions on the rows of an input, and dumps, which need none.

An action is worked off in batches. A batch's output and progress are kept together or not at all, so a worker that
dies in between costs no more than the batch it was at, which the next worker does again: what an action does to a row
must be the same when done twice.

Source: `applications/tasks/src/modules/kt_task_worker.erl`, `kt_task_worker_noinput.erl`.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from crossbar.documents.document import Document
from crossbar.documents.store import Transaction
from crossbar.errors import JSON, CrossbarError
from crossbar.resources.tasks.domain.task import CSV, INPUT
from crossbar.resources.tasks.domain.task_sheet import Input
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

ERROR: Final = "error"
"""The column that says what was wrong with a row."""
BATCH_ROWS: Final = 100
BATCH_CHARACTERS: Final = 1_000_000
BATCH_SECONDS: Final = 1.0
"""A batch ends with whichever of these it reaches first."""

Cells = Mapping[str, JSON]
"""A row of the output, or a part of one, by column."""


class RowFailed(Exception):
    """A row could not be done; the text says why, in the row's `error` cell."""


@dataclass(frozen=True, slots=True)
class Work:
    """A task as an action sees it."""

    services: Runtime
    task: Document

    @property
    def account_id(self) -> str:
        """The account that the task is for."""
        return self.task.partition

    @property
    def auth_account_id(self) -> str:
        """The account that created it."""
        creator: str = self.task.fields["auth_account_id"]
        return creator

    async def input(self) -> bytes:
        """The whole input, which is no longer than an upload may be."""
        attachment = await self.services.attachments.find(self.task, INPUT)
        if attachment is None:
            raise LookupError("the task has no input")
        return await self.services.attachments.read(attachment)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of output, how many rows went well and how many did not, and where to go on: nowhere after the `last`.

    `cursor` is any JSON value, for the action alone to read. What `write` writes is kept in the transaction that keeps
    the output: both or neither. Where somebody else was faster with what it writes, the batch is worked out `again`.
    """

    columns: Sequence[str]
    rows: Sequence[Cells]
    succeeded: int
    failed: int
    cursor: JSON
    last: bool
    write: Callable[[Transaction], Awaitable[object]] | None = None
    again: Callable[[], Awaitable[Batch]] | None = None


@dataclass(frozen=True, kw_only=True)
class Action(ABC):
    """Something that tasks can do, with the names by which clients ask for it and what they are told of it."""

    category: str
    name: str
    description: str
    doc: str
    mandatory: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    for_administrators: bool = False
    """Whether plain users are kept from it where they are guarded."""

    @property
    @abstractmethod
    def expected_content(self) -> str | None:
        """The content type of its input; None if it takes none."""

    @abstractmethod
    def batches(self, work: Work, cursor: JSON) -> AsyncIterator[Batch]:
        """What there is to do from a batch's `cursor` on, or from the beginning (None)."""

    @property
    def help(self) -> dict[str, JSON]:
        """What clients are told of it."""
        entry: dict[str, JSON] = {"description": self.description, "doc": self.doc}
        if self.expected_content:
            entry["expected_content"] = self.expected_content
        if self.mandatory:
            entry["mandatory"] = list(self.mandatory)
        if self.optional:
            entry["optional"] = list(self.optional)
        return entry


@dataclass(frozen=True, kw_only=True)
class SheetAction(Action):
    """An action on an input. `checks` say of the columns they are for whether a cell with something in it will do."""

    checks: Mapping[str, Callable[[str], bool]] = field(default_factory=dict)

    @property
    def expected_content(self) -> str | None:
        """CSV."""
        return CSV

    def row_of(self, given: dict[str, str]) -> dict[str, str]:
        """The cells of a row, those of absent columns empty. Raises RowFailed for cells that will not do."""
        row = {**dict.fromkeys((*self.mandatory, *self.optional), ""), **given}
        bad = [column for column, cell in row.items() if not self._will_do(column, cell)]
        if bad:
            raise RowFailed(f"bad fields(s) {' '.join(bad)}")
        return row

    def _will_do(self, column: str, cell: str) -> bool:
        if not cell:
            return column not in self.mandatory
        check = self.checks.get(column)
        return check is None or check(cell)


@dataclass(frozen=True, kw_only=True)
class RowAction(SheetAction):
    """An action on each row of an input.

    `row` gets the cells of a row and returns the further cells of its row of output; it raises RowFailed. `columns` of
    the output stand behind those of the input.
    """

    row: Callable[[Work, dict[str, str]], Awaitable[Cells]]
    columns: tuple[str, ...] = (ERROR,)

    async def batches(self, work: Work, cursor: JSON) -> AsyncIterator[Batch]:
        """Some rows at a time; the cursor counts the rows that are done."""
        done = int(cursor or 0)
        sheet = Input(await work.input(), skipped=done)
        columns = (*sheet.header, *self.columns)
        last = False
        while not last:
            rows, failed, last = await self._some(work, sheet)
            done += len(rows)
            yield Batch(columns, rows, len(rows) - failed, failed, done, last)

    async def _some(self, work: Work, sheet: Input) -> tuple[list[Cells], int, bool]:
        """Rows of output, how many of them failed, and whether they are the last."""
        began, characters, failed = time.monotonic(), 0, 0
        rows: list[Cells] = []
        for cells in sheet:
            given = dict(zip(sheet.header, cells, strict=True))
            try:
                rows.append({**given, **await self.row(work, self.row_of(given))})
            except RowFailed as failure:
                failed += 1
                rows.append({**given, ERROR: str(failure)})
            except CrossbarError:
                raise
            except Exception:
                # What broke at this row may break at the next, or worse: nothing more is touched.
                log.exception("task %s: %s.%s broke at a row", work.task.id, self.category, self.name)
                return [*rows, {**given, ERROR: "applier crashed"}], failed + 1, True
            characters += sum(map(len, cells))
            if len(rows) == BATCH_ROWS or characters > BATCH_CHARACTERS or time.monotonic() - began > BATCH_SECONDS:
                return rows, failed, False
        return rows, failed, True


@dataclass(frozen=True, slots=True)
class Chunk:
    """What becomes of some rows, in their order: the cells of each, or what is wrong with it. `write` keeps it."""

    outcomes: Sequence[Cells | RowFailed]
    write: Callable[[Transaction], Awaitable[object]] | None = None


@dataclass(frozen=True, kw_only=True)
class ChunkAction(SheetAction):
    """An action on some rows of an input at a time, which are kept together, in one transaction with their output.

    `rows` gets rows of which no two have the same cell in the first mandatory column. `columns` are all columns of the
    output; a row that failed has there what it had in the input, and why.
    """

    rows: Callable[[Work, list[dict[str, str]]], Awaitable[Chunk]]
    columns: tuple[str, ...]

    async def batches(self, work: Work, cursor: JSON) -> AsyncIterator[Batch]:
        """Some rows at a time; the cursor counts the rows that are done."""
        done = int(cursor or 0)
        sheet = Input(await work.input(), skipped=done)
        rows = (dict(zip(sheet.header, cells, strict=True)) for cells in sheet)
        following = next(rows, None)
        if following is None:
            yield Batch(self.columns, [], 0, 0, done, last=True)
        while following is not None:
            some = [following]
            following = next(rows, None)
            while following is not None and len(some) < BATCH_ROWS and self._differs(following, some):
                some.append(following)
                following = next(rows, None)
            done += len(some)
            yield await self._batch(work, some, done, last=following is None)

    def _differs(self, row: dict[str, str], some: list[dict[str, str]]) -> bool:
        key = self.mandatory[0]
        return all(row.get(key) != other.get(key) for other in some)

    async def _batch(self, work: Work, given: list[dict[str, str]], done: int, *, last: bool) -> Batch:
        outcomes: list[Cells | RowFailed] = []
        good: list[dict[str, str]] = []
        for row in given:
            try:
                good.append(self.row_of(row))
                outcomes.append({})
            except RowFailed as failure:
                outcomes.append(failure)
        chunk = await self.rows(work, good)
        told = iter(chunk.outcomes)
        outcomes = [outcome if isinstance(outcome, RowFailed) else next(told) for outcome in outcomes]
        failed = sum(isinstance(outcome, RowFailed) for outcome in outcomes)
        return Batch(
            self.columns,
            [self._told(row, outcome) for row, outcome in zip(given, outcomes, strict=True)],
            len(given) - failed,
            failed,
            done,
            last,
            write=chunk.write,
            again=partial(self._batch, work, given, done, last=last),
        )

    def _told(self, row: dict[str, str], outcome: Cells | RowFailed) -> Cells:
        if isinstance(outcome, RowFailed):
            return {**{column: cell for column, cell in row.items() if column in self.columns}, ERROR: str(outcome)}
        return outcome


@dataclass(frozen=True, kw_only=True)
class Dump(Action):
    """An action without input, whose output comes page by page.

    `page` gets the cursor of the page before (None for the first page) and returns rows and the next cursor, None when
    there are no more. It raises RowFailed where there is nothing to be had; the output then says why.
    """

    columns: Callable[[Work], Awaitable[Sequence[str]]]
    page: Callable[[Work, JSON], Awaitable[tuple[Sequence[Cells], JSON]]]

    @property
    def expected_content(self) -> str | None:
        """Nothing."""
        return None

    async def batches(self, work: Work, cursor: JSON) -> AsyncIterator[Batch]:
        """A page at a time."""
        columns = await self.columns(work)
        last = False
        while not last:
            try:
                rows, cursor = await self.page(work, cursor)
            except RowFailed as failure:
                yield Batch((*columns, ERROR), [{ERROR: str(failure)}], 0, 1, None, last=True)
                return
            last = cursor is None
            yield Batch(columns, rows, len(rows), 0, cursor, last)
