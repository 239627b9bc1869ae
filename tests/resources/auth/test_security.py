# SPDX-License-Identifier: MPL-2.0
"""`/security`: how log-ins work for an account, and who tried."""

from __future__ import annotations

import hashlib
from typing import Any

import jwt

from crossbar import clock
from tests.harness import Api, RunningServer, Tenant, new_tenant

USUAL = {"enabled": True, "token_auth_expiry_s": 3600, "log_failed_attempts": True, "log_successful_attempts": False}
INHERITED = {
    "cb_api_auth": USUAL,
    "cb_auth": USUAL,
    "cb_ip_auth": USUAL,
    "cb_user_auth": {**USUAL, "log_successful_attempts": True},
}


async def log_in(anonymous: Api, tenant: Tenant, password: str = "correct horse", **data: Any) -> Any:
    credentials = hashlib.md5(f"admin:{password}".encode()).hexdigest()
    return await anonymous.put("/user_auth", {"credentials": credentials, "account_realm": tenant.realm} | data)


async def test_the_ways_to_log_in(tenant: Tenant) -> None:
    answer = await tenant.root.get("/security")
    methods = ["cb_api_auth", "cb_auth", "cb_ip_auth", "cb_user_auth"]
    assert (answer.status, answer.data) == (200, {"available_auth_methods": methods})
    refused = await tenant.root.post("/security", {"auth_modules": {}})
    assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})


async def test_an_account_sets_and_forgets_its_own(tenant: Tenant) -> None:
    before = await tenant.api.get("/security")
    assert before.data == {"account": {}, "inherited_config": {"auth_modules": INHERITED}}

    modules = {"cb_user_auth": {"token_auth_expiry_s": 60}}
    saved = await tenant.api.post("/security", {"auth_modules": modules})
    assert (saved.status, saved.data) == (200, {"auth_modules": modules, "id": "configs_crossbar.auth"})
    merged = await tenant.api.patch("/security", {"auth_modules": {"cb_user_auth": {"enabled": True}}})
    both = {"cb_user_auth": {"token_auth_expiry_s": 60, "enabled": True}}
    assert (merged.status, merged.data["auth_modules"]) == (200, both)
    assert (await tenant.api.get("/security")).data["account"] == {"auth_modules": both}

    deleted = await tenant.api.delete("/security")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    cause = "account does not have customize auth configuration"
    again = await tenant.api.delete("/security")
    assert again.error() == (404, "404", "bad_identifier", {"message": "bad identifier", "cause": cause})
    assert (await tenant.api.put("/security", {})).error()[0] == 405


async def test_unknown_modules_are_refused(tenant: Tenant) -> None:
    refused = await tenant.api.post("/security", {"auth_modules": {"cb_magic": {}}})
    assert refused.error()[3]["auth_modules.cb_magic"]["additionalProperties"]["message"].startswith("Strict checking")


