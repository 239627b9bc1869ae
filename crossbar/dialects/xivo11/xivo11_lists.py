# SPDX-License-Identifier: MPL-2.0
"""Lists of XiVO REST 1.1: `search`, `order`, `direction`, `limit`, `offset`, and columns to filter by.

All of it is done by the database. A column whose values lie in other documents (`JoinedColumn`) is looked up first; the
database then gets to know which documents have which place in the order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from crossbar.dialects import integer_ids
from crossbar.dialects.declaration import Declaration
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.xivo11.xivo11_protocol import input_error
from crossbar.documents.document import Document, DocumentKey
from crossbar.documents.field import Expression
from crossbar.documents.selection import Selection, contains, either, equals, folded, is_id_of, place_of
from crossbar.errors import JSON
from crossbar.resources.identity.domain.account_tree import descendants_of

POSITIVE: Final = "field '{}': wrong type. Should be a positive number".format
LARGEST: Final = 2**31

Joined = Callable[[DialectContext], Awaitable[Mapping[DocumentKey, str]]]
"""The text that a column has in each document that has one."""


@dataclass(frozen=True)
class ListRules:
    """How a resource is listed.

    `order`: the column by which it is ordered if nothing is said; `indexed`: the column in whose order the documents'
    own listing is. `columns` are further ones, beside those of the declaration, `searched` of them those that are
    searched. `joined` lie in other documents. `conditions` hold for every document that is listed.
    """

    declaration: Declaration
    order: str
    indexed: str | None = None
    columns: Mapping[str, Expression] = field(default_factory=dict)
    searched: tuple[str, ...] = ()
    joined: Mapping[str, Joined] = field(default_factory=dict)
    conditions: Callable[[DialectContext, tuple[str, ...]], Awaitable[tuple[Expression, ...]]] | None = None


async def select(context: DialectContext, rules: ListRules) -> tuple[int, list[Document]]:
    """How many documents a list has, and those of its page. Raises 400 for wrong parameters."""
    kind = rules.declaration.number
    columns = {**rules.declaration.columns(), **rules.columns}
    limit = _number(context, "limit", 1)
    skip = _number(context, "offset", 0) if "offset" in context.query else _number(context, "skip", 0)
    order, descending = _order(context, rules, columns), _is_descending(context)
    accounts = await accounts_of(context)
    if kind.is_numbered:
        await integer_ids.give_all(context.store, kind, accounts)
    conditions = await _conditions(context, rules, columns)
    tags = (kind.tag,) if kind.is_numbered else ()
    by: tuple[Expression, ...] = ()
    if order in rules.joined:
        by = (place_of(_sorted(await rules.joined[order](context))),)
    elif order != rules.indexed or len(accounts) > 1:
        by = (_sortable(columns[order], order),)
    selection = Selection(accounts, kind.type, tags, conditions, by, descending, skip or 0, limit)
    total = await context.store.count(selection)
    return total, await context.store.select(selection) if total else []


async def accounts_of(context: DialectContext) -> tuple[str, ...]:
    """The account of the request; with `recurse=true` those below it, too."""
    if context.query.get("recurse", "").lower() != "true":
        return (context.account.id,)
    below = await context.store.all(descendants_of(context.account.id))
    return (context.account.id, *(account.id for account in below))


def _sortable(column: Expression, name: str) -> Expression:
    return column if name == "id" else folded(column)


def _sorted(values: Mapping[DocumentKey, str]) -> list[DocumentKey]:
    return sorted(values, key=lambda key: (values[key].lower(), key))


def _number(context: DialectContext, name: str, least: int) -> int | None:
    given = context.query.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit()) or not least <= int(given[:12]) < LARGEST:
        raise input_error(POSITIVE(name))
    return int(given[:12])


def _order(context: DialectContext, rules: ListRules, columns: Mapping[str, Expression]) -> str:
    order = context.query.get("order") or rules.order
    if order not in columns and order not in rules.joined:
        raise input_error(f"order: column '{order}' was not found")
    return order


def _is_descending(context: DialectContext) -> bool:
    direction = context.query.get("direction") or "asc"
    if direction not in ("asc", "desc"):
        raise input_error("direction: must be 'asc' or 'desc'")
    return direction == "desc"


async def _conditions(
    context: DialectContext, rules: ListRules, columns: Mapping[str, Expression]
) -> tuple[Expression, ...]:
    kind = rules.declaration.number
    found: list[Expression] = [] if kind.is_numbered else list(kind.conditions)
    if rules.conditions is not None:
        found += await rules.conditions(context, await accounts_of(context))
    for name, value in context.query.items():
        if name in columns:
            found.append(equals(columns[name], value))
        elif name in rules.joined:
            values = await rules.joined[name](context)
            found.append(is_id_of(key for key, text in values.items() if text.lower() == value.lower()))
    if term := context.query.get("search"):
        fitting = [contains(column, term) for column in rules.declaration.searched()]
        fitting += [contains(rules.columns[name], term) for name in rules.searched if name in rules.columns]
        for name in rules.searched:
            if name in rules.joined:
                values = await rules.joined[name](context)
                fitting.append(is_id_of(key for key, text in values.items() if term.lower() in text.lower()))
        found.append(either(fitting))
    return tuple(found)


def page(total: int, items: list[dict[str, JSON]]) -> dict[str, JSON]:
    """The body of a list."""
    return {"total": total, "items": items}
