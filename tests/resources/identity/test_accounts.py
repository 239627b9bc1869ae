# SPDX-License-Identifier: MPL-2.0
"""`/accounts` and `/accounts/{A}`."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

import pytest

from crossbar import clock
from crossbar.documents.document import ACCOUNTS
from tests.accounts import COMPUTED, FORBIDDEN, SCHEMA_DEFAULTS, SHOWN_WHEN_ABSENT, change_privately, configure, unique
from tests.harness import Answer, Api, RunningServer, Tenant, issue_token

# One account


async def test_create_below_and_read(tenant: Tenant, master: Tenant) -> None:
    name = unique("Acme ")
    created = await tenant.api.put("", {"name": name, "realm": "  Ac me.Test" + name[5:], "extra": {"kept": 1}})
    expected = {
        **SCHEMA_DEFAULTS,
        **SHOWN_WHEN_ABSENT,
        **COMPUTED,
        "id": created.id,
        "name": name,
        "realm": f"Acme.Test{name[5:]}",
        "timezone": "America/Los_Angeles",
        "extra": {"kept": 1},
        "created": created.data["created"],
        "reseller_id": master.id,
        "billing_mode": "normal",
    }
    assert (created.status, created.data) == (201, expected)
    assert abs(created.data["created"] - clock.now()) < 60
    assert re.fullmatch("[0-9a-f]{32}", created.id)
    assert created.headers["Location"] == f"/v2/accounts/{created.id}"

    read = await tenant.root.get(f"/accounts/{created.id}")
    assert (read.status, read.data) == (200, expected)
    computed = {*COMPUTED, "created", "reseller_id", "billing_mode"} - {"knm_allow_additions"}
    assert read.envelope["metadata"] == {key: expected[key] for key in computed}
    assert (await tenant.api.get("")).data["descendants_count"] == 1


async def test_create_below_the_callers_own(tenant: Tenant) -> None:
    created = await tenant.root.put("/accounts", {"name": unique("Acme")})
    assert created.status == 201
    assert ("reseller_id" in created.data, created.data["billing_mode"]) == (False, "manual")
    assert re.fullmatch(r"[0-9a-f]{6}\.sip\.2600hz\.com", created.data["realm"])
    assert created.headers["Location"] == f"/v2/accounts/{created.id}"
    children = await tenant.api.get("/children")
    assert [row["id"] for row in children.data] == [created.id]
    assert (await tenant.root.get("/accounts")).error()[:3] == (405, "405", "invalid_method")


async def test_a_client_may_choose_the_id(tenant: Tenant) -> None:
    wanted = uuid.uuid4().hex
    assert (await tenant.api.put("", {"name": unique("a"), "id": wanted})).id == wanted
    again = await tenant.api.put("", {"name": unique("a"), "id": wanted})
    assert again.error() == (409, "409", "datastore_conflict", {"message": "conflicting documents"})
    for unfit in ("short", 5, "x" * 31 + "/", "x" * 30 + "\r\n"):
        refused = await tenant.api.put("", {"name": unique("a"), "id": unfit})
        assert (refused.status, list(refused.data)) == (400, ["id"])


async def test_post_replaces_and_patch_merges(tenant: Tenant) -> None:
    await tenant.api.patch("", {"topup": {"amount": 1, "threshold": 1}, "timezone": "Europe/Berlin", "extra": 1})
    merged = await tenant.api.patch("", {"extra": None, "topup": {"amount": 2}})
    assert ("extra" in merged.data, merged.data["topup"]) == (False, {"amount": 2, "threshold": 1})

    replaced = await tenant.api.post("", {"name": merged.data["name"]})
    assert (replaced.status, "topup" in replaced.data) == (200, False)
    assert (replaced.data["realm"], replaced.data["timezone"]) == (tenant.realm, "Europe/Berlin")
    assert (await tenant.api.get("")).data == replaced.data


async def test_what_the_server_works_out_is_not_taken_from_clients(tenant: Tenant, server: RunningServer) -> None:
    shown = (await tenant.api.get("")).data
    sent = {
        **shown,
        "superduper_admin": True,
        "billing_mode": "free",
        "wnm_allow_additions": True,
        "knm_allow_additions": True,
        "is_reseller": True,
        "reseller_id": tenant.id,
        "created": 5,
        "notification_preference": "x",
        "trial_time_left": 9,
        "descendants_count": 77,
        "api_key": "f" * 64,
    }
    for answer in (await tenant.api.post("", sent), await tenant.api.patch("", sent)):
        assert answer.data == shown
    stored = await server.runtime.store.get(ACCOUNTS, "account", tenant.id)
    assert stored is not None
    assert not {"superduper_admin", "reseller_id", "created", "enabled", "api_key"} & stored.public.keys()


async def test_private_fields_of_a_new_account(tenant: Tenant, server: RunningServer, master: Tenant) -> None:
    created = await tenant.api.put("", {"name": unique("A b-C")})
    stored = await server.runtime.store.get(ACCOUNTS, "account", created.id)
    assert stored is not None
    fields = stored.fields
    assert fields["pvt_tree"] == [master.id, tenant.id]
    assert (fields["pvt_type"], fields["pvt_vsn"], fields["pvt_account_id"]) == ("account", "1", created.id)
    assert (fields["pvt_parent_id"], fields["pvt_enabled"]) == (tenant.id, True)
    assert fields["pvt_alphanum_name"] == created.data["name"].lower().replace(" ", "").replace("-", "")
    assert re.fullmatch("[0-9a-f]{64}", fields["pvt_cpaas_token"])
    assert (fields["pvt_auth_account_id"], fields["pvt_auth_user_id"]) == (tenant.id, tenant.admin_id)


# What is checked


async def test_realm_and_name_once_in_the_system(tenant: Tenant, stranger: Tenant) -> None:
    name = unique("Taken-")
    first = await tenant.api.put("", {"name": name, "realm": f"{name}.test"})
    assert first.status == 201
    realm = {"message": "Account realm already in use", "cause": f"{name.upper()}.test"}
    named = {"message": "Account name already in use", "cause": name.replace("-", " ").upper()}
    again = await stranger.api.put("", {"name": named["cause"], "realm": realm["cause"]})
    assert again.invalid() == {"realm": {"unique": realm}, "name": {"unique": named}}
    with_more_wrong = await stranger.api.put("", {"name": name, "timezone": "x"})
    assert with_more_wrong.data.keys() == {"name", "timezone"}
    renamed = await stranger.api.patch("", {"realm": realm["cause"]})
    assert renamed.data == {"realm": {"unique": realm}}

    assert (await tenant.root.delete(f"/accounts/{first.id}")).status == 200
    assert (await stranger.api.put("", {"name": name, "realm": f"{name}.test"})).status == 201


async def test_names_without_letters_and_digits_are_all_alike(tenant: Tenant) -> None:
    answers = [await tenant.api.put("", {"name": name}) for name in ("***", "???")]
    assert answers[-1].data == {"name": {"unique": {"message": "Account name already in use", "cause": "???"}}}


async def test_names_may_be_shared_where_configured(tenant: Tenant, master: Tenant, settings: None) -> None:
    name = unique("Shared")
    assert (await tenant.api.put("", {"name": name})).status == 201
    await configure(master, ensure_unique_name=False)
    for _ in range(2):
        assert (await tenant.api.put("", {"name": name})).status == 201


async def test_the_same_realm_twice_at_once(tenant: Tenant) -> None:
    realm = f"{unique('race')}.test"
    answers = await asyncio.gather(*(tenant.api.put("", {"name": unique("race"), "realm": realm}) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [201, 400, 400, 400]
    for answer in answers:
        if answer.status == 400:
            message = {"message": "Account realm already in use", "cause": realm}
            assert answer.invalid() == {"realm": {"unique": message}}
    assert len((await tenant.api.get("/children")).data) == 1
    assert (await tenant.api.get("")).data["descendants_count"] == 1


@pytest.mark.parametrize("body", [{}, {"name": 5}, {"name": "x", "realm": 5}, {"name": {}, "realm": []}])
async def test_what_the_schema_says(body: dict[str, Any], tenant: Tenant) -> None:
    refused = await tenant.api.put("", body)
    assert refused.error()[:3] == (400, "400", "validation error")


@pytest.mark.parametrize(("timezone", "stored"), [("inherit", "Asia/Tokyo"), (None, "America/Los_Angeles")])
async def test_time_zones(timezone: str | None, stored: str, tenant: Tenant) -> None:
    await tenant.api.patch("", {"timezone": "Asia/Tokyo"})
    body = {"name": unique("tz")} | ({"timezone": timezone} if timezone else {})
    child = await tenant.api.put("", body)
    assert child.data["timezone"] == stored
    path = f"/accounts/{child.id}"
    assert (await tenant.root.patch(path, {"timezone": "Asia/Seoul"})).data["timezone"] == "Asia/Seoul"
    assert (await tenant.root.post(path, {"name": body["name"]})).data["timezone"] == "Asia/Seoul"
    assert (await tenant.root.patch(path, {"timezone": "inherit"})).data["timezone"] == "Asia/Tokyo"


async def test_direct_accounts_without_children(tenant: Tenant, master: Tenant, settings: None) -> None:
    await master.root.post("/system_configs/accounts/default", {"allow_subaccounts_for_direct": False})
    try:
        refused = await tenant.api.put("", {"name": unique("a")})
        detail = {"message": "Direct account is not allowed to create sub-accounts", "cause": tenant.id}
        assert refused.invalid() == {"account": {"forbidden": detail}}
        assert (await master.root.put(f"/accounts/{tenant.id}", {"name": unique("a")})).status == 201
        await master.root.put(f"/accounts/{tenant.id}/reseller")
        assert (await tenant.api.put("", {"name": unique("a")})).status == 201
    finally:
        await master.root.delete("/system_configs/accounts")


# Enabled, trial, preference


async def test_who_switches_an_account_off(tenant: Tenant) -> None:
    child = await tenant.api.put("", {"name": unique("a"), "enabled": False})
    assert child.data["enabled"] is True  # a new child of one's own is what oneself is
    path = f"/accounts/{child.id}"
    for sent, shown in ((False, False), ("true", True), ("false", False)):
        assert (await tenant.root.patch(path, {"enabled": sent})).data["enabled"] is shown
    assert (await tenant.root.patch(path, {"extra": 1})).data["enabled"] is False
    assert (await tenant.root.post(path, {"name": child.data["name"]})).data["enabled"] is False
    grandchild = await tenant.root.put(path, {"name": unique("a"), "enabled": False})
    assert grandchild.data["enabled"] is False
    assert (await tenant.root.put(path, {"name": unique("a")})).data["enabled"] is True
    assert (await tenant.root.put("/accounts", {"name": unique("a"), "enabled": False})).data["enabled"] is False

    assert (await tenant.api.patch("", {"enabled": False})).data["enabled"] is True
    assert (await tenant.api.post("", {"name": unique("x"), "enabled": False})).data["enabled"] is True


async def test_trials_and_notification_preferences(tenant: Tenant, server: RunningServer, master: Tenant) -> None:
    trial = await tenant.api.put("", {"name": unique("a"), "is_trial_account": True})
    assert "is_trial_account" not in trial.data
    assert 1_209_500 < trial.data["trial_time_left"] <= 1_209_600
    await change_privately(server, trial.id, pvt_trial_expires=clock.now() - 5, pvt_notification_preference="teletype")
    shown = (await tenant.root.get(f"/accounts/{trial.id}")).data
    assert (-100 < shown["trial_time_left"] < 0, shown["notification_preference"]) == (True, "teletype")

    await change_privately(server, tenant.id, pvt_notification_preference="other")
    assert (await tenant.api.get("")).data["notification_preference"] == "notify"
    child = await tenant.api.put("", {"name": unique("a")})
    assert "notification_preference" not in child.data  # it is the reseller's that is passed on
    await master.root.put(f"/accounts/{tenant.id}/reseller")
    grandchild = await tenant.root.put(f"/accounts/{child.id}", {"name": unique("a")})
    assert grandchild.data["notification_preference"] == "notify"


# The API key


async def log_in(anonymous: Api, key: str) -> Answer:
    return await anonymous.put("/api_auth", {"api_key": key})


async def test_the_api_key(tenant: Tenant, server: RunningServer, anonymous: Api) -> None:
    read = await tenant.api.get("/api_key")
    assert (read.status, list(read.data)) == (200, ["api_key"])
    key = read.data["api_key"]
    assert re.fullmatch("[0-9a-f]{64}", key)
    assert (await tenant.api.get("", query={"include_api_key": "true"})).data["api_key"] == key
    assert (await tenant.api.patch("", {"include_api_key": True})).data["api_key"] == key
    assert "api_key" not in (await tenant.api.get("")).data
    stored = await server.runtime.store.get(ACCOUNTS, "account", tenant.id)
    assert key not in repr(stored)
    assert (await log_in(anonymous, key)).status == 201

    user = await tenant.api.put("/users", {"first_name": "A", "last_name": "B"})
    for token in (await issue_token(server, tenant.id, user.id), await issue_token(server, tenant.id, None)):
        assert (await tenant.api.acting(token).put("/api_key")).error() == FORBIDDEN
    renewed = await tenant.api.put("/api_key")
    assert (renewed.status, renewed.data["api_key"] != key) == (201, True)
    assert (await log_in(anonymous, key)).status == 404
    assert (await log_in(anonymous, renewed.data["api_key"])).status == 201


async def test_api_keys_are_shown_where_configured(tenant: Tenant, master: Tenant, settings: None) -> None:
    await configure(master, expose_api_key=True)
    assert (await tenant.api.get("")).data["api_key"] == (await tenant.api.get("/api_key")).data["api_key"]
