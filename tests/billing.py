# SPDX-License-Identifier: MPL-2.0
"""Plans, balances and good standing for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from tests.harness import Answer, Tenant
from tests.numbers import fresh

PRICES: dict[str, Any] = {
    "devices": {"sip_device": {"rate": 5, "name": "SIP Device", "activation_charge": 3}, "softphone": {"rate": 0}},
    "users": {"_all": {"rate": 2}},
    "voicemails": {"mailbox": {"rate": 1}},
    "faxes": {"mailbox": {"rate": 1}},
    "conferences": {"conference": {"rate": 1}},
    "branding": {"whitelabel": {"rate": 9}},
    "limits": {"twoway_trunks": {"rate": 25, "cascade": True}},
    "ips": {"dedicated": {"rate": 4}},
    "number_carriers": {"local": {"rate": 1}},
    "port_request": {"_all": {"rate": 7}},
}
"""Everything that a plan may charge for, with a price."""
Costly = tuple[str, str, dict[str, Any], tuple[str, str]]
COSTLY: list[Costly] = [
    ("PUT", "/users", {"first_name": "A", "last_name": "B"}, ("users", "_all")),
    ("PUT", "/devices", {"name": "desk"}, ("devices", "sip_device")),
    ("PUT", "/vmboxes", {"name": "box", "mailbox": "1001"}, ("voicemails", "mailbox")),
    ("PUT", "/faxboxes", {"name": "fax"}, ("faxes", "mailbox")),
    ("PUT", "/conferences", {"name": "room"}, ("conferences", "conference")),
    ("PUT", "/whitelabel", {}, ("branding", "whitelabel")),
    ("POST", "/limits", {"twoway_trunks": 3}, ("limits", "twoway_trunks")),
    ("PUT", "/port_requests", {"name": "port"}, ("port_request", "_all")),
]
"""Verb, path and body of what costs, and as what it counts; see `costly_body`."""
REJECTED = (
    402,
    "402",
    "billing_issue",
    {
        "reason": "bookkeeper_rejection",
        "message": "There is a billing issue with this account, please contact your sales representative.",
    },
)


async def sell(seller: Tenant, buyer: Tenant, plan: dict[str, Any]) -> str:
    """Give an account a new plan of its reseller's; the plan's id."""
    made = await seller.api.put("/service_plans", plan)
    assert made.status == 201, made.envelope
    assigned = await seller.root.post(f"/accounts/{buyer.id}/services/{made.id}", {})
    assert assigned.status == 200, assigned.envelope
    return made.id


def costly_body(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body with what no two accounts may have."""
    match path:
        case "/port_requests":
            return {**body, "numbers": {fresh(): {}}}
        case "/whitelabel":
            return {**body, "domain": f"{uuid4().hex}.example.com"}
    return body


@asynccontextmanager
async def enforced(master: Tenant, **settings: Any) -> AsyncIterator[None]:
    """Good standing counts during the block."""
    said = {"default": {"enforce_good_standing": True, **settings}}
    assert (await master.root.post("/system_configs/services", said)).status == 200
    try:
        yield
    finally:
        await master.root.delete("/system_configs/services")


async def enter(seller: Tenant, account: Tenant, dollars: float, **fields: Any) -> Answer:
    """Credit (more than nothing) or debit an account."""
    entry = {
        "amount": abs(dollars),
        "source": {"service": "services", "id": uuid4().hex},
        "usage": {"type": "services", "quantity": 1, "unit": "bill"},
        **fields,
    }
    path = f"/accounts/{account.id}/ledgers/{'credit' if dollars > 0 else 'debit'}"
    entered = await seller.root.put(path, entry)
    assert entered.status == 201, entered.envelope
    return entered


async def balance(account: Tenant) -> float:
    """What an account has left, in dollars."""
    return float((await account.api.get("/ledgers/total")).data["amount"])


def told(answer: Answer) -> dict[tuple[str, str], dict[str, Any]]:
    """Of a refusal, what would change: by category and item."""
    assert answer.error()[:3] == (402, "402", "accept charges"), answer.envelope
    [invoice] = answer.data
    return {(line["category"], line["item"]): line["changes"] for line in invoice["items"] if "changes" in line}
