# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/ledgers`: entries, and the sums that follow from them."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from crossbar import clock
from crossbar.access.authorship import Author
from crossbar.documents.document import Document
from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.call_charges import debit_calls
from crossbar.resources.billing.domain.ledger import Charge, book, new_entry
from crossbar.resources.billing.domain.money import dollars_of, units_of
from crossbar.resources.records.domain.cdr import cdr_of
from tests.harness import Answer, Api, RunningServer, Tenant, new_person, new_tenant
from tests.test_counted import AccountMachine, run

FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})


def charge(amount: float | None = 10, service: str = "per-minute-voip", **fields: Any) -> dict[str, Any]:
    """The body of a credit or debit that no other is like."""
    usage = {"type": "voice", "quantity": 60, "unit": "sec"}
    sent = {"source": {"service": service, "id": uuid4().hex}, "usage": usage, **fields}
    return sent if amount is None else {**sent, "amount": amount}


def money(master: Tenant, tenant: Tenant) -> Api:
    """The ledgers of an account as who sells to it sees them."""
    return master.api.acting(master.token, f"/accounts/{tenant.id}/ledgers")


def entry_id(entry: dict[str, Any]) -> str:
    about = {key: entry[key] for key in ("source", "account", "usage", "period")} | {"type": "ledger"}
    return f"{clock.year_month()}-{hashlib.md5(orjson.dumps(about), usedforsecurity=False).hexdigest()}"


async def test_credit_and_debit(tenant: Tenant, master: Tenant) -> None:
    ledgers = money(master, tenant)
    assert (await tenant.api.get("/ledgers")).data == {}
    assert (await tenant.api.get("/ledgers/total")).data == {"amount": 0.0}
    source = {"service": "support", "id": "ticket 7"}
    usage = {"type": "work", "quantity": 2, "unit": "hours"}
    period = {"start": 63_900_000_000, "end": 63_900_007_200}
    sent = {"amount": 10.1234, "source": source, "usage": usage, "period": period, "description": "Help"}
    credited = await ledgers.put("/credit", {**sent, "metadata": {"who": "me"}})
    expected = {
        "account": {"id": tenant.id, "name": (await tenant.api.get("")).data["name"]},
        "amount": 10.1234,
        "audit": {
            "agent": {"account_id": master.id, "account_name": "Master", "user_id": master.admin_id},
            "available_units": 0,
            "request": {"id": credited.envelope["request_id"]},
        },
        "description": "Help",
        "executor": {"module": "cb_ledgers", "trigger": "crossbar"},
        "metadata": {"who": "me"},
        "period": period,
        "source": source,
        "usage": usage,
    }
    assert (credited.status, credited.data) == (201, {**expected, "id": entry_id(expected)})
    assert (await ledgers.put("/credit", sent)).error() == (
        409,
        "409",
        "datastore_conflict",
        {"message": "conflicting documents"},
    )
    before = clock.now()
    debited = await ledgers.put("/debit", charge(4, "per-minute-voip"))
    assert (debited.status, debited.data["amount"], debited.data["metadata"]) == (201, -4.0, {})
    assert debited.data["audit"]["available_units"] == 101_234
    assert before <= debited.data["period"]["start"] <= clock.now()
    assert "description" not in debited.data
    assert (await tenant.api.get("/ledgers/total")).data == {"amount": 6.1234}
    assert (await tenant.api.get("/ledgers")).data == {
        "per-minute-voip": {"amount": -4.0, "usage": {"type": "voice", "quantity": 60, "unit": "sec"}},
        "support": {"amount": 10.1234, "usage": usage},
    }
    listed = await tenant.api.get("/ledgers/support")
    assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, [credited.data], 1)
    assert (await tenant.api.get("/ledgers/mobile_data")).data == []
    read = await tenant.api.get(f"/ledgers/support/{credited.id}")
    assert (read.status, read.data) == (200, credited.data)
    for path in (f"/ledgers/per-minute-voip/{credited.id}", "/ledgers/support/202601-0"):
        missing = {"message": "bad identifier", "cause": path.rpartition("/")[2]}
        assert (await tenant.api.get(path)).error() == (404, "404", "bad_identifier", missing)


async def test_entries_are_filtered_and_paged(tenant: Tenant, master: Tenant) -> None:
    ledgers = money(master, tenant)
    made = [await ledgers.put("/debit", charge(1, metadata={"manual_bookkeeping_tool": one == 1})) for one in range(3)]
    shown = await tenant.api.get("/ledgers/per-minute-voip?filter_not_metadata.manual_bookkeeping_tool=true")
    assert {row["id"] for row in shown.data} == {made[0].id, made[2].id}
    first = await tenant.api.get("/ledgers/per-minute-voip?page_size=2")
    rest = await tenant.api.get("/ledgers/per-minute-voip", query={"start_key": first.envelope["next_start_key"]})
    assert {row["id"] for row in first.data + rest.data} == {one.id for one in made}
    assert len(first.data) == 2
    assert (await tenant.api.get("/ledgers/per-minute-voip?created_from=1&created_to=2")).data == []
    wrong = await tenant.api.get("/ledgers?created_from=3&created_to=2")
    assert wrong.data == {
        "created_from": {"date_range": {"message": "created_to 2 is prior to created_from 3", "cause": 3}}
    }


