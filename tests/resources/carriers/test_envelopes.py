# SPDX-License-Identifier: MPL-2.0
"""Every route of the wing, with the whole envelope that answers it."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY
from uuid import uuid4

from crossbar.app import ENDPOINTS
from crossbar.endpoint.document_history import HISTORY
from crossbar.resources.carriers import ENDPOINTS as OF_THE_WING
from tests.carriers import CARRIER_DEFAULTS, GATEWAY_DEFAULTS
from tests.harness import ABSENT, Api, RunningServer, Tenant, new_tenant
from tests.tasks import run_task

SHOWN: set[str] = set()
"""The routes that a test of this file has asked for, as `VERB template`."""
ALWAYS = {"auth_token": ANY, "node": ANY, "request_id": ANY, "timestamp": ANY, "version": ANY}
GATEWAY = {"server": "sip.example.com"}
REVISION = {"revision": ANY}


async def asked(api: Api, verb: str, path: str, sent: Any, status: int, **expected: Any) -> Any:
    """Ask, compare everything in the envelope, and return its `data`."""
    query = None
    if "?" in path:
        path, _, text = path.partition("?")
        query = dict(part.split("=") for part in text.split("&"))
    answer = await api.request(verb, path, ABSENT if sent is None else sent, query=query)
    tokens = {"tokens": ANY} if "tokens" in answer.envelope else {}
    assert (answer.status, answer.envelope) == (status, {**ALWAYS, **tokens, "status": "success", **expected})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-ID"] == answer.envelope["request_id"]
    whole = f"/v2{api.prefix}{path}".split("/")
    for endpoint in ENDPOINTS:
        for route in endpoint.routes:
            if route.verb == verb and _leads(route.template.split("/"), whole):
                SHOWN.add(f"{verb} {route.template}")
    return answer.data


def _leads(template: list[str], path: list[str]) -> bool:
    steps = zip(template, path, strict=False)
    return len(template) == len(path) and all(step == part or step[:1] == "{" for step, part in steps)


async def resources(api: Api) -> None:
    one = f"one{uuid4().hex[:8]}"
    kept = {**CARRIER_DEFAULTS, "gateways": [{**GATEWAY_DEFAULTS, **GATEWAY}], "name": "a", "id": one}
    row = {"id": one, "name": "a", "enabled": True, "weight_cost": 50}
    sent = {"id": one, "name": "a", "gateways": [GATEWAY]}
    await asked(api, "PUT", "/resources", sent, 201, data=kept, **REVISION)
    await asked(api, "GET", f"/resources?filter_id={one}", None, 200, data=[row], page_size=1, revision=ANY)
    await asked(api, "GET", f"/resources/{one}", None, 200, data=kept, **REVISION)
    await asked(api, "PATCH", f"/resources/{one}", {"x": 1}, 200, data={**kept, "x": 1}, **REVISION)
    await asked(api, "POST", f"/resources/{one}", sent, 200, data=kept, **REVISION)
    gone = {**kept, "_read_only": {"deleted": True}}
    await asked(api, "DELETE", f"/resources/{one}", None, 200, data=gone, **REVISION)

    two = f"two{uuid4().hex[:8]}"
    row["id"] = two
    many = {"revision": "automatic"}
    await asked(api, "PUT", "/resources/collection", [{**sent, "id": two}], 201, data=[row], **many)
    row["name"] = "b"
    await asked(api, "POST", "/resources/collection", [{"id": two, "name": "b"}], 200, data=[row], **many)

    job = {"id": ANY, "resource_id": two, "numbers": ["600"], "success": {}, "errors": {}}
    sent = {"resource_id": two, "numbers": ["600"]}
    made = await asked(api, "PUT", "/resources/jobs", sent, 201, data=job, **REVISION)
    job |= {"id": made["id"], "timestamp": ANY, "status": ANY, "errors": ANY}
    await asked(api, "GET", f"/resources/jobs/{made['id']}", None, 200, data=job, **REVISION)
    listed = {"id": made["id"], "resource_id": two, "timestamp": ANY, "status": ANY, "failures": ANY, "successes": 0}
    await asked(
        api,
        "GET",
        f"/resources/jobs?filter_id={made['id']}",
        None,
        200,
        data=[listed],
        page_size=1,
        start_key=ANY,
        revision=ANY,
    )


async def resource_templates(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    await master.root.put(f"/accounts/{tenant.id}/reseller", {})
    customer = await new_tenant(server, tenant, f"customer{tenant.id[:8]}")
    api = tenant.api.acting(tenant.token, f"/accounts/{customer.id}")
    sent = {"id": "t", "template_name": "a"}
    path = "/resource_templates"
    await asked(api, "PUT", path, sent, 201, data=sent, **REVISION)
    await asked(api, "GET", path, None, 200, data=[sent], page_size=1, revision=ANY)
    await asked(api, "GET", f"{path}/t", None, 200, data=sent, **REVISION)
    await asked(api, "PATCH", f"{path}/t", {"x": 1}, 200, data={**sent, "x": 1}, **REVISION)
    await asked(api, "POST", f"{path}/t", sent, 200, data=sent, **REVISION)
    gone = {**sent, "_read_only": {"deleted": True}}
    await asked(api, "DELETE", f"{path}/t", None, 200, data=gone, **REVISION)


async def resource_selectors(account: Tenant, api: Api) -> None:
    name, resource = f"n{uuid4().hex[:8]}", f"r{uuid4().hex[:8]}"
    selector = {"name": name, "selector": "^1", "resource": resource}
    await run_task(account.api, "resource_selectors", "import", f"name,selector,resource\n{name},^1,{resource}\n")
    path = "/resource_selectors"
    listed = {"page_size": 1, "revision": ANY}
    row = {**selector, "id": ANY}
    [found] = await asked(api, "GET", f"{path}?filter_name={name}", None, 200, data=[row], **listed)
    for both in (f"{path}/name/{name}/resource/{resource}", f"{path}/resource/{resource}/name/{name}"):
        await asked(api, "GET", both, None, 200, data=[found], **listed)
    counted = {"page_size": 1, "revision": ANY, "start_key": ANY}
    for of, word in (("name", name), ("resource", resource)):
        start = {"start_key": word, "end_key": word}
        answer = await api.get(f"{path}/{of}", query=start)
        assert answer.data == [{word: 1}]
        await asked(api, "GET", f"{path}/{of}?start_key={word}&end_key={word}", None, 200, data=[{word: 1}], **counted)
    counted = {"page_size": 1, "revision": ANY}
    await asked(api, "GET", f"{path}/name/{name}", None, 200, data=[{resource: 1}], **counted)
    await asked(api, "GET", f"{path}/resource/{resource}", None, 200, data=[{name: 1}], **counted)
    one = f"{path}/{found['id']}"
    await asked(api, "GET", one, None, 200, data=found, **REVISION)
    await asked(api, "POST", one, selector, 200, data=found, **REVISION)
    gone = {**found, "_read_only": {"deleted": True}}
    await asked(api, "DELETE", one, None, 200, data=gone, **REVISION)
    rules = {"id": "resource_selector_rules", "a": 1}
    await asked(api, "POST", f"{path}/rules", {"a": 1}, 200, data=rules, **REVISION)
    await asked(api, "GET", f"{path}/rules", None, 200, data=rules, **REVISION)


async def rates(master: Tenant, tenant: Tenant) -> None:
    deck = f"deck{uuid4().hex[:8]}"
    here = f"ratedeck_id={deck}"
    sent = {"prefix": 1415, "rate_cost": 0.5}
    kept = {**sent, "id": "XX-1415", "routes": ["^\\+?1415.+$"]}
    api = master.root
    await asked(api, "PUT", f"/rates?{here}", sent, 201, data=kept, **REVISION)
    row = {"id": "XX-1415", "cost": 0.5, "prefix": 1415}
    await asked(api, "GET", f"/rates?{here}", None, 200, data=[row], page_size=1, revision=ANY)
    await asked(api, "GET", f"/rates?{here}&prefix=14155", None, 200, data=[kept], page_size=1, revision=ANY)
    await asked(api, "GET", f"/rates/XX-1415?{here}", None, 200, data=kept, **REVISION)
    await asked(api, "PATCH", f"/rates/XX-1415?{here}", {"x": 1}, 200, data={**kept, "x": 1}, **REVISION)
    await asked(api, "POST", f"/rates/XX-1415?{here}", sent, 200, data=kept, **REVISION)
    rated = {
        "Base-Cost": 0.5,
        "E164-Number": "+14155550100",
        "Prefix": 1415,
        "Rate": "5000",
        "Rate-ID": "XX-1415",
        "Rate-Increment": 60,
        "Rate-Minimum": "60",
        "Ratedeck-ID": deck,
        "Surcharge": "0",
    }
    await asked(tenant.root, "GET", f"/rates/number/+14155550100?{here}", None, 200, data=rated)
    decks = {"default_ratedeck": "ratedeck", "ratedecks": ANY}
    await asked(api, "GET", "/rates/ratedecks", None, 200, data=decks)
    gone = {**kept, "_read_only": {"deleted": True}}
    await asked(api, "DELETE", f"/rates/XX-1415?{here}", None, 200, data=gone, **REVISION)


async def ips(master: Tenant, tenant: Tenant) -> None:
    zone = f"zone{uuid4().hex[:8]}"
    chance = uuid4().int
    ip = f"198.19.{chance % 250}.{chance // 250 % 250}"
    stored = dict.fromkeys(("created", "modified"), ANY) | {"vsn": "1", "type": "dedicated_ip", "status": "available"}
    made = {"_read_only": {**stored, "id": ip, "zone": zone, "host": "h"}}
    root = master.root
    await asked(root, "PUT", "/ips", {"ip": ip, "zone": zone, "host": "h"}, 201, data=made, **REVISION)
    free = {"id": ip, "ip": ip, "zone": zone, "host": "h", "status": "available", "type": "dedicated_ip"}
    own = {**free, "status": "assigned", "assigned_to": tenant.id}
    row = {"ip": ip, "zone": zone}
    moved = {"error": {}, "success": {ip: own}}
    for api in (root, tenant.api):
        await asked(api, "GET", f"/ips?zone={zone}", None, 200, data=[row], page_size=1, revision=ANY)
        await asked(api, "GET", f"/ips/{ip}", None, 200, data=free, **REVISION)
        for path in ("/ips/zones", "/ips/hosts"):
            await asked(api, "GET", path, None, 200, data=ANY, **REVISION)
    await asked(tenant.api, "POST", "/ips", {"ips": [ip]}, 200, data=moved)
    await asked(tenant.api, "GET", "/ips/assigned", None, 200, data=[row], page_size=1, revision=ANY)
    await asked(root, "GET", f"/ips/assigned?filter_id={ip}", None, 200, data=[row], page_size=1, revision=ANY)
    await asked(tenant.api, "DELETE", "/ips", {"ips": [ip]}, 200, data={"error": {}, "success": {ip: free}})
    await asked(tenant.api, "POST", f"/ips/{ip}", {}, 200, data=moved)
    await asked(tenant.api, "DELETE", f"/ips/{ip}", None, 200, data=free, **REVISION)
    await asked(root, "DELETE", f"/ips/{ip}", None, 200, data=free, **REVISION)


async def test_every_route(server: RunningServer, master: Tenant, tenant: Tenant) -> None:
    for api in (tenant.api, master.root):
        await resources(api)
    for account, api in ((tenant, tenant.api), (master, master.root)):
        await resource_selectors(account, api)
    await rates(master, tenant)
    await ips(master, tenant)
    await resource_templates(server, tenant, master)
    known = {
        f"{route.verb} {route.template}"
        for endpoint in OF_THE_WING
        for route in endpoint.routes
        if HISTORY not in route.pattern  # tests/test_history.py asks for those of all wings
    }
    refused = {"PUT /v2/accounts/{account_id}/ips"}
    assert known - SHOWN == refused
