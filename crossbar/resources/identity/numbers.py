"""Phone numbers inside documents, in E.164 form.

Source: `knm_converters:normalize`, `is_reconcilable`; `knm_converter_regex.erl`; `knm_util:apply_dialplan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crossbar.documents.document import ACCOUNTS
from crossbar.documents.schemas.patterns import last_group, matches
from crossbar.documents.shape import Unique
from crossbar.errors import JSON
from crossbar.resource import Call

_CONVERTERS: Final = (
    (r"^(?:\+?1)?([2-9][0-9]{2}[2-9][0-9]{6})$", "+1"),
    (r"^(?:011|00)(\d{5,})$", "+"),
    (r"^([2-9]\d{7,})$", "+"),
)
"""Which dialled numbers become E.164 ones: what is kept of them, and what goes before it."""
_PUBLIC: Final = r"^(\+?1)?\d{10}$|^\+[2-9]\d{7,}$|^011\d*$|^00\d*$"

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


async def account_dial_plan(call: Call) -> DialPlan:
    """The dial plan of the account in the path."""
    account = await call.store.get(ACCOUNTS, "account", call.account_id)
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
