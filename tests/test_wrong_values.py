# SPDX-License-Identifier: MPL-2.0
"""Values of wrong types: refused on the way in, and read around where they are stored already.

`python -m trials fuzz` does the same for as long as one likes.
"""

from __future__ import annotations

import os
from typing import Any, Final

import orjson
import pytest

from tests.harness import RunningServer, Tenant
from trials.bodies import WRONG
from trials.fuzz import READS, WRITES, Fuzzer, is_meant, path_of
from trials.worlds import made_in, new_world

SEED: Final = int(os.environ.get("CROSSBAR_FUZZ_SEED", "1"))
IN_ACCOUNT: Final = [route for route in WRITES if "{account_id}" in route.template]
"""What changes nothing that other tests share."""


@pytest.mark.parametrize("caller", ["operator", "admin", "user"])
async def test_wrong_values_in_bodies_and_in_what_is_stored(server: RunningServer, caller: str) -> None:
    fuzzer = Fuzzer(lambda: new_world(server, caller), SEED, writes=IN_ACCOUNT, batch=250)
    await fuzzer.round()
    await fuzzer.stored_round(server.runtime.store, many=100)
    assert not fuzzer.figures.faults, list(fuzzer.figures.faults.values())[:3]
    assert fuzzer.figures.statuses["2xx"] > 100


FIELDS: Final = (
    ("POST", "/services/manual", "devices", {}),
    ("POST", "/services/manual", "sip_device", {"devices": {}}),
    ("PATCH", "/services/manual", "devices", {}),
    ("POST", "/services/overrides", "plan", {}),
    ("POST", "/services", "add", {}),
    ("POST", "/services", "delete", {}),
    ("POST", "/services", "overrides", {}),
    ("POST", "/services/quote", "plans", {}),
    ("POST", "/service_plans", "add", {}),
    ("POST", "/service_plans/override", "overrides", {}),
    ("PUT", "/service_plans", "plan", {"name": "plan"}),
    ("PUT", "/service_plans", "merge", {"name": "plan"}),
    ("PUT", "/faxboxes", "custom_smtp_email_address", {"name": "box"}),
    ("PUT", "/faxboxes", "smtp_permission_list", {"name": "box"}),
    ("PUT", "/conferences/room/participants", "action", {}),
    ("PUT", "/conferences/room/participants/1", "action", {}),
    ("PUT", "/conferences/room", "action", {}),
    ("POST", "/agents/{admin_id}/status", "status", {}),
    ("PUT", "/groups", "endpoints", {"name": "group"}),
    ("PUT", "/directories", "sort_by", {"name": "directory"}),
    ("PATCH", "/users/{admin_id}", "queues", {}),
    ("PATCH", "/users/{admin_id}", "directories", {}),
    ("PUT", "/alerts", "to", {"title": "t", "message": "m", "from": []}),
    ("PUT", "/clicktocall", "whitelist", {"name": "b", "extension": "1001"}),
    ("PUT", "/comments", "comments", {}),
)
"""Verb, path, the field with a wrong value, and what else the body has."""


async def read_everything(tenant: Tenant, ids: dict[str, str]) -> None:
    for route in READS:
        if "{account_id}" in route.template:
            url = f"{tenant.api.base.removesuffix('/v2')}{path_of(route, ids, 'f' * 32)}"
            answer = await tenant.api.get(url)
            assert answer.status < 500 or is_meant(route, answer.raw), (route.template, answer.raw)


@pytest.mark.parametrize(("verb", "path", "field", "rest"), FIELDS, ids=str)
async def test_a_wrong_value_breaks_nothing(
    tenant: Tenant, master: Tenant, *, verb: str, path: str, field: str, rest: dict[str, Any]
) -> None:
    url = f"/accounts/{tenant.id}{path.format(admin_id=tenant.admin_id)}"
    for value in WRONG:
        data = orjson.loads(orjson.dumps(rest))
        data.get("devices", data)[field] = value
        sent = await master.root.request(verb, url, data)
        assert sent.status < 500, (value, sent.envelope)
    for read in ("", "/services", "/services/summary", "/service_plans/current", "/users", "/agents", "/groups"):
        answer = await master.root.get(f"/accounts/{tenant.id}{read}")
        assert answer.status == 200, (read, answer.envelope)
    for read in ("/faxboxes", "/alerts", "/clicktocall", "/directories", "/comments", "/limits", "/apps_store"):
        assert (await tenant.api.get(read)).status < 500


async def test_quantities_by_hand_are_numbers_by_category_and_item(tenant: Tenant, master: Tenant) -> None:
    path = f"/accounts/{tenant.id}/services/manual"
    refused = await master.root.post(path, {"devices": 5})
    assert refused.error()[:3] == (400, "400", "validation error")
    assert list(refused.data) == ["devices"]
    refused = await master.root.post(path, {"devices": {"sip_device": "x"}})
    assert list(refused.data) == ["devices.sip_device"]
    assert (await master.root.post(path, {"devices": {"sip_device": 7}})).data == {"devices": {"sip_device": 7}}
    assert (await master.root.patch(path, {"users": {"admin": 2}})).data == {
        "devices": {"sip_device": 7},
        "users": {"admin": 2},
    }
    summary = await tenant.api.get("/services/summary")
    assert summary.data["quantities"]["manual"]["devices"] == {"sip_device": 7}


async def test_everything_of_a_fresh_account_can_be_read(tenant: Tenant) -> None:
    await read_everything(tenant, await made_in(tenant))
