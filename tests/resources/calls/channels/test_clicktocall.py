# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/clicktocall`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Api, Tenant

UNKNOWN = "f" * 32


async def button(tenant: Tenant, **data: Any) -> str:
    made = await tenant.api.put("/clicktocall", {"name": "Sales", "extension": "2001", **data})
    assert made.status == 201, made.envelope
    return made.id


async def test_life_of_a_button(tenant: Tenant) -> None:
    created = await tenant.api.put("/clicktocall", {"name": "Sales", "extension": "2001", "realm": "x"})
    defaults = {"auth_required": True, "custom_application_vars": {}}
    expected = {**defaults, "id": created.id, "name": "Sales", "extension": "2001", "realm": "x"}
    assert (created.status, created.data) == (201, expected)
    assert (await tenant.api.get("/clicktocall")).data == [{"id": created.id, "name": "Sales", "extension": "2001"}]
    assert (await tenant.api.get(f"/clicktocall/{created.id}")).data == expected

    merged = await tenant.api.patch(f"/clicktocall/{created.id}", {"realm": None, "whitelist": ["^\\d+$"]})
    expected["whitelist"] = ["^\\d+$"]
    del expected["realm"]
    assert (merged.status, merged.data) == (200, expected)
    replaced = await tenant.api.post(f"/clicktocall/{created.id}", {"name": "S", "extension": "1"})
    expected = {**defaults, "id": created.id, "name": "S", "extension": "1"}
    assert (replaced.status, replaced.data) == (200, expected)
    refused = await tenant.api.put("/clicktocall", {"dial_first": "nobody"})
    assert set(refused.data) == {"name", "extension", "dial_first"}

    deleted = await tenant.api.delete(f"/clicktocall/{created.id}")
    assert (deleted.status, deleted.data) == (200, {**expected, "_read_only": {"deleted": True}})
    assert (await tenant.api.get(f"/clicktocall/{created.id}/connect?contact=1")).error()[:1] == (404,)


async def test_connect_answers_what_a_switch_would_be_asked(tenant: Tenant) -> None:
    button_id = await button(tenant)
    connected = await tenant.api.post(f"/clicktocall/{button_id}/connect", {"contact": "4155550100"})
    call_id = connected.data["call_id"]
    assert call_id.startswith(f"c2c-{button_id}-")
    assert (connected.status, connected.data) == (
        200,
        {
            "application_name": "transfer",
            "application_data": {"route": "+14155550100"},
            "call_id": call_id,
            "outbound_call_id": call_id,
            "origination_call_id": call_id,
            "endpoints": [{"invite_format": "loopback", "route": "2001", "to_did": "2001", "to_realm": tenant.realm}],
            "timeout": 30,
            "ignore_early_media": True,
            "outbound_callee_id_name": "2001",
            "outbound_callee_id_number": "2001",
            "outbound_caller_id_name": "Sales",
            "outbound_caller_id_number": "+14155550100",
            "dial_endpoint_method": "single",
            "continue_on_fail": True,
            "custom_channel_vars": {
                "account_id": tenant.id,
                "auto_answer_loopback": True,
                "authorizing_id": button_id,
                "authorizing_type": "clicktocall",
                "loopback_request_uri": f"+14155550100@{tenant.realm}",
                "from_uri": f"2001@{tenant.realm}",
                "request_uri": f"+14155550100@{tenant.realm}",
                "inherit_codec": False,
                "retain_cid": True,
            },
            "custom_application_vars": {},
            "export_custom_channel_vars": [
                "Account-ID",
                "Authorizing-ID",
                "Authorizing-Type",
                "Loopback-Request-URI",
                "From-URI",
                "Request-URI",
            ],
            "simplify_loopback": False,
            "loopback_bowout": False,
            "start_control_process": False,
        },
    )


