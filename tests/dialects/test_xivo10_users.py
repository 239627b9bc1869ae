# SPDX-License-Identifier: MPL-2.0
"""XiVO REST 1.0, users: checks A01 to A10 and A19 to A25 of the acceptance list."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar.dialects.named_logins import identity_of
from tests.dialects.speaker import UNKNOWN, Speaker, basic
from tests.harness import RunningServer, Tenant, new_person

USER_PROPERTIES = {
    "id", "firstname", "lastname", "callerid", "username", "password", "enableclient", "musiconhold", "outcallerid",
    "mobilephonenumber", "userfield", "timezone", "language", "description", "cti_profile_id", "voicemailid",
    "agentid", "entityid", "email",
}  # fmt: skip
EVERYTHING: dict[str, Any] = {
    "firstname": "Ana",
    "lastname": "Lima",
    "callerid": "Ana Lima from the third floor, in the east",
    "username": "ana.lima",
    "password": "s3cret",
    "enableclient": 1,
    "musiconhold": "jazz",
    "outcallerid": '"Front desk" <4155550100>',
    "mobilephonenumber": "+5511999990000",
    "userfield": "cost centre 7",
    "timezone": "America/Sao_Paulo",
    "language": "pt_BR",
    "description": "in the corner",
    "cti_profile_id": 2,
    "agentid": 5,
    "entityid": 6,
    "email": "ana@example.com",
}


async def made(old: Speaker, **properties: Any) -> int:
    return await old.made("/users/", {"firstname": "Ana", "lastname": "Lima", **properties})


async def user(old: Speaker, number: int) -> Any:
    return await old.read(f"/users/{number}")


async def box(old: Speaker, mailbox: str) -> int:
    return await old.made("/voicemails/", {"mailbox": mailbox})


async def test_a01_the_list_has_what_was_made(old: Speaker) -> None:
    number = await made(old)
    listed = (await old.get("/users/")).json
    assert listed["total"] == len(listed["items"]) == 2
    (item,) = [item for item in listed["items"] if item["id"] == number]
    assert {"firstname": "Ana", "lastname": "Lima"}.items() <= item.items()
    assert [item["id"] for item in listed["items"]] == sorted(item["id"] for item in listed["items"])


async def test_a02_a_new_user_is_told_where_it_is(old: Speaker) -> None:
    created = await old.post("/users/", {"firstname": "Ana", "lastname": "Lima"}, headers={"Accept": None})
    assert (created.status, created.is_empty) == (201, True)
    assert created.headers["Location"] == f"{old.base}/users/{created.number}"


async def test_a03_a_user_has_all_properties(old: Speaker) -> None:
    found = await user(old, await made(old))
    assert set(found) == USER_PROPERTIES
    unset = {name: value for name, value in found.items() if name not in ("id", "firstname", "lastname")}
    numbers = {"cti_profile_id": None, "voicemailid": None, "agentid": None, "entityid": None, "enableclient": 0}
    assert unset == dict.fromkeys(unset, "") | numbers


async def test_a04_a08_an_unknown_user_is_not_found(old: Speaker) -> None:
    for path in (f"/users/{UNKNOWN}", "/users/nobody", "/users/0", f"/users/{'9' * 40}"):
        for method, body in (("GET", {}), ("PUT", {"json": {"firstname": "B"}}), ("DELETE", {})):
            told = await old.request(method, path, **body)
            assert (told.status, told.is_empty) == (404, True), (method, path)


async def test_a05_unknown_properties_are_named(old: Speaker) -> None:
    refused = await old.post("/users/", {"firstname": "A", "shoe_size": 43, "lastname": "B", "hat": True})
    assert (refused.status, refused.json) == (400, ["Incorrect parameters sent: shoe_size, hat"])
    assert (await old.get("/users/")).json["total"] == 1


@pytest.mark.parametrize(
    "property_and_value", [("enableclient", 7), ("firstname", {}), ("agentid", "x"), ("email", "no address")]
)
async def test_values_that_a_property_does_not_take_are_named(
    old: Speaker, property_and_value: tuple[str, Any]
) -> None:
    name, value = property_and_value
    refused = await old.post("/users/", {"firstname": "A", name: value})
    assert (refused.status, refused.json) == (400, [f"Incorrect parameters sent: {name}"])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff"])
async def test_a_body_that_is_no_object_is_refused(old: Speaker, body: bytes) -> None:
    refused = await old.post("/users/", body=body, headers={"Content-Type": "application/json"})
    assert (refused.status, refused.json) == (400, ["No parsable data in the request"])


async def test_a06_an_update_changes_what_is_sent(old: Speaker) -> None:
    number = await made(old, description="kept", username="ana", password="abc")
    before = await user(old, number)
    changed = await old.put(f"/users/{number}", {"lastname": "Souza"}, headers={"Accept": None})
    assert (changed.status, changed.is_empty) == (200, True)
    assert changed.headers["Location"] == f"{old.base}/users/{number}"
    assert await user(old, number) == before | {"lastname": "Souza"}


async def test_a07_an_update_with_address_and_box(old: Speaker) -> None:
    number, box_number = await made(old), await box(old, "100")
    changed = await old.put(f"/users/{number}", {"email": "ana@example.com", "voicemailid": box_number, "id": 77})
    assert (changed.status, changed.number) == (200, number)
    found = await user(old, number)
    assert (found["id"], found["email"], found["voicemailid"]) == (number, "ana@example.com", box_number)


async def test_a09_a_refused_update_changes_nothing(old: Speaker) -> None:
    number = await made(old)
    before = await user(old, number)
    refused = await old.put(f"/users/{number}", {"lastname": "Souza", "hat": 1})
    assert (refused.status, refused.json) == (400, ["Incorrect parameters sent: hat"])
    refused = await old.put(f"/users/{number}", {"lastname": "Souza", "voicemailid": UNKNOWN})
    assert (refused.status, refused.json) == (400, ["Incorrect parameters sent: voicemailid"])
    assert await user(old, number) == before


async def test_a10_a_deleted_user_is_gone_and_the_box_stays(old: Speaker) -> None:
    box_number = await box(old, "100")
    number = await made(old, voicemailid=box_number)
    deleted = await old.delete(f"/users/{number}", headers={"Accept": None})
    assert (deleted.status, deleted.is_empty) == (200, True)
    assert (await old.get(f"/users/{number}")).status == 404
    assert (await old.get(f"/voicemails/{box_number}")).status == 200
    assert await made(old) > number


async def test_a19_every_property_reads_back(old: Speaker) -> None:
    box_number = await box(old, "100")
    number = await made(old, **EVERYTHING, voicemailid=box_number)
    wanted = EVERYTHING | {"id": number, "voicemailid": box_number, "password": ""}
    assert await user(old, number) == wanted
    # A whole object that was read and is sent back changes nothing.
    assert (await old.put(f"/users/{number}", {**wanted, "password": "other"})).status == 200
    assert await user(old, number) == wanted


@pytest.mark.parametrize("text", ["anonymous", "4155550100", '"Front" <1>', "default", "whatever that is", ""])
async def test_outgoing_caller_ids_read_back_as_they_were_sent(old: Speaker, text: str) -> None:
    assert (await user(old, await made(old, outcallerid=text)))["outcallerid"] == text


@pytest.mark.parametrize("path", ["/users", "/voicemails"])
async def test_a20_lists_say_what_they_are_only_to_who_takes_json(old: Speaker, path: str) -> None:
    for accept in ("text/html", "application/xml", None, "application/json;q=0"):
        told = await old.get(path, headers={"Accept": accept})
        assert (told.status, told.is_empty) == (406, True), accept
    for accept in ("*/*", "application/*", "text/html, application/json;q=0.5"):
        assert (await old.get(path, headers={"Accept": accept})).status == 200, accept


@pytest.mark.parametrize("path", ["/users", "/voicemails"])
async def test_a21_bodies_say_that_they_are_json(old: Speaker, path: str) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", None):
        for method, target in (("POST", path), ("PUT", f"{path}/{UNKNOWN}")):
            told = await old.request(method, target, body=b'{"mailbox": "1"}', headers={"Content-Type": content_type})
            assert (told.status, told.is_empty) == (415, True), content_type
    body = b'{"mailbox": "1"}' if path == "/voicemails" else b'{"firstname": "A"}'
    told = await old.post(path, body=body, headers={"Content-Type": "application/json;charset=UTF-8"})
    assert told.status == 201


async def test_a22_pages_count_from_zero(old: Speaker) -> None:
    for name in "abcd":
        await made(old, firstname=name)
    everything = (await old.get("/users/")).json
    for page in range(3):
        told = await old.get("/users/", query={"_page": page, "_pagesize": 2})
        assert told.json == {"total": 5, "items": everything["items"][2 * page : 2 * page + 2]}
    assert (await old.get("/users/", query={"_page": 1, "_other": 1})).json == everything
    refused = await old.get("/users/", query={"_page": "x", "_pagesize": 2})
    assert (refused.status, refused.json) == (400, ["Incorrect parameters sent: _page"])


async def test_a23_a_slash_at_the_end_makes_no_difference(old: Speaker) -> None:
    number, box_number = await made(old), await box(old, "100")
    for path in ("/users", "/voicemails", f"/users/{number}", f"/voicemails/{box_number}"):
        assert (await old.get(path)).json == (await old.get(f"{path}/")).json


async def test_a24_nobody_gets_in_without_a_token(
    old: Speaker, server: RunningServer, tenant: Tenant, stranger: Tenant
) -> None:
    person = await new_person(server, tenant)
    for token in (None, "wrong", person.token):
        for path in ("/users/", "/voicemails/"):
            told = await old.acting(token).get(path, headers={"X-Forwarded-For": "127.0.0.1"})
            assert (told.status, told.is_empty) == (401, True)
            assert told.headers["WWW-Authenticate"] == 'Basic realm="XivoRealm"'
    number = await made(old)
    theirs = old.acting(stranger.token)
    for method, body in (("GET", {}), ("PUT", {"json": {"firstname": "B"}}), ("DELETE", {})):
        assert (await theirs.request(method, f"/users/{number}", **body)).status == 404


async def test_an_administrator_gets_in_with_name_and_password(
    old: Speaker, server: RunningServer, tenant: Tenant
) -> None:
    await new_person(server, tenant, "plain")
    nobody = old.acting(None)
    name = f"admin@{tenant.realm}"
    assert (await nobody.get("/users/", headers=basic(name, "correct horse"))).json["total"] == 2
    for wrong, password in ((name, "wrong"), (f"plain@{tenant.realm}", "plain password"), ("", "")):
        assert (await nobody.get("/users/", headers=basic(wrong, password))).status == 401


async def test_a25_one_document_in_two_languages(old: Speaker, tenant: Tenant) -> None:
    number = await made(old, callerid="Ana", language="fr_FR")
    listed = (await tenant.api.get("/users")).data
    (user_id,) = [row["id"] for row in listed if row["first_name"] == "Ana"]
    document = (await tenant.api.get(f"/users/{user_id}")).data
    assert (document["last_name"], document["language"]) == ("Lima", "fr-fr")
    assert document["caller_id"] == {"internal": {"name": "Ana"}}
    assert "pvt_xivo" not in document
    assert (await tenant.api.patch(f"/users/{user_id}", {"first_name": "Anabela"})).status == 200
    assert (await user(old, number))["firstname"] == "Anabela"
    replaced = {"first_name": "Ana", "last_name": "B", "language": "de"}
    assert (await tenant.api.post(f"/users/{user_id}", replaced)).status == 200
    found = await user(old, number)
    assert (found["lastname"], found["language"], found["callerid"]) == ("B", "de", "")

    there = await tenant.api.put("/users", {"first_name": "Made", "last_name": "There"})
    numbers = {item["firstname"]: item["id"] for item in (await old.get("/users/")).json["items"]}
    assert numbers["Made"] > number
    assert (await user(old, numbers["Made"]))["lastname"] == "There"
    assert (await tenant.api.delete(f"/users/{there.id}")).status == 200
    assert (await old.get(f"/users/{numbers['Made']}")).status == 404


async def test_a_name_that_is_missing_is_a_placeholder_for_crossbar_alone(old: Speaker, tenant: Tenant) -> None:
    number = await made(old, lastname="")
    assert (await user(old, number))["lastname"] == ""
    row = next(row for row in (await tenant.api.get("/users")).data if row["first_name"] == "Ana")
    assert row["last_name"] == "-"
    assert (await tenant.api.patch(f"/users/{row['id']}", {"last_name": "Lima"})).status == 200
    assert (await user(old, number))["lastname"] == "Lima"


async def test_a_user_name_is_unique_and_logs_in(old: Speaker, server: RunningServer, tenant: Tenant) -> None:
    await made(old, username="Ana", password="s3cret")
    refused = await old.post("/users/", {"firstname": "B", "username": "ana", "password": "other"})
    assert (refused.status, refused.json) == (400, ["Incorrect parameters sent: username"])
    found = await server.runtime.access.directory.enabled_users(tenant.id)
    assert {one.username for one in found} == {"admin", "ana"}
    assert all(one.md5 for one in found)


async def test_a_password_alone_makes_up_a_user_name_that_does_not_show(old: Speaker) -> None:
    number = await made(old, password="s3cret")
    assert (await user(old, number))["username"] == ""
    assert (await old.put(f"/users/{number}", {"username": "ana", "password": "x1"})).status == 200
    assert (await user(old, number))["username"] == "ana"


async def test_who_is_renamed_keeps_the_password(old: Speaker, server: RunningServer, tenant: Tenant) -> None:
    number = await made(old, username="ana", password="s3cret")
    for name in ("bea", "cid"):
        assert (await old.put(f"/users/{number}", {"username": name})).status == 200
        found = await identity_of(server.runtime, f"{name}@{tenant.realm}", "s3cret", "192.0.2.1")
        assert found is not None and found.user is not None and found.user.username == name
    assert await identity_of(server.runtime, f"ana@{tenant.realm}", "s3cret", "192.0.2.1") is None
    assert (await old.put(f"/users/{number}", {"password": "other"})).status == 200
    assert await identity_of(server.runtime, f"cid@{tenant.realm}", "other", "192.0.2.1") is not None
    assert await identity_of(server.runtime, f"cid@{tenant.realm}", "s3cret", "192.0.2.1") is None


@pytest.mark.parametrize("path", ["/", "/nothing", "/users/1/lines", ""])
async def test_paths_that_nobody_defined_are_not_found(old: Speaker, path: str) -> None:
    told = await old.get(path)
    assert (told.status, told.is_empty) == (404, True)


async def test_methods_that_a_path_has_not_are_refused(old: Speaker) -> None:
    for method in ("PATCH", "DELETE"):
        told = await old.request(method, "/users/")
        assert (told.status, told.is_empty) == (405, True)


async def test_answers_to_curl_end_with_a_line_end(old: Speaker) -> None:
    for path, status in (("/users/", 200), ("/nothing/", 404)):
        told = await old.get(path, headers={"User-Agent": "curl/8.5.0"})
        other = await old.get(path)
        assert (told.status, told.raw) == (status, other.raw + (b"\n" if other.raw else b""))
