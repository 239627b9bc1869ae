# SPDX-License-Identifier: MPL-2.0
"""Dialects cannot try a change: who asks for that is refused, in the dialect's words, and nothing is written."""

from __future__ import annotations

import re
from typing import Any

import pytest

from crossbar.dialects import DIALECTS
from crossbar.dialects.dialect_dispatcher import READING, Dialect
from tests.dialects.speaker import Speaker, Told, basic
from tests.harness import RunningServer, Tenant

SAYS_SO = ("dry_run=true", "dry_run=1", "dry_run", "x=1&dry_run=", "dry_run=true&dry_run=false")


def is_refusal(dialect: Dialect, told: Told) -> bool:
    """Whether an answer refuses a trial in the form of the dialect."""
    if told.status != 400:
        return False
    match dialect.name:
        case "XiVO REST 1.0":
            return bool(told.json == ["Incorrect parameters sent: dry_run"])
        case "XiVO REST 1.1":
            (text,) = told.json
            return bool(text.startswith("Input Error - dry_run: "))
    return told.json["error_id"] == "invalid-data" and list(told.json["details"]) == ["dry_run"]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_on_every_route_that_changes(server: RunningServer, tenant: Tenant, dialect: Dialect) -> None:
    speaker = Speaker(tenant.api.session, f"{server.url}{dialect.prefixes[0]}", tenant.token)
    asked = 0
    for route in dialect.table.routes:
        if route.method in READING:
            continue
        path = re.sub(r"\{\w+\}", "1", route.template)
        body: dict[str, Any] = {"json": {}} if route.method in ("POST", "PUT") else {}
        told = await speaker.request(route.method, f"{path}?dry_run=true", **body)
        assert is_refusal(dialect, told), (route.method, path, told.status, told.raw)
        asked += 1
    assert asked >= 6


@pytest.mark.parametrize("how", SAYS_SO)
async def test_nothing_is_written(old: Speaker, confd: Speaker, auth: Speaker, tenant: Tenant, how: str) -> None:
    known = (
        (old, await old.made("/users", {"firstname": "Ana"}), {"firstname": "Bo"}, "/users"),
        (confd, (await confd.post("/users", {"firstname": "Cy"})).json["id"], {"firstname": "Di"}, "/users"),
        (auth, (await auth.post("/policies", {"name": "p"})).json["uuid"], {"name": "q"}, "/policies"),
    )
    before = (await tenant.api.get("/audit")).data
    for speaker, key, values, path in known:
        assert (await speaker.post(f"{path}?{how}", values)).status == 400, speaker.base
        assert (await speaker.put(f"{path}/{key}?{how}", values)).status == 400, speaker.base
        assert (await speaker.delete(f"{path}/{key}?{how}")).status == 400, speaker.base
    assert (await tenant.api.get("/audit")).data == before


async def test_tokens_come_and_go_for_good_alone(auth: Speaker, tenant: Tenant) -> None:
    named, nobody = basic(f"admin@{tenant.realm}", "correct horse"), auth.acting(None)
    assert (await nobody.post("/token?dry_run=true", {}, headers=named)).status == 400
    token = (await nobody.post("/token?dry_run=false", {}, headers=named)).json["data"]["token"]
    assert (await nobody.delete(f"/token/{token}?dry_run=true")).status == 400
    assert (await nobody.get(f"/token/{token}?dry_run=true")).status == 200


async def test_reading_is_no_change_and_who_may_not_is_told_that_first(confd: Speaker) -> None:
    assert (await confd.get("/users?dry_run=true")).status == 200
    assert (await confd.acting("x").post("/users?dry_run=true", {"firstname": "A"})).status == 401
    assert (await confd.post("/users?dry_run=false", {"firstname": "A"})).status == 201
