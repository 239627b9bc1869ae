# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/sms` and `/accounts/{A}/mms`."""

from __future__ import annotations

from email import message_from_bytes, policy

from tests.call_records import RANGE, START, given
from tests.harness import RunningServer, Tenant


async def test_a_text_is_queued_listed_read_deleted(server: RunningServer, tenant: Tenant) -> None:
    sent = await tenant.api.put("/sms", {"to": "1001", "from": "1000", "body": "Lunch?"})
    assert (sent.status, sent.data) == (
        201,
        {
            "message_id": sent.envelope["request_id"],
            "from": "1000",
            "to": "1001",
            "body": "Lunch?",
            "account_id": tenant.id,
            "route_type": "onnet",
            "custom_vars": {
                "account_id": tenant.id,
                "reseller_id": server.master.id,
                "authorizing_type": "user",
                "authorizing_id": tenant.admin_id,
                "owner_id": tenant.admin_id,
            },
        },
    )
    assert "charges" not in sent.envelope

    (row,) = (await tenant.api.get("/sms")).data
    created = row["key"][0]
    assert row == {
        "id": row["id"],
        "key": [created, row["id"]],
        "value": {
            "id": row["id"],
            "created": created,
            "from": "1000",
            "to": "1001",
            "direction": "outbound",
            "status": "queued",
            "body": "Lunch?",
        },
        "date": row["date"],
    }
    assert row["date"].endswith(" GMT")
    assert row["id"][6] == "-"

    read = await tenant.api.get(f"/sms/{row['id']}")
    document = {
        "id": row["id"],
        "from": "1000",
        "to": "1001",
        "body": "Lunch?",
        "direction": "outbound",
        "status": "queued",
        "message_id": sent.data["message_id"],
        "route_type": "onnet",
        "owner_id": tenant.admin_id,
    }
    assert (read.status, read.data) == (200, document)
    deleted = await tenant.api.delete(f"/sms/{row['id']}")
    assert (deleted.status, deleted.data) == (200, {**document, "_read_only": {"deleted": True}})
    assert (await tenant.api.get(f"/sms/{row['id']}")).error()[:3] == (404, "404", "bad_identifier")
    assert (await tenant.api.get("/sms")).data == []


async def test_users_and_devices_have_their_own(tenant: Tenant) -> None:
    caller_id = {"internal": {"number": "1007"}}
    user = (await tenant.api.put("/users", {"first_name": "A", "last_name": "B", "caller_id": caller_id})).id
    device = (await tenant.api.put("/devices", {"name": "Desk", "owner_id": user})).id
    by_user = await tenant.api.put(f"/users/{user}/sms", {"to": "1001", "body": "from the user"})
    by_device = await tenant.api.put(f"/devices/{device}/sms", {"to": "1001", "body": "from the device"})
    assert (by_user.data["from"], by_device.data["from"]) == ("1007", "1007")
    assert by_device.data["custom_vars"]["authorizing_id"] == user
    for path, holder, bodies in (
        (f"/devices/{device}/sms", device, {"from the device"}),
        (f"/users/{user}/sms", user, {"from the user", "from the device"}),
    ):
        rows = (await tenant.api.get(path)).data
        assert {row["value"]["body"] for row in rows} == bodies
        assert {row["key"][0] for row in rows} == {holder}


async def test_only_numbers_of_the_account_speak_to_the_public(
    server: RunningServer, tenant: Tenant, stranger: Tenant
) -> None:
    for owner, mdn in ((tenant, "+14155550171"), (stranger, "+14155550172")):
        mobile = {"name": "Mobile", "device_type": "mobile", "mobile": {"mdn": mdn}}
        created = await server.master.root.put(f"/accounts/{owner.id}/devices", mobile)
        assert created.status == 201, created.envelope
    off_net = await tenant.api.put("/sms", {"to": "4155550199", "from": "(415) 555-0171", "body": "Hi"})
    assert off_net.status == 400
    good = await tenant.api.put("/sms", {"to": "4155550199", "from": "4155550171", "body": "Hi"})
    assert (good.status, good.data["to"], good.data["from"]) == (201, "+14155550199", "+14155550171")
    assert (good.data["route_type"], good.envelope["charges"]) == ("offnet", 0.007)
    for sender, code, message in (
        ("4155550172", "forbidden", "number does not belong to account"),
        ("4155550173", "invalid", "number is invalid"),
        ("1000", "invalid", "number is invalid"),
    ):
        refused = await tenant.api.put("/sms", {"to": "4155550199", "from": sender, "body": "Hi"})
        assert (refused.status, list(refused.data["from"])) == (400, [code])
        assert refused.data["from"][code]["message"] == message


