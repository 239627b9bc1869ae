# SPDX-License-Identifier: MPL-2.0
"""What MonsterUI asks for, in its order, and every field it reads: from page load to dashboard, and what its screens
cannot do without.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from crossbar.resources.apps.domain.app_registration import Registered, register
from tests.harness import Answer, Api, RunningServer, Tenant
from tests.samples import APP_METADATA

HOST = "phones.example.com"
PASSWORD = "correct horse"
NUMBER = "no_match"


def credentials(username: str, password: str) -> str:
    return hashlib.md5(f"{username.lower()}:{password}".encode()).hexdigest()


def with_metadata(answer: Answer) -> dict[str, Any]:
    """An account as the interface has it: the envelope's `metadata`, the document laid over it."""
    return {**answer.envelope["metadata"], **answer.data}


@pytest_asyncio.fixture(loop_scope="session")
async def app(server: RunningServer, tmp_path: Path) -> AsyncIterator[Registered]:
    """An app that every account may open."""
    about = {"label": "SmartPBX", "description": "A phone system", "features": []}
    metadata = {**APP_METADATA, "i18n": {"en-US": about}, "phase": "gold"}
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "app.json").write_text(json.dumps(metadata))
    (registered,) = await register(server.runtime, str(tmp_path), allowed_users="all")
    yield registered
    store = server.runtime.store
    for document_type, document_id in (("app", registered.id), ("apps_store", "apps_store")):
        if (document := await store.get(server.master.id, document_type, document_id)) is not None:
            await store.remove(document)


async def test_from_page_load_to_dashboard(tenant: Tenant, anonymous: Api, app: Registered) -> None:
    before = {"X-Auth-Token": "undefined"}
    for path in (f"/whitelabel/{HOST}", f"/whitelabel/{HOST}/logo", f"/whitelabel/{HOST}/icon"):
        unknown = await anonymous.get(path, headers=before, query={"_": "1"})
        assert (unknown.status, unknown.headers["Content-Type"]) == (404, "application/json")
    looks = {"domain": HOST, "company_name": "Acme Phones", "hide_powered": True, "port": {"authority": tenant.id}}
    assert (await tenant.api.put("/whitelabel", looks)).status == 201
    whitelabel = await anonymous.get(f"/whitelabel/{HOST}", headers=before, query={"_": "2"})
    assert whitelabel.status == 200
    assert looks.items() <= whitelabel.data.items()

    login = await anonymous.put(
        "/user_auth", {"credentials": credentials("Admin", PASSWORD), "account_name": tenant.realm.split(".")[0]}
    )
    token, session = login.envelope["auth_token"], login.data
    assert login.status == 201
    _, claims, _ = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["account_id"] == tenant.id
    assert (session["account_id"], session["owner_id"]) == (tenant.id, tenant.admin_id)
    assert session["capabilities"]["voicemail"]["transcription"].keys() == {"available", "default"}
    assert (session["is_reseller"], session["language"]) == (False, "en-US")
    assert session["reseller_id"]

    ui = anonymous.acting(token, f"/accounts/{session['account_id']}")
    external = await ui.get("/external_numbers", query={"_": "3"})
    assert (external.status, external.data) == (200, [])

    account = with_metadata(await ui.get("", query={"_": "4"}))
    assert (account["id"], account["name"], account["realm"]) == (tenant.id, tenant.realm.split(".")[0], tenant.realm)
    assert (account["superduper_admin"], account["is_reseller"], account["enabled"]) == (False, False, True)
    assert (account["reseller_id"], account["wnm_allow_additions"]) == (session["reseller_id"], False)
    assert (account["language"], account["timezone"]) == ("en-US", "America/Los_Angeles")
    assert isinstance(account["created"], int)
    assert isinstance(account["call_restriction"], dict)
    user = await ui.get(f"/users/{session['owner_id']}", query={"_": "5"})
    read = ("id", "first_name", "last_name", "priv_level", "require_password_update")
    assert [user.data[key] for key in read] == [tenant.admin_id, "Ada", "Admin", "admin", False]

    (found,) = (await ui.get("/apps_store", query={"_": "6"})).data
    assert (found["id"], found["name"], found["allowed_users"], found["users"]) == (app.id, "voip", "all", [])
    assert (found["i18n"]["en-US"]["label"], found["tags"]) == ("SmartPBX", ["end-user"])
    assert (found["masqueradable"], found["phase"]) == (True, "gold")
    assert "api_url" not in found
    assert "source_url" not in found

    about = {"version": "4.3.0", "ui": "monster-ui", "origin": "core"}
    patched = await ui.patch(f"/users/{session['owner_id']}", {"appList": [found["id"]], "ui_metadata": about})
    whole = {**user.data, "appList": [app.id], "ui_metadata": about}
    assert (patched.status, patched.envelope["status"], patched.data) == (200, "success", whole)

    shown = {"myaccount": {"user": {"show_tab": True}}}
    dropped = ("billing_mode", "superduper_admin", "wnm_allow_additions", "created", "is_reseller", "reseller_id")
    body = {key: value for key, value in account.items() if key not in dropped}
    saved = await ui.post("", {**body, "ui_restrictions": shown, "ui_metadata": about})
    assert (saved.status, saved.data["ui_restrictions"], saved.data["enabled"]) == (200, shown, True)

    alerts = await ui.get("/alerts", query={"_": "7"})
    assert (alerts.status, alerts.data) == (200, [])
    assert (await tenant.api.delete("/whitelabel")).status == 200