@pytest.mark.parametrize("service", ["services", "users", "a/b", "Ünï.$x", "payments"])
async def test_ledgers_of_any_name(service: str, tenant: Tenant, master: Tenant) -> None:
    made = await money(master, tenant).put("/credit", charge(2, service))
    assert made.status == 201
    assert (await tenant.api.get("/ledgers")).data == {
        service: {"amount": 2.0, "usage": {"type": "voice", "quantity": 60, "unit": "sec"}}
    }
    if "/" not in service:
        assert (await tenant.api.get(f"/ledgers/{service}")).data == [made.data]


async def test_what_is_refused(tenant: Tenant, master: Tenant) -> None:
    ledgers = money(master, tenant)
    refused = await ledgers.put("/credit", {"amount": 0.5, "usage": {"type": "voice", "quantity": "x"}})
    assert refused.refusals() == {
        "amount": ["minimum"],
        "source": ["required"],
        "usage.quantity": ["type"],
        "usage.unit": ["required"],
    }
    for field, body, most in (
        ("amount", charge(2e9), 10**9),
        ("usage.quantity", charge(usage={"type": "a", "quantity": 10**13, "unit": "b"}), 10**12),
    ):
        refused = await ledgers.put("/debit", body)
        value = body["amount"] if field == "amount" else 10**13
        text = {"message": f"Value must be at most {most}", "target": most, "value": value}
        assert refused.invalid() == {field: {"maximum": text}}
    assert (await tenant.api.get("/ledgers/total")).data == {"amount": 0.0}
    nothing = await ledgers.put("/credit", charge(None))
    assert (nothing.status, nothing.data["amount"]) == (201, 0.0)