async def test_what_a_text_needs(server: RunningServer, tenant: Tenant) -> None:
    empty = await tenant.api.put("/sms", {})
    assert (empty.status, sorted(empty.data)) == (400, ["body", "to"])
    long = await tenant.api.put("/sms", {"to": "1001", "body": "x" * 701})
    assert (long.status, list(long.data["body"])) == (400, ["maxLength"])
    assert (await server.master.root.patch(f"/accounts/{tenant.id}", {"enabled": False})).status == 200
    disabled = await server.master.root.put(f"/accounts/{tenant.id}/sms", {"to": "1001", "body": "x"})
    assert disabled.error() == (400, "400", "disabled", {"message": "entity disabled"})


async def test_texts_that_came_in(server: RunningServer, tenant: Tenant) -> None:
    text = {"account_id": tenant.id, "message_id": "m1", "from": "+14155550100", "to": "1000", "body": "Hi"}
    await given(server, "sms", {**text, "timestamp": START, "owner_id": tenant.admin_id})
    (row,) = (await tenant.api.get(f"/users/{tenant.admin_id}/sms", query=RANGE)).data
    assert row["key"] == [tenant.admin_id, START]
    assert row["date"] == "Tue, 05 Mar 2024 10:00:00 GMT"
    assert (row["value"]["direction"], row["value"]["status"]) == ("inbound", "delivered")


async def test_a_multimedia_message(server: RunningServer, tenant: Tenant) -> None:
    mime = "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHello"
    sent = await tenant.api.put("/mms", {"to": "1001", "from": "1000", "body": mime})
    assert (sent.status, sent.data["to"], "body" in sent.data) == (201, "1001", False)

    boundary = b"--x\r\nContent-Type: application/json\r\n\r\n" + b'{"data":{"to":"1001","from":"1000"}}\r\n'
    body = boundary + b"--x\r\nContent-Type: image/png\r\n\r\nPNG\r\n--x--\r\n"
    uploaded = await tenant.api.request(
        "PUT", "/mms?filename=a.png", body=body, content_type="multipart/form-data; boundary=x"
    )
    assert (uploaded.status, uploaded.data["from"]) == (201, "1000")

    rows = (await tenant.api.get("/mms")).data
    assert [sorted(row["value"]) for row in rows] == [["created", "direction", "from", "id", "status", "to"]] * 2
    contents = []
    for row in rows:
        message = await server.runtime.store.get(tenant.id, "mms", row["id"])
        assert message is not None
        (attachment,) = await server.runtime.attachments.all(message)
        contents.append(await server.runtime.attachments.read(attachment))
        assert (await tenant.api.delete(f"/mms/{row['id']}")).status == 200
        assert await server.runtime.attachments.all(message) == []
    assert mime.encode() in contents
    packed = next(content for content in contents if content != mime.encode())
    (part,) = message_from_bytes(packed, policy=policy.SMTP).iter_parts()
    assert (part.get_content_type(), part.get_content(), part.get_filename()) == ("image/png", b"PNG", "a.png")

    for data in ({"to": "1001", "from": "1000"}, {"to": "1001", "from": "1000", "body": "no mime"}):
        refused = await tenant.api.put("/mms", data)
        message = "add mime encoded body or upload one or more files"
        assert refused.invalid() == {"body": {"required": {"message": message}}}
