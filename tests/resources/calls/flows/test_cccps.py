# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/cccps`."""

from __future__ import annotations

import random

from tests.harness import Tenant


def a_number() -> str:
    return f"+1415{random.randrange(2_000_000, 9_999_999)}"


async def test_life_of_a_caller(tenant: Tenant) -> None:
    number = a_number()
    sent = {"cid": number.removeprefix("+1"), "user_id": tenant.admin_id, "comment": "Ada", "retain_cid": True}
    created = await tenant.api.put("/cccps", {**sent, "active": "true"})
    expected = {**sent, "id": created.id, "cid": number, "active": True}
    assert (created.status, created.data) == (201, expected)
    assert (await tenant.api.get(f"/cccps/{created.id}")).data == expected
    assert (await tenant.api.get("/cccps")).data == [{**expected, "account_id": tenant.id}]

    replaced = await tenant.api.post(f"/cccps/{created.id}", {"cid": number})
    expected = {"id": created.id, "cid": number, "active": False}
    assert (replaced.status, replaced.data) == (200, expected)
    merged = await tenant.api.patch(f"/cccps/{created.id}", {})
    assert merged.error() == (405, "405", "invalid_method", {"message": "method not allowed"})
    put = await tenant.api.put(f"/cccps/{created.id}", {})
    assert put.error() == (405, "405", "invalid_method", {"message": "method not allowed"})
    deleted = await tenant.api.delete(f"/cccps/{created.id}")
    assert (deleted.status, deleted.data) == (200, {**expected, "_read_only": {"deleted": True}})
    assert (await tenant.api.get(f"/cccps/{created.id}")).status == 404


async def test_a_caller_id_belongs_to_one_active_entry(tenant: Tenant, stranger: Tenant) -> None:
    number = a_number()
    first = await tenant.api.put("/cccps", {"cid": number, "active": True})
    assert first.status == 201
    taken = (400, "400", "validation error", {"cccp": {"unique": {"message": "CID already exists", "cause": number}}})
    for entry in ({"cid": number, "active": True}, {"cid": number.removeprefix("+")}):
        assert (await stranger.api.put("/cccps", entry)).error() == taken
    await tenant.api.delete(f"/cccps/{first.id}")
    first = await tenant.api.put("/cccps", {"cid": number})
    second = await stranger.api.put("/cccps", {"cid": number, "active": True})
    assert (first.status, second.status) == (201, 201)
    assert (await tenant.api.post(f"/cccps/{first.id}", {"cid": number, "active": True})).error() == taken


async def test_a_pin_belongs_to_one_active_entry(tenant: Tenant, stranger: Tenant) -> None:
    pin = str(random.randrange(10**11, 10**12))
    assert (await tenant.api.put("/cccps", {"pin": pin, "active": True})).status == 201
    taken = (400, "400", "validation error", {"cccp": {"unique": {"message": "Pin already exists"}}})
    assert (await stranger.api.put("/cccps", {"pin": pin, "active": True})).error() == taken
    assert (await stranger.api.put("/cccps", {"pin": pin})).error() == taken
    assert (await stranger.api.put("/cccps", {"pin": pin, "cid": a_number(), "active": True})).status == 201


async def test_refused(tenant: Tenant) -> None:
    refused = await tenant.api.put("/cccps", {"cid": "2001", "user_id": "short"})
    expected = {"cccp": {"unique": {"message": "Number is non reconcilable", "cause": "2001"}}}
    assert refused.invalid() == expected
    refused = await tenant.api.put("/cccps", {"user_id": "short"})
    assert set(refused.data) == {"user_id"}


async def test_autodial_is_for_the_account_itself(tenant: Tenant, master: Tenant) -> None:
    accepted = await tenant.api.put("/cccps/autodial", {"numbers": ["+14155550100"]})
    assert (accepted.status, accepted.data) == (201, {})
    refused = await master.root.put(f"/accounts/{tenant.id}/cccps/autodial", {})
    expected = {"account": {"forbidden": {"message": "For direct use by account holder only"}}}
    assert refused.invalid() == expected