async def test_settings_count_at_the_next_log_in_and_are_inherited(
    tenant: Tenant, anonymous: Api, server: RunningServer
) -> None:
    child = await new_tenant(server, tenant, f"child-{tenant.realm.removesuffix('.test')}")
    await tenant.api.post("/security", {"auth_modules": {"cb_user_auth": {"token_auth_expiry_s": 60}}})
    for account in (tenant, child):
        token = (await log_in(anonymous, account)).envelope["auth_token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["exp"] - jwt.decode(account.token, options={"verify_signature": False})["exp"] < -3000
    inherited = (await child.api.get("/security")).data["inherited_config"]["auth_modules"]["cb_user_auth"]
    assert inherited == {**INHERITED["cb_user_auth"], "token_auth_expiry_s": 60}

    await child.api.post("/security", {"auth_modules": {"cb_user_auth": {"enabled": False}}})
    assert (await log_in(anonymous, child)).error() == (401, "401", "invalid credentials", {})
    assert (await log_in(anonymous, tenant)).status == 201


async def test_a_reseller_inherits_from_the_system_only(tenant: Tenant, master: Tenant, server: RunningServer) -> None:
    child = await new_tenant(server, tenant, f"reseller-{tenant.realm.removesuffix('.test')}")
    await tenant.api.post("/security", {"auth_modules": {"cb_user_auth": {"token_auth_expiry_s": 60}}})
    assert (await master.root.put(f"/accounts/{child.id}/reseller")).status == 201
    inherited = (await child.api.get("/security")).data["inherited_config"]["auth_modules"]
    assert inherited == INHERITED


async def test_the_system_s_settings_lie_below(tenant: Tenant, master: Tenant, anonymous: Api) -> None:
    path = "/system_configs/crossbar.auth"
    wanted = {"auth_modules": {"cb_user_auth": {"token_auth_expiry_s": 120}}}
    assert (await master.root.patch(f"{path}/default", wanted)).status == 200
    try:
        claims = jwt.decode(
            (await log_in(anonymous, tenant)).envelope["auth_token"], options={"verify_signature": False}
        )
        assert claims["exp"] <= clock.unix_now() + 120
        await tenant.api.post("/security", {"auth_modules": {"cb_user_auth": {"log_failed_attempts": False}}})
        inherited = (await tenant.api.get("/security")).data["inherited_config"]["auth_modules"]["cb_user_auth"]
        assert inherited == {**INHERITED["cb_user_auth"], "token_auth_expiry_s": 120}
    finally:
        assert (await master.root.delete(path)).status == 200


async def test_attempts_are_listed_newest_first(tenant: Tenant, anonymous: Api) -> None:
    assert (await log_in(anonymous, tenant, "wrong")).status == 401
    assert (await log_in(anonymous, tenant)).status == 201
    listed = await tenant.api.get("/security/attempts")
    assert listed.status == 200
    rows = {row["status"]: row for row in listed.data}
    assert len(listed.data) == 2
    failed = rows["failed"]
    assert {key: failed[key] for key in ("auth_type", "auth_module", "message", "client_ip")} == {
        "auth_type": "credentials",
        "auth_module": "cb_user_auth",
        "message": "invalid_credentials",
        "client_ip": "127.0.0.1",
    }
    read = await tenant.api.get(f"/security/attempts/{rows['success']['id']}")
    assert read.data["metadata"] == {"account_id": tenant.id, "owner_id": tenant.admin_id}
    assert read.data["client_headers"]["host"].startswith("127.0.0.1")
    missing = await tenant.api.get("/security/attempts/202001-nothing")
    assert missing.error()[:3] == (404, "404", "bad_identifier")


async def test_what_an_account_does_not_want_recorded_is_not(tenant: Tenant, anonymous: Api) -> None:
    quiet = {"log_failed_attempts": False, "log_successful_attempts": False}
    await tenant.api.post("/security", {"auth_modules": {"cb_user_auth": quiet}})
    await log_in(anonymous, tenant, "wrong")
    await log_in(anonymous, tenant)
    assert (await tenant.api.get("/security/attempts")).data == []


async def test_the_provider_of_a_second_factor_is_in_the_caller_s_line(
    tenant: Tenant, stranger: Tenant, master: Tenant
) -> None:
    def modules(**factor: Any) -> dict[str, Any]:
        return {"auth_modules": {"cb_user_auth": {"multi_factor": {"enabled": True, **factor}}}}

    async def refusal(**factor: Any) -> Any:
        status, _, message, data = (await tenant.api.post("/security", modules(**factor))).error()
        assert (status, message) == (400, "validation failed")
        return data["auth_modules.cb_user_auth.account_id"]["required"]["message"]

    assert await refusal(configuration_id="x") == "setting multi-factor configuration_id needs setting account_id"
    foreign = f"multi-factor account_id {stranger.id} is not in your account tree"
    assert await refusal(configuration_id="x", account_id=stranger.id) == foreign
    for account_id in (tenant.id, master.id):
        saved = await tenant.api.post("/security", modules(configuration_id="otp", account_id=account_id))
        assert saved.status == 200
    shown = (await tenant.api.get("/security")).data["account"]
    read_only = shown["auth_modules"]["cb_user_auth"]["multi_factor"]["_read_only"]
    assert read_only == {"name": "Authenticator App", "provider_name": "otp"}
    assert (await tenant.api.post("/security", shown)).status == 200  # as interfaces send it back

    await tenant.api.post("/security", modules())
    shown = (await tenant.api.get("/security")).data["account"]
    read_only = shown["auth_modules"]["cb_user_auth"]["multi_factor"]["_read_only"]
    assert read_only == {"name": "Default System Provider", "provider_name": "duo"}
