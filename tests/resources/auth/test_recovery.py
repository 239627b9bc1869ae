# SPDX-License-Identifier: MPL-2.0
"""A way back in: `user_auth/recovery`."""

from __future__ import annotations

import itertools
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from crossbar import clock
from crossbar.resources.auth.user_auth.recovery import ANSWER_SECONDS
from tests.harness import Answer, Api, RunningServer, Tenant, letters_to, new_person, new_tenant, set_options, text_of

UI = "https://ui.example.com/#/auth"


HANDLED = "Request for password reset handled, email sent to: the address of the user, if there is one"
ADDRESSES = (f"198.51.{number // 256}.{number % 256}" for number in itertools.count())
TOO_MANY = (429, "429", "too_many_requests", {"message": "too many requests"})


async def ask(anonymous: Api, tenant: Tenant, *, address: str | None = None, **changes: Any) -> Any:
    """Ask for a link to the tenant's administrator, from an address of its own."""
    body = {"account_realm": tenant.realm, "username": "admin", "ui_url": UI}
    from_there = {"X-Forwarded-For": address or next(ADDRESSES)}
    return await anonymous.put("/user_auth/recovery", body | changes, headers=from_there)


async def mailed_id(server: RunningServer, tenant: Tenant) -> str:
    """The reset id in the newest letter to the tenant's administrator."""
    text = text_of((await letters_to(server, f"admin@{tenant.realm}"))[-1])
    found = re.search(r"https://ui\.example\.com/#/auth\?recovery=([0-9a-f]+)\r?\n", text)
    assert found is not None, text
    return found[1]


async def test_a_link_logs_in_once_and_wants_a_new_password(
    tenant: Tenant, anonymous: Api, server: RunningServer
) -> None:
    asked = await ask(anonymous, tenant)
    assert (asked.status, asked.data) == (201, HANDLED)
    reset_id = await mailed_id(server, tenant)
    assert len(reset_id) == 137

    used = await anonymous.post("/user_auth/recovery", {"reset_id": reset_id})
    assert (used.status, used.data["account_id"], used.data["owner_id"]) == (200, tenant.id, tenant.admin_id)
    user = await anonymous.acting(used.envelope["auth_token"]).get(f"/accounts/{tenant.id}/users/{tenant.admin_id}")
    assert user.data["require_password_update"] is True

    again = await anonymous.post("/user_auth/recovery", {"reset_id": reset_id})
    detail = {"message": "The provided reset_id did not resolve to any user", "cause": reset_id}
    assert again.invalid() == {"user": {"not_found": detail}}


async def test_only_the_last_link_counts_and_for_two_days(
    tenant: Tenant, anonymous: Api, server: RunningServer
) -> None:
    await ask(anonymous, tenant)
    first = await mailed_id(server, tenant)
    await ask(anonymous, tenant, ui_url="https://ui.example.com/#/auth", username="ADMIN")
    second = await mailed_id(server, tenant)
    assert first != second
    assert (await anonymous.post("/user_auth/recovery", {"reset_id": first})).status == 400
    with clock.frozen(clock.unix_now() + 2 * 86_400 + 1):
        assert (await anonymous.post("/user_auth/recovery", {"reset_id": second})).status == 400
    assert (await anonymous.post("/user_auth/recovery", {"reset_id": second.upper()})).status == 200


async def test_the_id_is_not_in_the_database(tenant: Tenant, anonymous: Api, server: RunningServer) -> None:
    await ask(anonymous, tenant)
    reset_id = await mailed_id(server, tenant)
    stored = await server.runtime.store.get(tenant.id, "password_reset", tenant.admin_id)
    assert stored is not None
    assert reset_id not in str(stored.fields)


