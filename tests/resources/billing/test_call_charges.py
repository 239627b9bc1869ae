# SPDX-License-Identifier: MPL-2.0
"""Calls that are paid by the minute are debited once, whoever tells of them and how often."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.resources.billing.domain.call_charges import debit_calls
from crossbar.resources.records.domain.cdr import cdr_of, insert_once
from tests.billing import balance
from tests.call_records import given, hand_in, leg
from tests.harness import RunningServer, Tenant, new_tenant

RATED = {"rate": "300", "rate_increment": "60", "rate_minimum": "60", "rate_name": "US"}
"""Three cents a minute."""
OWN = {"account_billing": "per_minute", **RATED}
BOTH = {**OWN, "reseller_billing": "per_minute"}


def call(account: Tenant, number: int = 1, seconds: int = 90, **variables: Any) -> dict[str, Any]:
    """A leg that lasted so long; its call id is the test's own."""
    made = leg(account.id, number, billing_seconds=seconds, custom_channel_vars=variables or OWN)
    return {**made, "call_id": f"{account.id}-{number}"}


@pytest_asyncio.fixture(loop_scope="session")
async def customer(server: RunningServer, master: Tenant, tenant: Tenant) -> Tenant:
    """An account below a reseller."""
    assert (await master.root.put(f"/accounts/{tenant.id}/reseller")).status == 201
    return await new_tenant(server, tenant, f"customer{uuid4().hex[:12]}")


async def test_what_an_entry_tells(server: RunningServer, tenant: Tenant) -> None:
    with clock.frozen(clock.unix_now()):
        await given(server, "cdrs", call(tenant))
    [entry] = (await tenant.api.get("/ledgers/per-minute-voip")).data
    about = {"id": tenant.id, "name": tenant.realm.removesuffix(".test")}
    assert entry["account"] == about
    assert (entry["amount"], entry["description"]) == (-0.06, "US")
    assert entry["source"] == {"service": "per-minute-voip", "id": f"{tenant.id}-1"}
    assert entry["usage"] == {"type": "voice", "quantity": 90, "unit": "sec"}
    assert entry["period"] == {"start": call(tenant)["timestamp"] - 30}
    assert entry["metadata"] == {
        "to": "1000@pbx.test",
        "from": "+14155550001@pbx.test",
        "caller_id_number": "+14155550001",
        "caller_id_name": "Doe, Jane",
        "callee_id_number": "1000",
        "direction": "inbound",
        "rate": {"name": "US", "value": 0.03, "increment": 60, "minimum": 60},
    }
    assert await balance(tenant) == -0.06
    [row] = (await tenant.api.get("/cdrs", query={"created_from": 63_876_000_000, "created_to": 63_877_000_000})).data
    assert row["cost"] == "600"


async def test_however_often_it_is_told(server: RunningServer, tenant: Tenant) -> None:
    """What came first counts, also where a later telling says something else."""
    root = server.master.root
    await given(server, "cdrs", call(tenant))
    told = [call(tenant), call(tenant, seconds=900), call(tenant, account_billing="allotment_us", **RATED)]
    answers = await asyncio.gather(*(hand_in(root, "cdrs", each) for each in told * 5))
    assert {answer.data["known"] for answer in answers} == {1}
    assert await balance(tenant) == -0.06
    assert len((await tenant.api.get("/ledgers/per-minute-voip")).data) == 1


async def test_sixteen_who_tell_at_once(server: RunningServer, customer: Tenant, tenant: Tenant) -> None:
    calls = [call(customer, number, **BOTH) for number in range(8)]
    answers = await asyncio.gather(*(hand_in(server.master.root, "cdrs", *calls) for _ in range(16)))
    assert sum(answer.data["kept"] for answer in answers) == 8
    assert (await balance(customer), await balance(tenant)) == (-0.48, -0.48)
    month = f"/ledgers/summary/{clock.year_month()}"
    [line] = (await tenant.api.get(month)).data["breakdown"]
    assert (line["account"]["id"], line["total"]) == (customer.id, -0.48)


async def test_what_a_process_that_ended_left_undone_is_done(server: RunningServer, tenant: Tenant) -> None:
    """It had kept the leg, and not its charge. The leg is told of again, as its switch was not answered."""
    data = call(tenant)
    assert await insert_once(server.runtime.store, cdr_of(tenant.id, dict(data)))
    assert await balance(tenant) == 0
    again = await hand_in(server.master.root, "cdrs", {**data, "billing_seconds": 900})
    assert again.data["known"] == 1
    assert await balance(tenant) == -0.06


@pytest.mark.parametrize(
    ("variables", "own", "resellers"),
    [
        (OWN, -0.06, 0),
        (BOTH, -0.06, -0.06),
        ({"reseller_billing": "per_minute", **RATED}, 0, -0.06),
        ({"account_billing": "flat_rate", **RATED}, 0, 0),
        ({"account_billing": "allotment_did_us", **RATED}, 0, 0),
        ({"account_billing": "per_minute", "rate": 0}, 0, 0),
        ({**OWN, "rate_nocharge_time": 120}, 0, 0),
        ({**OWN, "surcharge": 10_000}, -1.06, 0),
        ({"account_billing": ["per_minute"], "rate": {}}, 0, 0),
        ({**OWN, "rate": 2**62}, 0, 0),
        ({**OWN, "surcharge": -(2**62)}, 0, 0),
    ],
)
async def test_who_pays_for_what(
    variables: dict[str, Any], own: float, resellers: float, server: RunningServer, customer: Tenant
) -> None:
    reseller_id = (await customer.api.get("/services/summary")).data["reseller"]["id"]
    await given(server, "cdrs", call(customer, **variables))
    assert await balance(customer) == own
    total = await server.master.root.get(f"/accounts/{reseller_id}/ledgers/total")
    assert total.data == {"amount": resellers}


async def test_a_switch_cannot_charge_a_stranger(server: RunningServer, customer: Tenant, stranger: Tenant) -> None:
    await given(server, "cdrs", call(customer, **BOTH, reseller_id=stranger.id))
    assert await balance(stranger) == 0
    assert await balance(customer) == -0.06


async def test_a_batch_is_debited_in_parts(server: RunningServer, tenant: Tenant) -> None:
    legs = [cdr_of(tenant.id, call(tenant, number)) for number in range(120)]
    store = server.runtime.store
    await debit_calls(store, legs[:60])
    await debit_calls(store, legs)
    assert await balance(tenant) == -7.2
    gone: Document = cdr_of("0" * 32, call(tenant))
    await debit_calls(store, [gone])
