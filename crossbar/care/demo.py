# SPDX-License-Identifier: MPL-2.0
"""An example to look at: an account with an office of twenty people, and what happened there within a month."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final

from crossbar import clock
from crossbar.care.backup_file import Told
from crossbar.care.demo_api import DemoApi, DemoRefused, demo_api
from crossbar.care.demo_calls import DAYS, DemoMonth
from crossbar.care.demo_office import ADMIN, DemoOffice
from crossbar.config import Config
from crossbar.documents.document import ACCOUNTS
from crossbar.documents.document_types import ACCOUNT
from crossbar.ids import new_secret

BUILDING: Final = "Filling the account"
STEPS: Final = 8


class NoDemo(Exception):
    """The example cannot be made; the message tells a person why."""


@dataclass(frozen=True, slots=True)
class Made:
    """The example, and how to log in."""

    account_id: str
    account: str
    user: str
    password: str
    calls: int


async def make_demo(
    config: Config, *, database_uri: str, account: str, seed: int = 1, told: Told = lambda *_: None
) -> Made:
    """Make the example account below the master account, while a server runs or not. Raises NoDemo."""
    async with demo_api(config, database_uri) as api:
        directory = api.runtime.access.directory
        master_id = await directory.master_id()
        chief = await directory.chief_of(master_id) if master_id else None
        if master_id is None or chief is None:
            raise NoDemo("There is no account yet; `crossbar init` creates the first one.")
        if await api.runtime.store.find_by_name(ACCOUNTS, ACCOUNT, account):
            raise NoDemo(f"There is an account {account} already. Nothing was changed; name another with --account.")
        try:
            return await _make(api, (master_id, chief.id), account, random.Random(seed), told)  # noqa: S311 - no secret
        except DemoRefused as error:
            raise NoDemo(
                f"The example is not whole: {error}. End the account {account} before you try again."
            ) from error


async def _make(api: DemoApi, master: tuple[str, str], account: str, chance: random.Random, told: Told) -> Made:
    password, today = new_secret(8), clock.unix_now()
    with clock.frozen(today - (DAYS + 1) * clock.DAY):
        root = api.acting(await api.token_of(*master))
        office = await DemoOffice.opened(root, master[0], account, password, chance)
        told(BUILDING, 1, STEPS)
        await office.build()
        told(BUILDING, 3, STEPS)
    await _pay(office, today)
    told(BUILDING, 4, STEPS)
    month = DemoMonth(office, clock.gregorian(today))
    await month.hand_in_calls()
    told(BUILDING, 6, STEPS)
    await month.hand_in_queue()
    await month.hand_in_messages()
    await month.hand_in_files()
    told(BUILDING, 7, STEPS)
    await _this_morning(office, master[0])
    told(BUILDING, STEPS, STEPS)
    return Made(office.account_id, account, ADMIN, password, len(month.calls))


async def _pay(office: DemoOffice, today: float) -> None:
    """Money that came in, and went, week by week."""
    for week in range(4):
        with clock.frozen(today - (DAYS - 7 * week) * clock.DAY):
            if week % 2 == 0:
                await office.api.send("POST", office.path("/services/topup"), {"amount": 250})
            entry: dict[str, Any] = {"amount": 42.5, "description": f"Calls of week {week + 1}"}
            entry["source"] = {"service": "per-minute-voip", "id": f"week-{week + 1}"}
            entry["usage"] = {"type": "voice", "quantity": 25_500, "unit": "sec"}
            await office.api.send("PUT", office.path("/ledgers/debit"), entry)


async def _this_morning(office: DemoOffice, master_id: str) -> None:
    """What is new: an alert, a task that waits, a fax on its way, a customer of the office's own."""
    alert = {"title": "Maintenance on Sunday", "message": "Phones ring as usual.", "category": "news", "from": []}
    to = [{"type": office.account_id, "value": "all"}]
    await office.api.send("PUT", f"/accounts/{master_id}/alerts", {**alert, "to": to})
    sheet = b"e164\n" + "\n".join(office.number(at) for at in (8, 9)).encode()
    query = {"category": "number_management", "action": "release", "file_name": "numbers.csv"}
    await office.own.send_raw("PUT", office.path("/tasks"), sheet, "text/csv", **query)
    job = {"from_number": office.number(1), "to_number": office.customer(), "from_name": "Demo Office"}
    document = {"url": "http://files.demo.example/offer.pdf", "method": "get"}
    await office.own.send(
        "PUT", office.path("/faxes"), {**job, "document": document, "faxbox_id": office.ids["faxbox"]}
    )
    branch = {"name": f"{office.realm.split('.')[0]} branch", "realm": f"branch.{office.realm}"}
    await office.api.send("PUT", office.path(""), branch, send_email_on_creation="false")
