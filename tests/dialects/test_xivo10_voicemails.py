# SPDX-License-Identifier: MPL-2.0
"""XiVO REST 1.0, voicemails: checks A11 to A18 of the acceptance list, and who has which box."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialects.speaker import UNKNOWN, Speaker
from tests.dialects.test_xivo10_users import made, user
from tests.harness import Tenant

BOX: dict[str, Any] = {
    "mailbox": "1234",
    "fullname": "Ana Lima",
    "password": "123",
    "email": "ana@example.com",
    "attach": 1,
    "skipcheckpass": 0,
    "deleteaftersend": 1,
}


async def box(old: Speaker, **properties: Any) -> int:
    return await old.made("/voicemails/", {**BOX, **properties})


async def settings(old: Speaker, number: int) -> Any:
    return await old.read(f"/voicemails/{number}")


async def test_a11_the_list_has_the_boxes(old: Speaker) -> None:
    number = await box(old)
    assert (await old.get("/voicemails")).json == {"total": 1, "items": [{**BOX, "id": number, "uniqueid": number}]}


async def test_a12_a_short_password_reads_back(old: Speaker, tenant: Tenant) -> None:
    created = await old.post("/voicemails/", BOX)
    assert (created.status, created.is_empty) == (201, True)
    assert created.headers["Location"] == f"{old.base}/voicemails/{created.number}"
    assert (await settings(old, created.number))["password"] == "123"
    (row,) = (await tenant.api.get("/vmboxes")).data
    assert "pin" not in (await tenant.api.get(f"/vmboxes/{row['id']}")).data
    assert (await old.put(f"/voicemails/{created.number}", {"password": "4321"})).status == 200
    document = (await tenant.api.get(f"/vmboxes/{row['id']}")).data
    assert (document["pin"], document["mailbox"], document["name"]) == ("4321", "1234", "Ana Lima")
    assert (await tenant.api.patch(f"/vmboxes/{row['id']}", {"pin": "99999"})).status == 200
    assert (await settings(old, created.number))["password"] == "99999"


async def test_a13_a_box_has_all_properties(old: Speaker) -> None:
    created = await old.post("/voicemails/", {"mailbox": "7"})
    assert await settings(old, created.number) == {
        "id": created.number, "uniqueid": created.number, "mailbox": "7", "fullname": "", "password": "", "email": "",
        "attach": 0, "skipcheckpass": 0, "deleteaftersend": 0,
    }  # fmt: skip


async def test_a14_an_unknown_box_is_not_found(old: Speaker) -> None:
    for method, body in (("GET", {}), ("PUT", {"json": {"email": ""}}), ("DELETE", {})):
        told = await old.request(method, f"/voicemails/{UNKNOWN}", **body)
        assert (told.status, told.is_empty) == (404, True)


async def test_a15_unknown_properties_are_named(old: Speaker) -> None:
    number = await box(old)
    for told in (
        await old.post("/voicemails/", {"mailbox": "99", "hat": 1}),
        await old.put(f"/voicemails/{number}", {"email": "", "hat": 1}),
    ):
        assert (told.status, told.json) == (400, ["Incorrect parameters sent: hat"])
    assert await settings(old, number) == {**BOX, "id": number, "uniqueid": number}


@pytest.mark.parametrize("mailbox", ["1234", "01234", "x", "1" * 31, "", None])
async def test_a_mailbox_that_cannot_be_is_named(old: Speaker, mailbox: str | None) -> None:
    await box(old)
    refused = await old.post("/voicemails/", {"mailbox": mailbox})
    assert (refused.status, refused.json) == (400, ["Incorrect parameters sent: mailbox"])


async def test_a16_an_update_changes_what_is_sent(old: Speaker) -> None:
    number = await box(old)
    changed = await old.put(f"/voicemails/{number}", {"password": "555555", "email": "b@example.com", "uniqueid": 3})
    assert (changed.status, changed.headers["Location"]) == (200, f"{old.base}/voicemails/{number}")
    wanted = {**BOX, "id": number, "uniqueid": number, "password": "555555", "email": "b@example.com"}
    assert await settings(old, number) == wanted


async def test_further_addresses_stay(old: Speaker, tenant: Tenant) -> None:
    made_there = await tenant.api.put(
        "/vmboxes", {"name": "B", "mailbox": "8", "notify_email_addresses": ["a@example.com", "b@example.com"]}
    )
    (item,) = (await old.get("/voicemails/")).json["items"]
    assert (item["email"], item["skipcheckpass"], item["attach"]) == ("a@example.com", 1, 1)
    assert (await old.put(f"/voicemails/{item['id']}", {"email": "c@example.com"})).status == 200
    document = (await tenant.api.get(f"/vmboxes/{made_there.id}")).data
    assert document["notify_email_addresses"] == ["c@example.com", "b@example.com"]


async def test_a17_a_deleted_box_is_gone(old: Speaker) -> None:
    number = await box(old)
    person = await made(old, voicemailid=number)
    deleted = await old.delete(f"/voicemails/{number}")
    assert (deleted.status, deleted.is_empty) == (200, True)
    assert (await old.get(f"/voicemails/{number}")).status == 404
    assert (await user(old, person))["voicemailid"] is None


async def test_a18_flags_are_set_and_turned(old: Speaker) -> None:
    number = await box(old)
    for value in (0, 1, False, True, "0", "1"):
        flags = dict.fromkeys(("attach", "skipcheckpass", "deleteaftersend"), value)
        assert (await old.put(f"/voicemails/{number}", flags)).status == 200
        assert flags.keys() <= (await settings(old, number)).keys()
        assert {name: (await settings(old, number))[name] for name in flags} == dict.fromkeys(flags, int(value))


# Who has which box


async def boxes_of(old: Speaker, *people: int) -> list[int | None]:
    return [(await user(old, person))["voicemailid"] for person in people]


async def test_a_box_serves_several_users_and_the_next_one_inherits_it(old: Speaker, tenant: Tenant) -> None:
    number, other = await box(old), await box(old, mailbox="2")
    first, second, third = [await made(old, voicemailid=number) for _ in range(3)]
    assert await boxes_of(old, first, second, third) == [number] * 3
    assert (await old.put(f"/users/{first}", {"voicemailid": other})).status == 200
    assert await boxes_of(old, first, second, third) == [other, number, number]
    assert (await old.delete(f"/users/{second}")).status == 200
    assert await boxes_of(old, first, third) == [other, number]
    owners = {row["mailbox"]: row.get("owner_id") for row in (await tenant.api.get("/vmboxes")).data}
    assert owners["1234"] and owners["2"] and owners["1234"] != owners["2"]
    assert (await old.put(f"/users/{third}", {"voicemailid": None})).status == 200
    assert await boxes_of(old, first, third) == [other, None]


async def test_of_several_boxes_of_crossbars_a_user_has_the_first(old: Speaker, tenant: Tenant) -> None:
    person = await made(old)
    user_id = next(row["id"] for row in (await tenant.api.get("/users")).data if row["first_name"] == "Ana")
    for mailbox in ("1", "2"):
        await tenant.api.put("/vmboxes", {"name": mailbox, "mailbox": mailbox, "owner_id": user_id})
    first, second = [item["id"] for item in (await old.get("/voicemails/")).json["items"]]
    assert await boxes_of(old, person) == [first]
    assert (await old.put(f"/users/{person}", {"voicemailid": second})).status == 200
    assert await boxes_of(old, person) == [second]


async def test_a_box_that_crossbar_gives_to_somebody_else_is_theirs(old: Speaker, tenant: Tenant) -> None:
    number = await box(old)
    first, second = await made(old, voicemailid=number), await made(old, firstname="Bo")
    (row,) = (await tenant.api.get("/vmboxes")).data
    user_id = next(row["id"] for row in (await tenant.api.get("/users")).data if row["first_name"] == "Bo")
    assert (await tenant.api.patch(f"/vmboxes/{row['id']}", {"owner_id": user_id})).status == 200
    assert await boxes_of(old, first, second) == [None, number]
