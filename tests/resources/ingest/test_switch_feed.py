# SPDX-License-Identifier: MPL-2.0
"""What a switch tells is told on: the account's feed of events has it, in order, once, and nobody else's."""

from __future__ import annotations

import asyncio
from typing import Any

from crossbar.resources.notices.domain.webhook_event import HOOKS
from tests.harness import Api, Tenant
from tests.switch import FreeSwitch, ingest_token, post

ALLOWED_S = 20


async def listening(api: Api) -> str:
    answer = await api.get("/events")
    assert answer.status == 200, answer.envelope
    return str(answer.envelope["token"])


async def told(api: Api, since: str, many: int) -> list[dict[str, Any]]:
    """The events after a token, once there are so many that a switch told of."""
    async with asyncio.timeout(ALLOWED_S):
        while True:
            answer = await api.get("/events", query={"since": since, "page_size": "200"})
            assert answer.status == 200, answer.envelope
            found = [event for event in answer.data if event["category"] != "configuration"]
            if len(found) >= many:
                return found


async def test_a_call_in_the_feed(tenant: Tenant, stranger: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    since, elsewhere = await listening(tenant.api), await listening(stranger.api)
    local = {"variable_ecallmgr_Resource-ID": "r", "variable_ecallmgr_Emergency-Resource": "true",
             "variable_ecallmgr_Owner-ID": "o", "variable_ecallmgr_Authorizing-ID": "d",
             "variable_ecallmgr_Authorizing-Type": "device"}  # fmt: skip
    calls = [[{**event, **local} for event in fs.call(f"{call}-a", f"{call}-b")] for call in range(3)]
    await post(switch, *calls[0])
    for event in (*calls[1], *calls[2]):
        await post(switch, event)
    for call in calls:
        await post(switch, *call)
    await post(switch, fs.registers("1000", "reg"))
    own = FreeSwitch(stranger.realm)
    await post(await ingest_token(stranger), own.registers("1000", "theirs"))

    found = await told(tenant.api, since, 31)
    order = ["CREATE", "CREATE", "ANSWER", "ANSWER", "BRIDGE", "HOLD", "UNHOLD", "UNBRIDGE", "DESTROY", "DESTROY"]
    expected = [(f"CHANNEL_{name}", str(call)) for call in range(3) for name in order]
    seen = [(event["name"], event["data"]["call_id"].partition("-")[0]) for event in found]
    assert seen == [*expected, ("register", "reg")]
    assert [event["category"] for event in found] == ["call_event"] * 30 + ["notification"]
    for event in found:
        assert (event["data"]["event_name"], event["data"]["event_category"]) == (event["name"], event["category"])
        assert not any(key.startswith("pvt_") for key in event["data"])
    (theirs,) = await told(stranger.api, elsewhere, 1)
    assert (theirs["account_id"], theirs["data"]["call_id"]) == (stranger.id, "theirs")

    destroyed = found[8]["data"]
    unknown = {
        "hook_event", "callee_id_name", "custom_application_vars", "inception", "reseller_id", "other_leg_call_id",
        "hangup_code",
    }  # fmt: skip
    assert set(HOOKS["channel_destroy"].keys) - unknown <= destroyed.keys()
    facts = {"local_resource_id": "r", "local_resource_used": True, "emergency_resource_used": True, "owner_id": "o",
             "is_internal_leg": False, "call_forwarded": False, "authorizing_id": "d"}  # fmt: skip
    assert facts.items() <= destroyed.items()


async def test_categories_of_the_feed(tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    since = await listening(tenant.api)
    member = {"Conference_Name": "c" * 32, "Unique_ID": "m", "Member_ID": "1"}
    await post(switch, fs.custom("conference::maintenance", Action="add-member", **member))
    await post(switch, fs.says("PRESENCE_IN", **{"from": f"1@{fs.realm}"}, answer_state="early", Unique_ID="m"))
    await post(switch, fs.custom("spandsp::txfaxresult", Unique_ID="f", variable_domain_name=fs.realm))
    found = await told(tenant.api, since, 3)
    assert [(event["category"], event["name"]) for event in found] == [
        ("conference", "event"),
        ("presence", "dialog_update"),
        ("fax", "status"),
    ]
