# SPDX-License-Identifier: MPL-2.0
"""`PATCH /accounts/{A}/port_requests/{ID}/completed`: the numbers that are then in service."""

from __future__ import annotations

from crossbar.resources.numbers.domain.number_settings import CATEGORY
from tests.harness import RunningServer, Tenant
from tests.numbers import add, fresh
from tests.ports import Porting

# Numbers


async def test_completed_numbers_are_in_service(porting: Porting, server: RunningServer) -> None:
    first, second = fresh(), fresh()
    request_id = (await porting.made(first, second)).id
    path, api = f"/port_requests/{request_id}", porting.customer.api
    await porting.moved(request_id, "submitted", "pending")
    listed = (await api.get("/phone_numbers")).data["numbers"]
    assert {number: row["state"] for number, row in listed.items()} == {first: "port_in", second: "port_in"}
    flow = {"numbers": [first], "flow": {"module": "hangup", "data": {}, "children": {}}}
    assert (await api.put("/callflows", flow)).status == 201
    completed = await porting.agent.api.patch(f"{path}/completed", {})
    assert (completed.status, completed.data["numbers"]) == (200, {})
    assert completed.data["_read_only"]["ported_numbers"] == {first: {}, second: {}}
    assert (await api.get(path)).data == completed.data
    listed = (await api.get("/phone_numbers")).data["numbers"]
    assert {number: row["state"] for number, row in listed.items()} == {first: "in_service", second: "in_service"}
    assert (listed[first]["used_by"], "used_by" in listed[second], "port_id" in listed[first]) == (
        "callflow",
        False,
        False,
    )
    one = (await api.get(f"/phone_numbers/{second}")).data
    assert (one["port_id"], one["state"], one["features"]) == (request_id, "in_service", ["local"])
    assert (await server.runtime.store.get("numbers", "number", first)).fields["pvt_ported_in"] is True
    identified = await api.get(f"/phone_numbers/{first}/identify")
    assert identified.data == {"account_id": porting.customer.id, "number": first}
    message = "Number exists on the system already"
    again = await api.put("/port_requests", {"name": "again", "numbers": {first: {}}})
    assert again.error()[3] == {first: {"type": {"message": message, "cause": first}}}
    changed = await porting.customer.api.patch(path, {"name": "done", "numbers": {fresh(): {}}})
    assert (changed.status, changed.data["name"], changed.data["numbers"]) == (200, "done", {})
    assert changed.data["_read_only"]["ported_numbers"] == {first: {}, second: {}}


async def test_the_carrier_of_ported_numbers_is_the_installations_choice(porting: Porting, master: Tenant) -> None:
    number = fresh()
    request_id = (await porting.made(number)).id
    await porting.moved(request_id, "submitted", "pending")
    setting = {"default": {"port_in_module_name": "knm_bandwidth2"}}
    assert (await master.root.post(f"/system_configs/{CATEGORY}", setting)).status == 200
    try:
        await porting.moved(request_id, "completed")
    finally:
        await master.root.delete(f"/system_configs/{CATEGORY}")
    shown = (await porting.customer.api.get(f"/phone_numbers/{number}")).data
    assert (shown["_read_only"]["carrier_module"], "features" in shown) == ("bandwidth2", False)


async def test_numbers_that_are_known_already_come_along(porting: Porting, master: Tenant) -> None:
    """An unconfirmed request does not keep others from a number, nor the account's own operator."""
    free, own, coming = fresh(), fresh(), fresh()
    await add(master, master, free, carrier_name="inventory", create_with_state="available")
    request_id = (await porting.made(free, own, coming)).id
    await add(master, porting.customer, own, prepend={"enabled": True, "name": "p"})
    await add(master, porting.customer, coming, create_with_state="port_in")
    await porting.moved(request_id, "submitted", "pending", "completed")
    listed = (await porting.customer.api.get("/phone_numbers")).data["numbers"]
    assert {number: row["state"] for number, row in listed.items()} == dict.fromkeys((free, own, coming), "in_service")
    assert listed[own]["features"] == ["local", "prepend"]
    shown = (await porting.customer.api.get(f"/phone_numbers/{free}")).data
    assert (shown["port_id"], shown["_read_only"]["carrier_module"]) == (request_id, "inventory")


async def test_numbers_come_all_or_none(porting: Porting, master: Tenant, tenant: Tenant) -> None:
    numbers = [fresh() for _ in range(5)]
    for taken in ("number", "mobile"):
        request_id = (await porting.made(*numbers)).id
        path = f"/port_requests/{request_id}"
        if taken == "number":
            await add(master, tenant, numbers[3])
        else:
            device = {"name": "m", "device_type": "mobile", "mobile": {"mdn": numbers[3]}}
            assert (await tenant.api.put("/devices", device)).status == 201
        await porting.moved(request_id, "submitted", "pending")
        before = (await porting.customer.api.get(path)).data
        failed = await porting.agent.api.patch(f"{path}/completed", {})
        message = {"message": "a number could not be put into service", "cause": numbers[3]}
        assert failed.error() == (500, "500", "transition_errors", message)
        assert (await porting.customer.api.get(path)).data == before
        for number in numbers:
            found = await master.root.get(
                f"/accounts/{master.id}/phone_numbers/{number}", query={"include_ports": "false"}
            )
            assert found.status == (200 if number == numbers[3] else 404)
        gone = (
            f"/phone_numbers/{numbers[3]}"
            if taken == "number"
            else "/devices/" + (await tenant.api.get("/devices")).data[0]["id"]
        )
        assert (await tenant.api.delete(gone)).status == 200
        await porting.moved(request_id, "canceled")


async def test_many_numbers_are_ported(porting: Porting) -> None:
    numbers = [fresh() for _ in range(300)]
    request_id = (await porting.made(*numbers)).id
    answer = await porting.moved(request_id, "submitted", "pending", "completed")
    assert set(answer.data["_read_only"]["ported_numbers"]) == set(numbers)
    listed = (await porting.customer.api.get("/phone_numbers", query={"paginate": "false"})).data["numbers"]
    assert set(listed) == set(numbers)
    assert {row["state"] for row in listed.values()} == {"in_service"}


# At once
