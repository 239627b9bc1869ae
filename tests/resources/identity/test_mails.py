# SPDX-License-Identifier: MPL-2.0
"""Mail that creating users and accounts sends."""

from __future__ import annotations

from tests.harness import RunningServer, Tenant, letters_to, text_of

ANN = {"first_name": "Ann", "last_name": "Lee", "username": "ann", "password": "a secret word"}


async def test_a_new_user_is_welcomed_without_the_password(tenant: Tenant, server: RunningServer) -> None:
    address = f"ann@{tenant.realm}"
    created = await tenant.api.put("/users", {**ANN, "email": address})
    assert created.status == 201
    [letter] = await letters_to(server, address)
    assert letter["Subject"] == f"Welcome to {tenant.realm.removesuffix('.test')}, Ann"
    assert "Your user name: ann\r\n" in text_of(letter)
    assert b"a secret word" not in letter.as_bytes()

    await tenant.api.patch(f"/users/{created.id}", {"first_name": "Anna"})
    assert len(await letters_to(server, address)) == 1


async def test_mail_may_be_declined(tenant: Tenant, server: RunningServer) -> None:
    address = f"bob@{tenant.realm}"
    data = {**ANN, "username": "bob", "email": address}
    created = await tenant.api.put("/users", data, query={"send_email_on_creation": "false"})
    assert created.status == 201
    assert (await tenant.api.put("/users", {"first_name": "No", "last_name": "Address"})).status == 201
    assert await letters_to(server, address) == []


async def test_administrators_above_hear_of_a_new_account(tenant: Tenant, server: RunningServer) -> None:
    address = f"admin@{tenant.realm}"
    await tenant.api.put("/users", {**ANN, "email": f"user@{tenant.realm}"})
    name = f"below {tenant.realm}"
    created = await tenant.root.put(f"/accounts/{tenant.id}", {"name": name})
    assert created.status == 201
    quiet = await tenant.root.put(f"/accounts/{tenant.id}", {"name": f"quiet {name}"}, send_email_on_creation=False)
    assert quiet.status == 201
    [letter] = await letters_to(server, address)
    assert letter["Subject"] == f"The account {name} was created"
    assert created.data["realm"] in text_of(letter)
    assert [found["Subject"] for found in await letters_to(server, f"user@{tenant.realm}")] == [
        f"Welcome to {tenant.realm.removesuffix('.test')}, Ann"
    ]
