# SPDX-License-Identifier: MPL-2.0
"""An account, and those below it, read from a Crossbar API: this server's, or a live KAZOO's.

What can be read follows from the declarations of this server's endpoints. Lists mostly have summaries, so each
document is asked for by itself; where a list shows whole documents (`full_docs`), it is believed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import orjson

from crossbar import clock
from crossbar.documents.document import ACCOUNTS, Document, as_list, as_object
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing
from crossbar.endpoint import Endpoint
from crossbar.errors import JSON
from crossbar.moving import remote_documents
from crossbar.moving.account_arrival import AccountArrival
from crossbar.moving.arrivals import Arrivals
from crossbar.moving.export import Told
from crossbar.moving.remote_api import RemoteAccount, RemoteApi, RequestRefused
from crossbar.moving.remote_documents import CREATED, FROM_ROW, NOT_AS_EXPECTED, UNREADABLE
from crossbar.moving.remote_files import OF_TYPE, take_files
from crossbar.moving.remote_numbers import RemoteNumbers
from crossbar.moving.remote_sources import NEVER_SHOWN, NOT_TAKEN, RemoteSource, sources
from crossbar.moving.remote_state import RemoteState
from crossbar.moving.report import MovingReport
from crossbar.moving.trouble import CannotMove
from crossbar.resources.records.domain.cdr import CDR_SHAPE, note_interactions
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

PAGE_SIZE: Final = 500
PROBED: Final = 20
"""Rows by which it is told whether a list has whole documents."""
WHOLE: Final = {"full_docs": "true"}
WINDOW_S: Final = 30 * clock.DAY
"""Of a list that shows ranges of time: KAZOO shows no more than 31 days at once."""
WENT_ON: Final = (
    "it went on where an earlier run had stopped; what that one took over is not counted here, "
    "what it could not take over is told again"
)
ABSENT: Final = frozenset({404})


@dataclass(frozen=True, slots=True)
class _ListAt:
    """A list of documents of an account: its path, and the parts of it; `window` is a range of time, or nothing."""

    account_id: str
    source: RemoteSource
    path: str
    parent_id: str | None
    window: dict[str, str]

    @property
    def place(self) -> str:
        """What stands for it in the state of an import."""
        return f"{self.path} {self.window.get('created_from', '')}".rstrip()


@dataclass(slots=True)
class RemoteImport:
    """Takes in what an API shows; see `import_from`."""

    runtime: Runtime
    api: RemoteApi
    arrivals: Arrivals
    state: RemoteState
    sources: Sequence[RemoteSource]
    told: Told
    _steps: int = 0
    _all_steps: int = 0
    _ids: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """The documents of types that others are below, by account and type."""
    _whole: dict[str, bool] = field(default_factory=dict)
    """Sources whose lists have whole documents, or have not, by path."""

    @property
    def _report(self) -> MovingReport:
        return self.arrivals.report

    async def run(self, account_id: str, *, descendants: bool) -> None:
        """The account, and those below it. Raises CannotMove."""
        accounts = [account async for account in self._accounts(account_id, descendants=descendants)]
        here = [account for account in accounts if await self.arrivals.account(account)]
        self._all_steps = len(here) * (len(self.sources) + 1)
        for account in here:
            for source in self.sources:
                await self._source(account, source)
                self._step()
            await RemoteNumbers(self.api, self.arrivals, self.state).take(account.id)
            self._step()
        await self.arrivals.flush()

    def _step(self) -> None:
        self._steps += 1
        self.told(self._steps, self._all_steps)

    # Accounts

    async def _accounts(self, account_id: str, *, descendants: bool) -> AsyncIterator[Document]:
        top = await self._account(account_id, [])
        if top is None:
            reason = "; ".join(one.reason for one in self._report.troubles)
            raise CannotMove(
                f"{self.api.shown} shows no account {account_id} ({reason}); an id is wanted, and the right to read it"
            )
        yield top
        if not descendants:
            return
        for row in sorted(await self._below(account_id), key=lambda row: len(as_list(row.get("tree")))):
            account = await self._account(str(row["id"]), as_list(row.get("tree")))
            if account is not None:
                yield account

    async def _below(self, account_id: str) -> list[dict[str, Any]]:
        """The rows of the accounts below one. Where not all are shown, it stands in the report."""
        path, rows = f"/accounts/{_quoted(account_id)}/descendants", list[dict[str, Any]]()
        try:
            async for page, _ in self._pages(path, {}):
                rows += [row for row in page if isinstance(row, dict) and row.get("id")]
        except RequestRefused as error:
            self._report.trouble(path, f"{error}; accounts below it that were not seen stay behind")
        return rows

    async def _account(self, account_id: str, tree: list[str]) -> Document | None:
        path = f"/accounts/{_quoted(account_id)}"
        try:
            shown = as_object((await self.api.get(path)).get("data"))
        except RequestRefused as error:
            self._report.trouble(path, str(error))
            return None
        if shown.get("id") != account_id:
            self._report.trouble(path, UNREADABLE)
            return None
        api_key = None
        try:
            api_key = as_object((await self.api.get(f"{path}/api_key")).get("data")).get("api_key")
        except RequestRefused as error:
            self._report.trouble(f"{path}/api_key", f"{error}; the account has a new API key here")
        account = remote_documents.account_of(shown, tree, api_key if isinstance(api_key, str) else None)
        if not isinstance(account.fields.get(CREATED), int):
            account.fields.pop(CREATED, None)
            self._report.trouble(path, "it is not shown since when it is; of records those of 30 days are taken over")
        return account

    # Documents

    async def _source(self, account: Document, source: RemoteSource) -> None:
        if source.document_id is not None:
            await self._singleton(account.id, source)
            return
        for parent_id in await self._parents(account.id, source):
            path = source.list_path.replace("{account_id}", account.id)
            if parent_id is not None:
                path = path.replace(f"{{{source.parent}}}", _quoted(parent_id))
            for window in _windows(account) if source.is_timed else ({},):
                await self._list(_ListAt(account.id, source, path, parent_id, window))

    async def _parents(self, account_id: str, source: RemoteSource) -> list[str | None]:
        """The ids that the list's path may have: those seen in this run, and those here from an earlier one."""
        if source.parent is None:
            return [None]
        above = next(one for one in self.sources if one.name == source.parent)
        listing = Listing(account_id, above.type)
        stored = [row.id async for row in self.runtime.store.stream(listing)]
        return list(dict.fromkeys([*self._ids.get((account_id, above.type), []), *stored]))

    async def _singleton(self, account_id: str, source: RemoteSource) -> None:
        path = source.path.replace("{account_id}", account_id)
        shown = await self._one(path, quiet=ABSENT)
        if shown:
            await self._take(account_id, source, path, {**shown, "id": source.document_id})

    async def _list(self, at: _ListAt) -> None:
        """All documents of a list, from where an earlier run stopped. One that is refused stands in the report."""
        if at.place in self.state.done:
            return
        start = self.state.next.get(at.place)
        try:
            is_whole = await self._shows_whole(at)
            query = {**at.window, **(WHOLE if is_whole else {})}
            async for rows, following in self._pages(at.path, query, start=start):
                await self._page(at, rows, is_whole=is_whole)
                await self.arrivals.flush()
                self.state.read(at.place, following, self._report)
        except RequestRefused as error:
            self._report.trouble(at.place, str(error))

    async def _page(self, at: _ListAt, rows: list[JSON], *, is_whole: bool) -> None:
        """Take over the documents of a page, of which it shows all or a summary."""
        named = [(row_id, row) for row in rows if (row_id := _id_of(row)) is not None]
        if any(source.parent == at.source.name for source in self.sources):
            self._ids.setdefault((at.account_id, at.source.type), []).extend(row_id for row_id, _ in named)
        paths = [f"{at.path}/{_quoted(row_id)}" for row_id, _ in named]
        shown = [row for _, row in named] if is_whole else await asyncio.gather(*map(self._one, paths))
        for (row_id, row), one, path in zip(named, shown, paths, strict=True):
            if one is None:
                continue
            extra = {name: as_object(row).get(name) for name in FROM_ROW.get(at.source.type, ())}
            fields = {"id": row_id, **{name: value for name, value in extra.items() if value is not None}, **one}
            if at.source.parent == "vmbox_id":
                fields.setdefault("source_id", at.parent_id)
            await self._take(at.account_id, at.source, path, fields)

    async def _take(self, account_id: str, source: RemoteSource, path: str, shown: dict[str, Any]) -> None:
        try:
            document = remote_documents.document_of(account_id, source.type, shown)
        except NOT_AS_EXPECTED:
            self._report.trouble(path, UNREADABLE)
            return
        await self.arrivals.add(document, len(orjson.dumps(shown)))
        if document.type == CDR_SHAPE.type and not self.arrivals.dry_run:
            await note_interactions(self.runtime.store, [document])
        if document.type in OF_TYPE:
            await take_files(self.api, self.arrivals, document, path)

    async def _shows_whole(self, at: _ListAt) -> bool:
        """Whether lists of this kind, asked for whole documents, have them.

        Told by the first list that has documents: by its first and its last row.
        """
        source = at.source
        if source.type in FROM_ROW or source.parent is not None:
            return False
        if source.path in self._whole:
            return self._whole[source.path]
        size = {"page_size": str(PROBED)}
        plain = as_list((await self.api.get(at.path, {**at.window, **size})).get("data"))
        full = as_list((await self.api.get(at.path, {**at.window, **size, **WHOLE})).get("data"))
        if not plain or not full:
            return False
        self._whole[source.path] = plain != full and all(
            [
                remote_documents.is_whole(source.type, row, await self._one(f"{at.path}/{_quoted(_id_of(row) or '')}"))
                for row in (full[0], full[-1])
            ]
        )
        return self._whole[source.path]

    async def _one(self, path: str, *, quiet: frozenset[int] = frozenset()) -> dict[str, Any] | None:
        """A document's own answer; None, and a trouble, where it is refused."""
        try:
            return as_object((await self.api.get(path)).get("data"))
        except RequestRefused as error:
            if error.status not in quiet:
                self._report.trouble(path, str(error))
            return None

    async def _pages(
        self, path: str, query: dict[str, str], *, start: JSON = None
    ) -> AsyncIterator[tuple[list[JSON], JSON]]:
        """The pages of a list, each with the key of the next one. Raises RequestRefused."""
        async for data, following in self.api.pages(path, query, PAGE_SIZE, start):
            if data and not isinstance(data, list):
                raise RequestRefused(path, 200, UNREADABLE)
            yield as_list(data), following


