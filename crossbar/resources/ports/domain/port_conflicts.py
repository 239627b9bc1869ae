# SPDX-License-Identifier: MPL-2.0
"""Which numbers can be on a port request: none that the installation has, none that another open request brings.

Source: KAZOO `cb_port_requests:check_number_portability`, `check_number_existence`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crossbar.dialing import accounts_of, normalize
from crossbar.documents.store import Store
from crossbar.errors import Invalid
from crossbar.resources.numbers.domain.number_errors import NumberFault
from crossbar.resources.numbers.domain.number_operations import check
from crossbar.resources.numbers.domain.port_request import DATABASE, OWNER, TYPE, number_claim

EXISTS = "Number exists on the system already"
ELSEWHERE = "Number is being ported for a different account"


def in_e164(numbers: Iterable[str]) -> dict[str, str]:
    """Numbers as they are sent → as they are kept."""
    return {number: normalize(number) for number in numbers}


async def check_numbers(store: Store, account_id: str, wanted: Mapping[str, str]) -> None:
    """Raise 400 with each of the numbers (as sent → E.164) that cannot come to the account by a new request."""
    taken = await _taken(store, account_id, wanted.values())
    existing = await accounts_of(store, set(wanted.values()) - taken.keys())
    errors = Invalid()
    for given, number in wanted.items():
        try:
            check(number)
        except NumberFault as fault:
            errors.add(given, "type", fault.data["message"], cause=given)
            continue
        if number in taken:
            errors.add(given, "type", taken[number], cause=given)
        elif number in existing:
            errors.add(given, "type", EXISTS, cause=given)
    if errors.fields:
        raise errors


async def _taken(store: Store, account_id: str, numbers: Iterable[str]) -> dict[str, str]:
    """Numbers of open requests, each with what its second one is told."""
    claims = {number: number_claim(number) for number in numbers}
    holders = await store.claims.holders(DATABASE, claims.values())
    requests = await store.get_many(DATABASE, TYPE, list({holder.id for holder in holders.values()}))
    found = {}
    for number, claim in claims.items():
        holder = holders.get(claim.key)
        if holder is not None and (request := requests.get(holder.id)) is not None:
            own = request.text(OWNER) == account_id
            found[number] = f"Number is on a port request already: {request.id}" if own else ELSEWHERE
    return found
