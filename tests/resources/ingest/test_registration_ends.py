# SPDX-License-Identifier: MPL-2.0
"""Registrations that run out by themselves: told of once each, and not when they were renewed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crossbar import clock
from crossbar.documents.listing import Listing
from crossbar.resources.ingest.domain.registration_ends import LATE_SECONDS, tell_of_ends
from crossbar.resources.records.domain import call_event
from tests.harness import RunningServer, Tenant
from tests.switch import FreeSwitch, Said, ingest_token, post, raised

EXPIRES = 300


def at(fs: FreeSwitch, said: Said) -> float:
    return int(said["Event-Date-Timestamp"]) / 1_000_000


async def phone(tenant: Tenant, username: str, **fields: Any) -> str:
    device = {"name": username, "sip": {"username": username, "password": "a secret"}, **fields}
    return (await tenant.api.put("/devices", device)).id


async def told(server: RunningServer, tenant: Tenant) -> list[tuple[str, str]]:
    """The notifications of the account, in the order of what they tell of."""
    return [(one["event_name"], one["username"]) for one in await raised(server, tenant, "notification")]


async def test_an_end_is_told_of_once(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    device = await phone(tenant, "1000")
    registered = fs.registers("1000", "reg-1", expires=EXPIRES)
    await post(switch, registered)
    end = at(fs, registered) + EXPIRES
    with clock.frozen(end + LATE_SECONDS - 1):
        await tell_of_ends(server.runtime.store)
        assert await told(server, tenant) == [("register", "1000")]
    with clock.frozen(end + LATE_SECONDS + 1):
        assert sum(await asyncio.gather(*(tell_of_ends(server.runtime.store) for _ in range(8)))) >= 1
        await tell_of_ends(server.runtime.store)
        _, ended = await raised(server, tenant, "notification")
        # What the switch itself says of it later, and again, is nothing new.
        await post(switch, registered, fs.custom("sofia::expire", user="1000", host=tenant.realm, call_id="reg-1"))
        assert await told(server, tenant) == [("register", "1000"), ("deregister", "1000")]
    expected = {
        "account_id": tenant.id,
        "authorizing_id": device,
        "event_name": "deregister",
        "event_timestamp": clock.gregorian(end),
        "expires": EXPIRES,
        "freeswitch_hostname": fs.host,
        "network_ip": "203.0.113.7",
        "realm": tenant.realm,
        "status": "expired",
        "suppress_unregister_notify": False,
        "username": "1000",
    }
    assert expected.items() <= ended.items()
    assert (await tenant.api.get("/registrations/count")).data == {"count": 0}


async def test_what_was_renewed_or_ended_or_keeps_quiet_is_not_told_of(server: RunningServer, tenant: Tenant) -> None:
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    await phone(tenant, "1001", suppress_unregister_notifications=True)
    first = fs.registers("1000", "reg-0", expires=EXPIRES)
    await post(switch, first, fs.registers("1001", "reg-1", expires=EXPIRES), fs.registers("1002", "reg-2"))
    await post(switch, fs.custom("sofia::unregister", from_user="1002", from_host=tenant.realm, call_id="reg-2"))
    fs.began += 200
    with clock.frozen(fs.began + 10):
        await post(switch, fs.registers("1000", "reg-0", expires=EXPIRES))
    before = [("register", "1000"), ("register", "1001"), ("register", "1002"), ("deregister", "1002")]
    with clock.frozen(at(fs, first) + EXPIRES + LATE_SECONDS + 50):
        await tell_of_ends(server.runtime.store)
        assert await told(server, tenant) == before
    with clock.frozen(fs.began + EXPIRES + LATE_SECONDS + 50):
        await tell_of_ends(server.runtime.store)
        assert await told(server, tenant) == [*before, ("deregister", "1000")]
        assert await told(server, tenant) == [*before, ("deregister", "1000")]


async def test_a_phone_that_comes_back(server: RunningServer, tenant: Tenant) -> None:
    """Also where its renewal arrives so late that the end was told of: it is there again, and ends again."""
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    first = fs.registers("1000", "reg-1", expires=EXPIRES)
    await post(switch, first)
    fs.began += 250
    renewed = fs.registers("1000", "reg-1", expires=EXPIRES)
    with clock.frozen(at(fs, first) + EXPIRES + LATE_SECONDS + 1):
        await tell_of_ends(server.runtime.store)
        await post(switch, renewed)
        await tell_of_ends(server.runtime.store)
        assert (await tenant.api.get("/registrations/count")).data == {"count": 1}
        events = await raised(server, tenant, "notification")
        assert sorted(one["event_name"] for one in events) == ["deregister", "register", "register"]
    with clock.frozen(at(fs, renewed) + EXPIRES + LATE_SECONDS + 1):
        await tell_of_ends(server.runtime.store)
        events = await raised(server, tenant, "notification")
        assert sorted(one["event_name"] for one in events) == ["deregister"] * 2 + ["register"] * 2


async def test_renewals_at_the_moment_of_the_end(server: RunningServer, tenant: Tenant) -> None:
    """Whoever is told that a phone went is told that it came back, after that."""
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    names = [str(2000 + number) for number in range(24)]
    first = [fs.registers(name, f"reg-{name}", expires=EXPIRES) for name in names]
    await post(switch, *first)
    fs.began += EXPIRES + LATE_SECONDS
    later = [fs.registers(name, f"reg-{name}", expires=EXPIRES) for name in names]
    with clock.frozen(at(fs, first[-1]) + EXPIRES + LATE_SECONDS + 1):
        renewals = (post(switch, said) for said in later)
        sweeps = (tell_of_ends(server.runtime.store) for _ in range(4))
        await asyncio.gather(*renewals, *sweeps)
        await tell_of_ends(server.runtime.store)
        assert (await tenant.api.get("/registrations/count")).data == {"count": len(names)}
    by_phone: dict[str, list[str]] = {}
    for name, username in await told(server, tenant):
        by_phone.setdefault(username, []).append(name)
    for name in names:
        assert by_phone[name] in (["register", "register"], ["register", "deregister", "register"]), name
    gone = await server.runtime.store.all(Listing(tenant.id, "call_event"))
    assert len(gone) == sum(map(len, by_phone.values()))


async def test_an_end_is_noted_with_what_is_told_of_it_or_not_at_all(
    server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that stops in the middle leaves it to the next one; a server may have been away for a day."""
    switch, fs = await ingest_token(tenant), FreeSwitch(tenant.realm)
    registered = fs.registers("1000", "reg-1", expires=EXPIRES)
    await post(switch, registered)

    async def stop(*_: object) -> None:
        raise RuntimeError("the end")

    with clock.frozen(at(fs, registered) + EXPIRES + clock.DAY):
        with monkeypatch.context() as patched:
            patched.setattr(call_event, "tell", stop)
            with pytest.raises(RuntimeError):
                await tell_of_ends(server.runtime.store)
        assert await told(server, tenant) == [("register", "1000")]
        await tell_of_ends(server.runtime.store)
        assert await told(server, tenant) == [("register", "1000"), ("deregister", "1000")]
        # Live state that was lost, and is told again, ends again; that was told of.
        await server.runtime.store.database["live"].delete_many({"a": tenant.id})
    await post(switch, registered)
    with clock.frozen(at(fs, registered) + EXPIRES + LATE_SECONDS + 1):
        await tell_of_ends(server.runtime.store)
        await tell_of_ends(server.runtime.store)
        assert await server.runtime.store.live.lapsed("registration", int(clock.unix_now() * 1_000_000), 100) == []
    assert await told(server, tenant) == [("register", "1000"), ("deregister", "1000")]
