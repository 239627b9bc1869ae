# SPDX-License-Identifier: MPL-2.0
"""XiVO REST 1.1, voicemails: checks B18 to B21 of the acceptance list, and infos (B25)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialects.speaker import UNKNOWN, Speaker
from tests.dialects.test_xivo11_users import made, refused, shown

BOX: dict[str, Any] = {"name": "Ana", "number": "1000", "context": "default"}


async def box(confd: Speaker, **properties: Any) -> Any:
    created = await confd.post("/voicemails", {**BOX, **properties})
    assert created.status == 201, created.raw
    return created.json


async def test_b18_search_order_and_slice(confd: Speaker) -> None:
    for number, name in enumerate(("d", "b", "c", "a"), 1000):
        await box(confd, number=str(number), name=name)
    told = await shown(confd, "/voicemails?search=&order=name&limit=2&offset=1")
    assert (told["total"], [one["name"] for one in told["items"]]) == (4, ["b", "c"])
    assert [one["number"] for one in (await shown(confd, "/voicemails"))["items"]] == ["1000", "1001", "1002", "1003"]
    assert [one["name"] for one in (await shown(confd, "/voicemails?search=003"))["items"]] == ["a"]


async def test_b19_create_read_update_delete(confd: Speaker) -> None:
    created = await confd.post("/voicemails", BOX)
    assert created.status == 201
    found = created.json
    path = f"/voicemails/{found['id']}"
    assert created.headers["Location"] == f"{confd.base}{path}"
    assert {
        **BOX, "password": None, "email": None, "pager": None, "language": None, "timezone": None,
        "max_messages": None, "attach_audio": None, "delete_messages": False, "ask_password": True, "enabled": True,
        "options": [], "users": [],
    }.items() <= found.items()  # fmt: skip
    assert await shown(confd, path) == found
    changes: dict[str, Any] = {
        "password": "1", "email": "a@example.com", "pager": "p", "language": "fr_FR", "timezone": "Europe/Paris",
        "max_messages": 7, "attach_audio": False, "delete_messages": True, "ask_password": False, "enabled": False,
        "options": [["a", "b"]], "number": "1001",
    }  # fmt: skip
    assert (await confd.put(path, {**found, **changes})).status == 204
    assert await shown(confd, path) == {**found, **changes}
    for value in (None, True):
        assert (await confd.put(path, {"attach_audio": value})).status == 204
        assert (await shown(confd, path))["attach_audio"] is value
    assert (await confd.delete(path)).status == 204
    for told in (await confd.get(path), await confd.put(path, {}), await confd.delete(f"/voicemails/{UNKNOWN}")):
        refused(told, "Resource Not Found - Voicemail was not found", 404)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": 1}, "field 'name': wrong type. Should be a unicode string"),
    ({"number": "x"}, "field 'number': wrong type. Should be a numeric string (max length: 40)"),
    ({"number": 1}, "field 'number': wrong type. Should be a numeric string (max length: 40)"),
    ({"number": "1" * 31}, "number: Longer than maximum length 30."),
    ({"password": "x"}, "field 'password': wrong type. Should be a numeric string (max length: 80)"),
    ({"context": "nowhere"}, "field 'context': Context was not found ('context': 'nowhere')"),
    ({"timezone": "eu-fr"}, "field 'timezone': Timezone was not found"),
    ({"max_messages": "1"}, "field 'max_messages': wrong type. Should be an integer"),
    ({"ask_password": 1}, "field 'ask_password': wrong type. Should be a boolean"),
    ({"options": [["a"]]}, "field 'options': wrong type. Should be a list of paired string tuples"),
    ({"invalid": 1, "more": 2}, "unknown parameters: invalid, more"),
]


@pytest.mark.parametrize(("wrong", "text"), WRONG)
async def test_b20_wrong_values(confd: Speaker, wrong: dict[str, Any], text: str) -> None:
    told = await confd.post("/voicemails", {**BOX, **wrong})
    assert (told.status, told.json) == (400, [f"Input Error - {text}"])
    assert (await shown(confd, "/voicemails"))["total"] == 0


async def test_b20_missing_and_duplicate(confd: Speaker) -> None:
    told = await confd.post("/voicemails", {"name": "Ana"})
    assert told.json == ["Input Error - missing parameters: number, context"]
    await box(confd)
    refused(await confd.post("/voicemails", BOX), "Resource Error - Voicemail already exists")
    other = await box(confd, number="2")
    told = await confd.put(f"/voicemails/{other['id']}", {"number": "1000"})
    refused(told, "Resource Error - Voicemail already exists")


async def test_b21_users_and_voicemails(confd: Speaker) -> None:
    user, other, found = await made(confd), await made(confd, firstname="Bo"), await box(confd)
    path, pair = f"/users/{user['id']}/voicemail", {"user_id": user["id"], "voicemail_id": found["id"]}
    refused(await confd.get(path), "Resource Not Found - UserVoicemail was not found", 404)
    assert await shown(confd, f"{path}s") == {"total": 0, "items": []}
    created = await confd.post(path, {"voicemail_id": found["id"]})
    assert created.status == 201
    assert pair.items() <= created.json.items()
    assert {link["rel"] for link in created.json["links"]} == {"users", "voicemails"}
    assert pair.items() <= (await shown(confd, path)).items()
    whole = await shown(confd, f"/voicemails/{found['id']}")
    assert await shown(confd, f"{path}s") == {"total": 1, "items": [whole]}
    assert [one["uuid"] for one in whole["users"]] == [user["uuid"]]
    assert pair.items() <= (await shown(confd, f"/voicemails/{found['id']}/users"))["items"][0].items()
    refused(
        await confd.post(path, {"voicemail_id": found["id"]}), "Resource Error - User is associated with a Voicemail"
    )
    told = await confd.post(f"/users/{other['id']}/voicemail", {"voicemail_id": UNKNOWN})
    refused(told, "Input Error - field 'voicemail_id': Voicemail was not found")
    refused(await confd.delete(f"/voicemails/{found['id']}"), "Resource Error - Voicemail is associated with a User")
    refused(await confd.delete(f"/users/{user['id']}"), "Resource Error - User is associated with a Voicemail")
    assert (await confd.put(f"/users/{other['uuid']}/voicemails/{found['id']}")).status == 204
    assert (await confd.put(f"/users/{other['uuid']}/voicemails/{found['id']}")).status == 204
    assert (await shown(confd, f"/voicemails/{found['id']}/users"))["total"] == 2
    assert (await shown(confd, f"/users/{other['id']}"))["voicemail"]["id"] == found["id"]
    for one in (user, other):
        assert (await confd.delete(f"/users/{one['id']}/voicemail")).status == 204
        refused(
            await confd.delete(f"/users/{one['id']}/voicemail"),
            "Resource Not Found - UserVoicemail was not found",
            404,
        )
        assert (await confd.delete(f"/users/{one['id']}/voicemails")).status == 204
        assert (await confd.delete(f"/users/{one['id']}")).status == 204
    assert (await confd.delete(f"/voicemails/{found['id']}")).status == 204


async def test_users_are_found_by_their_mailbox(confd: Speaker) -> None:
    user, found = await made(confd), await box(confd)
    await confd.put(f"/users/{user['id']}/voicemails/{found['id']}")
    assert [one["id"] for one in (await shown(confd, "/users?voicemail_number=1000"))["items"]] == [user["id"]]
    ordered = (await shown(confd, "/users?order=voicemail_number&direction=desc"))["items"]
    assert ordered[0]["id"] == user["id"]


async def test_b25_the_server_has_one_uuid(confd: Speaker) -> None:
    first, second = await shown(confd, "/infos"), await shown(confd, "/infos")
    assert first == second
    assert len(first["uuid"]) == 36
    assert (await shown(confd, "/status"))["rest_api"] == {"status": "ok"}
