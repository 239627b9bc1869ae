# SPDX-License-Identifier: MPL-2.0
"""What tasks do with numbers: lists of them as sheets, and sheets of numbers that come, change, move and go.

What a task writes is kept in the transaction that keeps its output, a hundred numbers at a time: a task that is
interrupted goes on after the last hundred, and nothing is done twice.

Source: KAZOO `kt_numbers.erl`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from crossbar.access.authorship import Author
from crossbar.access.identity import Identity
from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing, Position
from crossbar.errors import JSON, CrossbarError
from crossbar.resources.numbers.domain import number_errors
from crossbar.resources.numbers.domain.number import State, owned, owner_of, state_of
from crossbar.resources.numbers.domain.number_caller import NumberCaller
from crossbar.resources.numbers.domain.number_features import ADMIN
from crossbar.resources.numbers.domain.number_operations import NumberOperations, Operation
from crossbar.resources.numbers.domain.number_rights import NumberRights
from crossbar.resources.numbers.domain.number_row import (
    ACCOUNT_ID,
    CHECKS,
    COLUMNS,
    E164,
    FIELDS,
    public_fields_of,
    row_of,
)
from crossbar.resources.numbers.domain.number_steps import NumberSteps
from crossbar.resources.numbers.domain.number_usage import users_of
from crossbar.resources.tasks.domain.action import (
    ERROR,
    Action,
    Cells,
    Chunk,
    ChunkAction,
    Dump,
    RowFailed,
    Work,
)

CATEGORY: Final = "number_management"
PAGE: Final = 500
LISTED: Final = (
    "Writes a row for each number, with its account, state, times, carrier, what uses it, and its features. "
    "Takes no input."
)
FURTHER: Final = (
    "A column opaque.X sets the public field X of the number; opaque.X.Y sets Y below X. Numbers are in E.164 form."
)

Sheet = dict[str, str]
"""A row of the input."""


# Lists


async def _columns(_: Work) -> Sequence[str]:
    return COLUMNS


async def _own(work: Work, cursor: JSON) -> tuple[Sequence[Cells], JSON]:
    """The numbers of the task's account."""
    return await _page_of(work, work.account_id, cursor)


async def _all(work: Work, cursor: JSON) -> tuple[Sequence[Cells], JSON]:
    """The numbers of the task's account, then those of each account below. The cursor is `[account, position]`."""
    account_id, place = cursor or (work.account_id, None)
    rows, following = await _page_of(work, account_id, place)
    if following is not None:
        return rows, [account_id, following]
    after = await _account_after(work, account_id)
    return rows, None if after is None else [after, None]


async def _account_after(work: Work, account_id: str) -> str | None:
    """The account whose numbers come after those of an account: by id among those below, its own account first."""
    below = Listing(ACCOUNTS, ACCOUNT, tag=f"descendant/{work.account_id}")
    ids = sorted([row.id async for row in work.services.store.stream(below)])
    return next((each for each in ids if account_id == work.account_id or each > account_id), None)


async def _page_of(work: Work, account_id: str, cursor: JSON) -> tuple[Sequence[Cells], JSON]:
    return await _page(work, cursor, tag=owned(account_id))


async def _page(work: Work, cursor: JSON, tag: str | None = None) -> tuple[Sequence[Cells], JSON]:
    numbers, following = await _numbers(work, cursor, tag)
    return await _rows(work, numbers), following


async def _numbers(work: Work, cursor: JSON, tag: str | None) -> tuple[list[Document], JSON]:
    place = Position.exact(cursor) if cursor else None
    listing = Listing(NUMBERS, NUMBER, tag=tag, start=place, descending=False, limit=PAGE)
    page = await work.services.store.page(listing)
    found = await work.services.store.get_many(NUMBERS, NUMBER, [row.id for row in page.rows])
    return list(found.values()), page.next


