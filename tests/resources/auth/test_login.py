# SPDX-License-Identifier: MPL-2.0
"""Logging in and out: `user_auth`, `api_auth`, `token_auth`."""

from __future__ import annotations

import base64
import hashlib

import jwt

from tests.harness import Api, RunningServer, Tenant

INVALID = (401, "401", "invalid_credentials", {"message": "invalid credentials"})


def credentials(username: str, password: str, method: str = "md5") -> str:
    return hashlib.new(method, f"{username}:{password}".encode()).hexdigest()


async def test_log_in_by_realm_name_and_both_hashes(tenant: Tenant, anonymous: Api) -> None:
    body = {"credentials": credentials("admin", "correct horse"), "account_realm": tenant.realm.upper()}
    answer = await anonymous.put("/user_auth", body)
    assert answer.status == 201
    token = answer.envelope["auth_token"]
    cluster_id = answer.data.pop("cluster_id")
    assert len(cluster_id) == 32
    assert answer.data == {
        "account_id": tenant.id,
        "account_name": tenant.realm.removesuffix(".test"),
        "owner_id": tenant.admin_id,
        "apps": [],
        "language": "en-US",
        "is_reseller": False,
        "is_master_account": False,
        "reseller_id": answer.data["reseller_id"],
        "capabilities": {"voicemail": {"transcription": {"available": False, "default": False}}},
        "ui_config": {},
    }
    assert (answer.envelope["revision"], answer.envelope["page_size"]) == ("automatic", 1)
    assert answer.headers["Location"] == f"/v2/user_auth/{tenant.admin_id}"
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iss"], claims["method"], claims["account_id"]) == ("kazoo", "cb_user_auth", tenant.id)

    name = tenant.realm.removesuffix(".test").upper()
    by_name = {"credentials": credentials("admin", "correct horse", "sha1"), "method": "sha", "account_name": name}
    assert (await anonymous.put("/user_auth", by_name)).status == 201
    read = await tenant.root.acting(token).get(f"/accounts/{tenant.id}")
    assert (read.status, read.data["id"], read.envelope["auth_token"]) == (200, tenant.id, token)


async def test_wrong_account_user_or_password_are_refused_alike(tenant: Tenant, anonymous: Api) -> None:
    right = credentials("admin", "correct horse")
    for body in (
        {"credentials": credentials("admin", "wrong"), "account_realm": tenant.realm},
        {"credentials": credentials("nobody", "correct horse"), "account_realm": tenant.realm},
        {"credentials": right, "account_realm": "elsewhere.test"},
        {"credentials": right},
    ):
        assert (await anonymous.put("/user_auth", body)).error() == INVALID
    missing = await anonymous.put("/user_auth", {})
    detail = {"message": "Field is required but missing", "value": "credentials"}
    assert missing.invalid() == {"credentials": {"required": detail}}


async def test_a_new_password_ends_tokens(tenant: Tenant) -> None:
    changed = await tenant.api.patch(f"/users/{tenant.admin_id}", {"username": "admin", "password": "battery staple"})
    assert changed.status == 200
    assert "password" not in changed.data
    assert (await tenant.api.get("/users")).error() == INVALID


async def test_log_out(tenant: Tenant) -> None:
    answer = await tenant.root.delete("/token_auth")
    assert (answer.status, answer.envelope["status"]) == (200, "success")
    assert "data" not in answer.envelope
    assert "auth_token" not in answer.envelope
    assert (await tenant.root.get("/token_auth")).error() == INVALID


