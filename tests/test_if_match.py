"""Entity tags and `If-Match` on every path at which a document stands."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

import pytest
import pytest_asyncio

from crossbar.app import ENDPOINTS
from crossbar.documents.document import Document
from crossbar.endpoint import Collection, Singleton
from tests.harness import Api, RunningServer, Tenant, new_tenant
from trials.worlds import KNOWN, handed_in, made_in

CHANGES: Final = ("PATCH", "POST", "DELETE")
STALE: Final = {"If-Match": '"1-00000000000000000000000000000000"'}
REVISION: Final = re.compile(r'"\d+-[0-9a-f]{32}"')
STORED: Final[dict[str, dict[str, Any]]] = {
    "alert": {"title": "t", "message": "m", "to": ["all"], "from": []},
    "apps_store": {"apps": {}},
    "blacklist": {"name": "n", "numbers": {}},
    "cccp": {"active": True, "outbound_cid": "+12025550196", "user_id": "user_id", "cid": "+12025550195"},
    "click2call": {"name": "button", "extension": "1001"},
    "function": {"name": "function", "function_js": "x"},
    "list_entry": {"list_id": "list_id", "name": "entry"},
    "notification": {"from": "a@example.com", "subject": "s", "to": {"type": "admins"}},
    "provider": {"name": "duo", "provider_name": "duo", "enabled": True, "settings": {}},
    "resource_template": {"name": "n", "template_name": "n", "gateways": []},
    "resource_selector": {"name": "n", "selector": "s", "resource": "r"},
    "resource_selector_rules": {"rules": []},
    "service_plan": {"plan": {}},
    "storage": {"attachments": {}},
    "sys_info": {"account": {}, "servers": []},
    "temporal_rule": {"name": "rule", "cycle": "daily"},
    "token_restrictions": {"restrictions": {"_": {}}},
    "webhook": {"name": "hook", "uri": "http://192.0.2.1/", "hook": "all", "http_verb": "post"},
}
"""Fields of documents, by type, that nobody has made: what their schemas require, ids of others by their names."""
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
    "/accounts/{account_id}/port_requests/{port_request_id}/comments": "comments of port requests stay",
}
"""Paths at which what is read is not what is changed, or is nobody's here, and why."""


def verbs_by_template() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for endpoint in ENDPOINTS:
        for route in endpoint.routes:
            found[route.template.removeprefix("/v2")].add(route.verb)
    return found


VERBS: Final = verbs_by_template()
PATHS: Final = sorted(
    template
    for template, verbs in VERBS.items()
    if "GET" in verbs and verbs & set(CHANGES) and "{node}" not in template
)
COLLECTIONS: Final[list[Collection]] = [
    collection
    for endpoint in ENDPOINTS
    for collection in endpoint.collections
    if "{account_id}" in collection.paths[0] and VERBS.get(collection.paths[0], set()) & set(CHANGES)
]
DECLARED: Final = {collection.paths[0] for collection in COLLECTIONS} - OTHERWISE.keys()


@dataclass
class World:
    """An account with a document of every type that an endpoint serves there, as the operator sees it."""

    api: Api
    ids: dict[str, str]

    def path(self, template: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda name: self.ids.get(name[1], "f" * 32), template)


def id_name(collection: Collection) -> str:
    return collection.paths[0].rpartition("/")[2].strip("{}")


def id_of(collection: Collection, tenant: Tenant) -> str:
    if isinstance(collection, Singleton):
        return collection.document_id
    if collection.shape.type == "storage":
        return tenant.id
    name = id_name(collection)
    return f"configs_{KNOWN['category']}" if name == "category" else KNOWN.get(name, name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(server: RunningServer) -> World:
    tenant = await new_tenant(server, server.master, "conditional")
    ids = await made_in(tenant)
    await handed_in(server, ids)
    made = ids.keys() - KNOWN.keys()
    assert (await server.master.root.put(f"/accounts/{tenant.id}/reseller", {})).status == 201
    for collection in COLLECTIONS:
        if id_name(collection) in made:
            continue
        document_type = collection.shape.type
        fields = {key: ids.get(str(value), value) for key, value in STORED.get(document_type, {"name": "made"}).items()}
        fields |= {"pvt_type": document_type, "pvt_account_id": tenant.id}
        partition = server.master.id if document_type == "resource_template" else tenant.id
        document = Document(partition, document_type, id_of(collection, tenant), fields)
        await server.runtime.store.insert(document)
        ids.setdefault(id_name(collection), document.id)
    return World(server.master.root, ids)


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
