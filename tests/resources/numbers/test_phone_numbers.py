# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/phone_numbers`: numbers one by one."""

from __future__ import annotations

import hashlib

import pytest

from tests.harness import Api, RunningServer, Tenant, new_tenant
from tests.numbers import FORBIDDEN, NOT_FOUND, add, allow_additions, fresh, refusal


async def test_create_read_list_change_and_release(tenant: Tenant, master: Tenant) -> None:
    number = fresh()
    created = await master.root.put(f"/accounts/{tenant.id}/phone_numbers/{number[2:]}", {"note": "front desk"})
    read_only = created.data["_read_only"]
    expected = {
        "id": number,
        "state": "in_service",
        "features": ["local"],
        "note": "front desk",
        "_read_only": {
            "created": read_only["created"],
            "modified": read_only["modified"],
            "features": {
                "available": ["carrier_name", "force_outbound", "prepend", "ringback"],
                "settings": {"local": {}},
            },
            "carrier_module": "local",
        },
    }
    assert (created.status, created.data, created.envelope["metadata"]) == (201, expected, read_only)

    for written in (number, number.replace("+", "%2B"), number[1:], number[2:]):
        read = await tenant.api.get(f"/phone_numbers/{written}")
        assert (read.status, read.data["id"], read.data["state"]) == (200, number, "in_service")
    assert read.data["_read_only"]["features"]["available"] == ["force_outbound", "prepend", "ringback"]
    assert read.headers["ETag"] == f'"{read.envelope["revision"]}"'

    listed = await tenant.api.get("/phone_numbers")
    row = {
        "state": "in_service",
        "features": ["local"],
        "features_available": ["force_outbound", "prepend", "ringback"],
        "features_allowed": [],
        "features_denied": [],
        "assigned_to": tenant.id,
        "created": read_only["created"],
        "updated": read_only["modified"],
    }
    assert (listed.status, listed.data) == (200, {"numbers": {number: row}, "cascade_quantity": 0})
    assert listed.envelope["page_size"] == 1

    prepend = {"enabled": True, "name": "Sales", "number": "9"}
    merged = await tenant.api.patch(f"/phone_numbers/{number}", {"prepend": prepend, "note": None})
    assert (merged.status, merged.data["features"], merged.data["prepend"]) == (200, ["local", "prepend"], prepend)
    assert "note" not in merged.data
    assert merged.data["_read_only"]["features"]["settings"] == {"local": {}, "prepend": prepend}

    sent_back = {**merged.data, "features_available": ["prepend"], "force_outbound": True}
    del sent_back["prepend"]
    replaced = await tenant.api.post(f"/phone_numbers/{number}", sent_back)
    assert (replaced.status, replaced.data["state"], replaced.data["features"]) == (
        200,
        "in_service",
        ["force_outbound", "local"],
    )
    assert set(replaced.data) == {"id", "state", "features", "force_outbound", "_read_only"}

    released = await tenant.api.delete(f"/phone_numbers/{number}")
    assert (released.status, released.data["state"]) == (200, "deleted")
    assert released.data["_read_only"]["is_deleted"] is True
    assert (await tenant.api.get(f"/phone_numbers/{number}")).error() == NOT_FOUND
    assert (await tenant.api.get("/phone_numbers")).data["numbers"] == {}


@pytest.mark.parametrize("verb", ["GET", "PUT", "POST", "PATCH", "DELETE"])
async def test_extensions_are_no_numbers(verb: str, tenant: Tenant, master: Tenant) -> None:
    refused = await master.root.request(verb, f"/accounts/{tenant.id}/phone_numbers/600", {})
    assert refused.error() == refusal(404, "not_reconcilable", "number 600 is not reconcilable", "600")


@pytest.mark.parametrize("number", ["%2B14155550100%00", "%2B1415555010%D9%A0", "%2B" + "4" * 40])
async def test_what_only_looks_like_a_number(number: str, tenant: Tenant, master: Tenant) -> None:
    refused = await master.root.put(f"/accounts/{tenant.id}/phone_numbers/{number}", {})
    assert refused.error()[:3] == (404, "404", "not_reconcilable")


