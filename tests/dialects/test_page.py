# SPDX-License-Identifier: MPL-2.0
"""The page at `/api` and the descriptions: checks C01 to C03 of the acceptance list."""

from __future__ import annotations

import re

from crossbar.dialects import DIALECTS
from crossbar.dialects.description import description
from tests.dialects.speaker import Speaker
from tests.harness import RunningServer, Tenant


def nobody(server: RunningServer, tenant: Tenant) -> Speaker:
    return Speaker(tenant.api.session, server.url, headers={})


async def test_c01_the_page_and_the_list(server: RunningServer, tenant: Tenant) -> None:
    speaker = nobody(server, tenant)
    for path in ("/api", "/api/"):
        page = await speaker.get(path)
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert b"Available APIs" in page.raw
    for part in re.findall(rb'(?:src|href)="([^"]+)"', page.raw):
        assert (await speaker.get(part.decode())).status == 200
        assert part.startswith(b"/"), "nothing comes from elsewhere"
    apis = (await speaker.get("/api/catalog/index.json")).json["apis"]
    assert {"wazo-auth", "wazo-confd"} <= {api["title"] for api in apis}
    for api in apis:
        assert api["url"].startswith(server.url)
        assert (await speaker.get(api["url"].removeprefix(server.url))).status == 200


async def test_c02_c03_the_descriptions(server: RunningServer, tenant: Tenant) -> None:
    speaker = nobody(server, tenant)
    for base, paths in (
        ("/1.1", {"/users", "/lines", "/extensions", "/voicemails"}),
        ("/0.1", {"/token", "/backends", "/users", "/policies"}),
        ("/api/confd/1.1", {"/users"}),
        ("/api/auth/0.1", {"/token"}),
    ):
        told = await speaker.get(f"{base}/api/api.yml", headers={"Origin": "http://elsewhere"})
        assert (told.status, told.headers["Access-Control-Allow-Origin"]) == (200, "*")
        assert told.headers["Content-Type"].startswith("application/x-yaml")
        described = (await speaker.get(f"{base}/api/api.json")).json
        assert described["swagger"] == "2.0"
        assert described["basePath"] == base
        assert paths <= described["paths"].keys()
        assert described["securityDefinitions"]["wazo_auth_token"]["name"] == "X-Auth-Token"
        assert told.raw == (await speaker.get(f"{base}/api/api.json")).raw, "JSON is YAML"


def test_everything_that_is_answered_is_described() -> None:
    for dialect in DIALECTS:
        described = description(dialect, dialect.prefixes[0])
        for route in dialect.table.routes:
            if not route.template.startswith("/api/"):
                operation = described["paths"][route.template][route.method.lower()]
                named = re.findall(r"\{(\w+)\}", route.template)
                assert [one["name"] for one in operation["parameters"] if one["in"] == "path"] == named
                assert operation["summary"], route.template