async def test_who_may_enter(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    assert (await master.root.put(f"/accounts/{tenant.id}/reseller")).status == 201
    customer = await new_tenant(server, tenant, f"customer{uuid4().hex[:12]}")
    for path in ("/ledgers/credit", "/ledgers/debit"):
        assert (await customer.api.put(path, charge())).error() == FORBIDDEN
        assert (await tenant.api.put(path, charge())).error() == FORBIDDEN
        for reseller in (tenant, master):
            entered = await reseller.root.put(f"/accounts/{customer.id}{path}", charge())
            assert entered.status == 201
        plain = await new_person(server, tenant, f"plain{path[-5:]}")
        assert (await plain.root.put(f"/accounts/{customer.id}{path}", charge())).error() == FORBIDDEN
    assert (await customer.api.get("/ledgers/total")).data == {"amount": 0.0}


async def test_the_reseller_is_charged_too(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    await master.root.put(f"/accounts/{tenant.id}/reseller")
    customer = await new_tenant(server, tenant, f"customer{uuid4().hex[:12]}")
    ledgers = money(tenant, customer)
    await money(master, tenant).put("/credit", charge(100, "payments"))
    both = await ledgers.put("/debit", charge(3.5), impact_reseller=True)
    own, upper = both.data[customer.id], both.data[tenant.id]
    assert both.status == 201
    assert set(both.data) == {customer.id, tenant.id}
    assert (own["available_dollars"], own["is_reseller"], own["ledger"]["amount"]) == (-3.5, False, -3.5)
    assert (upper["available_dollars"], upper["is_reseller"], upper["ledger"]["amount"]) == (96.5, True, -3.5)
    assert upper["ledger"]["account"] == own["ledger"]["account"] == {"id": customer.id, "name": customer.realm[:-5]}
    assert upper["ledger"]["metadata"]["origin_ledger"]["id"] == own["ledger"]["id"]
    assert (await tenant.api.get(f"/ledgers/per-minute-voip/{upper['ledger']['id']}")).data == upper["ledger"]
    month = await tenant.api.get(f"/ledgers/summary/{clock.year_month()}")
    voice = {"amount": -3.5, "usage": {"type": "voice", "quantity": 60, "unit": "sec"}}
    paid = {"amount": 100.0, "usage": {"type": "voice", "quantity": 60, "unit": "sec"}}
    assert month.data["summary"] == {"payments": paid, "per-minute-voip": voice}
    assert sorted(month.data["breakdown"], key=lambda one: float(one["total"])) == [
        {"account": own["ledger"]["account"], "ledgers": {"per-minute-voip": voice}, "total": -3.5},
        {
            "account": {"id": tenant.id, "name": tenant.realm[:-5]},
            "ledgers": {"payments": paid},
            "total": 100.0,
        },
    ]
    # The pair is entered as a whole or not at all.
    twin = charge(9, period={"start": 63_900_000_000})
    found = await server.runtime.access.directory.account(customer.id)
    assert found is not None
    taken = new_entry(found, _charge_of(twin), Author("request", None))
    await book(server.runtime.store, [Document(tenant.id, taken.type, taken.id, taken.fields)])
    before = (await customer.api.get("/ledgers/total")).data
    assert (await ledgers.put("/debit", twin, impact_reseller=True)).status == 409
    assert (await customer.api.get("/ledgers/total")).data == before


def _charge_of(sent: dict[str, Any]) -> Charge:
    return Charge(-units_of(sent["amount"]), source=sent["source"], usage=sent["usage"], period=sent["period"])


async def test_months_roll_over(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    account = await server.runtime.access.directory.account(tenant.id)
    assert account is not None
    usage = {"type": "voice", "quantity": 5, "unit": "sec"}
    for unix, units in ((1_767_225_600, 20_000), (1_769_904_000, 5_000), (1_769_990_399, -12_500)):
        with clock.frozen(unix):
            entry = new_entry(
                account, Charge(units, {"service": "a", "id": str(unix)}, usage, {}), Author("request", None)
            )
            await book(server.runtime.store, [entry])
    about = {"id": tenant.id, "name": account.name}
    january = {"a": {"amount": 2.0, "usage": usage}}
    assert (await tenant.api.get("/ledgers/summary/202601")).data == {
        "summary": january,
        "breakdown": [{"account": about, "ledgers": january, "total": 2.0}],
    }
    february = {
        "a": {"amount": -0.75, "usage": {**usage, "quantity": 10}},
        "rollovers": {"amount": 2.0, "usage": {"quantity": 0}},
    }
    assert (await tenant.api.get("/ledgers/summary/202602")).data == {
        "summary": february,
        "breakdown": [{"account": about, "ledgers": february, "total": 1.25}],
    }
    assert (await tenant.api.get("/ledgers/total")).data == {"amount": 1.25}
    for wrong in ("2026", "202613", "20260101", "x"):
        refused = await tenant.api.get(f"/ledgers/summary/{wrong}")
        assert refused.error() == (404, "404", "bad identifier", [wrong])
    first = clock.gregorian(1_769_904_000)
    for start, end, amount in (
        (first, first + clock.DAY - 1, -0.75),
        (first, first + clock.DAY - 2, 0.5),
        (first + 1, first + 2 * clock.DAY, -1.25),
        (first - 31 * clock.DAY, first, 2.5),
        (first - clock.DAY, first - 1, None),
    ):
        told = (await tenant.api.get("/ledgers", query={"created_from": start, "created_to": end})).data
        assert (told["a"]["amount"] if told else None) == amount
    setting = {"default": {"rollover_monthly_balance": False}}
    assert (await master.root.post("/system_configs/ledgers", setting)).status == 200
    try:
        assert (await tenant.api.get("/ledgers/total")).data == {"amount": 0.0}
        assert "rollovers" not in (await tenant.api.get("/ledgers/summary/202602")).data["summary"]
    finally:
        await master.root.delete("/system_configs/ledgers")


async def test_available_ledgers(tenant: Tenant) -> None:
    voice = {"name": "per-minute-voip", "friendly_name": "Per Minute VoIP", "markup_type": ["percentage"]}
    assert (await tenant.api.get("/ledgers/available")).data == [voice]
    own = [{"name": "support", "friendly_name": "Support"}]
    assert (await tenant.api.put("/configs/ledgers", {"registered_ledgers": own})).status == 201
    assert (await tenant.api.get("/ledgers/available")).data == own


async def test_many_writers_at_once(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    await master.root.put(f"/accounts/{tenant.id}/reseller")
    customer = await new_tenant(server, tenant, f"customer{uuid4().hex[:12]}")
    ledgers = money(master, customer)
    same = charge(1000, "once", period={"start": 63_900_000_000})

    async def write(number: int) -> list[Answer]:
        path = "/debit" if number % 2 else "/credit"
        return [
            await ledgers.put(path, charge(1 + number / 100, f"s{number % 3}"), impact_reseller=number % 4 == 0),
            await ledgers.put("/credit", same),
        ]

    answers = await asyncio.gather(*(write(number) for number in range(16)))
    assert {first.status for first, _ in answers} == {201}
    assert sorted(second.status for _, second in answers) == [201, *[409] * 15]
    expected = sum((-1 if number % 2 else 1) * (100 + number) for number in range(16)) + 100_000
    assert (await customer.api.get("/ledgers/total")).data == {"amount": expected / 100}
    upper = sum(100 + number for number in range(0, 16, 4))
    assert (await tenant.api.get("/ledgers/total")).data == {"amount": upper / 100}
    told = (await customer.api.get("/ledgers")).data
    assert round(sum(one["amount"] for one in told.values()) * 100) == expected


class Ledgers(AccountMachine):
    """Credits and debits, and such as a server that dies leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.path += "/ledgers"
        self.calls: set[str] = set()

    @rule(verb=st.sampled_from(["credit", "debit"]), cents=st.integers(100, 10**7), service=st.sampled_from("abc"))
    def enter(self, verb: str, cents: int, service: str) -> None:
        assert self.ask("PUT", f"{self.path}/{verb}", charge(cents / 100, service)).status == 201

    @rule(units=st.integers(-(10**9), 10**9), service=st.sampled_from("abc"), after=st.integers(0, 12))
    def break_an_entry_off(self, units: int, service: str, after: int) -> None:
        self.break_off(self.entering(units, service), after)

    @rule(units=st.integers(-(10**9), 10**9), unix=st.integers(1_600_000_000, 1_700_000_000))
    def enter_long_ago(self, units: int, unix: int) -> None:
        with clock.frozen(unix):
            entered = self.do(self.entering(units, "long ago"))
        assert entered is None

    @rule(number=st.integers(0, 20), after=st.integers(0, 12))
    def break_the_charge_of_a_call_off(self, number: int, after: int) -> None:
        """And have the call told of again."""
        variables = {"account_billing": "per_minute", "rate": 600}
        told = {"call_id": f"call{number}", "billing_seconds": 60, "custom_channel_vars": variables}
        leg = cdr_of(self.account.id, {**told, "timestamp": 63_876_852_000 + number})
        self.calls.add(f"call{number}")
        self.break_off(debit_calls(self.server.runtime.store, [leg]), after)
        self.do(debit_calls(self.server.runtime.store, [leg]))

    async def entering(self, units: int, service: str) -> None:
        account = await self.server.runtime.access.directory.account(self.account.id)
        assert account is not None
        usage = {"type": "voice", "quantity": 1, "unit": "sec"}
        made = Charge(units, {"service": service, "id": uuid4().hex}, usage, {})
        await book(self.server.runtime.store, [new_entry(account, made, Author("request", None))])

    async def stored(self) -> list[dict[str, Any]]:
        found = self.server.runtime.store.database["records"].find({"a": self.account.id})
        return [one["doc"] for one in await found.to_list(None) if one["_id"].split("/")[1] == "ledger"]

    @invariant()
    def sums_are_those_of_the_entries(self) -> None:
        entries = self.do(self.stored())
        units = [units_of(entry["amount"]) for entry in entries]
        assert self.ask("GET", f"{self.path}/total").data == {"amount": dollars_of(sum(units))}
        charged = [entry["source"]["id"] for entry in entries if entry["source"]["service"] == "per-minute-voip"]
        assert sorted(charged) == sorted(self.calls)
        now = [entry for entry in entries if entry["pvt_created"] > clock.now() - clock.DAY]
        told = self.ask("GET", self.path).data
        assert set(told) == {entry["source"]["service"] for entry in now}
        for service, total in told.items():
            mine = [entry for entry in now if entry["source"]["service"] == service]
            assert units_of(total["amount"]) == sum(units_of(entry["amount"]) for entry in mine)
            assert total["usage"]["quantity"] == sum(entry["usage"]["quantity"] for entry in mine)
        for month in {clock.year_month(entry["pvt_created"]) for entry in entries}:
            summary = self.ask("GET", f"{self.path}/summary/{month}").data
            upto = [entry for entry in entries if clock.year_month(entry["pvt_created"]) <= month]
            [account] = summary["breakdown"]
            assert units_of(account["total"]) == sum(units_of(entry["amount"]) for entry in upto)


async def test_sums_never_part_from_entries(server: RunningServer, tenant: Tenant) -> None:
    await run(Ledgers, server, tenant)


async def test_entries_that_are_gone_stay_counted(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    made = await money(master, tenant).put("/credit", charge(7))
    await server.runtime.store.remove_by_ids(tenant.id, ledger_sum.LEDGER, [made.id])
    assert (await tenant.api.get("/ledgers/total")).data == {"amount": 7.0}
    assert (await tenant.api.get("/ledgers")).data["per-minute-voip"]["amount"] == 7.0


@pytest.mark.parametrize(
    ("dollars", "units"), [(1, 10_000), (0.00005, 1), (0.00004, 0), (10.1234, 101_234), (1e9, 10**13), (2.675, 26_750)]
)
def test_dollars_and_units(dollars: float, units: int) -> None:
    assert units_of(dollars) == units
    assert units_of(dollars_of(units)) == units
    assert units_of(-dollars) == -units