@pytest.mark.parametrize("verb", ["POST", "PATCH", "DELETE"])
async def test_unknown_numbers_cannot_be_changed(verb: str, tenant: Tenant) -> None:
    refused = await tenant.api.request(verb, f"/phone_numbers/{fresh()}", {})
    assert refused.error() == NOT_FOUND


async def test_what_does_not_fit_the_schema(tenant: Tenant, master: Tenant) -> None:
    number = fresh()
    cnam = {"display_name": "a name that is too long"}
    refused = await master.root.put(f"/accounts/{tenant.id}/phone_numbers/{number}", {"cnam": cnam})
    assert refused.error()[:3] == (400, "400", "validation error")
    assert list(refused.data) == ["cnam.display_name"]
    await add(master, tenant, number, carrier_name="inventory")
    for verb in ("POST", "PATCH"):
        refused = await tenant.api.request(verb, f"/phone_numbers/{number}", {"e911": {"region": "CA"}})
        assert set(refused.data) == {"e911.locality", "e911.postal_code", "e911.street_address"}
    address = {"region": "CA", "locality": "San Francisco", "postal_code": "94105", "street_address": "1 Main"}
    assert (await tenant.api.post(f"/phone_numbers/{number}", {"e911": address})).status == 200
    moved = await tenant.api.patch(f"/phone_numbers/{number}", {"e911": {"street_address": "2 Main"}})
    assert moved.data["e911"]["street_address"] == "2 Main"


# Who may