async def test_connect_with_wishes(tenant: Tenant) -> None:
    button_id = await button(
        tenant,
        dial_first="contact",
        timeout=10,
        caller_id_number="+14155550199",
        outbound_callee_id_name="Front desk",
        outbound_callee_id_number="4155550188",
        presence_id="p",
        ringback="r",
        bypass_media="auto",
        media={"ignore_early_media": False},
        music_on_hold={"media_id": "m"},
        custom_sip_headers={"X-A": "1"},
    )
    query = {"contact": "2002", "auto_answer": "false", "cav_color": "red"}
    data = (await tenant.api.get(f"/clicktocall/{button_id}/connect", query=query)).data
    assert data["application_data"] == {"route": "2001"}
    assert data["endpoints"][0]["route"] == "2002"
    assert (data["outbound_callee_id_name"], data["outbound_callee_id_number"]) == ("Sales", "+14155550199")
    assert (data["outbound_caller_id_name"], data["outbound_caller_id_number"]) == ("Front desk", "+14155550188")
    assert data["custom_channel_vars"]["auto_answer_loopback"] is False
    assert data["custom_channel_vars"]["from_uri"] == f"+14155550188@{tenant.realm}"
    assert data["custom_application_vars"] == {"color": "red"}
    wishes = {
        "timeout": 10,
        "presence_id": "p",
        "ringback": "r",
        "bypass_media": "auto",
        "ignore_early_media": False,
        "hold_media": "m",
        "custom_sip_headers": {"X-A": "1"},
    }
    assert {key: data[key] for key in wishes} == wishes


async def test_history(tenant: Tenant) -> None:
    button_id, other = await button(tenant), await button(tenant)
    blocking = await tenant.api.post(f"/clicktocall/{button_id}/connect", {"contact": "2002", "blocking": True})
    assert (blocking.status, blocking.data) == (
        200,
        {
            "id": blocking.id,
            "timestamp": blocking.data["timestamp"],
            "contact": "2002",
            "result": "error",
            "cause": "no resources",
        },
    )
    await tenant.api.get(f"/clicktocall/{button_id}/connect?contact=2003")
    history = await tenant.api.get(f"/clicktocall/{button_id}/history")
    assert blocking.data in history.data
    assert {item["contact"] for item in history.data} == {"2002", "2003"}
    times = [item["timestamp"] for item in history.data]
    assert times == sorted(times, reverse=True)
    assert (await tenant.api.get(f"/clicktocall/{other}/history")).data == []
    old = await tenant.api.get(f"/clicktocall/{button_id}/history?created_from=63000000000&created_to=63000000001")
    assert old.data == []


@pytest.mark.parametrize("query", ["", "?contact="])
async def test_somebody_must_be_called(tenant: Tenant, query: str) -> None:
    refused = await tenant.api.get(f"/clicktocall/{await button(tenant)}/connect{query}")
    message = "The contact extension for this click to call has not been set"
    expected = {"contact": {"required": {"message": message}}}
    assert refused.invalid() == expected


async def test_a_contact_is_short(tenant: Tenant) -> None:
    refused = await tenant.api.post(f"/clicktocall/{await button(tenant)}/connect", {"contact": "1" * 256})
    expected = {"contact": {"maxLength": {"message": "String must not be more than 255 characters", "target": 255}}}
    assert refused.invalid() == expected


async def test_whitelist(tenant: Tenant) -> None:
    button_id = await button(tenant, whitelist=["^20\\d\\d$", "("])
    refused = await tenant.api.get(f"/clicktocall/{button_id}/connect?contact=3001")
    assert refused.error() == (400, "400", "Contact doesn't match whitelist", "3001")
    assert (await tenant.api.get(f"/clicktocall/{button_id}/connect?contact=2001")).status == 200
    assert len((await tenant.api.get(f"/clicktocall/{button_id}/history")).data) == 1


async def test_who_may_press(tenant: Tenant, stranger: Tenant, anonymous: Api) -> None:
    root = f"/accounts/{tenant.id}/clicktocall"
    closed, open_to_all = await button(tenant), await button(tenant, auth_required=False)
    unauthenticated = (401, "401", "invalid_credentials", {"message": "invalid credentials"})
    for verb in ("GET", "POST"):
        for button_id in (closed, UNKNOWN):
            refused = await anonymous.request(verb, f"{root}/{button_id}/connect?contact=1", {})
            assert refused.error() == unauthenticated
            refused = await stranger.root.request(verb, f"{root}/{button_id}/connect?contact=1", {})
            assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
        for caller in (anonymous, stranger.root):
            pressed = await caller.request(verb, f"{root}/{open_to_all}/connect?contact=1", {})
            assert pressed.status == 200
    assert (await tenant.api.get(f"/clicktocall/{closed}/history")).data == []
    assert len((await tenant.api.get(f"/clicktocall/{open_to_all}/history")).data) == 4
    assert (await anonymous.get(f"{root}/{open_to_all}")).error() == unauthenticated
    assert (await anonymous.get(f"{root}/{open_to_all}/history")).error() == unauthenticated
