# SPDX-License-Identifier: MPL-2.0
"""XiVO REST 1.1, users: checks B01 to B17 of the acceptance list."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialects.speaker import ACCEPT, UNKNOWN, Speaker, Told
from tests.harness import RunningServer, Tenant, new_person, new_tenant

DEFAULTS: dict[str, Any] = {
    "lastname": None,
    "email": None,
    "timezone": None,
    "language": None,
    "description": None,
    "caller_id": '"Ana"',
    "outgoing_caller_id": None,
    "mobile_phone_number": None,
    "username": None,
    "password": None,
    "music_on_hold": None,
    "preprocess_subroutine": None,
    "userfield": None,
    "call_transfer_enabled": True,
    "call_record_enabled": False,
    "online_call_record_enabled": False,
    "supervision_enabled": True,
    "ring_seconds": 30,
    "simultaneous_calls": 5,
    "call_permission_password": None,
    "enabled": True,
    "lines": [],
    "voicemail": None,
}
EVERYTHING: dict[str, Any] = {
    "firstname": "Ana",
    "lastname": "Lima",
    "email": "ana@example.com",
    "timezone": "America/Sao_Paulo",
    "language": "pt_BR",
    "description": "in the corner",
    "caller_id": '"Ana L" <1000>',
    "outgoing_caller_id": "anonymous",
    "mobile_phone_number": "+5511#*",
    "username": "ana.lima~x",
    "password": "s3cret!",
    "music_on_hold": "jazz",
    "preprocess_subroutine": "sub",
    "userfield": "cost centre 7",
    "call_transfer_enabled": False,
    "call_record_enabled": True,
    "online_call_record_enabled": True,
    "supervision_enabled": False,
    "ring_seconds": 45,
    "simultaneous_calls": 7,
    "call_permission_password": "12#*",
    "enabled": False,
}


async def made(confd: Speaker, **properties: Any) -> Any:
    created = await confd.post("/users", {"firstname": "Ana", **properties})
    assert created.status == 201, created.raw
    return created.json


async def shown(confd: Speaker, path: str) -> Any:
    read = await confd.get(path)
    assert read.status == 200, read.raw
    return read.json


def refused(told: Told, text: str, status: int = 400) -> None:
    """One error whose class and sentence are these."""
    assert told.status == status, told.raw
    assert any(one == text or one.startswith(f"{text} (") for one in told.json), told.json


async def test_b01_the_list_has_the_users(confd: Speaker) -> None:
    await made(confd)
    listed = await shown(confd, "/users")
    assert listed["total"] == len(listed["items"]) == 2


async def test_b02_a_new_user_is_answered_whole(confd: Speaker) -> None:
    created = await confd.post("/users", {"firstname": "hello-world"})
    assert created.status == 201
    user = created.json
    assert isinstance(user["id"], int)
    assert created.headers["Location"] == f"{confd.base}/users/{user['id']}"
    assert user["links"] == [{"rel": "users", "href": f"{confd.base}/users/{user['id']}"}]
    assert len(user["uuid"]) == 36
    assert user == await shown(confd, f"/users/{user['id']}")


async def test_b03_all_users_have_the_same_attributes(confd: Speaker) -> None:
    one = await made(confd)
    other = await made(confd, **EVERYTHING)
    assert one.keys() == other.keys()
    assert DEFAULTS.items() <= one.items()
    assert {**EVERYTHING, "password": None}.items() <= other.items()


async def test_b04_an_update_changes_what_is_sent(confd: Speaker) -> None:
    user = await made(confd, lastname="Lima", username="ana", password="x1")
    changed = await confd.put(f"/users/{user['id']}", {"firstname": "Bo"}, headers={"Accept": None})
    assert (changed.status, changed.is_empty) == (204, True)
    assert await shown(confd, f"/users/{user['id']}") == user | {"firstname": "Bo"}
    # Clients send the whole object back.
    whole = {key: value for key, value in user.items() if key != "links"} | {"userfield": "x"}
    assert (await confd.put(f"/users/{user['id']}", whole)).status == 204
    assert await shown(confd, f"/users/{user['id']}") == user | {"userfield": "x"}


async def test_b05_b06_what_is_gone_or_was_never_there_is_not_found(confd: Speaker) -> None:
    user = await made(confd)
    deleted = await confd.delete(f"/users/{user['id']}")
    assert (deleted.status, deleted.is_empty) == (204, True)
    for path in (f"/users/{user['id']}", f"/users/{user['uuid']}", f"/users/{UNKNOWN}", "/users/nobody"):
        for method, body in (("GET", {}), ("PUT", {"json": {"firstname": "B"}}), ("DELETE", {})):
            refused(await confd.request(method, path, **body), "Resource Not Found - User was not found", 404)
        assert (await confd.request("HEAD", path)).status == 404


async def test_b07_nobody_gets_in_without_a_token(confd: Speaker, server: RunningServer, tenant: Tenant) -> None:
    person = await new_person(server, tenant)
    for token in (None, "wrong", person.token):
        told = await confd.acting(token).get("/users", headers={"X-Forwarded-For": "127.0.0.1"})
        assert (told.status, told.json) == (401, ["Unauthorized"])
        assert "WWW-Authenticate" not in told.headers


async def test_people_see_to_themselves(confd: Speaker, server: RunningServer, tenant: Tenant) -> None:
    person = await new_person(server, tenant)
    own = confd.acting(person.token)
    user = await shown(own, "/users/me")
    assert user["uuid"].replace("-", "") == person.id
    assert (await own.put("/users/me", {"userfield": "mine"})).status == 204
    assert (await shown(own, f"/users/{user['uuid']}"))["userfield"] == "mine"
    assert (await own.get(f"/users/{user['id']}")).status == 401


@pytest.mark.parametrize("path", ["/users", "/voicemails"])
async def test_b08_b09_headers(confd: Speaker, path: str) -> None:
    for accept in ("text/html", None):
        told = await confd.get(path, headers={"Accept": accept})
        assert (told.status, told.is_empty) == (406, True)
    assert (await confd.get(path, headers={"Accept": "*/*"})).status == 200
    for content_type in ("text/plain", None):
        for method, target in (("POST", path), ("PUT", f"{path}/{UNKNOWN}")):
            told = await confd.request(method, target, body=b"{}", headers={"Content-Type": content_type})
            assert (told.status, told.is_empty) == (415, True)


async def test_b10_b11_slices_and_orders(confd: Speaker) -> None:
    for first, last in (("Cid", "b"), ("bo", "C"), ("Ana", "a"), ("Dan", "a b")):
        await made(confd, firstname=first, lastname=last)

    async def names(column: str = "firstname", **query: Any) -> list[str]:
        listed = (await confd.get("/users", query=query)).json
        assert listed["total"] == 5
        return [item[column] for item in listed["items"]]

    assert await names("lastname") == ["a", "a b", "Admin", "b", "C"]
    assert await names(order="firstname") == ["Ada", "Ana", "bo", "Cid", "Dan"]
    assert await names(order="firstname", direction="desc") == ["Dan", "Cid", "bo", "Ana", "Ada"]
    assert await names(direction="desc") == ["bo", "Cid", "Ada", "Dan", "Ana"]
    assert await names(order="firstname", limit=2) == ["Ada", "Ana"]
    assert await names(order="firstname", offset=3) == ["Cid", "Dan"]
    assert await names(limit=2, skip=1) == ["Dan", "Ada"]
    numbers = [int(number) for number in await names("id", order="id", direction="desc")]
    assert numbers == sorted(numbers, reverse=True)


async def test_b12_search(confd: Speaker) -> None:
    await made(confd, lastname="Müller", userfield="50% off", email="ana@example.com")
    await made(confd, firstname="Bo", description="of MÜLLER")

    async def found(**query: str) -> list[str]:
        return [item["firstname"] for item in (await confd.get("/users", query=query)).json["items"]]

    assert sorted(await found(search="mülL")) == ["Ana", "Bo"]
    assert await found(search="ana mü") == ["Ana"]
    assert await found(search="50% O") == ["Ana"]
    assert await found(search="a.a") == []
    assert await found(search="$doc") == []
    assert await found(firstname="bo") == ["Bo"]
    assert await found(email="ANA@example.com", unknown="x", recurse="False") == ["Ana"]


@pytest.mark.parametrize("path", ["/users", "/voicemails", "/lines", "/extensions", "/devices", "/endpoints/sip"])
async def test_b13_b14_b15_wrong_parameters(confd: Speaker, path: str) -> None:
    for name, values in (("limit", ("abc", "-1", "0")), ("offset", ("abc", "-1")), ("skip", ("x",))):
        for value in values:
            told = await confd.get(path, query={name: value})
            text = f"Input Error - field '{name}': wrong type. Should be a positive number"
            assert (told.status, told.json) == (400, [text])
    told = await confd.get(path, query={"direction": "sideways"})
    assert (told.status, told.json) == (400, ["Input Error - direction: must be 'asc' or 'desc'"])
    told = await confd.get(path, query={"order": "shoe_size"})
    assert (told.status, told.json) == (400, ["Input Error - order: column 'shoe_size' was not found"])


WRONG: list[tuple[str, Any, str]] = [
    ("firstname", 1, "field 'firstname': wrong type. Should be a unicode string"),
    ("firstname", None, "firstname: Must not be null!"),
    ("firstname", "x" * 129, "firstname: Longer than maximum length 128."),
    ("enabled", "yes", "field 'enabled': wrong type. Should be a boolean"),
    ("enabled", None, "enabled: Must not be null!"),
    ("language", "klingon", "field 'language': wrong type. Should be a string matching regex '^[a-z]{2}_[A-Z]{2}$'"),
    ("simultaneous_calls", 21, "simultaneous_calls is outside of range ('min': 1, 'max': 20)"),
    ("simultaneous_calls", "5", "field 'simultaneous_calls': wrong type. Should be an integer"),
    ("ring_seconds", 7, "ring_seconds is outside of range ('min': 0, 'max': 60, 'step': 5)"),
    ("mobile_phone_number", "abc", "field 'mobile_phone_number': wrong type"),
    ("caller_id", "Ana", "field 'caller_id': wrong type"),
    ("outgoing_caller_id", "Ana", "field 'outgoing_caller_id': wrong type"),
    ("call_permission_password", "x" * 3, "field 'call_permission_password': wrong type"),
    ("username", "a b", "field 'username': wrong type"),
]


@pytest.mark.parametrize(("name", "value", "text"), WRONG)
async def test_b16_wrong_values(confd: Speaker, name: str, value: Any, text: str) -> None:
    user = await made(confd)
    for told in (
        await confd.post("/users", {"firstname": "A", name: value}),
        await confd.put(f"/users/{user['id']}", {name: value}),
    ):
        assert told.status == 400
        assert told.json[0].startswith(f"Input Error - {text}"), told.json


async def test_b16_an_empty_object(confd: Speaker) -> None:
    told = await confd.post("/users", {})
    assert (told.status, told.json) == (400, ["Input Error - missing parameters: firstname"])
    for body in (b"[]", b"{", b'"x"'):
        told = await confd.post("/users", body=body, headers={"Content-Type": "application/json"})
        assert told.status == 400
        assert told.json[0].startswith("Input Error - ")


async def test_what_another_user_has_exists_already(confd: Speaker) -> None:
    await made(confd, email="ana@example.com", username="ana", password="x1")
    other = await made(confd)
    for body in ({"email": "ANA@example.com"}, {"username": "Ana", "password": "x2"}):
        refused(await confd.post("/users", {"firstname": "B", **body}), "Resource Error - User already exists")
        refused(await confd.put(f"/users/{other['id']}", body), "Resource Error - User already exists")


async def test_b17_by_uuid_as_by_number(confd: Speaker) -> None:
    user = await made(confd)
    for spelling in (user["uuid"], user["uuid"].replace("-", ""), user["uuid"].upper()):
        if not spelling.isdigit():
            assert await shown(confd, f"/users/{spelling}") == user
    assert (await confd.request("HEAD", f"/users/{user['uuid']}")).status == 200
    assert (await confd.put(f"/users/{user['uuid']}", {"userfield": "x"})).status == 204
    assert (await shown(confd, f"/users/{user['id']}"))["userfield"] == "x"
    assert (await confd.delete(f"/users/{user['uuid']}")).status == 204


async def test_views_have_their_own_attributes(confd: Speaker) -> None:
    await made(confd)
    directory = (await confd.get("/users", query={"view": "directory"})).json["items"][0]
    assert set(directory) == {
        "id", "uuid", "line_id", "agent_id", "firstname", "lastname", "email", "exten", "context",
        "mobile_phone_number", "voicemail_number", "userfield", "description",
    }  # fmt: skip
    summary = (await confd.get("/users", query={"view": "summary"})).json["items"][0]
    assert {"extension", "context", "provisioning_code", "protocol", "enabled"} <= set(summary)


async def test_forwards_and_services(confd: Speaker, tenant: Tenant) -> None:
    user = await made(confd)
    path, kazoo = f"/users/{user['id']}", f"/users/{user['uuid'].replace('-', '')}"
    nothing = {"enabled": False, "destination": None}
    assert await shown(confd, f"{path}/forwards") == dict.fromkeys(("busy", "noanswer", "unconditional"), nothing)
    on = {"enabled": True, "destination": "1234"}
    for name in ("busy", "unconditional"):
        assert (await confd.put(f"{path}/forwards/{name}", on)).status == 204
        assert await shown(confd, f"{path}/forwards/{name}") == on
    assert (await tenant.api.get(kazoo)).data["call_forward"] == {"enabled": True, "number": "1234"} | (
        (await tenant.api.get(kazoo)).data["call_forward"]
    )
    told = await confd.put(f"{path}/forwards/busy", {"destination": None})
    refused(told, "Resource Error - Forward must be disabled to remove destination")
    assert (await confd.put(f"{path}/forwards", {"noanswer": {"enabled": True, "destination": None}})).status == 400
    assert (await confd.put(f"{path}/services/dnd", {"enabled": True})).status == 204
    assert (await tenant.api.get(kazoo)).data["do_not_disturb"]["enabled"] is True
    assert await shown(confd, f"{path}/services") == {"dnd": {"enabled": True}, "incallfilter": {"enabled": False}}
    assert (await confd.get(f"{path}/services/nothing")).status == 404


async def test_paths_and_methods_that_nobody_defined(confd: Speaker) -> None:
    for told, status in ((await confd.get("/nothing"), 404), (await confd.request("PATCH", "/users"), 405)):
        assert (told.status, len(told.json)) == (status, 1)


async def test_pages_of_other_sites_may_call(confd: Speaker) -> None:
    told = await confd.acting(None).request("OPTIONS", "/users", headers={"Origin": "http://elsewhere"})
    assert told.status == 200
    assert "Wazo-Tenant" in told.headers["Access-Control-Allow-Headers"]
    assert (await confd.get("/users")).headers["Access-Control-Allow-Origin"] == "*"


async def test_a_tenant_below_is_selected_by_a_header(
    confd: Speaker, server: RunningServer, tenant: Tenant, stranger: Tenant
) -> None:
    child = await new_tenant(server, tenant, f"below{tenant.id[:8]}")
    below = {**ACCEPT, "Wazo-Tenant": child.id}
    user = (await confd.post("/users", {"firstname": "Kid"}, headers=below)).json
    assert user["tenant_uuid"].replace("-", "") == child.id
    assert (await confd.get("/users", headers=below)).json["total"] == 2
    assert (await confd.get("/users")).json["total"] == 1
    assert (await confd.get("/users", query={"recurse": "true"})).json["total"] == 3
    for word in (user["id"], user["uuid"]):
        assert await shown(confd, f"/users/{word}") == user
        assert (await confd.acting(stranger.token).get(f"/users/{word}")).status == 404
        assert (await confd.get(f"/users/{word}", headers={"Wazo-Tenant": stranger.id})).status == 401
    assert (await confd.put(f"/users/{user['id']}", {"userfield": "x"})).status == 204
    assert (await confd.delete(f"/users/{user['uuid']}")).status == 204
