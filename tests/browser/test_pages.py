# SPDX-License-Identifier: MPL-2.0
"""The pages that come with the server, in light and dark and on a telephone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
from playwright.async_api import BrowserContext, Page, expect

from crossbar.pages.page_files import address
from tests.harness import RunningServer, Tenant

Scheme = Literal["light", "dark"]
LOOKS: list[tuple[Scheme, int]] = [("light", 1200), ("dark", 1200), ("light", 390), ("dark", 390)]
MASTER = ("Master", "root", "a master's word")


@asynccontextmanager
async def opened(browser: BrowserContext, url: str, look: tuple[Scheme, int] = LOOKS[0]) -> AsyncIterator[Page]:
    """A tab with a page; at the end nothing was complained of, nothing was loaded from elsewhere."""
    page = await browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((origin, "data:")) else complaints.append(asked.url))
    origin = url[: url.index("/", 8)]
    await page.emulate_media(color_scheme=look[0])
    await page.set_viewport_size({"width": look[1], "height": 900})
    await page.goto(url)
    await page.bring_to_front()  # a tab behind another one draws nothing
    yield page
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [text for text in complaints if "status of 40" not in text] == []
    await page.close()


async def log_in(page: Page, account: str, user: str, password: str) -> None:
    await page.get_by_label("Account name or realm").fill(account)
    await page.get_by_label("User name").fill(user)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()


async def brightness(page: Page) -> float:
    color = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", color)[:3])) / 3


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_the_start_page(browser: BrowserContext, server: RunningServer, look: tuple[Scheme, int]) -> None:
    async with opened(browser, f"{server.url}/", look) as page:
        await expect(page.get_by_role("heading", level=1)).to_have_text("kazoo-crossbar")
        await expect(page.locator("#health")).to_have_text("Ready")
        await expect(page.locator(".code").first).to_contain_text(f"SERVER={server.url}\n")
        await expect(page.get_by_role("link", name=re.compile("API documentation"))).to_be_visible()
        await expect(page.get_by_role("link", name=re.compile("User interface"))).to_be_hidden()
        assert (await brightness(page) > 200) == (look[0] == "light")
        await page.get_by_role("link", name=re.compile("^Status")).last.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Status")


@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[3]], ids=str)
async def test_the_state_of_the_server(
    browser: BrowserContext, server: RunningServer, look: tuple[Scheme, int]
) -> None:
    async with opened(browser, f"{server.url}/status", look) as page:
        await expect(page.locator("#board")).to_be_hidden()
        await log_in(page, *MASTER)
        await expect(page.locator("#tiles .tile")).to_have_count(6)
        await expect(page.locator("#workers tr")).to_have_count(1)
        await expect(page.locator("#collections tr").first).to_be_attached()
        # The second answer makes lines: of time to answer, of the database.
        await expect(page.locator(".chart path.s2[d*=M]").first).to_be_attached()
        await expect(page.locator("figure.chart")).to_have_count(6)
        chart = page.get_by_role("figure", name="Work at the same time")
        await chart.focus()
        await page.keyboard.press("ArrowLeft")
        await expect(chart.locator(".cursor")).to_be_attached()
        await expect(chart.locator(".when")).not_to_be_empty()
        assert await page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
        await page.get_by_role("button", name="Log out").click()
        await expect(page.locator("#board")).to_be_hidden()
        assert await page.evaluate("sessionStorage.length") == 0


async def test_it_is_not_for_others(browser: BrowserContext, server: RunningServer, tenant: Tenant) -> None:
    async with opened(browser, f"{server.url}/status") as page:
        await log_in(page, tenant.realm, "admin", "wrong")
        await expect(page.get_by_role("alert")).to_contain_text("not the name, password and account")
        await log_in(page, tenant.realm, "admin", "correct horse")
        await expect(page.get_by_text("Log out")).to_be_visible()
        await expect(page.get_by_role("status")).to_contain_text("for administrators of the master account")
        await expect(page.locator("#board")).to_be_hidden()


@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[3]], ids=str)
async def test_an_operation_is_tried(
    browser: BrowserContext, server: RunningServer, tenant: Tenant, look: tuple[Scheme, int]
) -> None:
    async with opened(browser, f"{server.url}/docs#/about", look) as page:
        await log_in(page, tenant.realm, "Admin", "correct horse")
        await expect(page.locator("#login .who")).to_contain_text("Admin, ")
        tag = page.locator("#operations-tag-devices")
        await tag.click()
        operation = page.locator(".opblock-get", has=page.locator('[data-path="/v2/accounts/{account_id}/devices"]'))
        await operation.locator(".opblock-summary-control").click()
        account = operation.locator('tr[data-param-name="account_id"] input')
        await account.fill(tenant.id)
        answer = operation.locator(".live-responses-table tbody .response-col_status")
        await operation.get_by_role("button", name="Execute").click()
        await expect(answer).to_have_text("200")
        await expect(operation.locator(".live-responses-table .highlight-code").first).to_contain_text('"page_size"')
        assert (await brightness(page) > 200) == (look[0] == "light")
        await page.get_by_role("button", name="Log out").click()
        await operation.get_by_role("button", name="Execute").click()
        await expect(answer).to_have_text("401")


async def test_what_is_referred_to_stands_in_its_place(browser: BrowserContext, server: RunningServer) -> None:
    spec = {
        "a/b": {"~x": {"type": "object", "properties": {"$ref": {"type": "string"}, "own": {"$ref": "#/a~1b/~0x"}}}},
        "list": [{"$ref": "#/a~1b/~0x", "description": "mine"}, {"$ref": "#/nowhere"}, {"$ref": "other.json"}, None, 1],
    }
    async with opened(browser, f"{server.url}/start") as page:
        script = "async ([from, spec]) => (await import(from)).resolved(spec, spec.list)"
        found = await page.evaluate(script, [f"{address()}/swagger-plugin.js", spec])
    itself = {"$ref": "#/a~1b/~0x"}
    properties = {"$ref": {"type": "string"}, "own": itself}
    assert found == [
        {"type": "object", "properties": properties, "description": "mine"},
        {"$ref": "#/nowhere"},
        {"$ref": "other.json"},
        None,
        1,
    ]
