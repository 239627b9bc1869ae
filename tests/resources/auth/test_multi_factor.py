# SPDX-License-Identifier: MPL-2.0
"""`/multi_factor`: providers, and logging in with a second factor."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pyotp

from crossbar import clock
from tests.harness import Answer, Api, RunningServer, Tenant, issue_token, new_tenant

INVALID = (401, "401", "invalid_credentials", {"message": "invalid credentials"})
DUO = {
    "integration_key": "DIXXXXXXXXXXXXXXXXXX",
    "secret_key": "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    "application_secret_key": "useacustomerprovidedapplicationsecretkey",
    "api_hostname": "api-1.duosecurity.test",
}
SYSTEM = [
    {
        "id": "duo",
        "enabled": False,
        "name": "System Default Provider",
        "provider_name": "duo",
        "provider_type": "multi_factor",
    },
    {
        "id": "otp",
        "enabled": True,
        "name": "Authenticator App",
        "provider_name": "otp",
        "provider_type": "multi_factor",
    },
]


def login(tenant: Tenant, **data: Any) -> dict[str, Any]:
    credentials = hashlib.md5(b"admin:correct horse").hexdigest()
    return {"credentials": credentials, "account_realm": tenant.realm} | data


async def want(tenant: Tenant, configuration_id: str, **factor: Any) -> None:
    """Let the account ask for a second factor."""
    chosen = {"enabled": True, "configuration_id": configuration_id, "account_id": tenant.id} | factor
    saved = await tenant.api.post("/security", {"auth_modules": {"cb_user_auth": {"multi_factor": chosen}}})
    assert saved.status == 200, saved.envelope


async def secret_of(anonymous: Api, tenant: Tenant) -> str:
    shown = await anonymous.put("/multi_factor/qrcode", login(tenant))
    assert shown.status == 201, shown.envelope
    return parse_qs(urlsplit(shown.data[0]["qr_url"]).query)["secret"][0]


def code(secret: str, offset: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(clock.unix_now()), counter_offset=offset)


def demand(answer: Answer) -> Any:
    status, _, message, data = answer.error()
    assert (status, message) == (401, "invalid_credentials")
    assert data["message"] == "client needs to preform second-factor authentication"
    return data["multi_factor_request"]


async def test_system_providers(tenant: Tenant, master: Tenant) -> None:
    listed = await tenant.root.get("/multi_factor")
    assert (listed.status, listed.data) == (200, SYSTEM)
    data = {"enabled": True, "name": "Ours", "provider_name": "totp"}
    refused = await tenant.root.put("/multi_factor", data)
    assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})

    created = await master.root.put("/multi_factor", data)
    assert (created.status, created.data) == (201, {**data, "id": created.id})
    patched = await master.root.patch(f"/multi_factor/{created.id}", {"enabled": False})
    assert patched.data["enabled"] is False
    replaced = await master.root.post(f"/multi_factor/{created.id}", {**data, "name": "Mine"})
    assert replaced.data["name"] == "Mine"
    assert (await master.root.get(f"/multi_factor/{created.id}")).data == replaced.data
    assert (await tenant.root.get(f"/multi_factor/{created.id}")).error()[0] == 403
    assert (await master.root.delete(f"/multi_factor/{created.id}")).status == 200
    assert (await tenant.root.get("/multi_factor")).data == SYSTEM


async def test_an_account_s_own_providers(tenant: Tenant) -> None:
    before = await tenant.api.get("/multi_factor")
    assert (before.status, before.data) == (200, {"configured": [], "multi_factor_providers": SYSTEM})
    created = await tenant.api.put("/multi_factor", {"enabled": True, "name": "Duo", "provider_name": "duo"})
    row = {**created.data, "provider_type": "multi_factor"}
    assert (await tenant.api.get("/multi_factor")).data["configured"] == [row]
    patched = await tenant.api.patch(f"/multi_factor/{created.id}", {"settings": DUO})
    assert patched.data["settings"] == DUO
    deleted = await tenant.api.delete(f"/multi_factor/{created.id}")
    assert deleted.data["_read_only"] == {"deleted": True}
    assert (await tenant.api.get("/multi_factor")).data["configured"] == []
    missing = await tenant.api.put("/multi_factor", {"name": "x"})
    assert set(missing.error()[3]) == {"enabled", "provider_name"}


async def test_an_authenticator_app_from_set_up_to_log_in(tenant: Tenant, anonymous: Api) -> None:
    await want(tenant, "otp")
    asked = await anonymous.put("/user_auth", login(tenant))
    assert demand(asked) == {"provider_name": "otp", "key_type": "totp", "settings": {}}

    secret = await secret_of(anonymous, tenant)
    assert await secret_of(anonymous, tenant) == secret
    assert (await anonymous.put("/multi_factor/qrcode", login(tenant, multi_factor_response="000"))).error() == INVALID
    now = clock.unix_now()
    with clock.frozen(now):
        confirmed = await anonymous.put("/multi_factor/qrcode", login(tenant, multi_factor_response=code(secret)))
        assert confirmed.status == 201
        assert len(confirmed.data[0]["recovery_codes"]) == 10
        token = confirmed.envelope["auth_token"]
        assert (await tenant.root.acting(token).get(f"/accounts/{tenant.id}")).status == 200
        shut = await anonymous.put("/multi_factor/qrcode", login(tenant))
        assert shut.error() == (403, "403", "qr code already verified.", {})

        used = await anonymous.put("/user_auth", login(tenant, multi_factor_response=code(secret)))
        assert used.error() == INVALID
        fresh = await anonymous.put("/user_auth", login(tenant, multi_factor_response=code(secret, 1)))
        assert (fresh.status, fresh.data["owner_id"]) == (201, tenant.admin_id)
        claims = jwt.decode(fresh.envelope["auth_token"], options={"verify_signature": False})
        assert claims["mfa_resp"] == code(secret, 1)
    recovery = confirmed.data[0]["recovery_codes"][3]
    assert (await anonymous.put("/user_auth", login(tenant, multi_factor_response=recovery))).status == 201
    assert (await anonymous.put("/user_auth", login(tenant, multi_factor_response=recovery))).error() == INVALID


async def test_the_qr_code_as_a_picture(tenant: Tenant, anonymous: Api) -> None:
    picture = await anonymous.put("/multi_factor/qrcode", login(tenant), headers={"Accept": "image/png"})
    assert (picture.status, picture.headers["Content-Type"]) == (201, "image/png")
    assert picture.raw.startswith(b"\x89PNG")
    wrong = await anonymous.put("/multi_factor/qrcode", login(tenant, credentials="f" * 32))
    assert wrong.error() == INVALID


async def test_attempts_to_pass_the_second_factor(tenant: Tenant, anonymous: Api) -> None:
    await want(tenant, "otp")
    secret = await secret_of(anonymous, tenant)
    await anonymous.put("/user_auth", login(tenant, multi_factor_response="123"))
    assert (await anonymous.put("/user_auth", login(tenant, multi_factor_response=code(secret)))).status == 201
    listed = await tenant.api.get("/multi_factor/attempts")
    assert sorted((row["auth_type"], row["status"], row["message"]) for row in listed.data) == [
        ("multi_factor", "failed", "unauthorized"),
        ("multi_factor", "success", "multi factor authentication was successful"),
    ]
    read = await tenant.api.get(f"/multi_factor/attempts/{listed.data[0]['id']}")
    assert (read.status, read.data["auth_module"]) == (200, "cb_user_auth")
    assert len((await tenant.api.get("/security/attempts")).data) == 4


async def test_administrators_reset_authenticators(
    tenant: Tenant, stranger: Tenant, master: Tenant, anonymous: Api, server: RunningServer
) -> None:
    secret = await secret_of(anonymous, tenant)
    await anonymous.put("/multi_factor/qrcode", login(tenant, multi_factor_response=code(secret)))
    target = {"user_id": tenant.admin_id, "account_id": tenant.id}
    person = {"first_name": "P", "last_name": "U", "username": "plain", "password": "plain password"}
    user = await tenant.api.put("/users", person)
    plain = tenant.root.acting(await issue_token(server, tenant.id, user.id))
    for caller in (stranger.root, plain):
        assert (await caller.put("/multi_factor/reset_qrcode", target)).error()[:2] == (403, "403")
    assert (await anonymous.put("/multi_factor/reset_qrcode", target)).error() == INVALID
    assert (await tenant.root.put("/multi_factor/reset_qrcode", {"user_id": "f" * 32})).error()[0] == 404
    assert (await tenant.root.put("/multi_factor/reset_qrcode", {})).error()[0] == 400
    for caller, data in ((tenant.root, {"owner_id": tenant.admin_id}), (master.root, target)):
        reset = await caller.put("/multi_factor/reset_qrcode", data)
        assert (reset.status, reset.envelope["status"]) == (201, "success")
        assert await secret_of(anonymous, tenant) != secret


async def test_duo(tenant: Tenant, anonymous: Api) -> None:
    provider = await tenant.api.put(
        "/multi_factor", {"enabled": True, "name": "Duo", "provider_name": "duo", "settings": DUO}
    )
    await want(tenant, provider.id)
    asked = demand(await anonymous.put("/user_auth", login(tenant)))
    assert (asked["provider_name"], asked["settings"]["duo_api_hostname"]) == ("duo", DUO["api_hostname"])
    own = asked["settings"]["duo_sig_request"].partition(":")[2]
    value = f"{tenant.admin_id}|{DUO['integration_key']}|{int(clock.unix_now()) + 60}"
    cookie = f"AUTH|{b64encode(value.encode()).decode()}"
    signature = hmac.digest(DUO["secret_key"].encode(), cookie.encode(), "sha1").hex()
    answered = await anonymous.put("/user_auth", login(tenant, multi_factor_response=f"{cookie}|{signature}:{own}"))
    assert answered.status == 201
    forged = await anonymous.put("/user_auth", login(tenant, multi_factor_response=f"{cookie}|{'0' * 40}:{own}"))
    assert forged.error() == INVALID


async def test_a_provider_that_cannot_be_used_lets_pass_and_a_disabled_one_does_not(
    tenant: Tenant, anonymous: Api
) -> None:
    broken = await tenant.api.put("/multi_factor", {"enabled": True, "name": "Duo", "provider_name": "duo"})
    for configuration_id in (broken.id, "f" * 32):
        await want(tenant, configuration_id)
        assert (await anonymous.put("/user_auth", login(tenant))).status == 201
    await tenant.api.patch(f"/multi_factor/{broken.id}", {"enabled": False})
    await want(tenant, broken.id)
    assert (await anonymous.put("/user_auth", login(tenant))).error() == INVALID


async def test_accounts_below_are_asked_only_if_the_one_above_says_so(
    tenant: Tenant, anonymous: Api, server: RunningServer
) -> None:
    child = await new_tenant(server, tenant, f"mfa-{tenant.realm.removesuffix('.test')}")
    await want(tenant, "otp")
    assert (await anonymous.put("/user_auth", login(child))).status == 201
    await want(tenant, "otp", include_subaccounts=True)
    assert demand(await anonymous.put("/user_auth", login(child)))["provider_name"] == "otp"


async def test_impersonation_asks_for_no_second_factor(tenant: Tenant, master: Tenant) -> None:
    await want(tenant, "otp")
    path = f"/accounts/{tenant.id}/users/{tenant.admin_id}/user_auth"
    assert (await master.root.put(path, {}, action="impersonate_user")).status == 201


async def test_a_deleted_user_leaves_no_authenticator(tenant: Tenant, anonymous: Api, server: RunningServer) -> None:
    await secret_of(anonymous, tenant)
    assert await server.runtime.store.get(tenant.id, "authenticator", tenant.admin_id) is not None
    await tenant.api.delete(f"/users/{tenant.admin_id}")
    assert await server.runtime.store.get(tenant.id, "authenticator", tenant.admin_id) is None