async def _dump(work: Work, cursor: JSON, *, state: State | None = None) -> tuple[Sequence[Cells], JSON]:
    """All numbers of the installation, or those in a state, for its owner; nothing for anybody else."""
    if work.auth_account_id != await work.services.access.directory.master_id():
        return [], None
    numbers, following = await _numbers(work, cursor, None)
    return await _rows(work, [number for number in numbers if state in (None, state_of(number))]), following


async def _rows(work: Work, numbers: Iterable[Document]) -> list[Cells]:
    by_owner: dict[str | None, list[Document]] = {}
    for number in numbers:
        by_owner.setdefault(owner_of(number), []).append(number)
    rows: dict[str, Cells] = {}
    for owner, those in by_owner.items():
        name = await _name(work, owner)
        ids = [number.id for number in those]
        users = await users_of(work.services.store, owner, ids) if owner else {}
        rows |= {number.id: row_of(number, account_name=name, used_by=users.get(number.id)) for number in those}
    return [rows[number] for number in sorted(rows)]


async def _name(work: Work, account_id: str | None) -> str | None:
    account = await work.services.access.directory.account(account_id) if account_id else None
    return account.name if account else None


# Sheets


async def _actor(work: Work) -> tuple[Identity, NumberOperations]:
    """Who acts: the account that created the task. Raises RowFailed where it is gone."""
    creator = await work.services.access.directory.account(work.auth_account_id)
    if creator is None:
        raise RowFailed("unauthorized")
    identity = Identity.without_token(creator, None, "tasks")
    return identity, NumberOperations(NumberCaller(work.services, identity, Author(work.task.id, identity)))


async def _find(work: Work, rows: list[Sheet]) -> Chunk:
    _, operations = await _actor(work)
    outcomes: list[Cells | RowFailed] = []
    for row in rows:
        try:
            found = await operations.find(row[E164], with_ports=False)
            name = await _name(work, owner_of(found.document))
            outcomes.append(row_of(found.document, account_name=name, used_by=found.used_by))
        except CrossbarError as fault:
            outcomes.append(_failure(fault))
    return Chunk(outcomes)


Choose = Callable[[NumberSteps, Sheet, Identity], Operation]
"""The operation that a row asks for."""


async def _do(work: Work, rows: list[Sheet], *, choose: Choose) -> Chunk:
    """What comes of the rows, ready to be kept."""
    try:
        identity, operations = await _actor(work)
    except RowFailed as failure:
        return Chunk([failure] * len(rows))
    rights = NumberRights(work.services.access.directory, identity)
    failed: dict[str, RowFailed] = {}
    wanted: dict[str, Operation] = {}
    steps: dict[str, NumberSteps] = {}
    for row in rows:
        account_id = row.get(ACCOUNT_ID) or work.account_id
        if not await rights.reaches(account_id):
            failed[row[E164]] = _failure(number_errors.unauthorized())
            continue
        if account_id not in steps:
            steps[account_id] = NumberSteps(work.services, account_id, identity)
        wanted[row[E164]] = choose(steps[account_id], row, identity)
    planned, keeping = await operations.prepare(wanted)
    failed |= {number: _failure(fault) for number, fault in planned.failed.items()}
    told: dict[str, Cells] = {}
    for number, change in planned.changes.items():
        after = change.after
        name = await _name(work, owner_of(after))
        told[number] = row_of(after, account_name=name, used_by=planned.facts.used_by(after))
    outcomes: Mapping[str, Cells | RowFailed] = {**told, **failed}
    return Chunk([outcomes[row[E164]] for row in rows], write=keeping.write if planned.changes else None)


def _failure(fault: CrossbarError) -> RowFailed:
    """What a row says of a number that failed: the message, as KAZOO does."""
    if isinstance(fault, number_errors.NumberUnknown):
        return RowFailed(number_errors.NOT_FOUND)
    data: Any = fault.data
    return RowFailed(str(data.get("message", fault.message)) if isinstance(data, dict) else fault.message)


