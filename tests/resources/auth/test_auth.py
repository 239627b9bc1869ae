# SPDX-License-Identifier: MPL-2.0
"""`/auth`: refreshing and ending tokens, looking at them, and the keys that sign them."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from crossbar import clock
from tests.harness import Api, RunningServer, Tenant, issue_token, new_person

INVALID = (401, "401", "invalid_credentials", {"message": "invalid credentials"})
FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})
ACTION = (500, "500", "action required", {"message": "action required"})


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def test_a_token_is_refreshed(tenant: Tenant) -> None:
    answer = await tenant.root.put("/auth", {}, action="refresh_token")
    assert (answer.status, answer.data["account_id"], answer.data["owner_id"]) == (201, tenant.id, tenant.admin_id)
    token = answer.envelope["auth_token"]
    assert claims_of(token)["method"] == "cb_auth"
    assert (await tenant.api.acting(token).get("/users")).status == 200
    assert (await tenant.root.put("/auth", {}, action="something")).error() == ACTION
    assert (await tenant.root.put("/auth", {})).error() == ACTION


async def test_a_refreshed_token_says_as_before_whose_it_really_is(tenant: Tenant, master: Tenant) -> None:
    path = f"/accounts/{tenant.id}/users/{tenant.admin_id}/user_auth"
    borrowed = (await master.root.put(path, {}, action="impersonate_user")).envelope["auth_token"]
    renewed = (await tenant.root.acting(borrowed).put("/auth", {}, action="refresh_token")).envelope["auth_token"]
    claims = claims_of(renewed)
    assert (claims["original_account_id"], claims["original_owner_id"]) == (master.id, master.admin_id)


async def test_who_acts_for_another_refreshes_the_own_token(
    tenant: Tenant, master: Tenant, server: RunningServer
) -> None:
    acting = {"account_id": tenant.id, "owner_id": tenant.admin_id}
    token = await server.runtime.access.tokens.issue(
        master.id, master.admin_id, "cb_user_auth", lifetime=60, extra={"as": acting}
    )
    renewed = (await master.root.acting(token).put("/auth", {}, action="refresh_token")).envelope["auth_token"]
    claims = claims_of(renewed)
    assert (claims["account_id"], claims["owner_id"], claims["as"]) == (master.id, master.admin_id, acting)


async def test_a_new_secret_ends_a_user_s_tokens(tenant: Tenant, server: RunningServer) -> None:
    person = await new_person(server, tenant)
    user_id, plain = person.id, person.root
    path = f"/accounts/{tenant.id}/users/{user_id}/auth"
    assert (await plain.put(path, {}, action="something")).error() == ACTION
    other = f"/accounts/{tenant.id}/users/{tenant.admin_id}/auth"
    assert (await plain.put(other, {}, action="reset_signature_secret")).error() == FORBIDDEN
    done = await plain.put(path, {}, action="reset_signature_secret")
    assert (done.status, "data" in done.envelope) == (201, False)
    assert (await plain.get(f"/accounts/{tenant.id}")).error() == INVALID
    again = await issue_token(server, tenant.id, user_id)
    assert (await tenant.root.put(path, {}, action="reset_signature_secret")).status == 201
    assert (await plain.acting(again).get(f"/accounts/{tenant.id}")).error() == INVALID


async def test_a_new_secret_ends_an_account_s_tokens(tenant: Tenant, server: RunningServer) -> None:
    of_account = tenant.api.acting(await issue_token(server, tenant.id, None))
    plain = (await new_person(server, tenant)).root
    path = f"/accounts/{tenant.id}/auth"
    assert (await plain.put(path, {}, action="reset_signature_secret")).error() == FORBIDDEN
    assert (await tenant.root.put(path, {}, action="reset_signature_secret")).status == 201
    assert (await of_account.get("/users")).error() == INVALID
    assert (await tenant.api.get("/users")).status == 200


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_whose_token_that_is(verb: str, tenant: Tenant, anonymous: Api) -> None:
    async def ask(token: str | None) -> Any:
        if verb == "GET":
            return await anonymous.get("/auth/tokeninfo", query={"token": token} if token else None)
        return await anonymous.post("/auth/tokeninfo", {"token": token} if token else {})

    told = await ask(tenant.token)
    assert (told.status, told.envelope["auth_token"]) == (200, tenant.token)
    assert (told.data["account_id"], told.data["owner_id"]) == (tenant.id, tenant.admin_id)
    assert told.data["capabilities"]["voicemail"]["transcription"] == {"available": False, "default": False}
    missing = "missing token in params" if verb == "GET" else "missing token in request"
    assert (await ask(None)).error() == (404, "404", missing, {})
    assert (await ask("garbage")).error() == (401, "401", "invalid_jwt", {})
    header, payload, signature = tenant.token.split(".")
    changed = f"{header}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    assert (await ask(changed)).error() == (401, "401", "invalid_jwt_signature", {})
    with clock.frozen(clock.unix_now() + 7200):
        assert (await ask(tenant.token)).error() == (401, "401", "token_expired", {})


async def test_keys(tenant: Tenant, server: RunningServer) -> None:
    listed = await tenant.root.get("/auth/keys")
    key_id = jwt.get_unverified_header(tenant.token)["kid"]
    assert (listed.status, listed.data[0]) == (200, key_id)
    shown = await tenant.root.get(f"/auth/keys/{key_id}")
    pem = shown.data["public_key_pem"]
    assert jwt.decode(tenant.token, pem, ["RS256"])["account_id"] == tenant.id
    file = await tenant.root.get(f"/auth/keys/{key_id}", headers={"Accept": "application/x-pem-file"})
    assert (file.raw.decode(), file.headers["Content-Type"]) == (pem, "application/x-pem-file")
    assert 'filename="public_key.pem"' in file.headers["Content-Disposition"]
    assert (await tenant.root.get("/auth/keys/nothing")).error()[:3] == (404, "404", "bad_identifier")
    plain = (await new_person(server, tenant)).root
    assert (await plain.get("/auth/keys")).error() == FORBIDDEN
    assert (await plain.get(f"/auth/keys/{key_id}")).error() == FORBIDDEN


async def test_only_the_system_may_change_its_keys(tenant: Tenant, master: Tenant) -> None:
    key_id = jwt.get_unverified_header(tenant.token)["kid"]
    path = f"/auth/keys/{key_id}"
    assert (await tenant.root.put(path, {}, action="reset_private_key")).error() == FORBIDDEN
    assert (await tenant.root.put("/auth", {}, action="reset_signature_secret")).error() == FORBIDDEN
    assert (await master.root.put(path, {}, action="something")).error() == ACTION
