# SPDX-License-Identifier: MPL-2.0
"""What MonsterUI's SDK does, in a browser that enforces what browsers enforce."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import expect

from tests.browser.conftest import Screen
from tests.harness import RunningServer, Tenant, expired_token
from tests.samples import png

PASSWORD = "correct horse"


def name_of(tenant: Tenant) -> str:
    return tenant.realm.removesuffix(".test")


async def enter(screen: Screen, tenant: Tenant) -> None:
    await screen.log_in("Admin", PASSWORD, name_of(tenant))
    await expect(screen.page.locator("#who")).to_have_text(f"Ada Admin, {name_of(tenant)}")


async def called(screen: Screen, *arguments: Any) -> dict[str, Any]:
    """What comes of a call of the page's SDK: the envelope, or the refusal as the page sees it."""
    script = """
        (call) => sdk.send(...call).then(
            (envelope) => ({ envelope }),
            ({ status, envelope, name }) => ({ status: status ?? name, envelope }),
        )
    """
    result: dict[str, Any] = await screen.page.evaluate(script, list(arguments))
    return result


async def test_before_the_log_in_the_token_is_the_word_undefined(screen: Screen) -> None:
    await expect(screen.page.get_by_role("button", name="Log in")).to_be_visible()
    asked = screen.answered("/whitelabel/localhost") + screen.answered("/icon") + screen.answered("/logo")
    assert [(one.status, one.request.headers["x-auth-token"]) for one in asked] == [(404, "undefined")] * 4
    assert all(one.headers["content-type"] == "application/json" for one in asked)


async def test_the_log_in(screen: Screen, tenant: Tenant, server: RunningServer) -> None:
    await screen.forget_preflights()
    await enter(screen, tenant)
    await expect(screen.page.locator("#users tr")).to_have_text(["Ada AdminadminPromote"])
    account = await screen.page.evaluate("session.account")
    assert (account["id"], account["is_reseller"], account["enabled"]) == (tenant.id, False, True)
    assert set(screen.preflights.values()) == {200}
    calls = [one for one in screen.responses if one.url.startswith(server.url)]
    # The browser remembers what it may PUT where; each GET has an address of its own.
    assert {one.url for one in calls if one.request.method == "GET"} == {
        url for url in screen.preflights if "_=" in url
    }


async def test_a_wrong_password_is_told(screen: Screen, tenant: Tenant) -> None:
    await screen.log_in("admin", "wrong", name_of(tenant))
    await expect(screen.page.get_by_role("status")).to_contain_text("Invalid credentials")
    await enter(screen, tenant)


async def test_a_disabled_account_is_told(screen: Screen, tenant: Tenant, master: Tenant) -> None:
    disabled = await master.root.patch(f"/accounts/{tenant.id}", {"enabled": False})
    assert disabled.status == 200
    await screen.log_in("admin", PASSWORD, name_of(tenant))
    await expect(screen.page.get_by_role("status")).to_have_text("The account is disabled.")


async def test_after_an_expired_token_one_silent_log_in(screen: Screen, tenant: Tenant, server: RunningServer) -> None:
    await enter(screen, tenant)
    await screen.page.evaluate("(token) => { sdk.token = token }", await expired_token(server, tenant))
    created = await tenant.api.put("/users", {"first_name": "Zoe", "last_name": "Zimmer"})
    await screen.page.get_by_role("button", name="Reload").click()
    await expect(screen.page.locator("#users tr")).to_have_count(2)
    assert [one.status for one in screen.answered("/users")] == [200, 401, 200]
    assert [one.status for one in screen.answered("/user_auth")] == [201, 201]
    assert created.status == 201


async def test_mistakes_stand_at_their_fields(screen: Screen, tenant: Tenant) -> None:
    await enter(screen, tenant)
    await screen.page.get_by_label("First name").fill("Zoe")
    await screen.page.get_by_label("E-mail").fill("nowhere")
    await screen.page.get_by_role("button", name="Create").click()
    mistake = "input[name={}] + .mistake"
    await expect(screen.page.locator(mistake.format("last_name"))).to_have_text("Field is required but missing")
    await expect(screen.page.locator(mistake.format("email"))).to_have_text("Field is not in the correct format")
    await expect(screen.page.locator(".mistake")).to_have_count(2)

    await screen.page.get_by_label("Last name").fill("Zimmer")
    await screen.page.get_by_label("E-mail").fill("zoe@example.com")
    await screen.page.get_by_role("button", name="Create").click()
    await expect(screen.page.locator("#users tr")).to_have_text(["Ada AdminadminPromote", "Zoe ZimmeruserPromote"])


async def test_patch_answers_with_the_whole_document(screen: Screen, tenant: Tenant) -> None:
    created = await tenant.api.put("/users", {"first_name": "Zoe", "last_name": "Zimmer"})
    await enter(screen, tenant)
    await screen.page.locator("#users tr").nth(1).get_by_role("button").click()
    await expect(screen.page.locator("#users tr").nth(1)).to_have_text("Zoe ZimmeradminPromote")
    read = await tenant.api.get(f"/users/{created.id}")
    origin = {"version": "4.3.0", "ui": "monster-ui", "origin": "page"}
    assert read.data == {**created.data, "priv_level": "admin", "ui_metadata": origin}


async def test_errors_can_be_read_across_origins(screen: Screen, tenant: Tenant) -> None:
    await enter(screen, tenant)
    root = f"accounts/{tenant.id}"
    for call, status, message in (
        (("GET", f"{root}/nowhere"), 404, "not_found"),
        (("GET", f"{root}/users/nobody"), 404, "bad_identifier"),
        (("PATCH", f"{root}/users"), 405, "invalid_method"),
        (("PUT", f"{root}/users"), 400, "validation error"),
        (("DELETE", "accounts"), 405, "invalid_method"),
        (("GET", "system_configs"), 403, "forbidden"),
    ):
        refused = await called(screen, *call)
        assert (refused["status"], refused["envelope"]["message"]) == (status, message), call
        assert refused["envelope"]["status"] == "error"


async def test_repeated_filters_and_the_cache_buster(screen: Screen, tenant: Tenant) -> None:
    await tenant.api.put("/devices", {"name": "Desk", "owner_id": "somebody"})
    alone = await tenant.api.put("/devices", {"name": "Lobby"})
    await enter(screen, tenant)
    query = {"key_missing": ["owner_id", "group_id"], "paginate": False, "has_type": "type"}
    listed = await called(screen, "GET", f"accounts/{tenant.id}/devices", {"query": query})
    assert [row["id"] for row in listed["envelope"]["data"]] == [alone.id]
    (answer,) = screen.answered("/devices")
    assert "&_=" in answer.url


async def test_a_picture_goes_up_as_a_data_url_and_comes_back_as_it_was(
    looks: None, screen: Screen, tenant: Tenant, tmp_path: Path
) -> None:
    await expect(screen.page.locator("#company")).to_have_text("Acme Phones")
    await enter(screen, tenant)
    picture = tmp_path / "logo.png"
    picture.write_bytes(png(120, 40))
    await screen.page.get_by_label("Logo").set_input_files(picture)
    await screen.page.get_by_role("button", name="Upload").click()
    await screen.page.wait_for_function("document.getElementById('logo').naturalWidth === 120")
    (sent,) = [one for one in screen.answered("/whitelabel/logo") if one.request.method == "POST"]
    assert (sent.status, sent.request.headers["content-type"]) == (200, "application/x-base64")
    assert (sent.request.post_data or "").startswith("data:image/png;base64,")
    assert (await tenant.root.acting(None).get("/whitelabel/localhost/logo")).raw == picture.read_bytes()
