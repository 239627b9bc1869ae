"""`/accounts` and `/accounts/{A}`."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

import pytest

from crossbar import clock
from crossbar.documents.document import ACCOUNTS, SYSTEM_DATA, Document
from crossbar.resources.identity.domain import account_removal
from tests.harness import Answer, Api, RunningServer, Tenant, issue_token, new_tenant

SCHEMA_DEFAULTS: dict[str, Any] = {"call_restriction": {}, "music_on_hold": {}, "preflow": {}, "ringtones": {}}
SHOWN_WHEN_ABSENT: dict[str, Any] = {
    "available_apps": [],
    "blacklists": [],
    "caller_id": {},
    "dial_plan": {},
    "descendants_count": 0,
    "language": "en-US",
}
COMPUTED: dict[str, Any] = {
    "enabled": True,
    "superduper_admin": False,
    "wnm_allow_additions": False,
    "knm_allow_additions": False,
    "is_reseller": False,
}
FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})


def unique(prefix: str) -> str:
    return f"{prefix}{uuid.uuid4().hex[:12]}"


async def change_privately(server: RunningServer, account_id: str, **fields: Any) -> None:
    def change(account: Document) -> None:
        account.fields.update(fields)

    assert await server.runtime.store.update(ACCOUNTS, "account", account_id, change) is not None


async def configure(master: Tenant, **settings: Any) -> None:
    assert (await master.root.post("/system_configs/crossbar.accounts/default", settings)).status == 200


@pytest.fixture
async def settings(master: Tenant) -> Any:
    """Undoes what a test sets in `crossbar.accounts`."""
    yield
    await master.root.delete("/system_configs/crossbar.accounts")


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
    assert again.error() == (
        400,
        "400",
        "validation error",
        {"realm": {"unique": realm}, "name": {"unique": named}},
    )
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
            assert answer.error() == (400, "400", "validation error", {"realm": {"unique": message}})
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
        assert refused.error() == (400, "400", "validation error", {"account": {"forbidden": detail}})
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


# Lists


async def family(tenant: Tenant) -> dict[str, str]:
    """Below the tenant: `b` with a child `c`, and `a`."""
    ids: dict[str, str] = {}
    for name, parent in (("b", tenant.id), ("c", "b"), ("a", tenant.id)):
        body = {"name": f"{name} {tenant.id[:8]}", "realm": f"{name}.{tenant.realm}"}
        ids[name] = (await tenant.root.put(f"/accounts/{ids.get(parent, parent)}", body)).id
    return ids


async def test_children_descendants_siblings(tenant: Tenant, master: Tenant) -> None:
    ids = await family(tenant)

    def row(name: str, **more: Any) -> dict[str, Any]:
        shown = {"id": ids[name], "name": f"{name} {tenant.id[:8]}", "realm": f"{name}.{tenant.realm}", "flags": []}
        return {**shown, **more}

    ascending = {"ascending": "true"}
    children = [row("a", descendants_count=0), row("b", descendants_count=1)]
    listed = await tenant.api.get("/children", query=ascending)
    assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, children, 2)
    assert (await tenant.api.get("/children")).data == children[::-1]
    first = await tenant.api.get("/children", query={"page_size": 1})
    rest = await tenant.api.get("/children", query={"start_key": first.envelope["next_start_key"]})
    assert first.data + rest.data == children[::-1]

    descendants = await tenant.api.get("/descendants", query=ascending)
    assert descendants.data == [
        row("a", tree=[master.id, tenant.id]),
        row("b", tree=[master.id, tenant.id]),
        row("c", tree=[master.id, tenant.id, ids["b"]]),
    ]
    found = await tenant.api.get("/descendants", query={"filter_realm": f"c.{tenant.realm}"})
    assert [entry["id"] for entry in found.data] == [ids["c"]]

    siblings = await tenant.root.get(f"/accounts/{ids['b']}/siblings", query=ascending)
    assert siblings.data == children
    assert (await tenant.api.get("/siblings")).error() == FORBIDDEN
    everybody = await master.root.get(f"/accounts/{tenant.id}/siblings", query={"paginate": "false"})
    assert tenant.id in [entry["id"] for entry in everybody.data]
    assert (await master.api.get("/siblings")).data == []


async def test_siblings_as_configured(tenant: Tenant, master: Tenant, settings: None) -> None:
    ids = await family(tenant)
    await configure(master, allow_sibling_listing=False)
    assert (await tenant.root.get(f"/accounts/{ids['a']}/siblings")).error() == FORBIDDEN


async def test_parents_and_tree(tenant: Tenant, master: Tenant) -> None:
    ids = await family(tenant)
    below = [
        {"id": tenant.id, "name": (await tenant.api.get("")).data["name"]},
        {"id": ids["b"], "name": f"b {tenant.id[:8]}"},
    ]
    for path in ("parents", "tree"):
        listed = await tenant.root.get(f"/accounts/{ids['c']}/{path}")
        assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, below, 2)
    top = {"id": master.id, "name": "Master"}
    assert (await master.root.get(f"/accounts/{ids['c']}/tree")).data == [top, *below]
    assert (await tenant.api.get("/parents")).data == [top]
    assert (await tenant.api.get("/tree")).data == []


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


# Leaving


async def test_delete(tenant: Tenant, server: RunningServer, master: Tenant) -> None:
    child = await new_tenant(server, tenant, unique("leaving"))
    device = await child.api.put("/devices", {"name": "x", "sip": {"username": "xx", "realm": "other.test"}})
    await child.api.post(f"/users/{child.admin_id}/photo", body=b"1", content_type="image/png")
    shown = (await tenant.root.get(f"/accounts/{child.id}")).data

    deleted = await tenant.root.delete(f"/accounts/{child.id}")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert not {"created", "superduper_admin", "enabled", "reseller_id"} & deleted.data.keys()
    assert {key: deleted.data[key] for key in ("id", "name", "realm")} == {
        key: shown[key] for key in ("id", "name", "realm")
    }
    gone = await tenant.root.get(f"/accounts/{child.id}")
    assert gone.error() == (404, "404", "bad_identifier", {"cause": child.id, "message": "bad identifier"})
    assert (await child.root.get("/token_auth")).status == 401
    assert (await tenant.api.get("")).data["descendants_count"] == 0
    assert await server.runtime.store.get(child.id, "device", device.id) is None
    freed = await tenant.api.put("/devices", {"name": "x", "sip": {"username": "xx", "realm": "other.test"}})
    assert freed.status == 201


async def test_what_comes_in_after_an_accounts_end_goes_too(tenant: Tenant, server: RunningServer) -> None:
    child, reborn = [(await tenant.api.put("", {"name": unique("leaving")})).id for _ in range(2)]
    late = {"name": "late", "sip": {"username": unique("late"), "realm": "other.test"}}
    for account_id in (child, reborn):
        assert (await tenant.root.delete(f"/accounts/{account_id}")).status == 200
    await server.runtime.store.insert(Document(child, "device", "late", late))
    await tenant.api.put("", {"name": unique("anew"), "id": reborn})
    kept = await tenant.root.put(f"/accounts/{reborn}/devices", {"name": "kept"})

    assert (await tenant.api.put("/devices", late)).status == 400
    with clock.frozen(clock.unix_now() + account_removal.GRACE_SECONDS):
        await account_removal.clear_all(server.runtime)
    assert (await tenant.api.put("/devices", late)).status == 201
    assert (await tenant.root.get(f"/accounts/{reborn}/devices/{kept.id}")).status == 200
    assert await server.runtime.store.get(SYSTEM_DATA, account_removal.TYPE, child) is None
    assert (await tenant.root.delete(f"/accounts/{reborn}")).status == 200


async def test_what_is_not_deleted(tenant: Tenant, master: Tenant) -> None:
    await tenant.api.put("", {"name": unique("a")})
    refused = await tenant.api.delete("")
    assert refused.error() == (500, "500", "account_has_descendants", {"message": "account has descendants"})
    assert (await master.api.delete("")).error()[:3] == (405, "405", "invalid_method")
    assert (await tenant.api.get("")).status == 200


async def test_an_accounts_end_takes_nothing_of_others(tenant: Tenant, stranger: Tenant) -> None:
    claim = {"name": "x", "sip": {"username": "xx", "realm": f"{tenant.id}.test"}}
    assert (await stranger.api.put("/devices", claim)).status == 201
    child = await tenant.api.put("", {"name": unique("a"), "id": "." * 32})
    assert (await tenant.root.delete(f"/accounts/{child.id}")).status == 200
    assert (await tenant.api.put("/devices", claim)).status == 400


async def test_a_child_born_while_its_parent_leaves(tenant: Tenant) -> None:
    for _ in range(5):
        parent = await tenant.api.put("", {"name": unique("parent")})
        path = f"/accounts/{parent.id}"
        born, left = await asyncio.gather(tenant.root.put(path, {"name": unique("child")}), tenant.root.delete(path))
        assert (born.status, left.status) in ((201, 500), (404, 200)), (born.envelope, left.envelope)
        children = [row["id"] for row in (await tenant.api.get("/descendants")).data]
        assert ((born.data.get("id") in children), parent.id in children) == ((born.status == 201),) * 2


# Moving


async def test_move(tenant: Tenant, stranger: Tenant, master: Tenant, server: RunningServer) -> None:
    ids = await family(tenant)
    path = f"/accounts/{ids['b']}/move"
    missing = await master.root.post(path, {})
    assert missing.error() == (
        400,
        "400",
        "validation error",
        {"to": {"required": {"message": "Field 'to' is required"}}},
    )
    assert (await tenant.root.post(path, {"to": ids["a"]})).error() == FORBIDDEN
    unknown = await master.root.post(path, {"to": "0" * 32})
    assert unknown.error() == (404, "404", "bad_identifier", {"cause": "0" * 32, "message": "bad identifier"})
    for below in (ids["b"], ids["c"]):
        assert (await master.root.post(path, {"to": below})).error() == FORBIDDEN
    assert (await master.api.post("/move", {"to": ids["a"]})).error() == FORBIDDEN

    await master.root.put(f"/accounts/{stranger.id}/reseller")
    moved = await master.root.post(path, {"to": stranger.id})
    assert (moved.status, moved.id, moved.data["reseller_id"]) == (200, ids["b"], stranger.id)
    tree = [row["id"] for row in (await master.root.get(f"/accounts/{ids['c']}/tree")).data]
    assert tree == [master.id, stranger.id, ids["b"]]
    stored = await server.runtime.store.get(ACCOUNTS, "account", ids["c"])
    assert stored is not None
    assert stored.fields["pvt_previous_tree"] == [master.id, tenant.id, ids["b"]]
    assert (await stranger.root.get(f"/accounts/{ids['c']}")).data["reseller_id"] == stranger.id
    assert (await tenant.root.get(f"/accounts/{ids['c']}")).error() == FORBIDDEN
    assert [row["id"] for row in (await tenant.api.get("/descendants")).data] == [ids["a"]]


async def test_move_within_the_tree_as_configured(
    tenant: Tenant, stranger: Tenant, master: Tenant, settings: None
) -> None:
    ids = await family(tenant)
    await configure(master, allow_move="tree")
    assert (await tenant.root.post(f"/accounts/{ids['c']}/move", {"to": ids["a"]})).status == 200
    assert (await tenant.root.post(f"/accounts/{ids['c']}/move", {"to": stranger.id})).error() == FORBIDDEN
    assert (await stranger.root.post(f"/accounts/{ids['c']}/move", {"to": stranger.id})).error() == FORBIDDEN


# Resellers


async def test_promote_and_demote(tenant: Tenant, master: Tenant) -> None:
    ids = await family(tenant)
    middle, leaf = f"/accounts/{ids['b']}", f"/accounts/{ids['c']}"
    for verb in ("PUT", "DELETE"):
        assert (await tenant.root.request(verb, f"{middle}/reseller")).error() == FORBIDDEN
        assert (await master.api.request(verb, "/reseller")).error() == FORBIDDEN

    promoted = await master.root.put(f"{middle}/reseller")
    assert (promoted.status, promoted.data["is_reseller"]) == (201, True)
    assert (await master.root.get(leaf)).data["reseller_id"] == ids["b"]
    assert (await tenant.root.get(leaf)).data["billing_mode"] == "manual"
    refused = await master.root.put(f"/accounts/{tenant.id}/reseller")
    assert refused.error() == (500, "500", "account_has_descendants", {"message": "account has descendants"})

    demoted = await master.root.delete(f"{middle}/reseller")
    assert (demoted.status, demoted.data["is_reseller"], demoted.data["_read_only"]) == (200, False, {"deleted": True})
    assert (await master.root.get(leaf)).data["reseller_id"] == master.id

    await master.root.put(f"/accounts/{tenant.id}/reseller")
    assert (await tenant.root.get(leaf)).data["billing_mode"] == "limits_only"
    created = await tenant.root.put(middle, {"name": unique("x")})
    assert created.data["reseller_id"] == tenant.id


async def test_the_master_account(master: Tenant) -> None:
    shown = (await master.api.get("")).data
    assert (shown["superduper_admin"], shown["wnm_allow_additions"], shown["is_reseller"]) == (True, True, True)
    assert (shown["reseller_id"], shown["billing_mode"]) == (master.id, "limits_only")


async def test_a_child_born_while_its_parent_moves(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    parent = await tenant.api.put("", {"name": unique("parent")})
    path = f"/accounts/{parent.id}"
    for target in (stranger, tenant, stranger):
        born, moved = await asyncio.gather(
            master.root.put(path, {"name": unique("child")}), master.root.post(f"{path}/move", {"to": target.id})
        )
        assert (born.status, moved.status) == (201, 200)
        rows = (await master.root.get(f"/accounts/{born.id}/tree")).data
        assert [row["id"] for row in rows] == [master.id, target.id, parent.id]