async def test_a_link_is_the_first_factor_only(tenant: Tenant, anonymous: Api, server: RunningServer) -> None:
    wanted = {"enabled": True, "configuration_id": "otp", "account_id": tenant.id}
    await tenant.api.post("/security", {"auth_modules": {"cb_user_auth": {"multi_factor": wanted}}})
    user = await server.runtime.access.directory.user(tenant.id, tenant.admin_id)
    assert user is not None
    secret = parse_qs(urlsplit(await server.runtime.access.authenticators.provision(user, "x")).query)["secret"][0]
    await ask(anonymous, tenant)
    reset_id = await mailed_id(server, tenant)
    demanded = await anonymous.post("/user_auth/recovery", {"reset_id": reset_id})
    assert demanded.error()[3]["multi_factor_request"]["provider_name"] == "otp"
    answered = {"reset_id": reset_id, "multi_factor_response": pyotp.TOTP(secret).at(int(clock.unix_now()))}
    assert (await anonymous.post("/user_auth/recovery", answered)).status == 200


async def test_a_link_gets_its_own_parameter_in_a_query(tenant: Tenant, anonymous: Api, server: RunningServer) -> None:
    await ask(anonymous, tenant, ui_url="https://ui.example.com/?lang=de")
    text = text_of((await letters_to(server, f"admin@{tenant.realm}"))[-1])
    assert "https://ui.example.com/?lang=de&recovery=" in text
    assert "It leads to ui.example.com" in text


@pytest.mark.parametrize(
    "ui_url",
    [
        "javascript:alert(document.cookie)",
        "data:text/html,<script>alert(1)</script>",
        "ftp://ui.example.com/x",
        "https://ui.example.com@evil.example.com/",
        "https://ui.example.com/\r\nBcc: everybody",
        "https:///no-host-here",
        "//ui.example.com/path",
        "https://[ui.example.com/",
    ],
)
async def test_a_link_leads_to_a_web_page_only(ui_url: str, tenant: Tenant, anonymous: Api) -> None:
    refused = await ask(anonymous, tenant, ui_url=ui_url)
    detail = {"message": "The URL must be that of a web page", "cause": ui_url}
    assert refused.invalid() == {"ui_url": {"invalid": detail}}


def forbidden(ui_url: str) -> tuple[Any, ...]:
    detail = {"message": "The URL must be that of a user interface of this server", "cause": ui_url}
    return 400, "400", "validation error", {"ui_url": {"forbidden": detail}}


