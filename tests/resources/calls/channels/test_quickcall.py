# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/devices/{D}/quickcall/{N}` and `/accounts/{A}/users/{U}/quickcall/{N}`."""

from __future__ import annotations

import re
from typing import Any

import pytest

from crossbar.access.costs import CostSettings
from crossbar.resources.calls.channels.quickcall import filtered, timeout
from tests.harness import Api, RunningServer, Tenant

ORIGINATE = "/quickcall/(415) 555-0100"


async def device(tenant: Tenant, name: str, **more: Any) -> str:
    return (await tenant.api.put("/devices", {"name": name, "sip": {"username": name}, **more})).id


async def test_a_device_is_rung(tenant: Tenant) -> None:
    desk = await device(tenant, "desk", caller_id={"external": {"name": "Desk", "number": "+14155550123"}})
    answer = await tenant.api.get(f"/devices/{desk}{ORIGINATE}")
    assert answer.status == 200
    (endpoint,) = answer.data.pop("endpoints")
    assert answer.data == {
        "application_name": "transfer",
        "application_data": {"route": "(415) 555-0100"},
        "continue_on_fail": False,
        "custom_application_vars": {},
        "custom_channel_vars": {
            "account_id": tenant.id,
            "authorizing_id": desk,
            "authorizing_type": "device",
            "inherit_codec": "false",
            "retain_cid": "false",
        },
        "dial_endpoint_method": "simultaneous",
        "export_custom_channel_vars": [
            "Account-ID",
            "Authorizing-ID",
            "Authorizing-Type",
            "Outbound-Callee-ID-Name",
            "Outbound-Callee-ID-Number",
            "Retain-CID",
        ],
        "ignore_early_media": True,
        "media": "process",
        "outbound_callee_id_name": "Desk",
        "outbound_callee_id_number": "+14155550123",
        "outbound_caller_id_name": "Device QuickCall",
        "outbound_caller_id_number": "4155550100",
        "timeout": 30,
    }
    assert re.fullmatch(r"[0-9a-f]{36}-quickcall", endpoint.pop("outbound_call_id"))
    assert endpoint == {
        "endpoint_type": "sip",
        "invite_format": "contact",
        "to_user": "desk",
        "to_username": "desk",
        "to_realm": tenant.realm,
        "custom_channel_vars": {
            "account_id": tenant.id,
            "authorizing_id": desk,
            "authorizing_type": "device",
            "auto_answer": True,
            "retain_cid": "true",
        },
    }


async def test_options(tenant: Tenant) -> None:
    desk = await device(tenant, "desk")
    options = {
        "auto_answer": "false",
        "cid-name": "Shop",
        "cid-number": "100",
        "ignore-early-media": "false",
        "media": "bypass",
        "number_filter": "false",
        "target_call_id": "abc",
        "timeout": "12",
    }
    data = (await tenant.api.get(f"/devices/{desk}{ORIGINATE}", query=options)).data
    assert data["endpoints"][0]["custom_channel_vars"]["auto_answer"] is False
    assert data["custom_channel_vars"]["retain_cid"] == "true"
    shown = {key: data[key] for key in ("outbound_callee_id_name", "outbound_callee_id_number", "existing_call_id")}
    assert shown == {
        "outbound_callee_id_name": "Shop",
        "outbound_callee_id_number": "100",
        "existing_call_id": "abc",
    }
    assert (data["media"], data["ignore_early_media"], data["timeout"]) == ("bypass", False, 12)
    assert data["outbound_caller_id_number"] == "(415) 555-0100"


async def test_every_device_of_a_user_is_rung(tenant: Tenant) -> None:
    user = await tenant.api.put(
        "/users", {"first_name": "A", "last_name": "B", "caller_id": {"internal": {"number": "100"}}}
    )
    nothing = await tenant.api.get(f"/users/{user.id}/quickcall/101")
    assert nothing.error() == (500, "500", "unspecified_fault", {"message": "unspecified fault"})

    for name in ("one", "two"):
        await device(tenant, name, owner_id=user.id)
    await device(tenant, "off", owner_id=user.id, enabled=False)
    await tenant.api.put("/devices", {"name": "no name at the switch", "owner_id": user.id})
    await device(tenant, "guest", hotdesk={"users": {user.id: {}}})
    data = (await tenant.api.get(f"/users/{user.id}/quickcall/101")).data
    assert sorted(endpoint["to_user"] for endpoint in data["endpoints"]) == ["one", "two"]
    assert "auto_answer" not in data["endpoints"][0]["custom_channel_vars"]
    assert data["custom_channel_vars"]["authorizing_type"] == "user"
    assert (data["outbound_callee_id_number"], "outbound_callee_id_name" in data) == ("100", False)


async def test_waiting_for_an_answer_that_no_switch_gives(tenant: Tenant) -> None:
    desk = await device(tenant, "desk")
    answer = await tenant.api.post(f"/devices/{desk}/quickcall/101", {})
    assert answer.error() == (500, "500", "quickcall initiation failed", {})
    unknown = await tenant.api.post(f"/devices/{'0' * 32}/quickcall/101", {})
    assert unknown.error() == (404, "404", "bad_identifier", {"cause": "0" * 32, "message": "bad identifier"})


async def test_who_may_ring(tenant: Tenant, stranger: Tenant, anonymous: Api) -> None:
    desk = await device(tenant, "desk")
    path = f"/accounts/{tenant.id}/devices/{desk}/quickcall/101"
    refused = (401, "401", "invalid_credentials", {"message": "invalid credentials"})
    assert (await anonymous.get(path)).error() == refused
    await tenant.api.patch(f"/devices/{desk}", {"allow_anonymous_quickcalls": True})

    rung = await anonymous.get(path)
    assert (rung.status, rung.data["application_data"]) == (200, {"route": "101"})
    assert (await anonymous.post(path, {})).error() == refused
    assert (await anonymous.get(path.replace(desk, "0" * 32))).error() == refused
    assert (await stranger.root.get(path)).error()[0] == 403


async def test_each_call_costs(tenant: Tenant, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await device(tenant, "desk")
    costs = server.runtime.access.costs
    settings = CostSettings(token_costs={"quickcall": {"GET": {"quickcall": 60}}})
    monkeypatch.setattr(costs, "_settings", lambda: settings)
    assert (await tenant.api.get(f"/devices/{desk}/quickcall/101")).status == 200
    refused = await tenant.api.get(f"/devices/{desk}/quickcall/101")
    assert refused.error() == (429, "429", "too_many_requests", {"message": "too many requests"})


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (None, "+14155550100x"),
        ("true", "+14155550100x"),
        (True, "+14155550100x"),
        ("false", "+1 (415) 555-0100x"),
        (r"\((\d+)\)", "415"),
        ("nowhere", "+1 (415) 555-0100x"),
        ("((", "+1 (415) 555-0100x"),
    ],
)
def test_filters(wanted: Any, number: str) -> None:
    assert filtered("+1 (415) 555-0100x", wanted) == number


@pytest.mark.parametrize(
    ("wanted", "seconds"), [(None, 30), ("3", 30), ("4", 4), (4, 4), ("60", 60), ("soon", 30), (True, 30), ([], 30)]
)
def test_timeouts(wanted: Any, seconds: int) -> None:
    assert timeout(wanted) == seconds