async def test_a_session_goes_on_with_the_token_of_a_cookie(tenant: Tenant, anonymous: Api) -> None:
    told = await anonymous.post("/auth/tokeninfo", {"token": tenant.token})
    assert (told.status, told.data["account_id"], told.data["owner_id"]) == (200, tenant.id, tenant.admin_id)
    assert told.data["capabilities"]["voicemail"]["transcription"].keys() == {"available", "default"}
    stale = await anonymous.post("/auth/tokeninfo", {"token": "a.b.c"})
    assert (stale.status, stale.headers["Content-Type"]) == (401, "application/json")


@pytest.mark.parametrize(
    "path",
    [
        "/callflows",
        "/channels",
        "/children",
        "/configs/kazoo_endpoint",
        "/devices",
        "/directories",
        "/faxboxes",
        "/groups",
        "/limits",
        "/media",
        "/menus",
        "/multi_factor",
        "/security",
        "/services/summary",
        "/temporal_rules",
        "/temporal_rules_sets",
        "/tree",
        "/users",
        "/vmboxes",
        "/webhooks",
    ],
)
async def test_small_calls_without_which_screens_stay_empty(path: str, tenant: Tenant) -> None:
    answer = await tenant.api.get(path, query={"paginate": "false", "_": "1"})
    assert (answer.status, answer.envelope["status"]) == (200, "success")


async def test_the_main_number_screen_tells_its_feature_codes_from_others(tenant: Tenant) -> None:
    """Both lists in one would have it delete the second list's rows."""
    made = {}
    for origin in ("voip", "callflows"):
        created = await tenant.api.put(
            "/callflows",
            {
                "numbers": [f"*{len(made)}"],
                "featurecode": {"name": f"code-{origin}", "number": str(len(made))},
                "flow": {"module": "park", "data": {"action": "park"}, "children": {}},
                "ui_metadata": {"version": "4.3.0", "ui": "monster-ui", "origin": origin},
            },
        )
        assert created.status == 201, created.envelope
        made[origin] = created.id
    for query, expected in (
        ({"filter_ui_metadata.origin": "voip"}, [made["voip"]]),
        ({"filter_not_ui_metadata.origin": "voip"}, [made["callflows"]]),
    ):
        rows = await tenant.api.get("/callflows", query={"has_key": "featurecode", "paginate": "false", **query})
        assert [row["id"] for row in rows.data] == expected


async def test_the_callflow_for_unknown_numbers_is_found_again(tenant: Tenant) -> None:
    flow = {"numbers": [NUMBER], "flow": {"module": "offnet", "data": {}, "children": {}}}
    created = await tenant.api.put("/callflows", flow)
    assert created.status == 201, created.envelope
    (row,) = (await tenant.api.get("/callflows", query={"filter_numbers": NUMBER})).data
    assert (row["id"], row["numbers"], row["featurecode"], row["modules"]) == (created.id, [NUMBER], False, ["offnet"])
    read = await tenant.api.get(f"/callflows/{created.id}")
    assert (read.data["flow"]["module"], read.data["metadata"]) == ("offnet", {})


async def test_users_and_devices_have_what_their_lists_are_drawn_from(tenant: Tenant) -> None:
    (user,) = (await tenant.api.get("/users", query={"paginate": "false"})).data
    assert (user["first_name"], user["last_name"], user["id"]) == ("Ada", "Admin", tenant.admin_id)
    assert isinstance(user["features"], list)
    await tenant.api.put("/devices", {"name": "Desk", "owner_id": tenant.admin_id})
    query = {"paginate": "false", "with_status": "true"}
    (device,) = (await tenant.api.get("/devices", query=query)).data
    assert (device["device_type"], device["registrable"], device["registered"]) == ("sip_device", True, False)


async def test_a_conference_has_what_its_screen_reads(tenant: Tenant) -> None:
    created = await tenant.api.put("/conferences", {"name": "Standup", "member": {"numbers": []}})
    read = (await tenant.api.get(f"/conferences/{created.id}")).data
    assert (read["conference_numbers"], read["member"]["numbers"]) == ([], [])


async def test_read_only_parts_may_come_back(tenant: Tenant) -> None:
    created = await tenant.api.put("/users", {"first_name": "Zoe", "last_name": "Zimmer"})
    document = {**created.data, "_read_only": {"x": 1}, "features_available": ["fax"], "timezone": "Europe/Berlin"}
    saved = await tenant.api.post(f"/users/{created.id}", document)
    assert (saved.status, saved.data["timezone"]) == (200, "Europe/Berlin")
    assert "_read_only" not in saved.data


async def test_deletions_may_bring_a_body_and_paths_end_in_a_slash(tenant: Tenant) -> None:
    created = await tenant.api.put("/devices", {"name": "Desk"})
    about = {"ui_metadata": {"version": "4.3.0", "ui": "monster-ui", "origin": "voip"}}
    assert (await tenant.api.delete(f"/devices/{created.id}", about)).status == 200
    assert (await tenant.api.get("/devices/")).status == 200
