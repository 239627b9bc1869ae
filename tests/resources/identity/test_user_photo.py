# SPDX-License-Identifier: MPL-2.0
"""The photo and the vCard of a user."""

from __future__ import annotations

import base64

from tests.harness import Tenant

NAME = {"first_name": "Jane", "last_name": "Doe"}

JPEG = b"\xff\xd8\xff\xe0 a very small picture"


async def test_a_photo_comes_back_as_it_was_sent(tenant: Tenant) -> None:
    user = await tenant.api.put("/users", NAME)
    path = f"/users/{user.id}/photo"
    missing = (404, "404", "bad_identifier", {"cause": user.id, "message": "bad identifier"})
    assert (await tenant.api.get(path)).error() == missing

    stored = await tenant.api.post(path, body=JPEG, content_type="image/jpeg")
    assert (stored.status, stored.data, stored.envelope["revision"][:2]) == (200, user.data, "2-")
    read = await tenant.api.get(path)
    assert (read.status, read.raw, read.headers["Content-Type"]) == (200, JPEG, "image/jpeg")
    assert read.headers["Content-Disposition"] == "attachment; filename=photo"
    part = await tenant.api.get(path, headers={"Range": "bytes=0-1"})
    assert (part.status, part.raw) == (206, JPEG[:2])

    await tenant.api.post(path, body=b"second", content_type="application/octet-stream")
    read = await tenant.api.get(path, headers={"Accept": "application/octet-stream"})
    assert (read.raw, read.headers["Content-Type"]) == (b"second", "application/octet-stream")
    uri = b"data:image/png;base64," + base64.b64encode(b"third")
    await tenant.api.post(path, body=uri, content_type="application/x-base64")
    read = await tenant.api.get(path, headers={"Accept": "application/base64"})
    assert (read.raw, read.headers["Content-Type"]) == (b"third", "image/png")

    for _ in range(2):
        removed = await tenant.api.delete(path)
        assert (removed.status, removed.data) == (200, {"_read_only": {"deleted": True}})
        assert (await tenant.api.get(path)).error() == missing


async def test_what_is_no_photo(tenant: Tenant) -> None:
    path = f"/users/{tenant.admin_id}/photo"
    nothing = await tenant.api.post(path)
    detail = {"required": {"message": "Please provide an image file"}}
    assert nothing.invalid() == {"file": detail}
    html = await tenant.api.post(path, body=b"<p>", content_type="text/html")
    assert html.status == 415
    two = b"".join(b"--b\r\nContent-Type: image/png\r\n\r\n%d\r\n" % number for number in (1, 2)) + b"--b--\r\n"
    both = await tenant.api.post(path, body=two, content_type="multipart/mixed; boundary=b")
    assert both.data == {"file": {"maxItems": {"message": "Please provide a single image file"}}}
    assert (await tenant.api.get(f"/users/{'0' * 32}/photo")).error()[3]["cause"] == "0" * 32
    assert (await tenant.api.get(path, headers={"Accept": "text/html"})).status == 406


async def test_a_vcard(tenant: Tenant) -> None:
    user = await tenant.api.put(
        "/users",
        {
            **NAME,
            "email": "jane@x.test",
            "middle_name": "Q",
            "caller_id": {"internal": {"number": "100"}},
            "profile": {
                "nicknames": ["J", "D"],
                "title": "Head; of, all: things",
                "note": "two\nlines",
                "birthday": "1970-01-01",
                "role": "boss",
                "addresses": [{"address": "1 Main St"}, {"types": ["home"], "address": "2 Main St"}],
            },
        },
    )
    await tenant.api.post(f"/users/{user.id}/photo", body=JPEG, content_type="image/jpeg")
    card = await tenant.api.get(f"/users/{user.id}/vcard")
    assert (card.status, card.headers["Content-Type"]) == (200, "text/x-vcard")
    picture = base64.b64encode(JPEG).decode()
    assert card.raw.decode() == "\n".join(
        [
            "BEGIN:VCARD",
            "VERSION:3.0",
            "FN:Jane Q Doe",
            "N:Doe;Jane;Q",
            f"PHOTO;ENCODING=B;TYPE=JPEG:{picture}",
            "EMAIL:jane@x.test",
            "BDAY:1970-01-01",
            "NOTE:two\\nlines",
            "TITLE:Head\\; of\\, all\\: things",
            "ROLE:boss",
            "TZ:America/Los_Angeles",
            "NICKNAME:J,D",
            "ADR;TYPE=intl,postal,parcel,work:1 Main St",
            "ADR;TYPE=home:2 Main St",
            "END:VCARD",
            "",
        ]
    )
    directory = await tenant.api.get(f"/users/{user.id}/vcard", headers={"Accept": "text/directory"})
    assert (directory.raw, directory.headers["Content-Type"]) == (card.raw, "text/directory")


async def test_long_lines_of_a_vcard_are_cut(tenant: Tenant) -> None:
    user = await tenant.api.put("/users", {**NAME, "note": "x" * 145, "org": "ä" * 50})
    card = (await tenant.api.get(f"/users/{user.id}/vcard")).raw.decode().split("\n")
    at = card.index("NOTE:" + "x" * 70)
    assert card[at + 1 : at + 3] == ["x" * 75, "TZ:America/Los_Angeles"]
    at = card.index("ORG:" + "ä" * 35)
    assert card[at + 1] == "ä" * 15
