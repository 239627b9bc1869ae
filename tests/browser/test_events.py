# SPDX-License-Identifier: MPL-2.0
"""A page that listens: it loses its connection, and misses nothing."""

from __future__ import annotations

from urllib.parse import urlencode

from playwright.async_api import BrowserContext, expect

from tests.harness import RunningServer, Tenant


async def test_a_page_goes_on_where_it_was(
    browser: BrowserContext, origin: str, server: RunningServer, tenant: Tenant
) -> None:
    socket = f"{server.url.replace('http', 'ws', 1)}/v2/websocket"
    asked = {"socket": socket, "token": tenant.token, "account": tenant.id, "binding": "object.*.device"}
    page = await browser.new_page()
    await page.goto(f"{origin}/events.html?{urlencode(asked)}")
    await expect(page.locator("#state")).to_have_text("success")
    made: list[str] = []

    async def make() -> None:
        name = f"Phone {len(made)}"
        created = await tenant.api.put("/devices", {"name": name})
        assert created.status == 201, created.envelope
        made.append(f"doc_created {name}")

    await make()
    await expect(page.locator("#events li")).to_have_text(made)
    await page.get_by_role("button", name="Lose the connection").click()
    for _ in range(5):
        await make()
    await expect(page.locator("#events li")).to_have_text(made)
    await expect(page.locator("#state")).to_have_text("success")
    # The server closes it for its own reasons, too.
    await page.context.set_offline(True)
    await make()
    await page.context.set_offline(False)
    await make()
    await expect(page.locator("#events li")).to_have_text(made)
    await page.close()
