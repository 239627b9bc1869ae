# SPDX-License-Identifier: MPL-2.0
"""What a switch tells of registrations and presence, and what is shown of it."""

from __future__ import annotations

from typing import Any

import orjson

from crossbar import clock
from tests.harness import RunningServer, Tenant
from tests.switch import FreeSwitch, Said, ingest_token, post, raised


async def phone(tenant: Tenant, username: str, **fields: Any) -> str:
    device = {"name": username, "sip": {"username": username, "password": "a secret"}, **fields}
    created = await tenant.api.put("/devices", device)
    assert created.status == 201, created.envelope
    return created.id


# Registrations


async def test_a_registration_until_it_expires(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    owner = tenant.admin_id
    device, other = await phone(tenant, "1000", owner_id=owner), await phone(tenant, "1001")
    await post(switch, fs.registers("1000", "reg-1", expires=300))
    (row,) = (await tenant.api.get("/registrations")).data
    told = row.pop("event_timestamp")
    assert abs(told - clock.now()) < 60
    assert row == {
        "account_name": tenant.realm.removesuffix(".test"),
        "account_realm": tenant.realm,
        "authorizing_id": device,
        "authorizing_type": "device",
        "call_id": "reg-1",
        "contact": '"1000" sip:1000@192.168.1.20:5062;transport=tls',
        "contact_ip": "192.168.1.20",
        "contact_port": 5062,
        "expires": 300,
        "from_host": tenant.realm,
        "from_user": "1000",
        "network_ip": "203.0.113.7",
        "network_port": 40123,
        "original_contact": '"1000" <sip:1000@192.168.1.20:5062;transport=tls>',
        "owner_id": owner,
        "realm": tenant.realm,
        "suppress_unregister_notify": False,
        "to_host": tenant.realm,
        "to_user": "1000",
        "user_agent": "Yealink SIP-T46S 66.84.0.15",
        "username": "1000",
    }
    await shown_registered(tenant, {device: True, other: False})
    assert (await tenant.api.get("/registrations/count")).data == {"count": 1}
    assert (await server.master.root.get("/registrations/count")).data["count"] >= 1

    # It is independent of what else is heard of the switch, and ends at its own time.
    end = clock.unix(told) + 300
    with clock.frozen(end - 5):
        assert (await tenant.api.get("/registrations/count")).data == {"count": 1}
        await shown_registered(tenant, {device: True, other: False})
    with clock.frozen(end + 5):
        assert (await tenant.api.get("/registrations")).data == []
        await shown_registered(tenant, {device: False, other: False})
        await post(switch, fs.registers("1000", "reg-2", expires=600))


async def shown_registered(tenant: Tenant, expected: dict[str, bool]) -> None:
    listed = await tenant.api.get("/devices", query={"with_status": "true"})
    assert {row["id"]: row["registered"] for row in listed.data} == expected
    status = await tenant.api.get("/devices/status")
    assert status.data == [{"device_id": key, "registered": True} for key, known in expected.items() if known]


async def test_the_list_of_a_users_devices_shows_which_are_registered(tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    device, other = await phone(tenant, "1000", owner_id=tenant.admin_id), await phone(tenant, "1001")
    await post(switch, fs.registers("1000", "reg-1"), fs.registers("1001", "reg-2"))
    listed = await tenant.api.get(f"/users/{tenant.admin_id}/devices", query={"with_status": "true"})
    assert [(row["id"], row["registered"]) for row in listed.data] == [(device, True)]
    assert {row["device_id"] for row in (await tenant.api.get("/devices/status")).data} == {device, other}


async def test_registering_anew_and_going(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    quiet = {"suppress_unregister_notifications": True}
    await phone(tenant, "1000")
    await phone(tenant, "1001", **quiet)
    first, second = fs.registers("1000", "reg-1"), fs.registers("1000", "reg-2")
    await post(switch, second, first, fs.registers("1001", "reg-3"), second)
    assert sorted(row["call_id"] for row in (await tenant.api.get("/registrations")).data) == ["reg-2", "reg-3"]
    # The end of what was replaced is not the end of what replaced it.
    gone = {"from_user": "1000", "from_host": tenant.realm, "contact": "sip:x"}
    await post(switch, fs.custom("sofia::expire", user="1000", host=tenant.realm, call_id="reg-1"))
    assert (await tenant.api.get("/registrations/count")).data == {"count": 2}
    over = fs.custom("sofia::unregister", call_id="reg-2", **gone)
    await post(switch, over, fs.custom("sofia::unregister", call_id="reg-3", **{**gone, "from_user": "1001"}))
    await post(switch, over, second)
    assert (await tenant.api.get("/registrations")).data == []
    notices = await raised(server, tenant, "notification")
    assert [(each["event_name"], each["username"]) for each in notices if each["username"] == "1000"] == [
        ("register", "1000"),
        ("deregister", "1000"),
    ]
    assert [each["event_name"] for each in notices if each["username"] == "1001"] == ["register"]
    for key in ("account_id", "contact", "event_timestamp", "expires", "network_ip", "realm", "user_agent"):
        assert all(each[key] for each in notices), key


async def test_registrations_stay_in_their_account(tenant: Tenant, stranger: Tenant) -> None:
    own, foreign, fs = await ingest_token(tenant), await ingest_token(stranger), FreeSwitch(tenant.realm)
    await post(own, fs.registers("1000", "reg-1"))
    refused = await foreign.request(
        "POST",
        "/hooks/freeswitch/event",
        body=orjson.dumps(fs.custom("sofia::unregister", user="1000", realm=fs.realm)),
    )
    assert refused.status == 403
    assert (await tenant.api.get("/registrations/count")).data == {"count": 1}
    assert (await stranger.api.get("/registrations/count")).data == {"count": 0}


# Presence


def dialog(fs: FreeSwitch, user: str, state: str, call_id: str) -> Said:
    address = f"{user}@{fs.realm}"
    about = {"from": address, "proto": "sip", "login": address, "rpid": "unknown", "alt_event_type": "dialog"}
    return fs.says("PRESENCE_IN", **about, answer_state=state, Unique_ID=call_id, call_direction="inbound")


def probe(fs: FreeSwitch, user: str, call_id: str, expires: int) -> Said:
    watcher, watched = f"9000@{fs.realm}", f"{user}@{fs.realm}"
    return fs.says("PRESENCE_PROBE", proto="sip", **{"from": watcher}, to=watched, sub_call_id=call_id,
                   expires=str(expires), proto_specific_event_name="dialog")  # fmt: skip


async def test_presence_of_extensions(server: RunningServer, tenant: Tenant, stranger: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    early, talking, idle = (dialog(fs, "101", state, "c1") for state in ("early", "confirmed", "terminated"))
    await post(switch, talking, early, dialog(fs, "102", "early", "c2"), probe(fs, "101", "s1", 600))
    await post(switch, probe(fs, "101", "s2", 200), probe(fs, "103", "s3", 600))
    found = (await tenant.api.get("/presence")).data
    assert found == {
        "subscriptions": {"101": {"dialog": 2}, "103": {"dialog": 1}},
        "states": {"101": "confirmed", "102": "early"},
        "timeout": None,
    }
    assert (await tenant.api.get("/presence?event=message-summary")).data["subscriptions"] == {}
    one = (await tenant.api.get("/presence/101")).data
    assert (one["states"], set(one["subscriptions"]["101"]["dialog"])) == ({"101": "confirmed"}, {"s1", "s2"})
    subscription = one["subscriptions"]["101"]["dialog"]["s1"]
    assert (subscription["expires"], subscription["from"]) == (600, f"9000@{tenant.realm}")
    assert (await stranger.api.get("/presence")).data == {"timeout": True}

    reset = await tenant.api.post("/presence/101", {})
    assert reset.status == 200
    report = await tenant.root.acting(None).get(f"{server.url}{reset.headers['Location']}")
    assert orjson.loads(report.raw)["states"] == {"101": "confirmed", "102": "early"}

    await post(switch, idle, probe(fs, "101", "s1", 0))
    assert (await tenant.api.get("/presence/101")).data["states"] == {}
    now = clock.unix_now()
    with clock.frozen(now + server.runtime.config.live.silence_s + 1):
        found = (await tenant.api.get("/presence")).data
        assert found["states"] == {}, "the switch fell silent"
        assert found["subscriptions"] == {"101": {"dialog": 1}, "103": {"dialog": 1}}
    with clock.frozen(now + 700):
        assert (await tenant.api.get("/presence")).data == {"timeout": True}
    events = await raised(server, tenant, "presence")
    assert [(event["event_name"], event["presence_id"], event["state"]) for event in events] == [
        ("dialog_update", f"101@{tenant.realm}", "early"),
        ("dialog_update", f"101@{tenant.realm}", "confirmed"),
        ("dialog_update", f"101@{tenant.realm}", "terminated"),
        ("dialog_update", f"102@{tenant.realm}", "early"),
    ]


async def test_waiting_messages_are_told_of(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    account = f"sip:101@{tenant.realm}"
    waiting = fs.says("MESSAGE_WAITING", MWI_Messages_Waiting="yes", MWI_Message_Account=account,
                      MWI_Voice_Message="2/5 (1/0)")  # fmt: skip
    await post(switch, waiting, waiting)
    (event,) = await raised(server, tenant, "presence")
    expected = {"event_name": "mwi_update", "to": account, "to_user": "101", "messages_new": 2, "messages_saved": 5,
                "messages_urgent": 1, "messages_waiting": "yes"}  # fmt: skip
    assert expected.items() <= event.items()
