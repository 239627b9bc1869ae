# SPDX-License-Identifier: MPL-2.0
"""An account with a document of every type that an endpoint serves there."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from crossbar.app import ENDPOINTS
from crossbar.documents.document import Document
from crossbar.endpoint import Collection, Singleton
from crossbar.ids import new_id
from tests.harness import Api, RunningServer, Tenant, new_tenant
from trials.worlds import KNOWN, handed_in, made_in, new_number

CHANGES: Final = ("PATCH", "POST", "DELETE")
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


def verbs_by_template() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for endpoint in ENDPOINTS:
        for route in endpoint.routes:
            found[route.template.removeprefix("/v2")].add(route.verb)
    return found


VERBS: Final = verbs_by_template()

COLLECTIONS: Final[list[Collection]] = [
    collection
    for endpoint in ENDPOINTS
    for collection in endpoint.collections
    if "{account_id}" in collection.paths[0] and VERBS.get(collection.paths[0], set()) & set(CHANGES)
]


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


async def new_world(server: RunningServer, name: str) -> World:
    """A new account, with everything; a name is given to as many as one likes."""
    tenant = await new_tenant(server, server.master, f"{name}{new_id()[:12]}")
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
        if document_type == "cccp":  # one number is nobody else's anywhere
            fields["cid"] = new_number()
        is_shared = document_type == "resource_template"  # lies in the master account, beside those of other worlds
        partition = server.master.id if is_shared else tenant.id
        document = Document(partition, document_type, new_id() if is_shared else id_of(collection, tenant), fields)
        await server.runtime.store.insert(document)
        ids.setdefault(id_name(collection), document.id)
    return World(server.master.root, ids)
