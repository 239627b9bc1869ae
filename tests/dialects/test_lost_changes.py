# SPDX-License-Identifier: MPL-2.0
"""A change through a dialect takes nothing back that somebody else did between its reading and its writing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crossbar.dialects.homes import ASIDE
from crossbar.documents.document_types import USER
from crossbar.endpoint import JointChange
from tests.dialects.speaker import Speaker, Told
from tests.dialects.test_xivo11_lines import CONTEXT, complete_line, created
from tests.dialects.test_xivo11_users import made
from tests.harness import RunningServer, Tenant

MANY = 8
ELSEWHERE: dict[str, Any] = {"module": "device", "data": {"id": "0" * 32}, "children": {}}

Meanwhile = Callable[[Callable[[], Awaitable[object]]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Does something once, when a change has found out what it is to change and reads the first of it."""
    waiting: list[Callable[[], Awaitable[object]]] = []
    edit = JointChange.edit

    async def later(joint: JointChange, *args: Any, **options: Any) -> Any:
        while waiting:
            await waiting.pop()()
        return await edit(joint, *args, **options)

    monkeypatch.setattr(JointChange, "edit", later)
    return waiting.append


async def all_at_once(steps: list[Awaitable[Told]]) -> None:
    for told in await asyncio.gather(*steps):
        assert told.status < 300, told.raw


async def callflow(tenant: Tenant) -> str:
    """The path of the only callflow."""
    (row,) = (await tenant.api.get("/callflows")).data
    return f"/callflows/{row['id']}"


async def test_numbers_of_a_callflow(confd: Speaker, tenant: Tenant, meanwhile: Meanwhile) -> None:
    *_, extension = await complete_line(confd)
    path = await callflow(tenant)
    meanwhile(lambda: tenant.api.patch(path, {"numbers": ["1000", "4155550100"]}))
    assert (await confd.put(f"/extensions/{extension['id']}", {"exten": "2000"})).status == 204
    assert sorted((await tenant.api.get(path)).data["numbers"]) == ["+14155550100", "2000"]


async def test_a_callflow_that_leads_elsewhere_by_then(confd: Speaker, tenant: Tenant, meanwhile: Meanwhile) -> None:
    user, line, *_ = await complete_line(confd)
    path = await callflow(tenant)
    meanwhile(lambda: tenant.api.patch(path, {"flow": ELSEWHERE}))
    assert (await confd.delete(f"/users/{user['id']}/lines/{line['id']}")).status == 204
    assert (await tenant.api.get(path)).data["flow"]["data"]["id"] == ELSEWHERE["data"]["id"]


@pytest.mark.parametrize("is_moved", [False, True])
async def test_an_extension_that_leads_nowhere(
    confd: Speaker, tenant: Tenant, meanwhile: Meanwhile, is_moved: bool
) -> None:
    _, line, _, extension = await complete_line(confd)
    path = await callflow(tenant)
    await tenant.api.patch(path, {"numbers": ["1000", "4155550100"]})
    other = {"flow": ELSEWHERE} if is_moved else {"numbers": ["1000", "4155550100", "4155550101"]}
    meanwhile(lambda: tenant.api.patch(path, other))
    told = await confd.delete(f"/lines/{line['id']}/extensions/{extension['id']}")
    flow = (await tenant.api.get(path)).data
    if is_moved:  # it led to the line no more
        assert (told.status, flow["flow"]["module"], len(flow["numbers"])) == (404, "device", 2)
    else:
        assert (told.status, len(flow["numbers"]), "1000" in flow["numbers"]) == (204, 2, False)


async def test_a_box_that_is_anothers_by_then(confd: Speaker, tenant: Tenant, meanwhile: Meanwhile) -> None:
    user, heir = await made(confd, firstname="Ana"), await made(confd, firstname="Bo")
    box = await created(confd, "/voicemails", name="10", number="10", **CONTEXT)
    assert (await confd.put(f"/users/{user['id']}/voicemails/{box['id']}")).status == 204
    (row,) = (await tenant.api.get("/vmboxes")).data
    heirs_id = heir["uuid"].replace("-", "")
    meanwhile(lambda: tenant.api.patch(f"/vmboxes/{row['id']}", {"owner_id": heirs_id}))
    assert (await confd.delete(f"/users/{user['id']}/voicemails")).status == 204
    assert (await tenant.api.get(f"/vmboxes/{row['id']}")).data["owner_id"] == heirs_id


async def test_the_other_half_of_a_forward(confd: Speaker, tenant: Tenant, meanwhile: Meanwhile) -> None:
    user = await made(confd, firstname="Ana")
    path = f"/users/{user['id']}/forwards/unconditional"
    assert (await confd.put(path, {"destination": "100"})).status == 204
    kazoo = f"/users/{user['uuid'].replace('-', '')}"
    meanwhile(lambda: tenant.api.patch(kazoo, {"call_forward": {"number": "200"}}))
    assert (await confd.put(path, {"enabled": True})).status == 204
    assert await confd.read(path) == {"enabled": True, "destination": "200"}


async def test_accesses_of_a_policy(auth: Speaker) -> None:
    policy = (await auth.post("/policies", {"name": "many"})).json["uuid"]
    names = [f"confd.{number}.read" for number in range(MANY)]
    await all_at_once([auth.put(f"/policies/{policy}/acl/{name}") for name in names])
    assert sorted((await auth.read(f"/policies/{policy}"))["acl"]) == names
    await all_at_once([auth.delete(f"/policies/{policy}/acl/{name}") for name in names[1:]])
    assert (await auth.read(f"/policies/{policy}"))["acl"] == names[:1]


async def test_members_and_policies_of_a_group(auth: Speaker) -> None:
    group = (await auth.post("/groups", {"name": "many"})).json["uuid"]
    users = [(await auth.post("/users", {"username": f"u{one}"})).json["uuid"] for one in range(MANY)]
    policies = [(await auth.post("/policies", {"name": f"p{one}"})).json["uuid"] for one in range(MANY)]
    paths = [f"/groups/{group}/{kind}/{one}" for kind, ids in (("users", users), ("policies", policies)) for one in ids]
    for does, left in ((auth.put, MANY), (auth.delete, 0)):
        await all_at_once([does(path) for path in paths])
        for kind in ("users", "policies"):
            assert (await auth.read(f"/groups/{group}/{kind}"))["total"] == left


async def test_policies_of_a_user(auth: Speaker, server: RunningServer, tenant: Tenant) -> None:
    user = (await auth.post("/users", {"username": "many"})).json["uuid"]
    policies = [(await auth.post("/policies", {"name": f"of {one}"})).json["uuid"] for one in range(MANY)]
    await all_at_once([auth.put(f"/users/{user}/policies/{policy}") for policy in policies])
    assert (await auth.read(f"/users/{user}/policies"))["total"] == MANY
    await all_at_once([auth.delete(f"/users/{user}/policies/{policy}") for policy in policies])
    document = await server.runtime.store.get(tenant.id, USER, user.replace("-", ""))
    assert document is not None and document.at(f"{ASIDE}.policies") is None
