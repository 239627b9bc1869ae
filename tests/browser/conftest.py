# SPDX-License-Identifier: MPL-2.0
"""A real browser, with a page of our own from another origin than the API's."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import BrowserContext, CDPSession, Page, Response, async_playwright, expect

import crossbar.pages
from tests.harness import RunningServer, Tenant

PAGE = Path(__file__).parent / "page"
FILES = Path(crossbar.pages.__file__).parent / "files"
"""What the server's own pages load."""
CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 30_000
"""How long the page may take to show what is expected, on a machine with other things to do."""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BrowserContext]:
    """Chromium as Debian packages it, with a profile of its own."""
    if not shutil.which(CHROMIUM) and "CI" not in os.environ:
        pytest.skip(f"there is no {CHROMIUM}; `make system-packages` installs it")
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            headless=True,
            args=ARGUMENTS,
            viewport={"width": 900, "height": 900},
        )
        yield context
        await context.close()


async def _shipped_md5(_: web.Request) -> web.FileResponse:
    return web.FileResponse(FILES / "md5.js")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def origin() -> AsyncIterator[str]:
    """Where the page comes from."""
    app = web.Application()
    app.router.add_get("/md5.js", _shipped_md5)
    app.router.add_static("/", PAGE)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0).start()
    yield f"http://localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


@dataclass
class Screen:
    """The page, and what the browser and the API said to each other."""

    page: Page
    network: CDPSession
    preflights: dict[str, int] = field(default_factory=dict)
    """Status of the preflight by URL, as the browser's own log has it."""
    responses: list[Response] = field(default_factory=list)

    async def listen(self) -> None:
        """Take down everything from here on."""
        self.page.on("response", self._note_response)
        self.network.on("Network.responseReceived", self._note_preflight)
        await self.network.send("Network.enable")

    async def forget_preflights(self) -> None:
        """Let the browser ask before each request, although it did so on another tab and was told to remember."""
        await self.network.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def _note_response(self, response: Response) -> None:
        self.responses.append(response)

    def _note_preflight(self, event: dict[str, Any]) -> None:
        if event["type"] == "Preflight":
            self.preflights[event["response"]["url"]] = event["response"]["status"]

    def answered(self, ending: str) -> list[Response]:
        """The API's answers to requests for a path."""
        return [one for one in self.responses if one.url.partition("?")[0].endswith(ending)]

    async def log_in(self, username: str, password: str, account: str) -> None:
        """Fill in the form and send it."""
        await self.page.get_by_label("Account name").fill(account)
        await self.page.get_by_label("User name").fill(username)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Log in").click()


@pytest_asyncio.fixture(loop_scope="session")
async def screen(browser: BrowserContext, origin: str, server: RunningServer) -> AsyncIterator[Screen]:
    """A tab in which the page has just been opened."""
    page = await browser.new_page()
    screen = Screen(page, await browser.new_cdp_session(page))
    await screen.listen()
    await page.goto(f"{origin}/index.html?api={server.url}/v2/")
    yield screen
    await page.close()


@pytest_asyncio.fixture(loop_scope="session")
async def looks(tenant: Tenant) -> AsyncIterator[None]:
    """The account's own looks for the page's host."""
    created = await tenant.api.put("/whitelabel", {"domain": "localhost", "company_name": "Acme Phones"})
    assert created.status == 201, created.envelope
    yield
    await tenant.api.delete("/whitelabel")