async def test_a_link_leads_to_configured_hosts_only(
    tenant: Tenant, anonymous: Api, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_options(monkeypatch, server, "access", recovery_hosts=("ui.example.com", "other.example.com:8443"))
    for good in ("http://ui.example.com:80/a", "https://UI.example.com:443", "https://other.example.com:8443/#/x"):
        assert (await ask(anonymous, tenant, ui_url=good)).status == 201, good
    for bad in (
        "https://evil.example.com/page",
        "https://ui.example.com.evil.test/",
        "https://sub.ui.example.com/",
        "https://ui.example.com:8443/",
        "https://other.example.com/page",
        "https://ui.example.com\\.evil.test/",
        f"http://{server.url.removeprefix('http://')}/",
    ):
        assert (await ask(anonymous, tenant, ui_url=bad)).error() == forbidden(bad)
    assert len(await letters_to(server, f"admin@{tenant.realm}")) == 3


async def test_a_link_leads_to_the_whitelabel_of_the_tree(
    tenant: Tenant, stranger: Tenant, anonymous: Api, server: RunningServer
) -> None:
    child = await new_tenant(server, tenant, f"child-of-{tenant.realm.removesuffix('.test')}")
    domain = f"portal.{tenant.realm}"
    ui_url = f"https://{domain}/login"
    assert (await ask(anonymous, tenant, ui_url=ui_url)).error() == forbidden(ui_url)
    assert (await tenant.api.put("/whitelabel", {"domain": domain})).status == 201
    for account in (tenant, child):
        assert (await ask(anonymous, account, ui_url=ui_url)).status == 201
    assert (await ask(anonymous, stranger, ui_url=ui_url)).error() == forbidden(ui_url)
    assert len(await letters_to(server, f"admin@{child.realm}")) == 1
    assert await letters_to(server, f"admin@{stranger.realm}") == []


async def test_the_answer_does_not_tell_whether_there_is_such_a_user(
    tenant: Tenant, anonymous: Api, server: RunningServer
) -> None:
    await new_person(server, tenant, "disabled", enabled=False, email=f"disabled@{tenant.realm}")
    await new_person(server, tenant, "unreachable")
    answers: list[Answer] = []
    for username in ("admin", "nobody", "disabled", "unreachable"):
        began = time.perf_counter()
        answers.append(await ask(anonymous, tenant, username=username))
        assert time.perf_counter() - began >= ANSWER_SECONDS
    assert {(answer.status, answer.data, frozenset(answer.headers)) for answer in answers} == {
        (201, HANDLED, frozenset(answers[0].headers))
    }
    assert {frozenset(answer.envelope) for answer in answers} == {frozenset(answers[0].envelope)}
    assert len(await letters_to(server, f"admin@{tenant.realm}")) == 1
    assert await letters_to(server, f"disabled@{tenant.realm}") == []


@pytest.mark.parametrize("username", ["admin", "nobody"])
async def test_not_many_links_are_sent_for_one_name(
    username: str, tenant: Tenant, anonymous: Api, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_options(monkeypatch, server, "access", recoveries_per_user=2)
    for spelling in (username, username.upper()):
        assert (await ask(anonymous, tenant, username=spelling)).status == 201
    assert (await ask(anonymous, tenant, username=username)).error() == TOO_MANY
    by_name = {"account_realm": "nowhere.test", "account_name": tenant.realm.removesuffix(".test")}
    assert (await ask(anonymous, tenant, username=username, **by_name)).error() == TOO_MANY
    assert (await ask(anonymous, tenant, username="somebody-else")).status == 201
    with clock.frozen(clock.unix_now() + 1801):
        assert (await ask(anonymous, tenant, username=username)).status == 201


async def test_one_address_does_not_ask_for_many(
    tenant: Tenant, anonymous: Api, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_options(monkeypatch, server, "access", recoveries_per_address=3)
    address = "203.0.113.200"
    assert (await ask(anonymous, tenant, address=address)).status == 201
    assert (await ask(anonymous, tenant, address=address, username="nobody")).status == 201
    assert (await ask(anonymous, tenant, address=address, account_realm="nowhere.test")).status == 400
    for invented in (address, f"192.0.2.77, {address}"):
        assert (await ask(anonymous, tenant, address=invented, username="another")).error() == TOO_MANY
    assert (await ask(anonymous, tenant, username="another")).status == 201


async def test_an_account_that_is_not_found_is_said(tenant: Tenant, anonymous: Api) -> None:
    async def errors(**changes: Any) -> Any:
        status, _, message, data = (await ask(anonymous, tenant, **changes)).error()
        assert (status, message) == (400, "validation error")
        return {field: {code: detail["message"] for code, detail in codes.items()} for field, codes in data.items()}

    assert await errors(account_realm="nowhere.test", account_name="nobody at all") == {
        "account_realm": {"not_found": "The provided account realm could not be found"},
        "account_name": {"not_found": "The provided account name could not be found"},
    }
    assert await errors(account_realm=None, phone_number="+15551234567") == {
        "account_realm": {"type": "Value did not match type(s): string"}
    }


async def test_a_number_belongs_to_nobody(tenant: Tenant, anonymous: Api) -> None:
    body = {"phone_number": "+15551234567", "username": "admin", "ui_url": UI}
    refused = await anonymous.put("/user_auth/recovery", body)
    detail = {"message": "The provided phone number could not be found", "cause": "+15551234567"}
    assert refused.invalid() == {"phone_number": {"not_found": detail}}


async def test_an_id_of_the_wrong_form(anonymous: Api) -> None:
    refused = await anonymous.post("/user_auth/recovery", {"reset_id": "xyz"})
    assert refused.error()[3]["reset_id"]["pattern"]["target"] == "^[a-fA-F0-9]{40,250}$"
