# SPDX-License-Identifier: MPL-2.0
"""Log-in by address: `ip_auth`."""

from __future__ import annotations

import uuid

import jwt

from tests.harness import Api, Tenant

INVALID = (401, "401", "invalid_credentials", {"message": "invalid credentials"})


async def test_an_account_s_address_logs_it_in(tenant: Tenant, stranger: Tenant, anonymous: Api) -> None:
    number = uuid.uuid4().int
    address = f"10.{number % 256}.{number // 256 % 256}.{number // 65_536 % 256}"
    from_there = {"X-Forwarded-For": address}
    assert (await anonymous.put("/ip_auth", headers=from_there)).error() == INVALID
    listed = await tenant.root.patch(f"/accounts/{tenant.id}", {"ips": {"office": {"ip": address}}})
    assert listed.status == 200

    answer = await anonymous.put("/ip_auth", headers=from_there)
    assert (answer.status, answer.data["account_id"]) == (201, tenant.id)
    assert "owner_id" not in answer.data
    claims = jwt.decode(answer.envelope["auth_token"], options={"verify_signature": False})
    assert (claims["method"], "owner_id" in claims) == ("cb_ip_auth", False)
    assert (await tenant.api.acting(answer.envelope["auth_token"]).get("/users")).status == 200
    # The address alone opens nothing but the log-in, unless the server is told so.
    assert (await tenant.api.acting(None).get("/users", headers=from_there)).error() == INVALID

    await stranger.root.patch(f"/accounts/{stranger.id}", {"ips": {"office": {"ip": address}}})
    assert (await anonymous.put("/ip_auth", headers=from_there)).error() == INVALID


async def test_an_address_is_the_same_however_it_is_written(tenant: Tenant, anonymous: Api) -> None:
    number = f"{uuid.uuid4().hex[:3]}"
    await tenant.root.patch(f"/accounts/{tenant.id}", {"ips": {"office": {"ip": f"2001:DB8::1:0{number}"}}})
    for address in (f"2001:db8::1:0{number}", f"2001:db8:0:0::1:{number}"):
        answer = await anonymous.put("/ip_auth", headers={"X-Forwarded-For": address})
        assert (answer.status, answer.data["account_id"]) == (201, tenant.id)


async def test_an_account_may_decline(tenant: Tenant, anonymous: Api) -> None:
    address = f"2001:db8::{uuid.uuid4().hex[:4]}"
    await tenant.root.patch(f"/accounts/{tenant.id}", {"ips": {"office": {"ip": address}}})
    await tenant.api.post("/security", {"auth_modules": {"cb_ip_auth": {"enabled": False}}})
    refused = await anonymous.put("/ip_auth", headers={"X-Forwarded-For": address})
    assert refused.error() == (401, "401", "invalid credentials", {})
