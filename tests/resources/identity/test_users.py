# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/users`."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from tests.harness import Answer, RunningServer, Tenant

DEFAULTS: dict[str, Any] = {
    "call_restriction": {},
    "contact_list": {},
    "enabled": True,
    "hotdesk": {"enabled": False, "keep_logged_in_elsewhere": False, "require_pin": False},
    "music_on_hold": {},
    "priv_level": "user",
    "require_password_update": False,
    "ringtones": {},
    "verified": False,
    "vm_to_email_enabled": True,
}
NAME = {"first_name": "Jane", "last_name": "Doe"}


async def log_in(tenant: Tenant, username: str, password: str, method: str = "md5") -> Answer:
    hashed = hashlib.new("sha1" if method == "sha" else "md5", f"{username}:{password}".encode()).hexdigest()
    credentials = {"credentials": hashed, "method": method, "account_realm": tenant.realm}
    return await tenant.root.acting(None).put("/user_auth", credentials)


async def works(tenant: Tenant, token: str) -> bool:
    return (await tenant.root.acting(token).get(f"/accounts/{tenant.id}")).status == 200


# Documents


async def test_create_read_change_delete(tenant: Tenant) -> None:
    created = await tenant.api.put("/users", {**NAME, "id": "mine", "email": "jane@x.test", "extra": {"kept": 1}})
    expected = {**DEFAULTS, **NAME, "id": created.id, "email": "jane@x.test", "extra": {"kept": 1}}
    assert (created.status, created.data) == (201, expected)
    assert created.id != "mine"
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}/users/{created.id}"
    path = f"/users/{created.id}"
    assert (await tenant.api.get(path)).data == expected

    merged = await tenant.api.patch(path, {"extra": None, "timezone": "Europe/Berlin", "sync": True})
    del expected["extra"]
    expected["timezone"] = "Europe/Berlin"
    assert (merged.status, merged.data) == (200, expected)
    replaced = await tenant.api.post(path, {"first_name": "Joan", "last_name": "Roe", "sync": True})
    assert replaced.data == {**DEFAULTS, "id": created.id, "first_name": "Joan", "last_name": "Roe"}

    deleted = await tenant.api.delete(path)
    assert (deleted.status, deleted.data) == (200, {**replaced.data, "_read_only": {"deleted": True}})
    for verb in ("GET", "POST", "PATCH", "DELETE"):
        gone = await tenant.api.request(verb, path, NAME)
        assert gone.error() == (404, "404", "bad_identifier", {"cause": created.id, "message": "bad identifier"})


async def test_the_list_goes_by_last_name(tenant: Tenant) -> None:
    full = await tenant.api.put(
        "/users",
        {
            **NAME,
            "username": "Jane",
            "password": "secret word",
            "email": "jane@x.test",
            "feature_level": "gold",
            "presence_id": "101",
            "timezone": "UTC",
            "call_recording": {"any": {}},
            "service": {"plans": {}},
            "flags": ["f"],
        },
    )
    plain = await tenant.api.put("/users", {"first_name": "Adam", "last_name": "Ape", "vm_to_email_enabled": False})
    others = {"filter_not_first_name": "Ada", "ascending": "true"}
    assert (await tenant.api.get("/users", query=others)).data == [
        {
            "id": plain.id,
            "first_name": "Adam",
            "last_name": "Ape",
            "priv_level": "user",
            "features": [],
            "flags": [],
        },
        {
            "id": full.id,
            **NAME,
            "username": "jane",
            "email": "jane@x.test",
            "priv_level": "user",
            "feature_level": "gold",
            "presence_id": "101",
            "timezone": "UTC",
            "call_recording": full.data["call_recording"],
            "service": {"plans": {}},
            "features": ["vm_to_email"],
            "flags": ["f"],
        },
    ]
    everybody = await tenant.api.get("/users")
    assert [row["id"] for row in everybody.data] == [full.id, plain.id, tenant.admin_id]
    assert everybody.envelope["page_size"] == 3