async def test_who_may_create_numbers(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    number, path = fresh(), "/phone_numbers/"
    cause = f"account '{tenant.id}' is not allowed to create number"
    message = "requestor is unauthorized to perform operation"
    assert (await tenant.api.put(path + number, {})).error() == refusal(403, "forbidden", message, cause)
    await allow_additions(server, tenant)
    refused = await tenant.api.put(path + number, {"create_with_state": "available"})
    cause = "creating number in state 'available' is not allowed"
    assert refused.error() == refusal(403, "forbidden", message, cause)
    reserved = await tenant.api.put(path + number, {"create_with_state": "reserved"})
    assert (reserved.status, reserved.data["state"]) == (201, "reserved")
    assert (await tenant.api.put(path + fresh(), {})).data["state"] == "in_service"
    for state in ("discovery", "port_out", "released", "deleted"):
        refused = await master.api.put(path + fresh(), {"create_with_state": state})
        cause = f"creating number in state '{state}' is not allowed"
        assert refused.error() == refusal(403, "forbidden", message, cause)


async def test_a_number_of_another_account(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    number = fresh()
    await add(master, tenant, number)
    path = f"/phone_numbers/{number}"
    assert (await stranger.api.get(path)).error() == NOT_FOUND
    for verb, way in (("POST", ""), ("PATCH", ""), ("DELETE", ""), ("PUT", "/activate"), ("PUT", "/reserve")):
        assert (await stranger.api.request(verb, path + way, {})).error() == FORBIDDEN
    hard = await stranger.api.delete(path, query={"hard": "true"})
    assert hard.error() == FORBIDDEN
    exists = refusal(409, "number_exists", f"number {number} already exists", number)
    by_master = await master.root.put(f"/accounts/{stranger.id}{path}", {})
    assert by_master.error() == exists
    assert (await tenant.api.get(path)).data["state"] == "in_service"
    # Who stands above reads it through any account it may use.
    assert (await master.api.get(path)).data["id"] == number


async def test_the_account_above_moves_numbers(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    child = await new_tenant(server, tenant, f"child{tenant.realm.partition('.')[0]}")
    number = fresh()
    await add(master, tenant, number, note="kept")
    assert (await child.api.get(f"/phone_numbers/{number}")).error() == NOT_FOUND
    assert (await child.api.put(f"/phone_numbers/{number}/activate", {})).error() == FORBIDDEN
    path = f"/accounts/{child.id}/phone_numbers/{number}/activate"
    moved = await tenant.root.put(path, {})
    assert (moved.status, moved.data["state"], moved.data["note"]) == (201, "in_service", "kept")
    assert list((await child.api.get("/phone_numbers")).data["numbers"]) == [number]
    assert (await tenant.api.get("/phone_numbers")).data == {"numbers": {}, "cascade_quantity": 0}
    changed = await tenant.api.patch(f"/phone_numbers/{number}", {"note": "through the account above"})
    assert changed.status == 200
    bought = fresh()
    await add(master, child, bought, carrier_name="inventory")
    assert (await tenant.api.get("/phone_numbers")).data["cascade_quantity"] == 1


async def test_only_a_superduper_admin_removes_for_good(tenant: Tenant, master: Tenant) -> None:
    number = fresh()
    await add(master, tenant, number, carrier_name="inventory")
    released = await tenant.api.delete(f"/phone_numbers/{number}", query={"hard": "true"})
    assert (released.status, released.data["state"]) == (200, "available")
    assert (await tenant.api.delete(f"/phone_numbers/{number}")).error() == NOT_FOUND
    removed = await master.api.delete(f"/phone_numbers/{number}", query={"hard": "true"})
    assert (removed.status, removed.data["state"]) == (200, "deleted")
    assert removed.data["_read_only"]["is_deleted"] is True
    assert (await master.api.get(f"/phone_numbers/{number}")).error() == NOT_FOUND


# Moves


async def test_reserve_activate_and_release_to_whoever_reserved_before(
    server: RunningServer, tenant: Tenant, master: Tenant
) -> None:
    child = await new_tenant(server, tenant, f"child{tenant.realm.partition('.')[0]}")
    number = fresh()
    await add(master, master, number, create_with_state="available", carrier_name="inventory")
    path = f"/phone_numbers/{number}"
    reserved = await tenant.api.put(f"{path}/reserve", {})
    assert (reserved.status, reserved.data["state"]) == (201, "reserved")
    assert (await tenant.api.put(f"{path}/reserve", {})).error() == refusal(
        400, "no_change_required", "no change required"
    )
    assert (await child.api.get(path)).error() == NOT_FOUND
    activated = await child.api.put(f"{path}/activate", {"note": "for a while"})
    assert (activated.status, activated.data["state"], activated.data["note"]) == (201, "in_service", "for a while")
    released = await child.api.delete(path)
    assert (released.data["state"], "note" in released.data) == ("reserved", False)
    assert (await child.api.get(path)).error() == NOT_FOUND
    assert (await tenant.api.get("/phone_numbers")).data["numbers"][number]["state"] == "reserved"
    assert (await tenant.api.delete(path)).data["state"] == "available"
    assert (await child.api.get(path)).data["state"] == "available"


async def test_moves_that_do_not_exist(tenant: Tenant, master: Tenant) -> None:
    number = fresh()
    await add(master, tenant, number, create_with_state="aging", carrier_name="inventory")
    path = f"/phone_numbers/{number}"
    assert (await tenant.api.get(path)).error() == NOT_FOUND
    refused = await master.api.put(f"{path}/reserve", {})
    move = "from aging to reserved"
    assert refused.error() == refusal(400, "invalid_state_transition", "invalid state transition", move)
    refused = await master.api.delete(path)
    move = "from aging to released"
    assert refused.error() == refusal(400, "invalid_state_transition", "invalid state transition", move)
    assert (await master.api.put(f"{path}/port", {})).error() == refusal(
        409, "number_exists", f"number {number} already exists", number
    )
    assert (await tenant.api.put(f"{path}/activate", {})).data["state"] == "in_service"
    assert (await tenant.api.put(f"{path}/activate", {})).data["state"] == "in_service"
    for way in ("activate", "reserve"):
        assert (await tenant.api.put(f"/phone_numbers/{fresh()}/{way}", {})).error() == NOT_FOUND


async def test_a_number_is_ported_in(tenant: Tenant, master: Tenant) -> None:
    number = fresh()
    refused = await tenant.api.put(f"/phone_numbers/{number}/port", {})
    assert refused.error()[:3] == (403, "403", "forbidden")
    coming = await master.root.put(f"/accounts/{tenant.id}/phone_numbers/{number}/port", {})
    assert (coming.status, coming.data["state"]) == (201, "port_in")
    identified = await tenant.api.get(f"/phone_numbers/{number}/identify")
    assert identified.data == {"account_id": tenant.id, "number": number}
    assert (await tenant.api.put(f"/phone_numbers/{number}/activate", {})).data["state"] == "in_service"


async def test_a_number_that_exists_is_taken_over_where_it_is_free(
    server: RunningServer, tenant: Tenant, stranger: Tenant, master: Tenant
) -> None:
    await allow_additions(server, tenant)
    free, coming = fresh(), fresh()
    await add(master, master, free, create_with_state="available", carrier_name="inventory")
    taken = await tenant.api.put(f"/phone_numbers/{free}", {})
    assert (taken.status, taken.data["state"], taken.data["_read_only"]["carrier_module"]) == (
        201,
        "in_service",
        "inventory",
    )
    await add(master, stranger, coming, create_with_state="port_in")
    assert (await tenant.api.put(f"/phone_numbers/{coming}", {})).error() == FORBIDDEN


async def test_identify(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    mine, free, aging = fresh(), fresh(), fresh()
    await add(master, tenant, mine)
    await add(master, master, free, create_with_state="available", carrier_name="inventory")
    answer = await stranger.api.get(f"/phone_numbers/{mine[2:]}/identify")
    assert (answer.status, answer.data) == (200, {"account_id": tenant.id, "number": mine})
    unassigned = await tenant.api.get(f"/phone_numbers/{free}/identify")
    assert unassigned.error() == (400, "400", "client error", "unassigned")
    assert (await tenant.api.get(f"/phone_numbers/{aging}/identify")).error() == NOT_FOUND
    await master.root.patch(f"/accounts/{tenant.id}", {"enabled": False})
    disabled = await master.api.get(f"/phone_numbers/{mine}/identify")
    cause = {"cause": "account_disabled", "account_id": tenant.id, "number": mine}
    assert disabled.error() == (400, "400", "client error", cause)


async def test_numbers_of_an_account_that_ends_are_free_again(
    server: RunningServer, tenant: Tenant, master: Tenant
) -> None:
    child = await new_tenant(server, tenant, f"child{tenant.realm.partition('.')[0]}")
    local, bought, handed = fresh(), fresh(), fresh()
    await add(master, child, local)
    await add(master, child, bought, carrier_name="inventory")
    await add(master, tenant, handed, carrier_name="inventory", create_with_state="reserved")
    assert (await child.api.put(f"/phone_numbers/{handed}/activate", {})).status == 201
    assert (await tenant.root.delete(f"/accounts/{child.id}")).status == 200
    assert (await master.api.get(f"/phone_numbers/{local}")).error() == NOT_FOUND
    assert (await master.api.get(f"/phone_numbers/{bought}")).data["state"] == "available"
    assert (await tenant.api.get(f"/phone_numbers/{handed}")).data["state"] == "reserved"


# Features


async def test_carriers_have_features_that_local_numbers_lack(tenant: Tenant, master: Tenant) -> None:
    local, bought = fresh(), fresh()
    await add(master, tenant, local)
    await add(master, tenant, bought, carrier_name="inventory")
    wanted = {"cnam": {"display_name": "Ada", "inbound_lookup": True}, "sms": {"enabled": True}}
    refused = await tenant.api.patch(f"/phone_numbers/{local}", wanted)
    message = "requestor is unauthorized to perform operation"
    assert refused.error() == refusal(403, "forbidden", message, "features not available: cnam, sms")
    address = {"region": "CA", "locality": "San Francisco", "postal_code": "94105", "street_address": "1 Main"}
    given = await tenant.api.patch(f"/phone_numbers/{bought}", {**wanted, "e911": address, "porting": {"port_id": "x"}})
    assert given.data["features"] == ["e911", "inbound_cnam", "outbound_cnam", "port", "sms"]
    assert given.data["e911"] == {**address, "status": "PROVISIONED", "notification_contact_emails": []}
    assert given.data["_read_only"]["features"]["settings"]["sms"] == {"enabled": True, "activation": "manual"}
    off = await tenant.api.patch(f"/phone_numbers/{bought}", {"sms": {"enabled": False}, "e911": None})
    assert off.data["features"] == ["inbound_cnam", "outbound_cnam", "port"]
    released = await tenant.api.delete(f"/phone_numbers/{bought}")
    assert set(released.data) == {"id", "state", "_read_only"}


async def test_the_carrier_is_the_superduper_admins_to_say(
    server: RunningServer, tenant: Tenant, master: Tenant
) -> None:
    await allow_additions(server, tenant)
    number = fresh()
    message = "requestor is unauthorized to perform operation"
    refused = await tenant.api.put(f"/phone_numbers/{number}", {"carrier_name": "inventory"})
    assert refused.error() == refusal(403, "forbidden", message, "features not available: carrier_name")
    assert (await tenant.api.put(f"/phone_numbers/{number}", {"carrier_name": "local"})).status == 201
    unknown = await master.api.patch(f"/phone_numbers/{number}", {"carrier_name": "nobody"})
    assert unknown.error() == refusal(400, "invalid", "invalid", "'nobody' is not known by the system")
    changed = await master.api.patch(f"/phone_numbers/{number}", {"carrier_name": "telnyx"})
    assert changed.data["_read_only"]["carrier_module"] == "telnyx"
    assert "features" not in changed.data


async def test_features_that_the_reseller_denies(tenant: Tenant, master: Tenant) -> None:
    number = fresh()
    await add(master, tenant, number)
    settings = {"features": {"deny": ["prepend"]}}
    assert (await master.api.post("/configs/number_manager", settings)).status == 200
    try:
        read = await tenant.api.get(f"/phone_numbers/{number}")
        refused = await tenant.api.patch(f"/phone_numbers/{number}", {"prepend": {"enabled": True}})
    finally:
        await master.api.delete("/configs/number_manager")
    assert read.data["_read_only"]["features"]["available"] == ["force_outbound", "ringback"]
    assert refused.error()[3]["cause"] == "features not available: prepend"


async def test_fix_finds_nothing_to_repair(tenant: Tenant, master: Tenant) -> None:
    number = fresh()
    await add(master, tenant, number)
    fixed = await tenant.api.post("/phone_numbers/fix", {})
    assert (fixed.status, list(fixed.data["numbers"])) == (200, [number])
    one = await tenant.api.post(f"/phone_numbers/fix/{number}", {})
    assert (one.status, one.data) == (200, {})
    assert (await tenant.api.post(f"/phone_numbers/fix/{fresh()}", {})).error() == NOT_FOUND


# What belongs to a number elsewhere


async def test_numbers_open_their_account(tenant: Tenant, stranger: Tenant, master: Tenant, anonymous: Api) -> None:
    number = fresh()
    await add(master, tenant, number)
    hashed = hashlib.md5(b"admin:correct horse").hexdigest()
    body = {"credentials": hashed, "phone_number": number[2:]}
    logged_in = await anonymous.put("/user_auth", body)
    assert (logged_in.status, logged_in.data["account_id"]) == (201, tenant.id)
    asked = {"phone_number": number, "username": "admin", "ui_url": "https://ui.example.com/"}
    assert (await anonymous.put("/user_auth/recovery", asked)).status == 201
