# SPDX-License-Identifier: MPL-2.0
"""As what an account's numbers count: by their tags, and looked at one by one where these do not say."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.document import Document
from crossbar.documents.store import Store
from crossbar.resources.numbers.domain import number_count, number_features
from crossbar.resources.numbers.domain.number import KIND
from tests.harness import RunningServer, Tenant
from tests.numbers import add, fresh

EXPECTED = {
    ("number_carriers", "inventory"): 2,
    ("number_carriers", "local"): 1,
    ("number_services", "force_outbound"): 1,
    ("number_services", "local"): 1,
    ("phone_numbers", "did_us"): 1,
    ("phone_numbers", "tollfree_us"): 1,
}


@pytest.fixture(params=[0, number_count.FEW], ids=["many", "few"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many numbers are looked at sooner than counted."""
    monkeypatch.setattr(number_count, "FEW", request.param)
    return int(request.param)


async def counted(server: RunningServer, account: Tenant) -> dict[tuple[str, str], float]:
    items = await number_count.counted_items(server.runtime, account.id)
    assert len({item[:2] for item in items}) == len(items)
    return {(category, item): number for category, item, number in items}


async def three_numbers(master: Tenant, tenant: Tenant) -> str:
    toll_free = fresh().replace("+1415", "+1800")
    await add(master, tenant, fresh(), carrier_name="inventory", force_outbound=True)
    await add(master, tenant, toll_free, carrier_name="inventory")
    await add(master, tenant, fresh())
    return toll_free


@pytest.fixture
def no_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("looked at")

    monkeypatch.setattr(Store, "stream_documents", refuse)


async def test_no_number_of_many_is_looked_at(
    server: RunningServer, tenant: Tenant, master: Tenant, few: int, no_looking: None
) -> None:
    assert await counted(server, tenant) == {}
    toll_free = await three_numbers(master, tenant)
    assert await counted(server, tenant) == EXPECTED
    await tenant.api.delete(f"/phone_numbers/{toll_free}")
    left = dict(EXPECTED) | {("number_carriers", "inventory"): 1}
    del left["phone_numbers", "tollfree_us"]
    assert await counted(server, tenant) == left


async def test_numbers_from_before_there_were_tags(
    server: RunningServer, tenant: Tenant, master: Tenant, few: int
) -> None:
    toll_free = await three_numbers(master, tenant)

    def forget(number: Document) -> None:
        number.fields.pop(KIND)

    assert await server.runtime.store.update(NUMBERS, NUMBER, toll_free, forget)
    assert await counted(server, tenant) == EXPECTED
    database = server.runtime.store.database
    await database["documents"].update_many(
        {"doc.pvt_assigned_to": tenant.id}, {"$pull": {"tags": {"$regex": "/item/"}}}
    )
    assert await counted(server, tenant) == EXPECTED


async def test_other_classifiers(server: RunningServer, tenant: Tenant, master: Tenant, few: int) -> None:
    await three_numbers(master, tenant)
    own = {"default": {"classifiers": {"ours": {"friendly_name": "Ours", "regex": r"^\+1415"}}}}
    assert (await master.root.post("/system_configs/number_manager", own)).status == 200
    try:
        summary = (await tenant.api.get("/services/summary")).data["quantities"]["account"]
    finally:
        await master.root.delete("/system_configs/number_manager")
    assert summary["phone_numbers"] == {"ours": 1, "tollfree_us": 1}
    summary = (await tenant.api.get("/services/summary")).data["quantities"]["account"]
    assert summary["phone_numbers"] == {"did_us": 1, "tollfree_us": 1}


def test_all_features_are_known() -> None:
    """What is not known by name would not be counted."""
    value = {"enabled": True, "display_name": "x", "inbound_lookup": True, "e164": "+1"}
    active = {name for key in number_features.FROM_OBJECTS for name in number_features.settings_at(key, value)}
    assert {*number_features.NAMES} == active | {"force_outbound", "local"}
    assert len(number_features.NAMES) == len({*number_features.NAMES})