async def test_features_of_the_list(tenant: Tenant) -> None:
    user = await tenant.api.put(
        "/users",
        {
            **NAME,
            "features": ["named"],
            "smartpbx": {"conferencing": {"enabled": True}, "faxing": {"enabled": False}, "odd": True},
            "hotdesk": {"enabled": True},
            "call_forward": {"enabled": True, "failover": True, "number": "+14155550100"},
            "caller_id": {"external": {"number": "+14155550100"}},
            "music_on_hold": {"media_id": "silence"},
            "do_not_disturb": {"enabled": True},
            "ctu": {"enabled": True},
            "desktop": {"enabled": True},
        },
    )

    async def features() -> list[str]:
        return next(row["features"] for row in (await tenant.api.get("/users")).data if row["id"] == user.id)

    assert await features() == [
        "named",
        "conferencing",
        "hotdesk",
        "call_forward",
        "caller_id",
        "vm_to_email",
        "music_on_hold",
        "do_not_disturb",
        "ctu",
        "desktop",
    ]
    await tenant.api.patch(f"/users/{user.id}", {"call_forward": {"enabled": False}, "features": None})
    assert (await features())[:3] == ["conferencing", "hotdesk", "call_forward_failover"]


async def test_what_the_schema_says(tenant: Tenant) -> None:
    refused = await tenant.api.put("/users", {"first_name": "J", "email": "nowhere", "priv_level": "root"})
    assert refused.error()[:3] == (400, "400", "validation error")
    assert {field: list(codes) for field, codes in refused.data.items()} == {
        "last_name": ["required"],
        "email": ["wrong_format"],
        "priv_level": ["enum"],
    }


@pytest.mark.parametrize("odd", [{"username": 5}, {"username": {}}, {"hotdesk": 1}, {"hotdesk": {"id": {}}}])
async def test_what_is_no_text_is_refused(odd: dict[str, Any], tenant: Tenant) -> None:
    refused = await tenant.api.put("/users", {**NAME, **odd})
    assert refused.error()[:3] == (400, "400", "validation error")


async def test_the_emergency_number_is_normalised(tenant: Tenant) -> None:
    created = await tenant.api.put("/users", {**NAME, "caller_id": {"emergency": {"number": "4155550100"}}})
    assert created.data["caller_id"]["emergency"]["number"] == "+14155550100"


# What is unique


async def test_a_username_once_in_an_account(tenant: Tenant, stranger: Tenant) -> None:
    login = {"username": "Jane", "password": "secret word"}
    first = await tenant.api.put("/users", {**NAME, **login})
    assert first.data["username"] == "jane"
    taken = {"unique": {"message": "Username must be unique within account", "cause": "jane"}}
    again = await tenant.api.put("/users", {**NAME, **login})
    assert again.invalid() == {"username": taken}

    without_password = await tenant.api.put("/users", {**NAME, "username": "JANE"})
    assert without_password.data == {"username": taken}
    with_more_wrong = await tenant.api.put("/users", {"first_name": "J", **login})
    assert with_more_wrong.data.keys() == {"username", "last_name"}
    renamed = await tenant.api.patch(f"/users/{tenant.admin_id}", login)
    assert renamed.data == {"username": taken}

    assert (await stranger.api.put("/users", {**NAME, **login})).status == 201
    await tenant.api.delete(f"/users/{first.id}")
    assert (await tenant.api.put("/users", {**NAME, **login})).status == 201


