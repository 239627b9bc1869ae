# SPDX-License-Identifier: MPL-2.0
"""What was done in an account, and who logged in: the newest first. An endpoint of this server alone.

Nothing is written for it: the present versions of documents and those in their history say when and by whom they were
written, log-in attempts are recorded anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from crossbar.documents.document import ACCOUNTS, DocumentKey, document_key
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import SEPARATOR, collate
from crossbar.documents.store.history import Version, moment_of
from crossbar.endpoint import Context, Endpoint, Lists, Reply
from crossbar.endpoint.document_history import told
from crossbar.endpoint.paging import page_info
from crossbar.resources.auth.domain import login_attempt
from crossbar.wire.list_options import RANGE, list_options, time_range

audit = Endpoint("audit")

LONGEST_RANGE: Final = 10 * 365 * 86_400
"""Seconds that are looked at without `created_from`."""
AT_A_TIME: Final = 100
"""Entries that are read together at most."""
MOST_LOOKS: Final = 20
"""So often is read on for a page that filters leave empty; the next page goes on from there."""
FILTERS: Final = {
    "type": "the type of the document",
    "id": "the id of the document",
    "action": "`created`, `changed`, `deleted`, `restored`, `logged_in` or `login_refused`",
    "user_id": "the user who did it",
    "account_id": "the account that did it",
}
"""`filter_<name>`, and what has to be that."""


@dataclass(frozen=True, slots=True)
class _Range:
    since: int
    until: int
    below: str | None


@audit.get(
    "/accounts/{account_id}/audit",
    lists=Lists.ROWS,
    options=RANGE | {f"filter_{name}": effect for name, effect in FILTERS.items()},
)
async def index(context: Context) -> Reply:
    """A page of what was done: changes of documents, and log-ins."""
    options = list_options(context.values, page_size=context.config.api.pagination_page_size)
    size = options.page_size if options.page_size is not None else AT_A_TIME * MOST_LOOKS
    since, until = time_range(context.values, maximum=LONGEST_RANGE)
    cursor = options.start_key
    below = cursor[0] if isinstance(cursor, list) and cursor and isinstance(cursor[0], str) else None
    wanted = {name: context.query.get(f"filter_{name}") for name in FILTERS}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    rows: list[dict[str, Any]] = []
    for _ in range(MOST_LOOKS):
        some = AT_A_TIME if wanted else min(size + 1 - len(rows), AT_A_TIME)
        found = await _page(context, _Range(since, until, below), some)
        for moment, row in found:
            if len(rows) == size:
                return Reply(rows, page=page_info(options, size, below))
            below = moment
            if _fits(row, wanted):
                rows.append(row)
        if len(found) < some:
            return Reply(rows, page=page_info(options, len(rows), None))
    return Reply(rows, page=page_info(options, len(rows), below))


def _fits(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    author = row.get("author") or {}
    held = {**{name: row.get(name) for name in ("type", "id", "action")}, **author}
    return all(held.get(name) == value for name, value in wanted.items())


async def _page(context: Context, within: _Range, limit: int) -> list[tuple[str, dict[str, Any]]]:
    """The next entries before `within.below`, each with its moment."""
    history, account_id = context.store.history, context.account_id
    versions, own, logins = await asyncio.gather(
        history.changes(account_id, since=within.since, until=within.until, below=within.below, limit=limit),
        _of_account(context, within),
        _logins(context, within, limit),
    )
    changes: list[tuple[str, Version]] = [(moment_of(version), version) for version in [*versions, *own]]
    both: list[tuple[str, Version | dict[str, Any]]] = sorted([*changes, *logins], key=lambda one: one[0], reverse=True)
    page = both[:limit]
    earlier = await history.predecessors([one for _, one in page if isinstance(one, Version)])
    return [(moment, await _row(context, one, earlier)) for moment, one in page]


async def _of_account(context: Context, within: _Range) -> list[Version]:
    """Versions of the account's own document, which lies apart."""
    history, key = context.store.history, document_key(ACCOUNTS, ACCOUNT, context.account_id)
    found = await history.before(key, None, AT_A_TIME)
    present = await history.present(ACCOUNTS, ACCOUNT, context.account_id)
    if present is not None:
        found = [Version(present), *(one for one in found if one.position != Version(present).position)]
    first, last = f"{within.since:012}", within.below or f"{within.until + 1:012}"
    return [version for version in found if first <= moment_of(version) < last]


async def _logins(context: Context, within: _Range, limit: int) -> list[tuple[str, dict[str, Any]]]:
    """Log-in attempts."""
    mine = document_key(context.account_id, login_attempt.TYPE, "")
    start = Position.value(within.until)
    if within.below is not None:
        second, _, place = within.below.partition(SEPARATOR)
        if place.startswith(mine):
            start = Position.exact(f"{collate(int(second))}{SEPARATOR}{DocumentKey.parse(place).id}")
        else:
            start = Position.value(int(second) - (0 if mine < place else 1))
    listing = Listing(
        context.account_id,
        login_attempt.TYPE,
        start=start,
        end=Position.value(within.since),
        limit=limit + 1,
    )
    rows = [orjson.loads(body) for body in (await context.store.page(listing)).bodies]
    found = [(f"{row['timestamp']:012}{SEPARATOR}{mine}{row['id']}", row) for row in rows]
    return [(moment, row) for moment, row in found if within.below is None or moment < within.below][:limit]


async def _row(context: Context, one: Version | dict[str, Any], earlier: Mapping[str, Version]) -> dict[str, Any]:
    if isinstance(one, dict):
        action = "logged_in" if one.get("status") == "success" else "login_refused"
        shown = {key: one.get(key) for key in ("id", "auth_type", "auth_module", "message", "client_ip")}
        return {"type": login_attempt.TYPE, "action": action, "timestamp": one["timestamp"], **shown}
    document = one.document
    before = earlier.get(one.position)
    about = await told(context, one, before)
    is_first = (document.revision or "").startswith("1-")
    action = "deleted" if one.is_deleted else "created" if is_first else "changed"
    if before is not None and before.is_deleted and not one.is_deleted:
        action = "restored"
    row: dict[str, Any] = {
        "id": document.id,
        "type": document.type,
        "action": action,
        "timestamp": about["modified"],
        "revision": document.revision,
        "author": about["author"],
        "changed": about["changed"],
    }
    name = document.fields.get("name")
    return row | ({"name": name} if isinstance(name, str) else {})
