# SPDX-License-Identifier: MPL-2.0
"""`POST /hooks/freeswitch/event`: what a switch tells of calls, and what the API shows of them."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from typing import Any

import orjson
import pytest

from crossbar import clock
from tests.harness import RunningServer, Tenant
from tests.switch import (
    BRIDGED,
    CREATED,
    HELD,
    RINGING,
    TAKEN_BACK,
    FreeSwitch,
    Said,
    ingest_token,
    post,
    raised,
)

HIDDEN = {
    "account_id", "context", "dialplan", "handling_locally", "node", "precedence", "profile", "realm", "app_name",
    "app_version", "event_category", "event_name", "msg_id", "server_id", "switch_hostname", "switch_nodename",
    "switch_url", "media_node", "fetch_id",
}  # fmt: skip
ONCE_A_LEG = ["CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_DESTROY"]


def legs() -> tuple[str, str]:
    call = uuid.uuid4().hex
    return f"{call}-a", f"{call}-b"


async def channels(tenant: Tenant, path: str = "") -> dict[str, dict[str, Any]]:
    listed = await tenant.api.get(f"{path}/channels")
    assert listed.status == 200, listed.envelope
    assert all(HIDDEN.isdisjoint(row) for row in listed.data)
    return {row["uuid"]: row for row in listed.data}


async def user_with_phone(tenant: Tenant, username: str) -> tuple[str, str]:
    user = await tenant.api.put("/users", {"first_name": "U", "last_name": username})
    device = {"name": username, "owner_id": user.id, "sip": {"username": username, "password": "a secret"}}
    return user.id, (await tenant.api.put("/devices", device)).id


async def test_the_life_of_a_call(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    (user, device), (a_leg, b_leg) = await user_with_phone(tenant, "1000"), legs()
    said = fs.call(a_leg, b_leg)
    began = clock.gregorian(fs.began)

    created = await post(switch, said[CREATED])
    assert created.data == {"kept": 1, "known": 0, "refused": 0, "refusals": [], "ignored": 0}
    (row,) = (await channels(tenant)).values()
    assert row.pop("elapsed_s") >= 30
    assert row == {
        "answered": False,
        "authorizing_id": device,
        "authorizing_type": "device",
        "bridge_id": a_leg,
        "callee_id_number": "2000",
        "caller_id_name": "Müller, Jörg",
        "caller_id_number": "1000",
        "destination": "2000",
        "direction": "inbound",
        "is_onhold": False,
        "owner_id": user,
        "presence_id": f"1000@{tenant.realm}",
        "timestamp": began,
        "username": "1000",
        "uuid": a_leg,
    }

    await post(switch, *said[RINGING : BRIDGED + 1])
    now = await channels(tenant)
    assert {key: (row["answered"], row["other_leg"], row["direction"]) for key, row in now.items()} == {
        a_leg: (True, b_leg, "inbound"),
        b_leg: (True, a_leg, "outbound"),
    }
    assert {row["bridge_id"] for row in now.values()} == {a_leg}, "a call is counted once"

    for place, held in ((HELD, True), (TAKEN_BACK, False)):
        await post(switch, said[place])
        assert (await channels(tenant))[b_leg]["is_onhold"] is held
    one = (await tenant.api.get(f"/channels/{b_leg}")).data
    assert (one["call_id"], one["call_direction"], one["other_leg_call_id"]) == (b_leg, "outbound", a_leg)
    assert one["custom_channel_vars"]["account_id"] == tenant.id
    assert HIDDEN.isdisjoint(one)

    await post(switch, *said[TAKEN_BACK + 1 :])
    assert await channels(tenant) == {}
    gone = await tenant.api.get(f"/channels/{a_leg}")
    assert gone.error() == (404, "404", "bad identifier", [a_leg])

    events = await raised(server, tenant)
    assert Counter(event["event_name"] for event in events) == {
        "CHANNEL_CREATE": 2,
        "CHANNEL_ANSWER": 2,
        "CHANNEL_BRIDGE": 1,
        "CHANNEL_HOLD": 1,
        "CHANNEL_UNHOLD": 1,
        "CHANNEL_UNBRIDGE": 1,
        "CHANNEL_DESTROY": 2,
    }
    destroyed = next(
        event for event in events if event["event_name"] == "CHANNEL_DESTROY" and event["call_id"] == a_leg
    )
    variables = destroyed.pop("custom_channel_vars")
    assert variables == {
        "account_id": tenant.id,
        "authorizing_id": device,
        "authorizing_type": "device",
        "owner_id": user,
        "realm": tenant.realm,
    }
    expected = {
        "account_id": tenant.id,
        "event_category": "call_event",
        "call_direction": "inbound",
        "caller_id_number": "1000",
        "callee_id_number": "2000",
        "from": f"1000@{tenant.realm}",
        "to": f"2000@{tenant.realm}",
        "request": f"2000@{tenant.realm}",
        "hangup_cause": "NORMAL_CLEARING",
        "duration_seconds": 42,
        "billing_seconds": 37,
        "ringing_seconds": 5,
        "media_server": fs.host,
    }
    assert expected.items() <= destroyed.items()


async def test_calls_of_users_devices_and_groups(tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    (user, device), (idle, _) = await user_with_phone(tenant, "1000"), await user_with_phone(tenant, "3000")
    group = await tenant.api.put("/groups", {"name": "G", "endpoints": {user: {"type": "user"}}})
    by_device = await tenant.api.put("/groups", {"name": "D", "endpoints": {device: {"type": "device"}}})
    a_leg, b_leg = legs()
    await post(switch, *fs.call(a_leg, b_leg)[: BRIDGED + 1])
    for path in (f"/users/{user}", f"/devices/{device}", f"/groups/{group.id}", f"/groups/{by_device.id}"):
        assert list(await channels(tenant, path)) == [a_leg], path
    assert await channels(tenant, f"/users/{idle}") == {}
    assert set(await channels(tenant)) == {a_leg, b_leg}
    sheet = await tenant.api.get("/channels", headers={"Accept": "text/csv"})
    assert (sheet.status, sheet.raw.count(b"\n")) == (200, 3)


async def test_the_channels_of_all_accounts_are_shown_where_that_is_configured(
    server: RunningServer, tenant: Tenant, stranger: Tenant
) -> None:
    calls = []
    for account in (tenant, stranger):
        a_leg, b_leg = legs()
        calls.append(a_leg)
        await post(await ingest_token(account), FreeSwitch(account.realm).call(a_leg, b_leg)[CREATED])
    assert (await server.master.root.get("/channels")).data == []
    path, setting = "/system_configs/crossbar.channels", "system_wide_channels_list"
    await server.master.root.post(path, {"default": {setting: True}})
    try:
        listed = await server.master.root.get("/channels")
        assert set(calls) <= {row["uuid"] for row in listed.data}
        assert (await tenant.root.get("/channels")).status == 403
    finally:
        await server.master.root.delete(path)


async def test_what_is_told_in_any_order_and_again_comes_to_the_same(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    order = random.Random(7)
    for end in (BRIDGED, HELD, TAKEN_BACK):
        in_order, shuffled = legs(), legs()
        straight, mixed = fs.call(*in_order)[: end + 1], fs.call(*shuffled)[: end + 1]
        await post(switch, *straight)
        order.shuffle(mixed)
        for event in (*mixed, *order.sample(mixed, 4)):
            await post(switch, event)
        now = await channels(tenant)
        for one, other in zip(in_order, shuffled, strict=True):
            assert _comparable(now[one], in_order) == _comparable(now[other], shuffled)
    names = Counter(event["event_name"] for event in await raised(server, tenant))
    assert (names["CHANNEL_CREATE"], names["CHANNEL_HOLD"], names["CHANNEL_UNHOLD"]) == (12, 4, 2)


def _comparable(row: dict[str, Any], call: tuple[str, str]) -> dict[str, Any]:
    """A channel with the same names for the legs of every call."""
    names = dict(zip(call, ("a", "b"), strict=True))
    varying = ("elapsed_s", "timestamp")
    return {key: names.get(str(value), value) for key, value in row.items() if key not in varying}


async def test_what_comes_after_the_end_revives_nothing(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    said = fs.call(*legs())
    await post(switch, *reversed(said))
    assert await channels(tenant) == {}
    late = fs.call(*legs())
    await post(switch, late[-1], late[-3])
    await post(switch, *late[:-4])
    assert await channels(tenant) == {}
    names = Counter(event["event_name"] for event in await raised(server, tenant))
    assert {names[name] for name in ONCE_A_LEG} == {4}, "each end is told of once, in whatever words"


async def test_sixteen_posters_at_once(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    calls = [legs() for _ in range(8)]
    said = [event for call in calls for event in fs.call(*call)[: HELD + 1]]
    shares = [said[place::8] for place in range(8)] * 2

    async def hand_in(events: list[Said]) -> None:
        for event in events:
            await post(switch, event)

    await asyncio.gather(*map(hand_in, shares))
    now = await channels(tenant)
    for a_leg, b_leg in calls:
        seen = [(now[leg]["answered"], now[leg]["other_leg"], now[leg]["is_onhold"]) for leg in (a_leg, b_leg)]
        assert seen == [(True, b_leg, False), (True, a_leg, True)]
    names = Counter(event["event_name"] for event in await raised(server, tenant))
    assert names == {
        "CHANNEL_CREATE": 16,
        "CHANNEL_ANSWER": 16,
        "CHANNEL_BRIDGE": 8,
        "CHANNEL_HOLD": 8,
    }


@pytest.mark.parametrize("told", ["HEARTBEAT", "CHANNEL_HOLD"])
async def test_a_silent_switch_takes_its_channels_with_it(server: RunningServer, tenant: Tenant, told: str) -> None:
    switch, other = await ingest_token(tenant), FreeSwitch(tenant.realm)
    fs, (a_leg, b_leg), (c_leg, d_leg) = FreeSwitch(tenant.realm), legs(), legs()
    said = fs.call(a_leg, b_leg)
    await post(switch, *said[: BRIDGED + 1])
    await post(switch, other.call(c_leg, d_leg)[CREATED])
    silence, now = server.runtime.config.live.silence_s, clock.unix_now()
    with clock.frozen(now + silence / 2):
        await post(switch, fs.says("HEARTBEAT") if told == "HEARTBEAT" else said[HELD])
        assert set(await channels(tenant)) == {a_leg, b_leg, c_leg}
    with clock.frozen(now + silence + 10):
        assert set(await channels(tenant)) == {a_leg, b_leg}, "the other switch fell silent"
    with clock.frozen(now + 2 * silence):
        assert await channels(tenant) == {}
        await post(switch, fs.says("HEARTBEAT"))
        assert set(await channels(tenant)) == {a_leg, b_leg}, "only the line was down"


async def test_a_switch_that_was_started_anew_has_no_calls_from_before(tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    (a_leg, b_leg), (c_leg, d_leg) = legs(), legs()
    said = fs.call(a_leg, b_leg)
    await post(switch, *said[: BRIDGED + 1])
    again = FreeSwitch(tenant.realm, fs.host, began=fs.began + 20)
    await post(switch, again.call(c_leg, d_leg)[CREATED])
    assert list(await channels(tenant)) == [c_leg]
    await post(switch, said[HELD])
    assert list(await channels(tenant)) == [c_leg], "what the run before told comes late"


async def test_the_account_is_that_of_the_token_and_no_other(
    server: RunningServer, tenant: Tenant, stranger: Tenant
) -> None:
    own, foreign = await ingest_token(tenant), await ingest_token(stranger)
    fs, (a_leg, b_leg) = FreeSwitch(tenant.realm), legs()
    said = fs.call(a_leg, b_leg)
    await post(own, *said[: BRIDGED + 1])
    for event in (said[-3], {**said[-3], "variable_ecallmgr_Account-ID": tenant.id}):
        answer = await foreign.request("POST", "/hooks/freeswitch/event", body=orjson.dumps(event))
        assert answer.error()[:3] == (403, "403", "forbidden")
    batch = await post(foreign, said[-3], said[-1])
    assert [(each["record"], each["error"]) for each in batch.data["refusals"]] == [(1, "403"), (2, "403")]
    # A realm that is nobody's is the token's own: the same call id in another account is another call.
    nowhere = FreeSwitch("nowhere.test", fs.host, fs.core, fs.began)
    await post(foreign, *nowhere.call(a_leg, b_leg))
    assert set(await channels(tenant)) == {a_leg, b_leg}
    assert await channels(stranger) == {}
    assert (await stranger.api.get(f"/channels/{a_leg}")).status == 404
    assert (await stranger.root.get(f"/accounts/{tenant.id}/channels")).status == 403
    # Nor does the same name of a switch keep, or end, what another account's switch of that name told.
    now, silence = clock.unix_now(), server.runtime.config.live.silence_s
    with clock.frozen(now + silence + 10):
        await post(foreign, fs.says("HEARTBEAT"))
        assert await channels(tenant) == {}
        await post(own, fs.says("HEARTBEAT"))
        await post(foreign, FreeSwitch(stranger.realm, fs.host).says("HEARTBEAT"))
        assert set(await channels(tenant)) == {a_leg, b_leg}
    events = await raised(server, stranger)
    assert {event["account_id"] for event in events} == {stranger.id}


async def test_a_superduper_admin_hands_in_for_all(server: RunningServer, tenant: Tenant, stranger: Tenant) -> None:
    (a_leg, b_leg), (c_leg, d_leg) = legs(), legs()
    fs = FreeSwitch(tenant.realm)
    second = FreeSwitch("unknown.test", fs.host, fs.core, fs.began)
    named = {"variable_ecallmgr_Account-ID": stranger.id, "variable_ecallmgr_Owner-ID": "o" * 32,
             "variable_ecallmgr_Bridge-ID": "the-bridge"}  # fmt: skip
    mixed = [fs.call(a_leg, b_leg)[CREATED], {**second.call(c_leg, d_leg)[CREATED], **named}]
    answer = await post(server.master.root, *mixed, second.call(*legs())[CREATED])
    assert (answer.data["kept"], answer.data["refused"]) == (2, 1)
    assert list(answer.data["refusals"][0]["data"]) == ["account_id"]
    assert list(await channels(tenant)) == [a_leg]
    (row,) = (await channels(stranger)).values()
    assert (row["uuid"], row["owner_id"], row["bridge_id"]) == (c_leg, "o" * 32, "the-bridge")


async def test_forms_of_a_body(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    said = fs.call(*legs())[: BRIDGED + 1]
    body = b"\n".join(map(orjson.dumps, (*said, fs.says("RE_SCHEDULE")))) + b"\n{broken\n[1]\n"
    told = await switch.request("POST", "/hooks/freeswitch/event", body=body, content_type="application/x-ndjson")
    assert (told.data["kept"], told.data["ignored"], told.data["refused"]) == (5, 1, 2)
    assert [each["record"] for each in told.data["refusals"]] == [8, 9]
    form = await switch.request(
        "POST", "/hooks/freeswitch/event", body=orjson.dumps(said[0]), content_type="application/x-www-form-urlencoded"
    )
    assert (form.data["kept"], form.data["known"]) == (0, 1)
    for unreadable in ({"Unique-ID": "x"}, {}):
        answer = await switch.request("POST", "/hooks/freeswitch/event", body=orjson.dumps(unreadable))
        assert (answer.status, list(answer.data)) == (400, ["event_name"])
    for nobody in (tenant.root, tenant.root.acting(None)):
        answer = await nobody.request("POST", "/hooks/freeswitch/event", body=orjson.dumps(said[0]))
        assert answer.status in (401, 403)


ODD: list[dict[str, Any]] = [
    {"Event-Date-Timestamp": "soon"},
    {"Event-Date-Timestamp": str(2**62)},
    {"Caller-Channel-Created-Time": "-1"},
    {"Caller-Caller-ID-Name": ["a", "b"]},
    {"Caller-Caller-ID-Name": {"a": 1}},
    {"Unique-ID": "$where/.."},
    {"variable_ecallmgr_$set.x": "y"},
    {"variable_call_uuid": "$a"},
    {"variable_user_name": "x" * 5000},
    {"FreeSWITCH-Hostname": "a/b$c"},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
async def test_odd_values_do_no_harm(server: RunningServer, tenant: Tenant, odd: Said) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    for event in fs.call(*legs())[: HELD + 1]:
        answer = await switch.request("POST", "/hooks/freeswitch/event", body=orjson.dumps({**event, **odd}))
        assert answer.status in (200, 400), answer.envelope
    assert (await tenant.api.get("/channels")).status == 200


async def test_orders_for_a_call_are_events(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    a_leg, b_leg = legs()
    said = fs.call(a_leg, b_leg)
    await post(switch, said[CREATED])
    path = f"/channels/{a_leg}"
    alone = await tenant.api.post(path, {"action": "transfer", "target": "3000"})
    assert alone.data == {"other_leg_call_id": {"required": {"message": "Channel is not bridged"}}}
    await post(switch, *said[RINGING : BRIDGED + 1])
    missing = await tenant.api.post(path, {"action": "transfer"})
    assert missing.data == {"target": {"required": {"message": "No target destination specified"}}}
    unknown = await tenant.api.post(path, {"action": "explode"})
    assert unknown.error()[:3] == (400, "400", "invalid data")
    for missing_name in ("target_type", "target_id"):
        given = {"action": "intercept", "target_type": "device", "target_id": "x"}
        refused = await tenant.api.post(path, {key: value for key, value in given.items() if key != missing_name})
        assert list(refused.data) == [missing_name]

    orders = {
        "transfer": {"target": "3000", "transfer-type": "attended"},
        "hangup": {},
        "break": {},
        "callflow": {"id": "c" * 32},
        "intercept": {"target_type": "device", "target_id": "d" * 32},
    }
    for action, data in orders.items():
        answer = await tenant.api.post(path, {"action": action, **data})
        assert (answer.status, answer.data) == (200, f"{action} initiated")
    flow = {"module": "hangup", "data": {}}
    answer = await tenant.api.put(path, flow, action="metaflow")
    assert (answer.status, answer.data) == (201, "metaflow sent")
    events = await raised(server, tenant, "metaflow")
    told = {event.get("action", "flow"): event.get("data", event.get("flow")) for event in events}
    transfer = {"target": "3000", "transfer_type": "attended", "transferor": a_leg}
    expected = {**orders, "transfer": transfer, "flow": flow}
    assert told == expected
    assert {event["call_id"] for event in events} == {a_leg}
