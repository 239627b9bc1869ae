# SPDX-License-Identifier: MPL-2.0
"""The page at `/api` in a browser, through the steps of the quickstart: a token from name and password, then users."""

from __future__ import annotations

import re
import uuid

from playwright.async_api import BrowserContext, expect

from tests.harness import RunningServer, Tenant


async def test_the_quickstart(browser: BrowserContext, server: RunningServer, tenant: Tenant) -> None:
    name, password = f"rest-api-test-{uuid.uuid4().hex}", "s3cret"
    auth = f"{server.url}/0.1"
    user = await _sent(tenant, "POST", f"{auth}/users", purpose="external_api", username=name, password=password)
    policy = await _sent(tenant, "POST", f"{auth}/policies", name=name, acl_templates=["#"])
    await _sent(tenant, "PUT", f"{auth}/users/{user['uuid']}/policies/{policy['uuid']}")

    page = await browser.new_page()
    elsewhere: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(server.url) else elsewhere.append(request.url))
    await page.goto(f"{server.url}/api")
    await page.locator("#token").fill(f"{name}:{password}")
    await page.get_by_role("button", name="wazo-auth").click()
    await page.locator("summary", has_text=re.compile("^token$")).click()
    operation = page.locator("details.operation.post", has=page.locator("code", has_text=re.compile("^/token$")))
    await operation.locator("summary").click()
    await expect(operation.locator("textarea")).to_have_value(re.compile("3600"))
    await operation.get_by_role("button", name="Try it out").click()
    await expect(operation.locator(".status")).to_have_text("200")
    shown = await operation.locator(".answer pre").inner_text()
    token = re.search(r'"token": "([^"]+)"', shown)
    assert token is not None

    await page.locator("#token").fill(token[1])
    await page.get_by_role("button", name="wazo-confd").click()
    await page.locator("summary", has_text=re.compile("^users$")).click()
    operation = page.locator("details.operation.get", has=page.locator("code", has_text=re.compile("^/users$")))
    await operation.locator("summary").click()
    await operation.get_by_role("button", name="Try it out").click()
    await expect(operation.locator(".status")).to_have_text("200")
    await expect(operation.locator(".answer pre")).to_contain_text('"firstname": "Ada"')
    assert elsewhere == []
    await page.close()


async def _sent(tenant: Tenant, method: str, url: str, **body: object) -> dict[str, str]:
    headers = {"X-Auth-Token": tenant.token, "Accept": "application/json"}
    async with tenant.api.session.request(method, url, json=body or None, headers=headers) as response:
        assert response.status in (200, 204), await response.text()
        return await response.json() if response.status == 200 else {}
