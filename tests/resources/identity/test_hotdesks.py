# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/hotdesks`, `…/users/{U}/hotdesks`, `…/devices/{D}/hotdesks`."""

from __future__ import annotations

from tests.harness import Answer, Tenant


async def user(tenant: Tenant, name: str, **more: object) -> str:
    return (await tenant.api.put("/users", {"first_name": name, "last_name": "X", **more})).id


async def device(tenant: Tenant, name: str, *users: str) -> str:
    body = {"name": name, "hotdesk": {"users": {user_id: {} for user_id in users}}}
    return (await tenant.api.put("/devices", body)).id


async def test_nobody_is_logged_in_anywhere(tenant: Tenant) -> None:
    await tenant.api.put("/devices", {"name": "Desk"})
    listed = await tenant.api.get("/hotdesks")
    assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, [], 0)


async def test_a_row_for_each_user_at_each_device(tenant: Tenant) -> None:
    first, second = sorted([await user(tenant, "A"), await user(tenant, "B")])
    lobby = await device(tenant, "Lobby", first, second)
    desk = await device(tenant, "Desk", second)

    listed = await tenant.api.get("/hotdesks", query={"ascending": "true"})
    at_lobby, at_desk = {"device_id": lobby, "device_name": "Lobby"}, {"device_id": desk, "device_name": "Desk"}
    at_both = sorted([at_lobby, at_desk], key=lambda row: row["device_id"])
    assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, [at_lobby, *at_both], 3)
    assert (await tenant.api.get("/hotdesks")).data == listed.data[::-1]
    assert (await tenant.api.get("/hotdesks", query={"filter_name": "Desk"})).data == [at_desk]

    assert (await tenant.api.get(f"/users/{first}/hotdesks")).data == [at_lobby]
    both: Answer = await tenant.api.get(f"/users/{second}/hotdesks", query={"ascending": "true"})
    assert (both.data, both.envelope["page_size"]) == (at_both, 2)


async def test_pages_in_both_directions(tenant: Tenant) -> None:
    users = [await user(tenant, name) for name in "ABC"]
    await device(tenant, "Lobby", *users)
    await device(tenant, "Desk", *users)
    for direction in ({}, {"ascending": "true"}):
        whole = (await tenant.api.get("/hotdesks", query=direction)).data
        seen, query = [], {**direction, "page_size": "4"}
        page = await tenant.api.get("/hotdesks", query=query)
        while True:
            seen += page.data
            if "next_start_key" not in page.envelope:
                break
            query["start_key"] = page.envelope["next_start_key"]
            page = await tenant.api.get("/hotdesks", query=query)
            assert page.envelope["start_key"] == query["start_key"]
        assert (seen, len(whole)) == (whole, 6)
    everything = await tenant.api.get("/hotdesks", query={"paginate": "false", "page_size": "1"})
    assert len(everything.data) == 6
    assert not {"page_size", "start_key", "next_start_key"} & everything.envelope.keys()


async def test_the_users_at_a_device(tenant: Tenant) -> None:
    user_id = await user(
        tenant,
        "Ann",
        email="ann@x.test",
        flags=["f"],
        features=["named"],
        hotdesk={"enabled": True},
        call_forward={"failover": True},
        do_not_disturb={"enabled": True},
    )
    gone = await user(tenant, "Gone")
    await tenant.api.delete(f"/users/{gone}")
    desk = await device(tenant, "Desk", user_id, gone)

    listed = await tenant.api.get(f"/devices/{desk}/hotdesks")
    row = {
        "id": user_id,
        "first_name": "Ann",
        "last_name": "X",
        "email": "ann@x.test",
        "priv_level": "user",
        "features": ["hotdesk", "call_forward_failover", "vm_to_email"],
    }
    assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, [row], 1)
    assert (await tenant.api.get(f"/devices/{desk}/hotdesks", query={"filter_first_name": "Bo"})).data == []


async def test_only_reading(tenant: Tenant) -> None:
    assert (await tenant.api.put("/hotdesks", {})).error()[:3] == (405, "405", "invalid_method")
    unknown = await tenant.api.get(f"/devices/{'0' * 32}/hotdesks")
    assert unknown.error() == (404, "404", "bad_identifier", {"cause": "0" * 32, "message": "bad identifier"})
