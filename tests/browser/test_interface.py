# SPDX-License-Identifier: MPL-2.0
"""A page that is laid out as a build of MonsterUI, served by the server itself: from page load to its apps."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from crossbar.resources.apps.domain.app_registration import register_each
from tests.browser.conftest import FILES, PAGE
from tests.harness import RunningServer, ServerWith
from tests.samples import APP_METADATA, png

LOADER = "window.define = (module) => { window.settings = typeof module === 'function' ? module() : module; };"
CONFIG = "define(function () { return { api: { provisioner: 'kept' }, whitelabel: { companyName: 'Acme' } }; });\n"
SCRIPT = '<script type="module" src="page.js"></script>'
SCRIPTS = '<script src="js/loader.js"></script>\n  <script src="js/config.js"></script>\n  ' + SCRIPT
LISTEN = """(account) => new Promise((resolve, reject) => {
    const socket = new WebSocket(settings.api.socket);
    const data = { account_id: account, binding: "object.*.device" };
    const asked = { action: "subscribe", auth_token: sdk.token, request_id: "1", data };
    socket.onopen = () => socket.send(JSON.stringify(asked));
    socket.onmessage = ({ data }) => resolve(JSON.parse(data));
    socket.onerror = reject;
})"""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of these tests with a loader of modules, settings without addresses, and an app."""
    folder = tmp_path_factory.mktemp("interface") / "dist"
    shutil.copytree(PAGE, folder)
    shutil.copy(FILES / "md5.js", folder)
    index = (folder / "index.html").read_text()
    assert SCRIPT in index
    (folder / "index.html").write_text(index.replace(SCRIPT, SCRIPTS))
    (folder / "js").mkdir()
    (folder / "js" / "loader.js").write_text(LOADER)
    (folder / "js" / "config.js").write_text(CONFIG)
    (folder / "apps" / "voip" / "metadata" / "icon").mkdir(parents=True)
    (folder / "apps" / "voip" / "metadata" / "app.json").write_text(json.dumps(APP_METADATA))
    (folder / "apps" / "voip" / "metadata" / "icon" / "voip.png").write_bytes(png(8, 8))
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def serving(server_with: ServerWith, build: Path) -> AsyncIterator[RunningServer]:
    async with server_with(ui__folder=str(build)) as server:
        await register_each(server.runtime, build / "apps")
        yield server


async def test_from_page_load_to_apps(browser: BrowserContext, serving: RunningServer) -> None:
    page = await browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{serving.url}/")
    await page.get_by_label("Account name").fill("Master")
    await page.get_by_label("User name").fill("root")
    await page.get_by_label("Password").fill("a master's word")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("#users tr")).to_have_count(1)
    assert all(url.startswith((serving.url, "data:")) for url in asked)
    assert await page.evaluate("settings") == {
        "api": {
            "provisioner": "kept",
            "default": f"{serving.url}/v2/",
            "socket": f"{serving.url.replace('http', 'ws', 1)}/v2/websocket",
        },
        "whitelabel": {"companyName": "Acme"},
    }
    (app,) = (await page.evaluate("sdk.call('GET', `${session.root}/apps_store`)"))["data"]
    assert (app["name"], app["allowed_users"], "api_url" in app) == ("voip", "all", False)
    icon = f"{serving.url}/v2/accounts/{serving.master.id}/apps_store/{app['id']}/icon"
    shown = await page.evaluate(
        "(url) => new Promise((done) => { const i = new Image(); i.onload = () => done(i.width); i.src = url; })",
        f"{icon}?auth_token={await page.evaluate('sdk.token')}",
    )
    assert shown > 0
    reply = await page.evaluate(LISTEN, serving.master.id)
    assert (reply["action"], reply["status"]) == ("reply", "success")
    await page.close()
