# SPDX-License-Identifier: MPL-2.0
"""A change through a dialect that several documents have a part in is made whole, or not at all, whenever it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import pytest

from crossbar.endpoint.shielded_tasks import ShieldedTasks
from crossbar.errors import SystemFault
from tests.dialects.speaker import Speaker
from tests.dialects.test_xivo11_lines import CONTEXT, complete_line, created
from tests.dialects.test_xivo11_users import made
from tests.harness import Tenant

MOMENTS: Final = (0, 4, 9, 14, 20)
"""Turns of the loop, of half a millisecond each, after which a change ends as if the server had been killed."""

Story = list[Any]
Step = tuple[str, str, Any]
"""A method, a path and a body."""
Making = Callable[[Speaker, Tenant], Awaitable[tuple[Step, list[Step]]]]
"""Makes what a change needs; returns the change, and what takes it back."""


class Broken:
    """Ends what a request writes `after` so many turns; None lets it be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.after: int | None = None
        whole = ShieldedTasks.__call__

        async def broken(shielded: ShieldedTasks, work: Awaitable[Any]) -> Any:
            if self.after is None:
                return await whole(shielded, work)
            task = asyncio.ensure_future(work)
            for _ in range(self.after):
                await asyncio.sleep(0.0005)
            task.cancel()
            with suppress(asyncio.CancelledError):
                return await task
            raise SystemFault("killed")

        monkeypatch.setattr(ShieldedTasks, "__call__", broken)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Broken:
    return Broken(monkeypatch)


async def story(confd: Speaker, tenant: Tenant) -> Story:
    """What 1.1 tells of everything, and what Crossbar does."""
    told: Story = []
    for resource in ("users", "lines", "endpoints/sip", "extensions", "voicemails"):
        items = (await confd.read(f"/{resource}"))["items"]
        told.append(sorted(items, key=lambda item: int(item["id"])))
    devices, flows = [
        [(await tenant.api.get(f"/{kind}/{row['id']}")).data for row in (await tenant.api.get(f"/{kind}")).data]
        for kind in ("devices", "callflows")
    ]
    told.append(sorted((device["sip"]["username"], device.get("owner_id")) for device in devices))
    names = {device["id"]: device["sip"]["username"] for device in devices}
    ringing = [(flow["numbers"], flow["flow"]["module"], flow["flow"]["data"]["id"]) for flow in flows]
    told.append(sorted((numbers, module, names.get(target, target)) for numbers, module, target in ringing))
    return told


async def line_and_endpoint(confd: Speaker, _: Tenant) -> tuple[Step, list[Step]]:
    line, sip = await created(confd, "/lines", **CONTEXT), await created(confd, "/endpoints/sip")
    path = f"/1.1/lines/{line['id']}/endpoints/sip/{sip['id']}"
    return ("PUT", path, None), [("DELETE", path, None)]


async def a_line_without_endpoint(confd: Speaker, tenant: Tenant) -> tuple[Step, list[Step]]:
    put, (delete,) = await line_and_endpoint(confd, tenant)
    await confd.put(put[1].removeprefix("/1.1"))
    return delete, [put]


async def a_line_without_user(confd: Speaker, _: Tenant) -> tuple[Step, list[Step]]:
    user, line, _, _ = await complete_line(confd)
    path = f"/1.1/users/{user['id']}/lines/{line['id']}"
    return ("DELETE", path, None), [("PUT", path, None)]


async def all_lines_of_a_user(confd: Speaker, _: Tenant) -> tuple[Step, list[Step]]:
    user, first, _, _ = await complete_line(confd)
    second, sip = await created(confd, "/lines", **CONTEXT), await created(confd, "/endpoints/sip")
    await confd.put(f"/lines/{second['id']}/endpoints/sip/{sip['id']}")
    extension = await created(confd, "/extensions", exten="1001", **CONTEXT)
    await confd.put(f"/lines/{second['id']}/extensions/{extension['id']}")
    path, (one, other) = f"/users/{user['id']}/lines", ({"id": first["id"]}, {"id": second["id"]})
    await confd.put(path, {"lines": [one]})
    return ("PUT", f"/1.1{path}", {"lines": [other]}), [("PUT", f"/1.1{path}", {"lines": [one]})]


async def number_of_an_extension(confd: Speaker, _: Tenant) -> tuple[Step, list[Step]]:
    *_, extension = await complete_line(confd)
    path = f"/1.1/extensions/{extension['id']}"
    return ("PUT", path, {"exten": "2000"}), [("PUT", path, {"exten": "1000"})]


