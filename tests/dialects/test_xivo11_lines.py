# SPDX-License-Identifier: MPL-2.0
"""XiVO REST 1.1, lines, endpoints, extensions, devices: checks B22 to B24 of the acceptance list."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialects.speaker import UNKNOWN, Speaker
from tests.dialects.test_xivo11_users import made, refused, shown
from tests.harness import Tenant

CONTEXT = {"context": "default"}


async def created(confd: Speaker, path: str, **properties: Any) -> Any:
    told = await confd.post(path, properties)
    assert told.status == 201, told.raw
    assert told.headers["Location"] == f"{confd.base}{path}/{told.json['id']}"
    return told.json


async def complete_line(confd: Speaker, exten: str = "1000", **endpoint: Any) -> tuple[Any, Any, Any, Any]:
    """A user, a line with an endpoint, and an extension that leads to it."""
    user = await made(confd)
    line = await created(confd, "/lines", **CONTEXT)
    sip = await created(confd, "/endpoints/sip", **endpoint)
    extension = await created(confd, "/extensions", exten=exten, **CONTEXT)
    for path in (
        f"/lines/{line['id']}/endpoints/sip/{sip['id']}",
        f"/users/{user['id']}/lines/{line['id']}",
        f"/lines/{line['id']}/extensions/{extension['id']}",
    ):
        told = await confd.put(path)
        assert (told.status, told.is_empty) == (204, True), told.raw
    return user, line, sip, extension


async def test_b22_a_line_and_an_endpoint(confd: Speaker, tenant: Tenant) -> None:
    line = await created(confd, "/lines", **CONTEXT)
    assert {
        "context": "default", "position": 1, "registrar": "default", "name": None, "protocol": None,
        "caller_id_name": None, "caller_id_num": None, "device_id": None, "device_slot": 1,
    }.items() <= line.items()  # fmt: skip
    assert len(line["provisioning_code"]) == 6 and line["provisioning_code"].isdigit()
    assert line["provisioning_extension"] == line["provisioning_code"]
    sip = await created(confd, "/endpoints/sip")
    assert len(sip["username"]) == len(sip["secret"]) == 8
    assert {"type": "friend", "host": "dynamic", "options": []}.items() <= sip.items()
    assert sip["links"][0]["rel"] == "endpoint_sip"
    assert (await tenant.api.get("/devices")).data == []
    refused(
        await confd.get(f"/lines/{line['id']}/endpoints/sip"), "Resource Not Found - LineEndpoint was not found", 404
    )
    path = f"/lines/{line['id']}/endpoints/sip/{sip['id']}"
    for headers in ({"Content-Type": "application/json"}, {"Content-Type": None}):
        told = await confd.put(path, headers=headers)
        assert (told.status, told.is_empty) == (204, True), told.raw
    together = await shown(confd, f"/lines/{line['id']}")
    assert (together["protocol"], together["name"]) == ("sip", sip["username"])
    pair = {"line_id": line["id"], "endpoint_id": sip["id"], "endpoint": "sip"}
    assert pair.items() <= (await shown(confd, f"/lines/{line['id']}/endpoints/sip")).items()
    assert pair.items() <= (await shown(confd, f"/endpoints/sip/{sip['id']}/lines"))["items"][0].items()
    (device,) = (await tenant.api.get("/devices")).data
    kazoo = (await tenant.api.get(f"/devices/{device['id']}")).data
    assert (kazoo["sip"]["username"], kazoo["sip"]["password"]) == (sip["username"], sip["secret"])
    assert (await confd.put(f"/endpoints/sip/{sip['id']}", {"secret": "another"})).status == 204
    assert (await tenant.api.get(f"/devices/{device['id']}")).data["sip"]["password"] == "another"
    assert (await confd.put(f"/lines/{line['id']}", {"caller_id_name": "Desk", "position": 2})).status == 204
    assert (await shown(confd, f"/lines/{line['id']}"))["caller_id_name"] == "Desk"
    refused(await confd.delete(f"/endpoints/sip/{sip['id']}"), "Resource Error - SIPEndpoint is associated with a Line")
    refused(await confd.delete(f"/lines/{line['id']}"), "Resource Error - Line is associated with a Endpoint")
    assert (await confd.delete(path)).status == 204
    assert (await tenant.api.get("/devices")).data == []
    apart = await shown(confd, f"/lines/{line['id']}")
    assert (apart["protocol"], apart["position"], apart["provisioning_code"]) == (None, 2, line["provisioning_code"])
    assert (await shown(confd, f"/endpoints/sip/{sip['id']}"))["secret"] == "another"
    for gone in (f"/lines/{line['id']}", f"/endpoints/sip/{sip['id']}"):
        assert (await confd.delete(gone)).status == 204
        assert (await confd.get(gone)).status == 404


async def test_what_is_unique_of_lines_and_endpoints(confd: Speaker, tenant: Tenant) -> None:
    await created(confd, "/lines", **CONTEXT, provisioning_code="123456")
    told = await confd.post("/lines", {**CONTEXT, "provisioning_code": "123456"})
    refused(told, "Resource Error - Line already exists")
    await created(confd, "/endpoints/sip", username="desk")
    refused(await confd.post("/endpoints/sip", {"username": "desk"}), "Resource Error - SIPEndpoint already exists")
    taken = await tenant.api.put("/devices", {"name": "d", "sip": {"username": "desk", "password": "12345"}})
    assert taken.status == 400


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/lines", {}, "missing parameters: context"),
        ("/lines", {"context": "nowhere"}, "field 'context': Context was not found ('context': 'nowhere')"),
        ("/lines", {**CONTEXT, "position": 0}, "position is outside of range"),
        ("/lines", {**CONTEXT, "caller_id_name": "x"}, "Cannot set caller_id_name"),
        ("/endpoints/sip", {"username": "a b"}, "field 'username': wrong type"),
        ("/endpoints/sip", {"type": "enemy"}, "field 'type': wrong type"),
        ("/extensions", {"exten": "1000"}, "missing parameters: context"),
        ("/extensions", {"exten": "x", **CONTEXT}, "field 'exten': wrong type. Should be a numeric string"),
        ("/devices", {"mac": "00:11"}, "field 'mac': wrong type"),
        ("/devices", {"options": "x"}, "field 'options': wrong type"),
    ],
)
async def test_wrong_values(confd: Speaker, path: str, body: dict[str, Any], text: str) -> None:
    told = await confd.post(path, body)
    assert told.status == 400
    assert told.json[0].startswith(f"Input Error - {text}"), told.json


async def test_b23_users_lines_and_extensions_in_the_forms_of_2016(confd: Speaker) -> None:
    user, line = await made(confd), await created(confd, "/lines", **CONTEXT)
    extension = await created(confd, "/extensions", exten="1000", **CONTEXT)
    path = f"/users/{user['id']}/lines"
    for told in (
        await confd.post(path, {"line_id": line["id"]}),
        await confd.put(f"{path}/{line['id']}"),
        await confd.post(f"/lines/{line['id']}/extensions", {"extension_id": extension["id"]}),
    ):
        refused(told, "Resource Error - Line must be associated with a Endpoint")
    sip = await created(confd, "/endpoints/sip")
    await confd.put(f"/lines/{line['id']}/endpoints/sip/{sip['id']}")
    refused(await confd.post(path, {"line_id": UNKNOWN}), "Input Error - field 'line_id': Line was not found")
    told = await confd.post(path, {"line_id": line["id"]})
    pair = {"user_id": user["id"], "line_id": line["id"], "main_user": True, "main_line": True}
    assert told.status == 201
    assert told.headers["Location"] == f"{confd.base}/users/{user['id']}/lines/{line['id']}"
    assert pair.items() <= told.json.items()
    for listing in (path, f"/lines/{line['id']}/users"):
        listed = await shown(confd, listing)
        assert listed["total"] == 1
        assert pair.items() <= listed["items"][0].items()
    refused(await confd.post(path, {"line_id": line["id"]}), "Resource Error - User is associated with a Line")

    path = f"/lines/{line['id']}/extensions"
    told = await confd.post(path, {"extension_id": extension["id"]})
    pair = {"line_id": line["id"], "extension_id": extension["id"]}
    assert told.status == 201
    assert pair.items() <= told.json.items()
    assert pair.items() <= (await shown(confd, path))["items"][0].items()
    assert pair.items() <= (await shown(confd, f"/extensions/{extension['id']}/line")).items()
    told = await confd.post(path, {"extension_id": extension["id"]})
    refused(told, "Resource Error - Line is associated with a Extension")
    second = await created(confd, "/extensions", exten="1001", **CONTEXT)
    told = await confd.post(path, {"extension_id": second["id"]})
    refused(told, "Resource Error - Line is associated with a Extension")
    incoming = await created(confd, "/extensions", exten="4155550100", context="from-extern")
    assert (await confd.post(path, {"extension_id": incoming["id"]})).status == 201
    assert [one["extension_id"] for one in (await shown(confd, path))["items"]] == [extension["id"], incoming["id"]]

    refused(await confd.delete(f"/users/{user['id']}"), "Resource Error - User is associated with a Line")
    refused(
        await confd.delete(f"/extensions/{extension['id']}"), "Resource Error - Extension is associated with a Line"
    )
    refused(await confd.delete(f"/lines/{line['id']}"), "Resource Error - Line is associated with a Extension")
    for one in (extension, incoming):
        assert (await confd.delete(f"{path}/{one['id']}")).status == 204
    assert (await confd.delete(f"/users/{user['id']}/lines/{line['id']}")).status == 204
    refused(
        await confd.get(f"/extensions/{extension['id']}/line"),
        "Resource Not Found - LineExtension was not found",
        404,
    )
    for gone in (f"/users/{user['id']}", f"/extensions/{extension['id']}"):
        assert (await confd.delete(gone)).status == 204


async def test_what_leads_where_is_callflows_and_devices_of_crossbar(confd: Speaker, tenant: Tenant) -> None:
    user, line, _, extension = await complete_line(confd)
    kazoo_id = user["uuid"].replace("-", "")
    (device,) = (await tenant.api.get("/devices")).data
    assert device["owner_id"] == kazoo_id
    (row,) = (await tenant.api.get("/callflows")).data
    flow = (await tenant.api.get(f"/callflows/{row['id']}")).data
    assert (flow["numbers"], flow["flow"]["module"], flow["flow"]["data"]["id"]) == (["1000"], "user", kazoo_id)
    whole = await shown(confd, f"/users/{user['id']}")
    assert [one["id"] for one in whole["lines"]] == [line["id"]]
    assert [one["exten"] for one in whole["lines"][0]["extensions"]] == ["1000"]
    for query in ("exten=1000", "search=1000", f"provisioning_code={line['provisioning_code']}"):
        assert [one["id"] for one in (await shown(confd, f"/users?{query}"))["items"]] == [user["id"]], query
    assert (await shown(confd, "/users?order=exten&direction=desc"))["items"][0]["id"] == user["id"]
    assert (await shown(confd, "/users?view=directory&exten=1000"))["items"][0]["exten"] == "1000"
    assert (await confd.delete(f"/users/{user['id']}/lines/{line['id']}")).status == 204
    flow = (await tenant.api.get(f"/callflows/{row['id']}")).data
    assert (flow["flow"]["module"], flow["flow"]["data"]["id"]) == ("device", device["id"])
    assert (await confd.put(f"/extensions/{extension['id']}", {"exten": "1002"})).status == 204
    assert (await tenant.api.get(f"/callflows/{row['id']}")).data["numbers"] == ["1002"]
    assert (await confd.delete(f"/lines/{line['id']}/extensions/{extension['id']}")).status == 204
    assert (await tenant.api.get("/callflows")).data == []


async def test_what_crossbar_made_appears(confd: Speaker, tenant: Tenant) -> None:
    person = (await tenant.api.put("/users", {"first_name": "Kim", "last_name": "K"})).id
    sip = {"username": "kim", "password": "12345"}
    phone = {"name": "desk", "owner_id": person, "sip": sip, "mac_address": "00:11:22:33:44:55"}
    device = await tenant.api.put("/devices", phone)
    await tenant.api.put("/devices", {"name": "cell", "device_type": "cellphone"})
    await tenant.api.put(
        "/callflows", {"numbers": ["2000", "no_match"], "flow": {"module": "user", "data": {"id": person}}}
    )
    await tenant.api.put("/callflows", {"numbers": ["3000"], "flow": {"module": "hangup", "data": {}}})
    lines = await shown(confd, "/lines")
    assert (lines["total"], lines["items"][0]["name"], lines["items"][0]["device_id"]) == (1, "kim", device.id)
    (extension,) = (await shown(confd, "/extensions"))["items"]
    assert (extension["exten"], extension["context"]) == ("2000", "default")
    assert [one["id"] for one in extension["lines"]] == [lines["items"][0]["id"]]
    (endpoint,) = (await shown(confd, "/endpoints/sip"))["items"]
    assert (endpoint["username"], endpoint["line"]["id"]) == ("kim", lines["items"][0]["id"])
    (telephone,) = (await shown(confd, "/devices"))["items"]
    assert (telephone["id"], telephone["mac"]) == (device.id, "00:11:22:33:44:55")
    (user,) = (await shown(confd, "/users?firstname=kim"))["items"]
    assert user["lines"][0]["extensions"][0]["exten"] == "2000"
    assert (await confd.put(f"/extensions/{extension['id']}", {"exten": "2001"})).status == 204
    numbers = [row["numbers"] for row in (await tenant.api.get("/callflows")).data]
    assert ["2001", "no_match"] in numbers
    await tenant.api.put("/callflows", {"numbers": ["2002"], "flow": {"module": "user", "data": {"id": person}}})
    listed = (await shown(confd, "/extensions"))["items"]
    (last,) = [one["id"] for one in listed if one["exten"] == "2002"]
    assert (await confd.delete(f"/lines/{lines['items'][0]['id']}/extensions/{last}")).status == 204
    assert (await shown(confd, f"/extensions/{last}"))["lines"] == []
    assert (await tenant.api.delete(f"/devices/{device.id}")).status == 200
    assert (await shown(confd, "/lines"))["total"] == 0
    assert (await confd.get(f"/lines/{lines['items'][0]['id']}")).status == 404


async def test_extensions_are_unique_searched_and_filtered(confd: Speaker) -> None:
    first = await created(confd, "/extensions", exten="1000", **CONTEXT)
    assert {"exten": "1000", "context": "default", "commented": False, "enabled": True}.items() <= first.items()
    refused(await confd.post("/extensions", {"exten": "1000", **CONTEXT}), "Resource Error - Extension already exists")
    for context in ("from-extern", "default"):
        told = await confd.post("/extensions", {"exten": "1000", "context": context})
        refused(told, "Resource Error - Extension already exists")
    await created(confd, "/extensions", exten="4155550100", context="from-extern")
    assert [one["exten"] for one in (await shown(confd, "/extensions?type=incall"))["items"]] == ["4155550100"]
    assert [one["exten"] for one in (await shown(confd, "/extensions?search=100"))["items"]] == ["1000", "4155550100"]
    assert [one["exten"] for one in (await shown(confd, "/extensions?context=default"))["items"]] == ["1000"]
    assert (await confd.put(f"/extensions/{first['id']}", {"commented": True})).status == 204
    assert (await shown(confd, f"/extensions/{first['id']}"))["enabled"] is False
    assert (await confd.put(f"/extensions/{first['id']}", {"enabled": True})).status == 204
    assert (await shown(confd, f"/extensions/{first['id']}"))["commented"] is False


async def test_several_users_share_a_line_and_a_user_has_several(confd: Speaker) -> None:
    user, line, _, _ = await complete_line(confd)
    other = await made(confd, firstname="Bo")
    assert (await confd.put(f"/users/{other['id']}/lines/{line['id']}")).status == 204
    pairs = (await shown(confd, f"/lines/{line['id']}/users"))["items"]
    assert [(one["user_id"], one["main_user"]) for one in pairs] == [(user["id"], True), (other["id"], False)]
    told = await confd.delete(f"/users/{user['id']}/lines/{line['id']}")
    refused(told, "Resource Error - There are secondary users associated to the line")
    second, sip = await created(confd, "/lines", **CONTEXT), await created(confd, "/endpoints/sip")
    await confd.put(f"/lines/{second['id']}/endpoints/sip/{sip['id']}")
    both = {"lines": [{"id": second["id"]}, {"id": line["id"]}]}
    assert (await confd.put(f"/users/{other['id']}/lines", both)).status == 204
    pairs = (await shown(confd, f"/users/{other['id']}/lines"))["items"]
    assert [(one["line_id"], one["main_line"]) for one in pairs] == [(second["id"], True), (line["id"], False)]
    main = await shown(confd, f"/users/{other['uuid']}/lines/main/associated/endpoints/sip")
    assert main["id"] == sip["id"]
    assert (await confd.put(f"/users/{other['id']}/lines", {"lines": []})).status == 204
    assert (await shown(confd, f"/users/{other['id']}/lines"))["total"] == 0
    assert (await confd.delete(f"/users/{user['id']}/lines/{line['id']}")).status == 204


async def test_b24_devices(confd: Speaker, tenant: Tenant) -> None:
    device = await created(
        confd, "/devices", mac="00:AA:bb:33:44:55", ip="10.0.0.1", vendor="Aastra", model="6731i", description="desk"
    )
    assert (device["mac"], len(device["id"])) == ("00:aa:bb:33:44:55", 32)
    nothing = await created(confd, "/devices")
    assert nothing["mac"] is None and nothing["options"] is None
    assert [one["id"] for one in (await shown(confd, "/devices?search=AASTRA"))["items"]] == [device["id"]]
    assert [one["id"] for one in (await shown(confd, "/devices?search=aa:bb"))["items"]] == [device["id"]]
    assert (await shown(confd, "/devices?order=mac&limit=1"))["items"][0]["id"] == nothing["id"]
    refused(await confd.post("/devices", {"mac": "00:aa:BB:33:44:55"}), "Resource Error - Device already exists")
    kazoo = (await tenant.api.get(f"/devices/{device['id']}")).data
    assert (kazoo["mac_address"], kazoo["provision"]["endpoint_brand"]) == ("00aabb334455", "Aastra")
    assert (await confd.put(f"/devices/{device['id']}", {"description": "x", "options": {"a": 1}})).status == 204
    assert await shown(confd, f"/devices/{device['id']}") == device | {"description": "x", "options": {"a": 1}}
    for action in ("autoprov", "synchronize"):
        assert (await confd.get(f"/devices/{device['id']}/{action}")).status == 204
    assert (await confd.delete(f"/devices/{device['id']}")).status == 204
    refused(await confd.get(f"/devices/{device['id']}"), "Resource Not Found - Device was not found", 404)


async def test_a_line_on_a_device(confd: Speaker) -> None:
    device = await created(confd, "/devices", mac="00:11:22:33:44:55")
    bare = await created(confd, "/lines", **CONTEXT)
    path = f"/lines/{bare['id']}/devices/{device['id']}"
    refused(await confd.put(path), "Resource Error - Line must be associated with a Endpoint")
    user, line, sip, extension = await complete_line(confd)
    path = f"/lines/{line['id']}/devices/{device['id']}"
    refused(await confd.get(f"/lines/{line['id']}/devices"), "Resource Not Found - LineDevice was not found", 404)
    for _ in range(2):
        assert (await confd.put(path)).status == 204
    pair = {"line_id": line["id"], "device_id": device["id"]}
    assert pair.items() <= (await shown(confd, f"/lines/{line['id']}/devices")).items()
    assert pair.items() <= (await shown(confd, f"/devices/{device['id']}/lines"))["items"][0].items()
    assert (await shown(confd, f"/devices/{device['id']}"))["status"] == "configured"
    refused(await confd.delete(f"/devices/{device['id']}"), "Resource Error - Device is associated with a Line")
    for attached in (f"/users/{user['id']}/lines/{line['id']}", f"/lines/{line['id']}/extensions/{extension['id']}"):
        refused(await confd.delete(attached), "Resource Error - Line is associated with a Device")
    assert (await confd.delete(path)).status == 204
    refused(await confd.delete(path), "Resource Error - Line is not associated with Device")
    told = await confd.delete(f"/lines/{line['id']}/endpoints/sip/{sip['id']}")
    refused(told, "Resource Error - Line is associated with a User")
