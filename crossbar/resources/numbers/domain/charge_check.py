# SPDX-License-Identifier: MPL-2.0
"""What a change costs has to be accepted before it is made.

Who sells things stands above those who have them and says here how to ask (`asked_of`).

Source: KAZOO `crossbar_services.erl`, `knm_ops.erl` (`dry_run_services`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from crossbar.access.identity import Identity
from crossbar.documents.document import Document
from crossbar.runtime import Runtime


@dataclass(frozen=True, slots=True)
class CostlyChange:
    """Documents of an account as they are and as they are to be. With `even_less` a change that saves money is asked
    about, too."""

    account_id: str
    before: tuple[Document, ...]
    after: tuple[Document, ...]
    even_less: bool = False


Check = Callable[[Runtime, Identity, CostlyChange, bool], Awaitable[None]]
"""Raises 402 where the caller has to accept charges, and has not (the last argument)."""
MayCharge = Callable[[Runtime, str], Awaitable[bool]]
"""Whether an account pays for anything at all."""
_checks: Final[list[Check]] = []
_payers: Final[list[MayCharge]] = []


def asked_of(check: Check) -> None:
    """Have this asked before changes are made."""
    _checks.append(check)


def charges_where(may: MayCharge) -> None:
    """Have this asked before it is worked out what many changes cost together."""
    _payers.append(may)


async def may_charge(runtime: Runtime, identity: Identity) -> bool:
    """Whether changes that the caller makes can cost anything."""
    return any([await may(runtime, identity.account_id) for may in _payers])


async def check_charges(runtime: Runtime, identity: Identity, change: CostlyChange, *, accepts: bool) -> None:
    """Raise 402, with what the caller would pay, for a change whose charges are not accepted."""
    for check in _checks:
        await check(runtime, identity, change, accepts)
