# SPDX-License-Identifier: MPL-2.0
"""The end of a port: its numbers come into the account, all of them or none.

Source: KAZOO `knm_port_request:completed_port`, `transition_numbers`. The numbers and the request are written in one
transaction, so that no crash leaves some of them behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from crossbar.access.authorship import Author, stamps
from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.document import Document
from crossbar.documents.store import Duplicate, Transaction
from crossbar.errors import SystemFault
from crossbar.events.notices import tell
from crossbar.resources.numbers.domain.number import (
    FEATURES,
    KIND,
    LOCAL,
    MODULE,
    PORTED_IN,
    State,
    carrier_of,
    module,
    moved,
    new,
    owner_of,
    state_of,
)
from crossbar.resources.numbers.domain.number_rights import TAKEN_OVER
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.resources.numbers.domain.port_request import OWNER, PORTED, numbers_of
from crossbar.runtime import Runtime

PORT_ID: Final = "port_id"
"""Which request brought a number."""


async def complete(
    runtime: Runtime, request: Document, stored: Document, author: Author, notices: Sequence[Document] = ()
) -> Document:
    """Save a request as completed, with its numbers in service for its account, and what that gives rise to.

    Raises Stale when outrun, 500 `transition_errors` for numbers that somebody else has by now.
    """
    rules = NumberSettings(runtime)
    numbers = numbers_of(request)
    done = replace(request, fields={**request.fields, "numbers": {}, PORTED: numbers})

    async def bring_in(transaction: Transaction) -> Document:
        for number in numbers:
            await _bring(transaction, request, number, rules, author)
        await tell(transaction, notices)
        return await transaction.replace(done, stored)

    return await runtime.store.transact(bring_in)


async def _bring(
    transaction: Transaction, request: Document, number: str, rules: NumberSettings, author: Author
) -> None:
    """Put a number into service for the account of a request."""
    account_id = request.text(OWNER)
    before = await transaction.get(NUMBERS, NUMBER, number)
    if before is not None and not _may_take(before, account_id):
        raise _failure(number)
    known = before or replace(new(number), fields={MODULE: module(rules.port_in_carrier)})
    brought = moved(known, State.IN_SERVICE, account_id)
    if before is None or owner_of(before) != account_id:
        brought.fields[FEATURES] = {LOCAL: {}} if carrier_of(known) == LOCAL else {}
    brought.fields |= {PORTED_IN: True, PORT_ID: request.id, KIND: rules.kind(number)}
    brought.fields.update(stamps(author, brought))
    if before is not None:
        await transaction.replace(brought, before)
        return
    try:
        await transaction.insert(brought)
    except Duplicate as duplicate:  # a mobile device has it
        raise _failure(number) from duplicate


def _failure(number: str) -> SystemFault:
    return SystemFault("transition_errors", "a number could not be put into service", cause=number)


def _may_take(number: Document, account_id: str) -> bool:
    """Whether a number that is known already can come into service for an account."""
    if owner_of(number) == account_id:
        return state_of(number) in (*TAKEN_OVER, State.IN_SERVICE)
    return owner_of(number) is None and state_of(number) in TAKEN_OVER
