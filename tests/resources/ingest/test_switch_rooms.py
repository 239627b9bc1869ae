# SPDX-License-Identifier: MPL-2.0
"""What a switch tells of parked calls, conferences, queues and faxes, and what is shown of it; KAZOO's own words."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest

from crossbar import clock
from tests.harness import Api, RunningServer, Tenant, set_options
from tests.switch import BRIDGED, CREATED, FreeSwitch, Said, ingest_token, post, raised


async def phone(tenant: Tenant, username: str, **fields: Any) -> str:
    device = {"name": username, "sip": {"username": username, "password": "a secret"}, **fields}
    created = await tenant.api.put("/devices", device)
    assert created.status == 201, created.envelope
    return created.id


# Parked calls


def valet(fs: FreeSwitch, action: str, call_id: str, slot: str, **headers: Any) -> Said:
    said = fs.leg("CUSTOM", call_id, "inbound", "1000", **headers)
    return {**said, "Event-Subclass": "valet_parking::info", "Action": action, "Valet-Lot-Name": f"lot@{fs.realm}",
            "Valet-Extension": slot}  # fmt: skip


async def slots(tenant: Tenant) -> dict[str, str]:
    return {slot: call["call_id"] for slot, call in (await tenant.api.get("/parked_calls")).data["slots"].items()}


async def test_parked_calls(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    retrieved, abandoned, orbited = (uuid.uuid4().hex for _ in range(3))
    for call_id, slot in ((retrieved, "5901"), (abandoned, "5902"), (orbited, "5903")):
        await post(switch, fs.call(call_id, "b")[CREATED], valet(fs, "hold", call_id, slot))
    assert await slots(tenant) == {"5901": retrieved, "5902": abandoned, "5903": orbited}
    slot = (await tenant.api.get("/parked_calls")).data["slots"]["5901"]
    assert slot == {
        "attended": False,
        "call_id": retrieved,
        "cid_name": "Müller, Jörg",
        "cid_number": "1000",
        "node": f"freeswitch@{fs.host}",
        "presence_id": f"5901@{tenant.realm}",
    }
    await post(switch, valet(fs, "bridge", retrieved, "5901"))
    await post(switch, valet(fs, "hold", orbited, "5901"), valet(fs, "exit", retrieved, "5901"))
    await post(switch, valet(fs, "exit", orbited, "5903"))
    # What belongs to the call that was there before leaves the one that came after in the slot.
    assert await slots(tenant) == {"5901": orbited, "5902": abandoned}
    hung_up = {"answer_state": "hangup"}
    await post(switch, valet(fs, "exit", abandoned, "5902", **hung_up))
    await post(switch, *(fs.leg(name, abandoned, "inbound", "1000", **hung_up)
                         for name in ("CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY")))  # fmt: skip
    assert await slots(tenant) == {"5901": orbited}
    events = [event for event in await raised(server, tenant) if event["event_name"].startswith("PARK_")]
    assert sorted((event["event_name"], event["call_id"], event["parking_slot"]) for event in events) == sorted(
        [
            ("PARK_PARKED", retrieved, "5901"),
            ("PARK_PARKED", abandoned, "5902"),
            ("PARK_PARKED", orbited, "5903"),
            ("PARK_PARKED", orbited, "5901"),
            ("PARK_RETRIEVED", retrieved, "5901"),
            ("PARK_ABANDONED", abandoned, "5902"),
        ]
    )
    assert {event["caller_id_number"] for event in events} == {"1000"}
    with clock.frozen(clock.unix_now() + server.runtime.config.live.silence_s + 1):
        assert await slots(tenant) == {}


async def test_the_end_of_one_is_not_the_end_of_what_came_after_it(tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    for number, order in enumerate(itertools.permutations(range(4))):
        slot, user = f"6{number:02}", f"2{number:02}"
        told = [
            (valet(fs, "hold", f"x{number}", slot), fs.registers(user, "first")),
            (valet(fs, "bridge", f"x{number}", slot), fs.registers(user, "second")),
            (valet(fs, "hold", f"y{number}", slot), fs.custom("sofia::unregister", user=user, call_id="third")),
            (valet(fs, "exit", f"x{number}", slot), fs.custom("sofia::expire", user=user, call_id="first")),
        ]
        for place in order:
            await post(switch, *told[place])
    assert await slots(tenant) == {f"6{number:02}": f"y{number}" for number in range(24)}
    registered = {row["username"]: row["call_id"] for row in (await tenant.api.get("/registrations")).data}
    assert registered == {f"2{number:02}": "second" for number in range(24)}


async def test_a_call_that_ends_frees_its_slot(tenant: Tenant) -> None:
    switch, fs, call_id = await ingest_token(tenant), FreeSwitch(tenant.realm), uuid.uuid4().hex
    parked = fs.leg("CHANNEL_PARK", call_id, "inbound", "1000", variable_parking_slot="7")
    await post(switch, fs.call(call_id, "b")[CREATED], parked)
    assert await slots(tenant) == {"7": call_id}
    await post(switch, fs.leg("CHANNEL_DESTROY", call_id, "inbound", "1000"))
    assert await slots(tenant) == {}


# Conferences


def conference(fs: FreeSwitch, name: str, action: str, member: int | None = None, **headers: Any) -> Said:
    instance = {
        "Conference_Name": name,
        "Conference_Unique_ID": f"instance-{name}",
        "Conference_Profile_Name": "default",
    }
    told = {"Member_Type": "member", "Hear": "true", "Speak": "true", "Talking": "false", "Floor": "false"}
    about = {} if member is None else {"Member_ID": str(member), "Unique_ID": f"{name}-{member}", **told,
                                       "Caller_Caller_ID_Number": f"100{member}"}  # fmt: skip
    return fs.custom("conference::maintenance", Action=action, **{**instance, **about, **headers})


@pytest.mark.parametrize("called", ["id", "number", "number-realm", "number@realm"])
async def test_a_running_conference(server: RunningServer, tenant: Tenant, called: str) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    kept = await tenant.api.put("/conferences", {"name": "Board", "conference_numbers": ["5001"]})
    await tenant.api.put("/conferences", {"name": "Quiet", "conference_numbers": ["5002"]})
    names = {
        "id": kept.id,
        "number": "5001",
        "number-realm": f"5001-{tenant.realm}",
        "number@realm": f"5001@{tenant.realm}",
    }
    name, path = names[called], f"/conferences/{kept.id}"
    moderator = {"Member_Type": "moderator"}
    await post(
        switch,
        conference(fs, name, "mute-member", 1, Speak="false"),
        conference(fs, name, "add-member", 2),
        conference(fs, name, "add-member", 3, **moderator),
        conference(fs, name, "energy-level", 3, **moderator),
        conference(fs, name, "lock"),
    )
    earlier = FreeSwitch(tenant.realm, fs.host, fs.core, fs.began - 10)
    await post(switch, conference(earlier, name, "conference-create"), conference(earlier, name, "add-member", 1))
    read = (await tenant.api.get(path)).data["_read_only"]
    assert (read["members"], read["moderators"], read["is_locked"]) == (2, 1, True)
    assert 39 <= read["duration"] <= 60
    assert [one["participant_id"] for one in read["participants"]] == [1, 2, 3]
    listed = {row["name"]: row["_read_only"] for row in (await tenant.api.get("/conferences")).data}
    assert {key: listed["Board"][key] for key in ("members", "moderators", "is_locked")} == {
        "members": 2,
        "moderators": 1,
        "is_locked": True,
    }
    assert listed["Quiet"] == {"members": 0, "moderators": 0, "duration": 0, "is_locked": False}

    present = (await tenant.api.get(f"{path}/participants")).data
    one = (await tenant.api.get(f"{path}/participants/1")).data
    assert (one["call_id"], one["conference_name"], one["caller_id_number"]) == (f"{name}-1", kept.id, "1001")
    assert one["conference_channel_vars"]["speak"] is False, "what came first, but happened last, counts"
    assert (one["switch_hostname"], one["conference_uuid"]) == (fs.host, f"instance-{name}")
    assert [each["participant_id"] for each in present] == [1, 2, 3]
    assert (await tenant.api.get(f"{path}/participants/9")).data == {}
    relation = {"action": "relate", "participant_id": 1, "other_participant": 2}
    assert (
        await tenant.api.put(f"{path}/participants", {"data": relation}, action="relate")
    ).data == "relating participants"
    unknown = {"data": {**relation, "other_participant": 9}}
    assert (await tenant.api.put(f"{path}/participants", unknown, action="relate")).data["id"] == 9

    gone, unlocked = conference(fs, name, "del-member", 2), conference(fs, name, "unlock")
    await post(switch, gone, unlocked, conference(fs, name, "start-talking", 2))
    read = (await tenant.api.get(path)).data["_read_only"]
    assert (read["members"], read["is_locked"], len(read["participants"])) == (1, False, 2)
    await post(switch, conference(fs, name, "conference-destroy"))
    empty = {"members": 0, "moderators": 0, "duration": 0, "is_locked": False, "participants": []}
    assert (await tenant.api.get(path)).data["_read_only"] == empty
    events = await raised(server, tenant, "conference")
    assert {event["conference_id"] for event in events} == {kept.id}
    assert {event["event_name"] for event in events} == {"event"}
    assert [event["event"] for event in events] == [
        "conference-create",
        "add-member",
        "mute-member",
        "add-member",
        "add-member",
        "lock",
        "del-member",
        "unlock",
        "start-talking",
        "conference-destroy",
    ]


# Queues and agents


def queue(fs: FreeSwitch, action: str, call_id: str, name: str, **headers: Any) -> Said:
    joined = int(fs.began)
    caller = {
        "CC_Member_CID_Name": "Caller",
        "CC_Member_CID_Number": "+14155550100",
        "CC_Member_Joined_Time": str(joined),
    }
    return fs.custom("callcenter::info", CC_Action=action, CC_Queue=f"{name}@{fs.realm}",
                     CC_Member_Session_UUID=call_id, **caller, **headers)  # fmt: skip


async def test_calls_of_queues_and_their_agents(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    support = await tenant.api.put("/queues", {"name": "Support"})
    agent = tenant.admin_id
    await tenant.api.patch(f"/users/{agent}", {"queues": [support.id]})
    await phone(tenant, "1000", owner_id=agent)
    named = {"CC_Agent": f"1000@{tenant.realm}"}
    answered, given_up = uuid.uuid4().hex, uuid.uuid4().hex
    miss = queue(fs, "bridge-agent-fail", answered, "support", **named, CC_Hangup_Cause="NO_ANSWER")
    later = str(int(miss["Event-Date-Timestamp"]) + 2_000_000)
    misses = [miss, {**miss, "Event-Sequence": "99", "Event-Date-Timestamp": later}]
    late = queue(fs, "member-queue-start", answered, "support")
    handled = queue(
        fs, "bridge-agent-start", answered, "support", **named, CC_Agent_Answered_Time=str(int(fs.began) + 12)
    )
    cancelled = {"CC_Cause": "Cancel", "CC_Cancel_Reason": "TIMEOUT"}
    await post(
        switch,
        handled,
        late,
        *misses,
        queue(fs, "member-queue-start", given_up, support.id),
        queue(fs, "member-queue-end", given_up, support.id, **cancelled),
    )
    stats = {stat["call_id"]: stat for stat in (await tenant.api.get("/queues/stats")).data["stats"]}
    call = stats[answered]
    assert (call["status"], call["queue_id"], call["agent_id"], call["wait_time"]) == ("handled", support.id, agent, 12)
    assert (call["caller_id_number"], len(call["misses"])) == ("+14155550100", 2)
    assert (stats[given_up]["status"], stats[given_up]["abandoned_reason"]) == ("abandoned", "TIMEOUT")
    await post(switch, queue(fs, "member-queue-end", answered, "support", CC_Cause="Terminated"))
    assert {row["status"] for row in (await tenant.api.get("/acdc_call_stats")).data} == {"processed", "abandoned"}
    (totals,) = (await tenant.api.get("/agents/stats")).data.values()
    assert (totals["answered_calls"], totals["missed_calls"]) == (1, 2)

    def becomes(header: str, status: str) -> Said:
        change = "agent-status-change" if header == "CC_Agent_Status" else "agent-state-change"
        return fs.custom("callcenter::info", CC_Action=change, **named, **{header: status})

    ready, connecting = becomes("CC_Agent_Status", "Available"), becomes("CC_Agent_State", "Receiving")
    path = f"/agents/{agent}/status"
    await post(switch, ready, becomes("CC_Agent_State", "Idle"))
    assert (await tenant.api.get(path)).data == "ready"
    with clock.frozen(clock.unix_now() + 1):
        await post(switch, {**connecting, "Event-Date-Timestamp": str(int(clock.unix_now() * 1_000_000))})
    assert (await tenant.api.get(path)).data == "connecting"
    with clock.frozen(clock.unix_now() + server.runtime.config.live.silence_s + 10):
        assert (await tenant.api.get(path)).data == "unknown", "the switch fell silent"
        await post(switch, fs.says("HEARTBEAT"))
        assert (await tenant.api.get(path)).data == "connecting"
    names = {event["event_name"] for event in await raised(server, tenant, "acdc_call_stat")}
    assert names == {"waiting", "handled", "missed", "abandoned", "processed"}


async def test_listening_to_a_call(tenant: Tenant) -> None:
    switch, fs, call_id = await ingest_token(tenant), FreeSwitch(tenant.realm), uuid.uuid4().hex
    device = await phone(tenant, "1000")
    await post(switch, fs.call(call_id, "b")[CREATED])
    odd = await tenant.api.put("/queues/eavesdrop", {"id": device, "call_id": call_id, "mode": "sing"})
    assert list(odd.data) == ["mode"]
    answer = await tenant.api.put("/queues/eavesdrop", {"id": device, "call_id": call_id})
    assert answer.error() == (500, "500", "timeout", {"message": "timeout", "cause": "eavesdrop failed to start"})
    unknown = await tenant.api.put("/queues/eavesdrop", {"id": device, "call_id": "x"})
    assert list(unknown.data) == ["call_id"]


# Faxes


async def test_faxes_are_told_of(server: RunningServer, tenant: Tenant) -> None:
    switch, fs, call_id = await ingest_token(tenant), FreeSwitch(tenant.realm), uuid.uuid4().hex
    told = {"Unique_ID": call_id, "variable_domain_name": tenant.realm, "variable_ecallmgr_Fax-ID": "the-fax"}
    result = {
        "variable_fax_success": "1",
        "variable_fax_result_text": "OK",
        "variable_fax_document_transferred_pages": "2",
    }
    await post(
        switch, fs.custom("spandsp::rxfaxpageresult", **told), fs.custom("spandsp::rxfaxresult", **told, **result)
    )
    events = await raised(server, tenant, "fax")
    assert [(each["fax_id"], each["application_event"], each["status"], each["fax_state"]) for each in events] == [
        ("the-fax", "pagetransfer", "pagetransfer", "receive"),
        ("the-fax", "transfer", "OK", "receive"),
    ]


# KAZOO's own words


async def hand_in(switch: Api, **event: Any) -> None:
    answer = await switch.post("/ingest/call_events", {"timestamp": clock.now(), "media_server": "fs1", **event})
    assert answer.status == 200, answer.envelope


async def test_events_in_kazoos_words(server: RunningServer, tenant: Tenant, stranger: Tenant) -> None:
    switch, foreign = await ingest_token(tenant), await ingest_token(stranger)
    variables = {"account_id": tenant.id, "authorizing_id": "d" * 32, "owner_id": tenant.admin_id, "bridge_id": "b"}
    common = {"call_id": "k1", "custom_channel_vars": variables}
    about = {"call_direction": "inbound", "caller_id_number": "1000", "to": f"2000@{tenant.realm}"}
    await hand_in(switch, event_name="CHANNEL_CREATE", **common, **about)
    await hand_in(switch, event_name="CHANNEL_ANSWER", call_id="k1")
    await hand_in(switch, event_name="CHANNEL_BRIDGE", call_id="k1", other_leg_call_id="k2")
    (row,) = (await tenant.api.get(f"/users/{tenant.admin_id}/channels")).data
    seen = {key: row[key] for key in ("uuid", "answered", "other_leg", "destination", "bridge_id", "direction")}
    assert seen == {"uuid": "k1", "answered": True, "other_leg": "k2", "destination": "2000", "bridge_id": "b",
                    "direction": "inbound"}  # fmt: skip
    await hand_in(switch, event_name="PARK_PARKED", call_id="k1", parking_slot="9", caller_id_number="1000")
    assert await slots(tenant) == {"9": "k1"}
    await hand_in(foreign, event_name="CHANNEL_DESTROY", call_id="k1")
    refused = await foreign.post("/ingest/call_events", {"event_name": "CHANNEL_DESTROY", **common})
    assert refused.status == 403
    assert len((await tenant.api.get("/channels")).data) == 1
    await hand_in(switch, event_name="CHANNEL_DESTROY", **common)
    assert ((await tenant.api.get("/channels")).data, await slots(tenant)) == ([], {})
    names = [event["event_name"] for event in await raised(server, tenant)]
    assert sorted(names) == ["CHANNEL_ANSWER", "CHANNEL_BRIDGE", "CHANNEL_CREATE", "CHANNEL_DESTROY", "PARK_ABANDONED",
                             "PARK_PARKED"]  # fmt: skip

    contact = {
        "username": "1000",
        "realm": tenant.realm,
        "contact": "<sip:1000@10.0.0.9>",
        "expires": 60,
        "call_id": "r",
    }
    await hand_in(switch, event_category="directory", event_name="reg_success", **contact)
    (registered,) = (await tenant.api.get("/registrations")).data
    assert (registered["contact_ip"], registered["contact_port"]) == ("10.0.0.9", 5060)
    await hand_in(
        switch, event_category="presence", event_name="update", presence_id=f"7@{tenant.realm}", state="early"
    )
    assert (await tenant.api.get("/presence")).data["states"] == {"7": "early"}
    nameless = await switch.post("/ingest/call_events", {"event_name": "CHANNEL_ANSWER"})
    assert nameless.data == {"call_id": {"required": {"message": "Field is required but missing", "value": "call_id"}}}


async def test_what_happened_long_ago_is_kept_and_shown_as_nothing_live(server: RunningServer, tenant: Tenant) -> None:
    switch = await ingest_token(tenant)
    await hand_in(switch, event_name="CHANNEL_ANSWER", call_id="old", timestamp=clock.now() - 2 * clock.DAY)
    assert len(await raised(server, tenant)) == 1
    assert (await tenant.api.get("/channels")).data == []


async def test_a_backlog_and_a_clock_that_is_wrong(server: RunningServer, tenant: Tenant) -> None:
    switch, now = await ingest_token(tenant), clock.unix_now()
    yesterday, ahead = (FreeSwitch(tenant.realm, began=now + days * clock.DAY) for days in (-3, 400))
    await post(switch, *yesterday.call("old-a", "old-b"), yesterday.registers("1000", "r"), probe(yesterday))
    events = {(event["event_category"], event["event_name"]) for event in await raised(server, tenant)}
    assert (len(events), ("call_event", "CHANNEL_DESTROY") in events) == (7, True), (
        "what is no event is none, later either"
    )
    assert (await tenant.api.get("/registrations")).data == []
    told = ahead.call("new-a", "new-b")
    for event in told[: BRIDGED + 1]:
        await post(switch, event)
    assert {row["uuid"] for row in (await tenant.api.get("/channels")).data} == {"new-a", "new-b"}
    again = FreeSwitch(tenant.realm, ahead.host, began=now + 1)
    with clock.frozen(now + 60):
        await post(switch, again.call("newer-a", "newer-b")[CREATED])
        assert [row["uuid"] for row in (await tenant.api.get("/channels")).data] == ["newer-a"], "it was started anew"


def probe(fs: FreeSwitch) -> Said:
    return fs.says("PRESENCE_PROBE", to=f"1@{fs.realm}", sub_call_id="s", **{"from": f"2@{fs.realm}"})


async def test_an_account_that_ends_leaves_nothing_live(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    await post(switch, fs.registers("1000", "reg"), *fs.call("a", "b")[: BRIDGED + 1])
    await server.runtime.store.remove_partition(tenant.id)
    live = server.runtime.store.live
    for kind in ("channel", "registration"):
        assert await live.all(tenant.id, kind, silence_s=1000) == []


async def test_the_silence_is_a_setting(server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    await post(switch, fs.call("a", "b")[CREATED])
    with clock.frozen(clock.unix_now() + 600):
        assert (await tenant.api.get("/channels")).data == []
        set_options(monkeypatch, server, "live", silence_s=7200)
        assert len((await tenant.api.get("/channels")).data) == 1
