# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/external_numbers`: numbers that an account has elsewhere."""

from __future__ import annotations

import asyncio

from tests.harness import Tenant
from tests.numbers import fresh


async def test_life_of_an_external_number(tenant: Tenant, master: Tenant) -> None:
    number = fresh()
    assert (await tenant.api.get("/external_numbers")).data == []
    created = await tenant.api.put("/external_numbers", {"number": number[2:], "verified": True})
    assert (created.status, created.data) == (201, {"id": created.id, "number": number, "verified": False})
    listed = await tenant.api.get("/external_numbers", query={"paginate": "false"})
    assert (listed.status, listed.data) == (200, [created.data])
    path = f"/external_numbers/{created.id}"
    assert (await tenant.api.get(path)).data == created.data
    called = await tenant.api.put(f"{path}/verify", {"method": "voice"})
    message = {"message": "timeout", "cause": "the number could not be called"}
    assert called.error() == (500, "500", "timeout", message)
    for body in ({"code": "1234"}, {}):
        refused = await tenant.api.post(f"{path}/verify", body)
        error = {"code": {"invalid": {"message": "Invalid verification code", "cause": body.get("code")}}}
        assert refused.invalid() == error
    assert (await tenant.api.get(path)).data["verified"] is False
    forced = await master.root.post(f"/accounts/{tenant.id}{path}/verify")
    assert (forced.status, forced.data) == (200, {**created.data, "verified": True})
    assert (await tenant.api.get("/external_numbers")).data == [forced.data]
    assert (await tenant.api.get("/external_numbers", query={"filter_verified": "false"})).data == []
    assert (await tenant.api.delete(path)).status == 200
    assert (await tenant.api.get("/external_numbers")).data == []
    for verb, rest in (("GET", ""), ("DELETE", ""), ("PUT", "/verify"), ("POST", "/verify")):
        assert (await tenant.api.request(verb, f"{path}{rest}", {})).status == 404


async def test_what_is_no_external_number(tenant: Tenant) -> None:
    number = fresh()
    for given, code in ((None, "required"), ("", "minLength"), (5, "type"), ("1001", "invalid"), ("*97", "invalid")):
        data = {} if given is None else {"number": given}
        refused = await tenant.api.put("/external_numbers", data)
        assert (refused.status, list(refused.data), list(refused.data["number"])) == (400, ["number"], [code])
    assert (await tenant.api.put("/external_numbers", {"number": number})).status == 201
    again = await tenant.api.put("/external_numbers", {"number": number[1:]})
    message = "Number is an external number of the account already"
    assert again.error()[3] == {"number": {"unique": {"message": message, "cause": number}}}


async def test_accounts_have_their_own(tenant: Tenant, stranger: Tenant) -> None:
    number = fresh()
    made = await tenant.api.put("/external_numbers", {"number": number})
    assert (await stranger.api.get(f"/external_numbers/{made.id}")).status == 404
    assert (await stranger.api.put("/external_numbers", {"number": number})).status == 201
    assert (await stranger.root.get(f"/accounts/{tenant.id}/external_numbers")).status == 403


async def test_of_sixteen_at_once_one_names_a_number(tenant: Tenant) -> None:
    number = fresh()
    answers = await asyncio.gather(*(tenant.api.put("/external_numbers", {"number": number}) for _ in range(16)))
    assert sorted(answer.status for answer in answers) == [201] + [400] * 15
