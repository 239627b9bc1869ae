# SPDX-License-Identifier: MPL-2.0
"""The letter about credit that came in.

Source: KAZOO `teletype_topup.erl`.
"""

from __future__ import annotations

from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.money import dollars_of
from crossbar.resources.notices.domain.notice_letter import Notice, NoticeLetter, letter_of
from crossbar.resources.notices.domain.template_notice import about_time, admin_addresses


@letter_of("topup")
async def topped_up(notice: Notice) -> list[NoticeLetter]:
    """To the account's administrators, with the balance as it is now."""
    runtime, account, payload = notice.runtime, notice.account, notice.payload
    balance = dollars_of(await ledger_sum.available(runtime, account.id))
    transaction = {
        "id": payload.get("id"),
        "amount": f"{payload['amount']:.2f}",
        "success": payload.get("success"),
        "response": payload.get("response"),
        "date": about_time(payload["date"], account.timezone),
    }
    told = {"balance": f"{balance:.2f}", "transaction": transaction}
    return [NoticeLetter("topup", told, original=sorted(await admin_addresses(runtime, account.id)))]
