# SPDX-License-Identifier: MPL-2.0
"""Calls that are paid by the minute: each is debited once, to its account and to the account's reseller.

A leg says how it is billed: `account_billing` and `reseller_billing` of its channel variables, and the rate. What a
call costs is what its record shows. Who the reseller is follows from the tree, not from what a switch says.

Source: KAZOO `j5_per_minute.erl` (`reconcile_call_cost`), `j5_channel_destroy.erl`.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from crossbar.access.authorship import Author
from crossbar.access.directory import Account
from crossbar.documents.document import ACCOUNTS, Document, as_object
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.resources.billing.domain.ledger import Charge, book_missing, copied_to, new_entry
from crossbar.resources.billing.domain.money import MOST_DOLLARS, UNITS
from crossbar.resources.records.domain.cdr_row import CCV, call_cost, start_of, whole

log = logging.getLogger(__name__)

LEDGER_NAME: Final = "per-minute-voip"
PER_MINUTE: Final = "per_minute"
MODULE: Final = "j5_per_minute"
AT_A_TIME: Final = 50
"""Entries of one transaction."""
RATE: Final = ("increment", "minimum", "nocharge_time")
TOLD: Final = ("to", "from", "caller_id_number", "caller_id_name", "callee_id_number", "callee_id_name")


async def debit_calls(store: Store, legs: list[Document]) -> None:
    """Enter what legs cost, each leg once however often it is told of."""
    accounts = _Accounts(store)
    entries = [entry for leg in legs for entry in await _entries(accounts, leg)]
    for start in range(0, len(entries), AT_A_TIME):
        await book_missing(store, entries[start : start + AT_A_TIME])


async def undebited(store: Store, legs: list[Document]) -> list[Document]:
    """Those of some legs that their own account pays by the minute, and of which its ledger has no entry."""
    accounts = _Accounts(store)
    missing: list[Document] = []
    for leg in legs:
        own = [entry for entry in await _entries(accounts, leg) if entry.partition == leg.partition]
        for entry in own[:1]:
            if await store.get(entry.partition, entry.type, entry.id) is None:
                missing.append(leg)
    return missing


class _Accounts:
    """The accounts of a batch, each read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Account | None] = {}

    async def find(self, account_id: str) -> Account | None:
        if account_id not in self._known:
            document = await self._store.get(ACCOUNTS, ACCOUNT, account_id)
            self._known[account_id] = Account.of(document) if document else None
        return self._known[account_id]

    async def reseller_of(self, account: Account) -> Account | None:
        """The nearest reseller above an account, else the topmost account."""
        above = [found for each in reversed(account.tree) if (found := await self.find(each)) is not None]
        return next((each for each in above if each.is_reseller), above[-1] if above else None)


async def _entries(accounts: _Accounts, leg: Document) -> list[Document]:
    variables = as_object(leg.at(CCV))
    billed = [key for key in ("account_billing", "reseller_billing") if variables.get(key) == PER_MINUTE]
    units = call_cost(whole(leg.at("billing_seconds")), variables) if billed else 0
    account = await accounts.find(leg.partition) if units > 0 else None
    if account is None:
        return []
    if units > MOST_DOLLARS * UNITS:
        log.warning("call %s of account %s costs more than can be added up, and is not debited", leg.id, account.id)
        return []
    entry = new_entry(account, _charge(leg, variables, units), Author(MODULE, None))
    entries = [entry] if "account_billing" in billed else []
    if "reseller_billing" in billed and (reseller := await accounts.reseller_of(account)) is not None:
        entries.append(copied_to(reseller.id, entry))
    return entries


def _charge(leg: Document, variables: dict[str, Any], units: int) -> Charge:
    call_id = str(leg.at("call_id"))
    told: dict[str, JSON] = {key: leg.at(key) for key in TOLD if leg.at(key) is not None}
    name, description = variables.get("rate_name"), variables.get("rate_description")
    rate: dict[str, JSON] = {
        "name": name,
        "description": description,
        "value": whole(variables.get("rate")) / UNITS,
        **{key: whole(variables[f"rate_{key}"]) for key in RATE if f"rate_{key}" in variables},
    }
    return Charge(
        -units,
        source={"service": LEDGER_NAME, "id": call_id},
        usage={"type": "voice", "quantity": whole(leg.at("billing_seconds")), "unit": "sec"},
        period={"start": start_of(leg)},
        description=name if isinstance(name, str) else "",
        metadata={
            **told,
            "direction": leg.at("call_direction"),
            "rate": {key: value for key, value in rate.items() if value is not None},
        },
        module=MODULE,
        once=f"{LEDGER_NAME}/{leg.partition}/{leg.id}",
    )
