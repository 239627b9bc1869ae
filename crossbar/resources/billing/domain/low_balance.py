# SPDX-License-Identifier: MPL-2.0
"""When an account has too little money left.

Source: KAZOO `cb_alerts.erl` (`check_low_balance`), `kzd_accounts:low_balance_threshold`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from crossbar.documents.document import ACCOUNTS
from crossbar.documents.document_types import ACCOUNT
from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.invoice import is_number
from crossbar.resources.billing.domain.money import dollars_of
from crossbar.runtime import Runtime

THRESHOLDS: Final = ("notifications.low_balance.threshold", "topup.threshold")
"""Where an account says below which balance it wants to be told."""
USUAL: Final = 5.0


class Shortage(NamedTuple):
    """A balance, and the threshold that it is below; dollars."""

    available: float
    threshold: float


async def shortage(runtime: Runtime, account_id: str) -> Shortage | None:
    """Whether the account's balance is below what it, or the installation, says."""
    account = await runtime.store.get(ACCOUNTS, ACCOUNT, account_id)
    given = [account.at(path) for path in THRESHOLDS] if account else []
    usual = runtime.settings.get("notify.low_balance", "threshold", default=USUAL)
    threshold = next(filter(is_number, [*given, usual]), USUAL)
    available = dollars_of(await ledger_sum.available(runtime, account_id))
    return Shortage(available, threshold) if available < threshold else None