def _windows(account: Document) -> Iterable[dict[str, str]]:
    """The ranges of time from the account's beginning until now."""
    start, now = int(account.fields.get(CREATED) or clock.now() - WINDOW_S), clock.now()
    start -= clock.DAY
    while start <= now:
        yield {"created_from": str(start), "created_to": str(min(start + WINDOW_S, now + clock.DAY))}
        start += WINDOW_S


def _id_of(row: JSON) -> str | None:
    """The id of the document that a row of a list stands for."""
    found = (row.get("id") or row.get("media_id")) if isinstance(row, dict) else row
    return found if isinstance(found, str) and found else None


def _quoted(part: str) -> str:
    return quote(part, safe="")


async def import_from(
    runtime: Runtime,
    api: RemoteApi,
    endpoints: Iterable[Endpoint],
    source: RemoteAccount,
    *,
    parent_id: str | None,
    dry_run: bool,
    told: Told,
) -> MovingReport:
    """Take in an account that an API shows, below `parent_id`. It can be done again, and goes on where it broke off."""
    report = MovingReport()
    data = runtime.config.server.data
    state = RemoteState(None) if dry_run else RemoteState.of(data, api.url, source.account_id)
    if state.is_begun and await runtime.store.get(ACCOUNTS, ACCOUNT, source.account_id) is None:
        state = RemoteState(state.path)  # of another database, or of one that was emptied
    if state.is_begun:
        report.notes.append(WENT_ON)
        for trouble in state.troubles:
            report.trouble(trouble.what, trouble.reason)
    accounts = AccountArrival(runtime, report, parent_id, dry_run, is_whole=False)
    arrivals = Arrivals(runtime, report, accounts, dry_run=dry_run, digests_count=False, is_whole=False)
    work = RemoteImport(runtime, api, arrivals, state, sources(endpoints), told)
    await work.run(source.account_id, descendants=source.descendants)
    state.forget()
    report.notes += [f"{name} stay behind: {reason}" for name, reason in NOT_TAKEN.items()]
    report.notes += NEVER_SHOWN
    return report
