# SPDX-License-Identifier: MPL-2.0
"""Phone numbers inside documents, in E.164 form, and whose they are.

A number has a document of its own in the partition `NUMBERS`, whichever account it is assigned to; that of a mobile
device is the device's. Both claim it, so that there is one holder in the whole system.

Source: `knm_converters:normalize`, `is_reconcilable`; `knm_converter_regex.erl`; `knm_util:apply_dialplan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from crossbar.access.directory import Directory
from crossbar.access.identity import Identity
from crossbar.documents.document import ACCOUNTS
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.schemas.patterns import last_group, matches
from crossbar.documents.shape import Unique
from crossbar.documents.store import Store
from crossbar.errors import JSON, Forbidden

_CONVERTERS: Final = (
    (r"^(?:\+?1)?([2-9][0-9]{2}[2-9][0-9]{6})$", "+1"),
    (r"^(?:011|00)(\d{5,})$", "+"),
    (r"^([2-9]\d{7,})$", "+"),
)
"""Which dialled numbers become E.164 ones: what is kept of them, and what goes before it."""
_PUBLIC: Final = r"^(\+?1)?\d{10}$|^\+[2-9]\d{7,}$|^011\d*$|^00\d*$"

NUMBERS: Final = "numbers"
"""The partition of all numbers of the installation."""
NUMBER: Final = "number"
"""The type of their documents, whose id is the number."""
ASSIGNED_TO: Final = "pvt_assigned_to"

DialPlan = Mapping[str, JSON]
"""Pattern → `{prefix, suffix}`: how an account's people dial."""
NO_DIAL_PLAN: Final[DialPlan] = {}


def normalize(number: str, dial_plan: DialPlan = NO_DIAL_PLAN) -> str:
    """E.164 form of `number` as it would be dialled; what is no public number (an extension) stays as it is."""
    if number.startswith("+"):
        return number
    number = _dialled(number, dial_plan)
    for pattern, prefix in _CONVERTERS:
        if (rest := last_group(pattern, number)) is not None:
            return prefix + rest
    return number


def _dialled(number: str, dial_plan: DialPlan) -> str:
    """What the first rule of a dial plan that knows the number makes of it."""
    for pattern, rule in dial_plan.items():
        if isinstance(rule, Mapping) and (kept := last_group(pattern, number)) is not None:
            return f"{rule.get('prefix') or ''}{kept}{rule.get('suffix') or ''}"
    return number


def is_reconcilable(number: str) -> bool:
    """Whether `number` is one of the public network, and not an extension or a feature code."""
    return matches(_PUBLIC, normalize(number))


def held_number(number: str, field: str, message: str = "Number is in use") -> Unique:
    """The claim of whoever holds a public number: there is one in the whole system."""
    return Unique("number", number, field, message, cause=number, system=True)


async def accounts_of(store: Store, numbers: Iterable[str]) -> dict[str, str]:
    """The accounts that have public numbers, by number; nobody's are left out."""
    claims = {number: held_number(number, "numbers") for number in numbers}
    holders = await store.claims.holders(NUMBERS, claims.values())
    found = {number: holders[claim.key] for number, claim in claims.items() if claim.key in holders}
    kept = await store.get_many(NUMBERS, NUMBER, [number for number in found if found[number].partition == NUMBERS])
    own = {number: holder.partition for number, holder in found.items() if holder.partition != NUMBERS}
    accounts = {**own, **{number: document.text(ASSIGNED_TO) for number, document in kept.items()}}
    return {number: account_id for number, account_id in accounts.items() if account_id}


async def account_of(store: Store, number: str) -> str | None:
    """The account that has a public number, however it is written."""
    number = normalize(number)
    return (await accounts_of(store, [number])).get(number)


async def check_ownership(store: Store, directory: Directory, identity: Identity, numbers: Iterable[str]) -> None:
    """A public number that an account has is used only by who may act for that account. Raises Forbidden."""
    wanted = [number for number in dict.fromkeys(numbers) if is_reconcilable(number)]
    owners = await accounts_of(store, wanted)
    refused = [
        number for number in wanted if number in owners and not await _may_act_for(directory, identity, owners[number])
    ]
    if refused:
        raise Forbidden(f"unauthorized to use {', '.join(refused)}")


async def _may_act_for(directory: Directory, identity: Identity, account_id: str) -> bool:
    account = await directory.account(account_id)
    return account is None or identity.superduper or account.within(identity.account_id)


async def account_dial_plan(store: Store, account_id: str) -> DialPlan:
    """The dial plan of an account."""
    account = await store.get(ACCOUNTS, ACCOUNT, account_id)
    dial_plan = account.at("dial_plan") if account else None
    return dial_plan if isinstance(dial_plan, dict) else NO_DIAL_PLAN


def normalize_at(data: dict[str, Any], path: str) -> None:
    """Normalise in place the number at a dotted path of `data`, if there is one."""
    *steps, last = path.split(".")
    holder: JSON = data
    for step in steps:
        holder = holder.get(step) if isinstance(holder, dict) else None
    if isinstance(holder, dict) and isinstance(number := holder.get(last), str):
        holder[last] = normalize(number)