async def a_line_without_a_number_of_crossbars(confd: Speaker, tenant: Tenant) -> tuple[Step, list[Step]]:
    _, line, _, _ = await complete_line(confd)
    (row,) = (await tenant.api.get("/callflows")).data
    await tenant.api.patch(f"/callflows/{row['id']}", {"numbers": ["1000", "4155550100"]})
    (public,) = (await confd.read("/extensions?type=incall"))["items"]
    path = f"/lines/{line['id']}/extensions/{public['id']}"
    return ("DELETE", f"/1.1{path}", None), [("PUT", f"/1.1{path}", None)]


async def box_of_a_user(confd: Speaker, _: Tenant) -> tuple[Step, list[Step]]:
    user, other = await made(confd, firstname="Ana"), await made(confd, firstname="Bo")
    boxes = [(await created(confd, "/voicemails", name=name, number=name, **CONTEXT))["id"] for name in ("10", "11")]
    own, others = f"/1.0/users/{user['id']}", f"/1.0/users/{other['id']}"
    for person in (user, other):
        await confd.put(f"/users/{person['id']}/voicemails/{boxes[0]}")
    return ("PUT", own, {"voicemailid": boxes[1], "userfield": "x"}), [
        ("PUT", others, {"voicemailid": None}),
        ("PUT", own, {"voicemailid": boxes[0], "userfield": ""}),
        ("PUT", others, {"voicemailid": boxes[0]}),
    ]


MAKINGS: Final = (
    line_and_endpoint,
    a_line_without_endpoint,
    a_line_without_user,
    all_lines_of_a_user,
    number_of_an_extension,
    a_line_without_a_number_of_crossbars,
    box_of_a_user,
)


@pytest.mark.parametrize("making", MAKINGS)
async def test_a_change_that_ends_in_the_middle(confd: Speaker, tenant: Tenant, broken: Broken, making: Making) -> None:
    there, back = await making(confd, tenant)
    anywhere = Speaker(confd.session, confd.base.removesuffix("/1.1"), confd.token)

    async def take(*steps: Step) -> None:
        for method, path, body in steps:
            told = await anywhere.request(method, path, *([] if body is None else [body]))
            assert told.status < 300, (path, told.raw)

    await take(there)
    after = await story(confd, tenant)
    await take(*back)
    before = await story(confd, tenant)
    assert before != after
    outcomes = []
    for moment in MOMENTS:
        broken.after = moment
        method, path, body = there
        await anywhere.request(method, path, *([] if body is None else [body]))
        broken.after = None
        now = await story(confd, tenant)
        assert now in (before, after), moment
        outcomes.append(now == after)
        if now == before:
            await take(there)
            assert await story(confd, tenant) == after, moment
        await take(*back)
        assert await story(confd, tenant) == before, moment
    assert False in outcomes, "the change was never broken off"


async def test_a_user_who_ends_in_the_middle(confd: Speaker, old: Speaker, tenant: Tenant, broken: Broken) -> None:
    box = await created(confd, "/voicemails", name="b", number="10", **CONTEXT)
    for moment in MOMENTS:
        user = await old.made("/users", {"firstname": "Ana", "voicemailid": box["id"]})
        broken.after = moment
        await old.delete(f"/users/{user}")
        broken.after = None
        (row,) = (await tenant.api.get("/vmboxes")).data
        people = {one["id"]: one["voicemailid"] for one in (await old.read("/users"))["items"]}
        assert (user in people) == ("owner_id" in row), moment
        assert people.get(user, box["id"]) == box["id"]
        if user in people:
            assert (await old.delete(f"/users/{user}")).status == 200


async def test_a_user_with_a_box_who_is_made_in_the_middle(confd: Speaker, old: Speaker, broken: Broken) -> None:
    box = await created(confd, "/voicemails", name="b", number="10", **CONTEXT)
    for moment in MOMENTS:
        broken.after = moment
        await old.post("/users", {"firstname": "Ana", "voicemailid": box["id"]})
        broken.after = None
        found = [one for one in (await old.read("/users"))["items"] if one["firstname"] == "Ana"]
        assert [one["voicemailid"] for one in found] in ([], [box["id"]]), moment
        for one in found:
            await old.delete(f"/users/{one['id']}")