def _import(steps: NumberSteps, row: Sheet, identity: Identity) -> Operation:
    data = public_fields_of(row)
    if row.get("state"):
        data["create_with_state"] = row["state"]
    carrier = row.get("carrier_module") if identity.superduper else None
    return steps.creating(data, carrier=carrier or steps.import_carrier, ported_in=row.get("ported_in") == "true")


def _assign(steps: NumberSteps, _: Sheet, __: Identity) -> Operation:
    return steps.activating({})


def _merge(steps: NumberSteps, row: Sheet, _: Identity) -> Operation:
    return steps.merging(public_fields_of(row))


def _overwrite(steps: NumberSteps, row: Sheet, _: Identity) -> Operation:
    return steps.replacing(public_fields_of(row))


def _release(steps: NumberSteps, _: Sheet, __: Identity) -> Operation:
    return steps.releasing()


def _reserve(steps: NumberSteps, _: Sheet, __: Identity) -> Operation:
    return steps.reserving({}, creating=True)


def _delete(steps: NumberSteps, _: Sheet, __: Identity) -> Operation:
    return steps.removing()


def _list(name: str, description: str, page: Callable[[Work, JSON], Awaitable[tuple[Sequence[Cells], JSON]]]) -> Dump:
    return Dump(
        category=CATEGORY,
        name=name,
        description=description,
        doc=LISTED,
        columns=_columns,
        page=page,
        for_administrators=True,
    )


def _sheet(name: str, description: str, doc: str, choose: Choose | None, optional: tuple[str, ...] = ()) -> ChunkAction:
    return ChunkAction(
        category=CATEGORY,
        name=name,
        description=description,
        doc=doc,
        mandatory=(E164,),
        optional=optional,
        checks=CHECKS,
        rows=_find if choose is None else partial(_do, choose=choose),
        columns=(*COLUMNS, ERROR),
        for_administrators=True,
    )


ACTIONS: Final[tuple[Action, ...]] = (
    _list("list", "List all numbers assigned to the account starting the task", _own),
    _list("list_all", "List all numbers assigned to the account starting the task & its subaccounts", _all),
    _sheet("find", "List the given numbers if the authenticated account owns them", LISTED, None),
    _list("dump", "List all numbers that exist in the system", _dump),
    *(
        _list(f"dump_{state}", f"List all '{state}' numbers that exist in the system", partial(_dump, state=state))
        for state in sorted(State)
    ),
    _sheet(
        "import",
        "Bulk-import numbers using superadmin privileges",
        "Creates numbers, for the account of the task where account_id is empty. The carrier is the superduper admin's "
        f"to say. {FURTHER}",
        _import,
        tuple(column for column in COLUMNS if column != E164),
    ),
    _sheet(
        "assign_to",
        "Bulk-assign numbers to the provided account",
        "Puts numbers that exist into service for account_id, or for the account of the task where that is empty.",
        _assign,
        (ACCOUNT_ID,),
    ),
    _sheet(
        "update_merge",
        "Bulk-update numbers",
        f"Changes features and public fields of numbers; empty cells leave what is there. {FURTHER}",
        _merge,
        (ADMIN, *FIELDS),
    ),
    _sheet(
        "update_overwrite",
        "Bulk-update numbers",
        f"Replaces features and public fields of numbers; empty cells take away what is there. {FURTHER}",
        _overwrite,
        (ADMIN, *FIELDS),
    ),
    _sheet("release", "Unassign numbers from accounts", "Takes numbers from the accounts that have them.", _release),
    _sheet(
        "reserve",
        "Bulk-reserve numbers",
        "Reserves numbers for account_id, or for the account of the task where that is empty; brings those into being "
        "that do not exist.",
        _reserve,
        (ACCOUNT_ID,),
    ),
    _sheet("delete", "Bulk-remove numbers", "Removes numbers from the system for good.", _delete),
)
