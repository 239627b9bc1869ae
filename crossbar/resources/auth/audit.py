# SPDX-License-Identifier: MPL-2.0
"""What was done in an account, and who logged in, in the order of time. An endpoint of this server alone.

Nothing is written for it: the present versions of documents and those in their history say when and by whom they were
written, log-in attempts are recorded anyway.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from crossbar.documents.document import ACCOUNTS, DocumentKey, document_key
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import SEPARATOR, collate
from crossbar.documents.store.history import Span, Version, moment_of
from crossbar.documents.store.queries import LONGEST_KEY
from crossbar.endpoint import Context, Endpoint, Lists, Reply
from crossbar.endpoint.document_history import told
from crossbar.endpoint.paging import page_info
from crossbar.errors import JSON
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


_MOMENT: Final = re.compile(rf"\d{{12}}{SEPARATOR}[^\0]{{1,{LONGEST_KEY}}}", re.ASCII)
"""The moment of an entry: what a start key names."""


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
    past = _past(options.start_key)
    wanted = {name: context.query.get(f"filter_{name}") for name in FILTERS}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    rows: list[dict[str, Any]] = []
    for _ in range(MOST_LOOKS):
        some = AT_A_TIME if wanted else min(size + 1 - len(rows), AT_A_TIME)
        found = await _page(context, Span(since, until, past, options.ascending), some)
        for moment, row in found:
            if len(rows) == size:
                return Reply(rows, page=page_info(options, size, past))
            past = moment
            if _fits(row, wanted):
                rows.append(row)
        if len(found) < some:
            return Reply(rows, page=page_info(options, len(rows), None))
    return Reply(rows, page=page_info(options, len(rows), past))


def _past(cursor: JSON) -> str | None:
    """The moment after which a page begins, if the cursor names one."""
    past = cursor[0] if isinstance(cursor, list) and cursor else None
    return past if isinstance(past, str) and _MOMENT.fullmatch(past) else None


def _fits(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    author = row.get("author") or {}
    held = {**{name: row.get(name) for name in ("type", "id", "action")}, **author}
    return all(held.get(name) == value for name, value in wanted.items())


async def _page(context: Context, span: Span, limit: int) -> list[tuple[str, dict[str, Any]]]:
    """The next entries of a span, each with its moment."""
    history = context.store.history
    versions, own, logins = await asyncio.gather(
        history.changes(context.account_id, span, limit),
        _of_account(context, span, limit),
        _logins(context, span, limit),
    )
    changes: list[tuple[str, Version]] = [(moment_of(version), version) for version in [*versions, *own]]
    both: list[tuple[str, Version | dict[str, Any]]] = [*changes, *logins]
    page = sorted(both, key=lambda one: one[0], reverse=not span.ascending)[:limit]
    earlier = await history.predecessors([one for _, one in page if isinstance(one, Version)])
    return [(moment, await _row(context, one, earlier)) for moment, one in page]


async def _of_account(context: Context, span: Span, limit: int) -> list[Version]:
    """Versions of the account's own document, which lies apart."""
    history, key = context.store.history, document_key(ACCOUNTS, ACCOUNT, context.account_id)
    since, until, start = span.beyond(f"{key}{SEPARATOR}")
    written = (since, until)
    found = await history.versions(key, start, limit + 1, ascending=span.ascending, written=written)
    present = await history.present(ACCOUNTS, ACCOUNT, context.account_id)
    if present is not None:
        version = Version(present)
        found = [*(one for one in found if one.position != version.position), version]
    return [version for version in found if span.has(moment_of(version))]


async def _logins(context: Context, span: Span, limit: int) -> list[tuple[str, dict[str, Any]]]:
    """Log-in attempts."""
    mine = document_key(context.account_id, login_attempt.TYPE, "")
    since, until, place = span.beyond(mine)
    if since > until:
        return []
    first, last = (since, until) if span.ascending else (until, since)
    start = Position.value(first)
    if place is not None:
        start = Position.exact(f"{collate(span.past_second)}{SEPARATOR}{DocumentKey.parse(place).id}")
    listing = Listing(
        context.account_id,
        login_attempt.TYPE,
        start=start,
        end=Position.value(last),
        descending=not span.ascending,
        limit=limit + 1,
    )
    rows = [orjson.loads(body) for body in (await context.store.page(listing)).bodies]
    found = [(f"{row['timestamp']:012}{SEPARATOR}{mine}{row['id']}", row) for row in rows]
    return [(moment, row) for moment, row in found if span.has(moment)][:limit]


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