async def test_one_username_many_times_at_once(tenant: Tenant) -> None:
    login = {**NAME, "username": "jane", "password": "secret word"}
    answers = await asyncio.gather(*(tenant.api.put("/users", login) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [201, *[400] * 5]
    taken = {"unique": {"message": "Username must be unique within account", "cause": "jane"}}
    assert all(answer.data == {"username": taken} for answer in answers if answer.status == 400)


async def test_a_hotdesk_id_once_in_an_account(tenant: Tenant) -> None:
    first = await tenant.api.put("/users", {**NAME, "hotdesk": {"id": "12"}})
    assert first.status == 201
    again = await tenant.api.put("/users", {**NAME, "hotdesk": {"id": "12"}})
    taken = {"unique": {"message": "Hotdesk ID must be unique within account", "cause": "12"}}
    assert again.invalid() == {"hotdesk.id": taken}
    await tenant.api.delete(f"/users/{first.id}")
    assert (await tenant.api.put("/users", {**NAME, "hotdesk": {"id": "12"}})).status == 201


async def test_an_email_any_number_of_times(tenant: Tenant) -> None:
    for _ in range(2):
        assert (await tenant.api.put("/users", {**NAME, "email": "same@x.test"})).status == 201


# Credentials


async def test_a_password_is_never_shown_or_kept(tenant: Tenant, server: RunningServer) -> None:
    login = {"username": "Jane", "password": "secret word", "confirm_password": "secret word"}
    created = await tenant.api.put("/users", {**NAME, **login})
    assert created.data == {**DEFAULTS, **NAME, "id": created.id, "username": "jane"}
    stored = await server.runtime.store.get(tenant.id, "user", created.id)
    assert stored is not None
    assert "secret word" not in repr(stored.fields)
    known = {hashlib.md5(b"jane:secret word").hexdigest(), hashlib.sha1(b"jane:secret word").hexdigest()}
    assert not known & set(map(str, stored.fields.values()))
    for method in ("md5", "sha"):
        assert (await log_in(tenant, "jane", "secret word", method)).status == 201


async def test_a_new_username_needs_the_password(tenant: Tenant) -> None:
    detail = {
        "message": "The password must be provided when creating / updating the user name",
        "cause": "jane",
    }
    refused = await tenant.api.put("/users", {**NAME, "username": "Jane"})
    assert refused.invalid() == {"password": {"required": detail}}
    user = await tenant.api.put("/users", NAME)
    refused = await tenant.api.patch(f"/users/{user.id}", {"username": "Jane"})
    assert refused.data == {"password": {"required": detail}}


async def test_a_change_of_credentials_ends_the_tokens(tenant: Tenant) -> None:
    user = await tenant.api.put("/users", {**NAME, "username": "jane", "password": "first word"})
    path = f"/users/{user.id}"
    token = (await log_in(tenant, "jane", "first word")).envelope["auth_token"]
    await tenant.api.patch(path, {"timezone": "UTC"})
    await tenant.api.patch(path, {"username": "jane", "password": "first word"})
    assert await works(tenant, token)

    await tenant.api.patch(path, {"password": "second word"})
    assert not await works(tenant, token)
    assert (await log_in(tenant, "jane", "first word")).status == 401
    token = (await log_in(tenant, "jane", "second word")).envelope["auth_token"]
    await tenant.api.patch(path, {"username": "joan", "password": "second word"})
    assert not await works(tenant, token)
    assert (await log_in(tenant, "joan", "second word")).status == 201


async def test_a_password_alone_makes_a_username(tenant: Tenant) -> None:
    created = await tenant.api.put("/users", {**NAME, "password": "secret word"})
    username = created.data["username"]
    assert username.startswith("user_")
    assert len(bytes.fromhex(username.removeprefix("user_"))) == 8
    assert (await log_in(tenant, username, "secret word")).status == 201


async def test_without_username_nobody_logs_in(tenant: Tenant) -> None:
    user = await tenant.api.put("/users", {**NAME, "username": "jane", "password": "secret word"})
    token = (await log_in(tenant, "jane", "secret word")).envelope["auth_token"]
    await tenant.api.post(f"/users/{user.id}", NAME)
    assert (await log_in(tenant, "jane", "secret word")).status == 401
    assert not await works(tenant, token)


async def test_credentials_are_an_md5_hash(tenant: Tenant) -> None:
    hashed = hashlib.md5(b"jane:secret word").hexdigest()
    created = await tenant.api.put("/users", {**NAME, "username": "jane", "credentials": hashed.upper()})
    assert "credentials" not in created.data
    assert (await log_in(tenant, "jane", "secret word")).status == 201
    assert (await log_in(tenant, "jane", "secret word", "sha")).status == 401


async def test_a_disabled_user_neither_logs_in_nor_goes_on(tenant: Tenant) -> None:
    user = await tenant.api.put("/users", {**NAME, "username": "jane", "password": "secret word"})
    token = (await log_in(tenant, "jane", "secret word")).envelope["auth_token"]
    await tenant.api.patch(f"/users/{user.id}", {"enabled": False})
    assert (await log_in(tenant, "jane", "secret word")).status == 401
    assert not await works(tenant, token)
    await tenant.api.patch(f"/users/{user.id}", {"enabled": True})
    assert await works(tenant, token)
    await tenant.api.delete(f"/users/{user.id}")
    assert not await works(tenant, token)


@pytest.mark.parametrize("setting", ["generate_username_if_empty", "generate_password_if_empty"])
async def test_names_and_passwords_are_made_up_as_configured(setting: str, tenant: Tenant, master: Tenant) -> None:
    try:
        if setting == "generate_username_if_empty":
            await master.root.post("/system_configs/crossbar.users/default", {setting: False})
            refused = await tenant.api.put("/users", {**NAME, "password": "secret word"})
            detail = {"message": "The username must be provided when updating the password"}
            assert refused.invalid() == {"username": {"required": detail}}
        else:
            await master.root.post("/system_configs/crossbar.users/default", {setting: True})
            assert (await tenant.api.put("/users", {**NAME, "username": "jane"})).status == 201
    finally:
        await master.root.delete("/system_configs/crossbar.users")
