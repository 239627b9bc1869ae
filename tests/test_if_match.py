# SPDX-License-Identifier: MPL-2.0
"""Entity tags and `If-Match` on every path at which a document stands."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import pytest
import pytest_asyncio

from tests.every_document import CHANGES, COLLECTIONS, VERBS, World, new_world
from tests.harness import RunningServer, Tenant

STALE: Final = {"If-Match": '"1-00000000000000000000000000000000"'}
REVISION: Final = re.compile(r'"\d+-[0-9a-f]{32}"')
ACCESS_LIST: Final = {"order": "allow,deny", "cidrs": ["192.0.2.0/24"]}
BODIES: Final = {
    "/accounts/{account_id}/access_lists": ACCESS_LIST,
    "/accounts/{account_id}/devices/{device_id}/access_lists": ACCESS_LIST,
}
"""What is sent where it is not what was read."""
OTHERWISE: Final = {
    "/accounts/{account_id}/alerts/{alert_id}": "an alert is shown to those whom it is for",
    "/accounts/{account_id}/apps_store/{app_id}": "an app that is installed, a part of the account's document",
    "/accounts/{account_id}/service_plans/{plan_id}": "what changes is the account's choice of plans, not the plan",
    "/notifications/{notification_id}": "a template of the system is never deleted",
    "/accounts/{account_id}/port_requests/{port_request_id}/comments": "comments of port requests stay",
}
"""Paths at which what is read is not what is changed, or is nobody's here, and why."""


PATHS: Final = sorted(
    template
    for template, verbs in VERBS.items()
    if "GET" in verbs and verbs & set(CHANGES) and "{node}" not in template
)
DECLARED: Final = {collection.paths[0] for collection in COLLECTIONS} - OTHERWISE.keys()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(server: RunningServer) -> World:
    return await new_world(server, "conditional")


@pytest.mark.parametrize("template", [path for path in PATHS if path not in OTHERWISE])
async def test_a_change_of_another_version_is_refused(world: World, template: str) -> None:
    api, path = world.api, world.path(template)
    read = await api.get(path)
    tag = read.headers.get("ETag", "")
    if template in DECLARED:
        assert (read.status, bool(REVISION.fullmatch(tag))) == (200, True)
    if not REVISION.fullmatch(tag):  # a list, a file, or nothing of one revision
        return
    verbs = [verb for verb in CHANGES if verb in VERBS[template]]
    for verb in verbs:
        body = BODIES.get(template, read.data) if verb == "POST" else {}
        refused = await api.request(verb, path, body, headers=STALE)
        assert (verb, refused.status) == (verb, 412), refused.envelope
    assert (await api.get(path)).headers["ETag"] == tag
    if "POST" in verbs:
        changed = await api.post(path, BODIES.get(template, read.data), headers={"If-Match": tag})
        assert changed.status == 200, changed.envelope
        assert changed.headers.get("ETag", "") != tag


async def test_nothing_is_deleted_that_was_changed_in_between(tenant: Tenant) -> None:
    for _ in range(10):
        made = await tenant.api.put("/skels", {"name": "x"})
        path, judged = f"/skels/{made.id}", {"If-Match": made.headers["ETag"]}
        changed, deleted = await asyncio.gather(
            tenant.api.patch(path, {"a": 1}), tenant.api.delete(path, headers=judged)
        )
        assert (changed.status, deleted.status) in ((200, 412), (404, 200))
