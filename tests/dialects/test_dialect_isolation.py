# SPDX-License-Identifier: MPL-2.0
"""Every route of every dialect that names something of an account, asked for by an administrator of another one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from crossbar.dialects import DIALECTS
from crossbar.dialects.dialect_dispatcher import Dialect
from crossbar.dialects.routes import DialectRoute
from crossbar.ids import new_id
from tests.dialects.speaker import Speaker, basic
from tests.harness import RunningServer, Tenant, new_tenant

REFUSED = {401, 403, 404}
OF_LIST = {
    "users": "user",
    "voicemails": "box",
    "lines": "line",
    "sip": "endpoint",
    "extensions": "extension",
    "devices": "device",
}
"""Whose id stands in a path after a word."""
LEAST = {"XiVO REST 1.0": (6, 2), "XiVO REST 1.1": (59, 20), "wazo-auth": (35, 11)}
"""How many routes name something, and how many of these the account itself reads."""


async def made_in(confd: Speaker, auth: Speaker, tenant: Tenant) -> dict[str, str]:
    """Something of everything; argument of a path → what it is in the account."""
    user = (await confd.post("/users", {"firstname": "Ana", "username": f"ana{tenant.id[:8]}"})).json
    line = (await confd.post("/lines", {"context": "default"})).json
    sip = (await confd.post("/endpoints/sip", {})).json
    extension = (await confd.post("/extensions", {"exten": "1001", "context": "default"})).json
    box = (await confd.post("/voicemails", {"name": "Ana", "number": "1001", "context": "default"})).json
    for path in (f"/lines/{line['id']}/endpoints/sip/{sip['id']}", f"/lines/{line['id']}/extensions/{extension['id']}"):
        assert (await confd.put(path)).status == 204, path
    assert (await confd.put(f"/users/{user['id']}/lines/{line['id']}")).status == 204
    assert (await confd.put(f"/users/{user['id']}/voicemails/{box['id']}")).status == 204
    policy = (await auth.post("/policies", {"name": f"p{tenant.id[:8]}", "acl": ["confd.users.read"]})).json
    group = (await auth.post("/groups", {"name": f"g{tenant.id[:8]}"})).json
    logged_in = await auth.acting(None).post("/token", {}, headers=basic(f"admin@{tenant.realm}", "correct horse"))
    phone = (await tenant.api.put("/devices", {"name": "Phone"})).id
    return {
        "user": str(user["id"]),
        "line": str(line["id"]),
        "endpoint": str(sip["id"]),
        "extension": str(extension["id"]),
        "box": str(box["id"]),
        "device": phone,
        "policy": policy["uuid"],
        "group": group["uuid"],
        "tenant": tenant.id,
        "session": logged_in.json["data"]["session_uuid"],
    }


async def everything(confd: Speaker, auth: Speaker) -> list[Any]:
    """All that the account has."""
    lists = [await confd.read(path) for path in ("/users", "/voicemails", "/lines", "/extensions", "/endpoints/sip")]
    return [
        *lists,
        await auth.read("/policies"),
        await auth.read("/sessions"),
        await auth.read("/groups"),
        await auth.read("/users"),
    ]


def path_to(route: DialectRoute, ids: dict[str, str]) -> str | None:
    """A path of the route that leads to what is there; None for one that names nothing."""
    known = 0

    def of(match: re.Match[str]) -> str:
        nonlocal known
        before, name = match.groups()
        found = ids.get(OF_LIST.get(before, "") if name == "id" else name)
        known += found is not None
        return f"{before}/{found or 1}"

    path = re.sub(r"(\w+)/\{(\w+)\}", of, route.template)
    return path if known else None


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_nothing_is_anothers(
    server: RunningServer, stranger: Tenant, confd: Speaker, auth: Speaker, dialect: Dialect
) -> None:
    tenant = await new_tenant(server, server.master, f"closed{new_id()[:12]}")
    confd, auth = confd.acting(tenant.token), auth.acting(tenant.token)
    ids = await made_in(confd, auth, tenant)
    if dialect.name == "wazo-auth":
        ids["user"] = (await auth.read("/users"))["items"][0]["uuid"]
    before = await everything(confd, auth)
    theirs = Speaker(stranger.api.session, f"{server.url}{dialect.prefixes[0]}", stranger.token)
    ours = theirs.acting(tenant.token)
    asked = opened = 0
    for route in dialect.table.routes:
        path = path_to(route, ids)
        if path is None:
            continue
        body = {"json": {}} if route.method in ("POST", "PUT") else {}
        told = await theirs.request(route.method, path, **body)
        assert told.status in (REFUSED | {400} if body else REFUSED), (route.method, path, told.status, told.raw)
        asked += 1
        opened += route.method == "GET" and (await ours.get(path)).status == 200
    least = LEAST[dialect.name]
    assert asked >= least[0]
    assert opened >= least[1]
    assert await everything(confd, auth) == before