async def test_api_key(tenant: Tenant, anonymous: Api) -> None:
    shown = await tenant.api.get("/api_key")
    key = shown.data["api_key"]
    assert len(key) == 64
    answer = await anonymous.put("/api_auth", {"api_key": key})
    assert (answer.status, answer.data["owner_id"]) == (201, tenant.admin_id)
    claims = jwt.decode(answer.envelope["auth_token"], options={"verify_signature": False})
    assert "owner_id" not in claims
    assert (await tenant.root.acting(answer.envelope["auth_token"]).put(f"/accounts/{tenant.id}/api_key")).status == 403

    renewed = await tenant.api.put("/api_key")
    assert (renewed.status, renewed.data["api_key"] != key) == (201, True)
    refused = await anonymous.put("/api_auth", {"api_key": key})
    assert refused.error() == (404, "404", "bad identifier", [key])


async def test_basic_authentication_in_all_forms(tenant: Tenant, anonymous: Api) -> None:
    secrets = (
        credentials("admin", "correct horse"),
        credentials("admin", "correct horse", "sha1"),
        "admin:correct horse",
        "correct horse",
    )
    for secret in secrets:
        header = base64.b64encode(f"{tenant.id}:{secret}".encode()).decode()
        answer = await anonymous.get(f"/accounts/{tenant.id}", headers={"Authorization": f"Basic {header}"})
        assert (answer.status, answer.data["id"]) == (200, tenant.id)
        assert "auth_token" not in answer.envelope
    header = base64.b64encode(f"{tenant.id}:wrong".encode()).decode()
    refused = await anonymous.get(f"/accounts/{tenant.id}", headers={"Authorization": f"Basic {header}"})
    assert refused.error() == INVALID


async def test_impersonation(master: Tenant, tenant: Tenant, server: RunningServer) -> None:
    path = f"/accounts/{tenant.id}/users/{tenant.admin_id}/user_auth"
    answer = await master.root.put(path, {}, action="impersonate_user")
    assert (answer.status, answer.data["owner_id"]) == (201, tenant.admin_id)
    identity = await server.runtime.access.tokens.verify(answer.envelope["auth_token"])
    assert (identity.original_account_id, identity.original_owner_id) == (master.id, master.admin_id)
    refused = await tenant.root.put(path, {}, action="impersonate_user")
    assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
    plain = await master.root.put("/user_auth", {}, action="impersonate_user")
    assert plain.error()[0] == 403


async def test_the_token_in_the_path_is_the_caller_s(tenant: Tenant, stranger: Tenant) -> None:
    own = await tenant.root.get(f"/accounts/{tenant.id}/user_auth/{tenant.token}")
    assert (own.status, own.data["account_id"], own.data["method"]) == (200, tenant.id, "cb_user_auth")
    assert (await tenant.root.get(f"/user_auth/{tenant.token}")).status == 200
    assert (await stranger.root.get(f"/user_auth/{tenant.token}")).error() == INVALID


async def test_an_account_is_disabled_once_it_is_used_after_its_trial(
    tenant: Tenant, anonymous: Api, server: RunningServer
) -> None:
    store = server.runtime.store
    await store.update("accounts", "account", tenant.id, lambda account: account.fields.update(pvt_trial_expires=1))
    body = {"credentials": credentials("admin", "correct horse"), "account_realm": tenant.realm}
    expired = {"account": {"expired": {"message": "account expired", "cause": 1}}}
    assert (await anonymous.put("/user_auth", body)).error() == (423, "423", "locked", expired)
    await server.runtime.access.trials.settle()
    account = await store.get("accounts", "account", tenant.id)
    assert account is not None
    assert account.fields["pvt_enabled"] is False
    assert (await tenant.api.get("/users")).error() == (423, "423", "locked", expired)


async def test_the_login_names_services_of_the_interface(tenant: Tenant, master: Tenant) -> None:
    path = "/system_configs/blackhole/default"
    assert (await master.root.patch(path, {"url": "wss://ws.example.com"})).status == 200
    read = await tenant.root.get("/token_auth")
    assert read.data["ui_config"] == {"api": {"kazoo_websocket": {"url": "wss://ws.example.com"}}}
    assert (await master.root.delete("/system_configs/blackhole")).status == 200
