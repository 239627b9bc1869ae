# SPDX-License-Identifier: MPL-2.0
"""Lists of wazo-auth: `search`, `order`, `direction`, `limit`, `offset`, done by the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.wazo_auth.wazo_protocol import problem
from crossbar.dialects.xivo11.xivo11_lists import accounts_of
from crossbar.documents.document import Document
from crossbar.documents.field import Expression
from crossbar.documents.selection import Selection, contains, either, equals, folded

NOT_SEARCHED: Final = ("uuid", "purpose")
"""Columns that say nothing a person would look for."""


async def select(
    context: DialectContext,
    document_type: str,
    columns: Mapping[str, Expression],
    *,
    order: str,
    resource: str,
    more: tuple[Expression, ...] = (),
) -> tuple[int, int, list[Document]]:
    """How many documents there are, how many fit, and those of the page. Refuses with 400.

    `columns` are what lists are ordered and filtered by, and but for `NOT_SEARCHED` searched; `more` holds for all
    documents there are.
    """
    skip, limit = _number(context, "offset", resource), _number(context, "limit", resource)
    by = context.query.get("order") or order
    direction = context.query.get("direction") or "asc"
    if by not in columns:
        raise _wrong("order", f"must be one of {', '.join(columns)}", resource)
    if direction not in ("asc", "desc"):
        raise _wrong("direction", "must be asc or desc", resource)
    accounts = await accounts_of(context)
    conditions = [equals(columns[name], value) for name, value in context.query.items() if name in columns]
    if term := context.query.get("search"):
        searched = [column for name, column in columns.items() if name not in NOT_SEARCHED]
        conditions.append(either([contains(column, term) for column in searched]))
    everything = Selection(accounts, document_type, conditions=more)
    total = await context.store.count(everything)
    fitting = Selection(
        accounts,
        document_type,
        conditions=(*more, *conditions),
        order=(folded(columns[by]),),
        descending=direction == "desc",
        skip=skip or 0,
        limit=limit,
    )
    filtered = await context.store.count(fitting) if conditions else total
    return total, filtered, [] if limit == 0 else await context.store.select(fitting)


def stretch(context: DialectContext, resource: str) -> slice:
    """Which items of a list that is at hand whole are asked for. Refuses with 400."""
    skip, limit = _number(context, "offset", resource) or 0, _number(context, "limit", resource)
    return slice(skip, None if limit is None else skip + limit)


def _number(context: DialectContext, name: str, resource: str) -> int | None:
    given = context.query.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise _wrong(name, "must be a whole number, 0 or more", resource)
    return int(given)


def _wrong(name: str, text: str, resource: str) -> Exception:
    details = {name: {"message": text, "constraint_id": "type", "constraint": "type"}}
    return problem(400, "invalid-list-param", "Invalid list parameters", resource, **details)
