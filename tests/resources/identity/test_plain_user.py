# SPDX-License-Identifier: MPL-2.0
"""What a user who is no administrator may change of users and devices, and what such a user's portal does."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from crossbar.documents.document import Document, merge
from crossbar.ids import new_id
from tests.harness import Answer, Api, Person, RunningServer, Tenant, issue_token, new_person, set_options

FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})
DENIED = {"international": {"action": "deny"}, "local": {"action": "inherit"}}
ABOUT = {"first_name": "P", "last_name": "U"}

LOGINS: list[dict[str, Any]] = [
    {"username": "taken-over"},
    {"username": None},
    {"password": "a new one"},
    {"credentials": "0" * 32},
    {"priv_level": "admin"},
    {"email": "mine@example.com"},
    {"email": None},
    {"enabled": False},
    {"require_password_update": True},
    {"hotdesk": {"enabled": True, "id": "1234", "pin": "1234"}},
]
"""Changes of how somebody else logs in."""

Change = Callable[[Api, str, dict[str, Any]], Awaitable[Answer]]


async def patch(api: Api, path: str, change: dict[str, Any]) -> Answer:
    return await api.patch(path, change)


async def replace(api: Api, path: str, change: dict[str, Any]) -> Answer:
    return await api.post(path, merge((await api.get(path)).data, change))


async def tunnelled(api: Api, path: str, change: dict[str, Any]) -> Answer:
    return await api.post(path, change, verb="patch")


WAYS = [patch, replace, tunnelled]


@pytest_asyncio.fixture(loop_scope="session")
async def plain(server: RunningServer, tenant: Tenant) -> Person:
    return await new_person(server, tenant, call_restriction=DENIED, email="plain@example.com")


@pytest.mark.parametrize("change", WAYS)
@pytest.mark.parametrize("fields", LOGINS, ids=str)
async def test_the_logins_of_others_stay(
    fields: dict[str, Any], change: Change, tenant: Tenant, plain: Person, server: RunningServer
) -> None:
    other = await new_person(server, tenant, "other", email="other@example.com")
    path = f"/users/{other.id}"
    before = (await tenant.api.get(path)).data
    assert (await change(plain.api, path, fields)).error() == FORBIDDEN
    assert (await tenant.api.get(path)).data == before
    assert (await other.api.get(path)).status == 200


async def test_what_a_user_never_had_is_no_change(tenant: Tenant, plain: Person, server: RunningServer) -> None:
    """A user that was brought over lacks the fields to which the schema gives defaults."""
    brought = Document(tenant.id, "user", new_id(), {**ABOUT, "pvt_type": "user", "pvt_created": 1})
    await server.runtime.store.insert(brought)
    path = f"/users/{brought.id}"
    for change in WAYS:
        changed = await change(plain.api, path, {"call_forward": {"enabled": True, "number": "+15551234567"}})
        assert (changed.status, changed.data["priv_level"]) == (200, "user")
    assert (await plain.api.patch(path, {"hotdesk": {"enabled": True}})).error() == FORBIDDEN


@pytest.mark.parametrize("caller", ["admin", "ancestor", "API key", "as in KAZOO"])
async def test_who_may_change_logins(
    caller: str, tenant: Tenant, plain: Person, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = {
        "admin": tenant.api,
        "ancestor": server.master.api.acting(server.master.token, tenant.api.prefix),
        "API key": tenant.api.acting(await issue_token(server, tenant.id, None)),
        "as in KAZOO": plain.api,
    }
    if caller == "as in KAZOO":
        set_options(monkeypatch, server, "access", plain_users="as_kazoo")
    other = await new_person(server, tenant, "other")
    changes = {"username": "renamed", "password": "a new one", "priv_level": "admin", "email": "o@example.com"}
    changed = await callers[caller].patch(f"/users/{other.id}", changes)
    assert (changed.status, changed.data["priv_level"]) == (200, "admin")
    assert (await callers[caller].patch(f"/users/{plain.id}", {"call_restriction": None})).status == 200
    assert (await callers[caller].put("/users", {**ABOUT, "username": "new", "password": "some word"})).status == 201
    assert (await callers[caller].delete(f"/users/{other.id}")).status == 200


@pytest.mark.parametrize("change", WAYS)
async def test_nobody_rises(change: Change, plain: Person, tenant: Tenant) -> None:
    path = f"/users/{plain.id}"
    for fields in (
        {"priv_level": "admin"},
        {"call_restriction": {"international": {"action": "inherit"}}},
        {"call_restriction": {"international": None}},
        {"call_restriction": {"international": {}}},
    ):
        assert (await change(plain.api, path, fields)).error() == FORBIDDEN
    assert (await plain.api.post(path, ABOUT)).error() == FORBIDDEN  # leaves the restrictions out
    stored = (await tenant.api.get(path)).data
    assert (stored["priv_level"], stored["call_restriction"]) == ("user", DENIED)
    tightened = {**DENIED, "local": {"action": "deny"}, "emergency": {"action": "deny"}}
    kept = await change(plain.api, path, {"call_restriction": tightened, "priv_level": "user"})
    assert (kept.status, kept.data["call_restriction"]) == (200, tightened)


async def test_what_a_device_is_denied_stays_denied(plain: Person, tenant: Tenant) -> None:
    device = await tenant.api.put("/devices", {"name": "Desk", "owner_id": plain.id, "call_restriction": DENIED})
    path = f"/devices/{device.id}"
    for change in WAYS:
        lifted = await change(plain.api, path, {"call_restriction": {"international": {"action": "inherit"}}})
        assert lifted.error() == FORBIDDEN
    assert (await plain.api.patch(path, {"name": "Mine", "call_restriction": DENIED})).status == 200
    assert (await tenant.api.patch(path, {"call_restriction": {"international": {"action": "inherit"}}})).status == 200


async def test_what_is_wrong_is_told_first(plain: Person, tenant: Tenant) -> None:
    refused = await plain.api.patch(f"/users/{tenant.admin_id}", {"priv_level": "root"})
    assert (refused.status, set(refused.data)) == (400, {"priv_level"})


async def test_no_api_key_is_shown(
    plain: Person, tenant: Tenant, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = {"query": {"include_api_key": "true"}}
    assert len((await tenant.api.get("", **asking)).data["api_key"]) == 64
    assert "api_key" not in (await plain.api.get("", **asking)).data
    assert (await plain.api.get("/api_key")).error() == FORBIDDEN
    set_options(monkeypatch, server, "access", plain_users="as_kazoo")
    assert len((await plain.api.get("", **asking)).data["api_key"]) == 64


async def test_no_plain_user_ends_all_tokens(server: RunningServer, master: Tenant) -> None:
    plain = await new_person(server, master, "clerk", priv_level="user")
    refused = await plain.root.put("/auth", {}, action="reset_signature_secret")
    assert refused.error() == FORBIDDEN
    assert (await master.api.delete(f"/users/{plain.id}")).status == 200


async def test_a_users_portal_works(plain: Person, tenant: Tenant, anonymous: Api) -> None:
    """Reading what a portal shows, and changing the own profile, forwards, devices, voicemail and password."""
    own = f"/users/{plain.id}"
    device = await tenant.api.put("/devices", {"name": "Desk", "owner_id": plain.id})
    box = await tenant.api.put("/vmboxes", {"name": "Box", "mailbox": "101", "owner_id": plain.id})
    for path in ("", own, f"{own}/devices", "/devices", "/users", "/vmboxes", f"/vmboxes/{box.id}/messages",
                 "/callflows", "/media", "/faxes/inbox", "/conferences", f"{own}/cdrs", "/phone_numbers",
                 "/security", "/multi_factor", "/limits", "/configs/kazoo_endpoint", "/apps_store"):  # fmt: skip
        assert (await plain.api.get(path)).status == 200, path

    document = (await plain.api.get(own)).data
    profile: dict[str, Any] = {
        "first_name": "Pat",
        "email": "pat@example.com",
        "timezone": "Europe/Berlin",
        "language": "de-DE",
        "vm_to_email_enabled": False,
        "call_forward": {"enabled": True, "number": "+15551234567"},
        "do_not_disturb": {"enabled": True},
        "hotdesk": {"enabled": True, "id": "4711", "pin": "4711"},
        "ui_flags": {"twelve_hours_mode": True},
        "ui_help": {"voip": {"users": False}},
        "appList": [],
    }
    for written in (await plain.api.post(own, {**document, **profile}), await plain.api.patch(own, profile)):
        assert (written.status, written.data["call_forward"]["number"]) == (200, "+15551234567")
    state = {"action": "set", "state": "terminated"}
    assert (await plain.api.post(f"{own}/presence", state)).status == 200
    photo = await plain.api.request("POST", f"{own}/photo", body=b"\x89PNG\r\n\x1a\n", content_type="image/png")
    assert photo.status == 200

    assert (await plain.api.patch(f"/devices/{device.id}", {"call_forward": {"enabled": False}})).status == 200
    assert (
        await plain.api.post(f"/devices/{device.id}", (await plain.api.get(f"/devices/{device.id}")).data)
    ).status == 200
    assert (await plain.api.post(f"/devices/{device.id}/sync", {})).status == 200
    assert (await plain.api.patch(f"/vmboxes/{box.id}", {"pin": "8765"})).status == 200

    changed = await plain.api.patch(own, {"username": "pat", "password": "her own", "require_password_update": False})
    assert changed.status == 200
    body = {"credentials": hashlib.md5(b"pat:her own").hexdigest(), "account_realm": tenant.realm}
    renewed = plain.api.acting((await anonymous.put("/user_auth", body)).envelope["auth_token"])
    assert (await renewed.get(own)).data["username"] == "pat"
    assert (await renewed.delete(own)).status == 200
