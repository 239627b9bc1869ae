# SPDX-License-Identifier: MPL-2.0
"""Every route of every dialect, with everything that clients get wrong: refused, and never an error of the server's."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from crossbar.dialects import DIALECTS
from crossbar.dialects.dialect_dispatcher import Dialect
from tests.dialects.speaker import Speaker
from tests.harness import RunningServer, Tenant

WORDS = ("%00", "9" * 50, "%C3%A9", "-1", "a%2Fb", "00000000-0000-0000-0000-000000000007", "%ff")
VALUES: tuple[Any, ...] = (None, True, -1, 2**62, 1.5, "", "\0", "\ud83d", "x" * 5000, [], [[]], {}, {"id": {}})
QUERIES = ("search=%00&order=%ff", "search=(&limit=99999999999999999999", "firstname=%5Ba&name=*", "offset=2147483647")
BODIES = (b"[]", b"null", b"1", b'"x"', b"{", b'{"a": ' * 300, b"\xff\xfe", b'{"\\u0000": 1}')


def paths(dialect: Dialect, method: str) -> list[str]:
    return sorted({route.template for route in dialect.table.routes if route.method == method})


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_nothing_upsets_the_server(server: RunningServer, tenant: Tenant, dialect: Dialect) -> None:
    speaker = Speaker(tenant.api.session, f"{server.url}{dialect.prefixes[0]}", tenant.token)

    async def say(method: str, path: str, **options: Any) -> None:
        told = await speaker.request(method, path, **options)
        assert told.status < 500, (method, path, options, told.status, told.raw)

    for method in ("GET", "HEAD", "DELETE", "PUT"):
        for template in paths(dialect, method):
            for word in WORDS if "{" in template else ():
                await say(method, re.sub(r"\{\w+\}", word, template))
    for template in paths(dialect, "GET"):
        for query in QUERIES if "{" not in template else ():
            await say("GET", f"{template}?{query}")
    for method in ("POST", "PUT"):
        for template in paths(dialect, method):
            path = re.sub(r"\{\w+\}", "1", template)
            for body in BODIES:
                await say(method, path, body=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_no_value_upsets_the_server(server: RunningServer, tenant: Tenant, dialect: Dialect) -> None:
    speaker = Speaker(tenant.api.session, f"{server.url}{dialect.prefixes[0]}", tenant.token)
    for route in dialect.table.routes:
        if route.method != "POST" or route.body is None or "{" in route.template:
            continue
        for name in route.body["properties"]:
            for value in VALUES:
                required = {"firstname": "A", "name": "n", "number": "1", "context": "default", "exten": "1"}
                sent = {one: required[one] for one in route.body.get("required", ()) if one in required} | {name: value}
                body = orjson.dumps(sent, default=str) if value != "\ud83d" else b'{"%s": "\\ud83d"}' % name.encode()
                told = await speaker.post(route.template, body=body, headers={"Content-Type": "application/json"})
                assert told.status < 500, (route.template, sent, told.status, told.raw)
        told = await speaker.get(route.template) if not route.is_open else told
        assert told.status < 500, route.template
