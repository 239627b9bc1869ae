# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/lists` and the entries of lists."""

from __future__ import annotations

import base64

from tests.harness import RunningServer, Tenant

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(100))


async def new_list(tenant: Tenant, **data: str) -> str:
    made = await tenant.api.put("/lists", {"name": "Callers", **data})
    assert made.status == 201, made.envelope
    return made.id


async def test_life_of_a_list(tenant: Tenant) -> None:
    created = await tenant.api.put("/lists", {"name": "VIP", "description": "Dear", "list_type": "white"})
    expected = {"id": created.id, "name": "VIP", "description": "Dear", "list_type": "white"}
    assert (created.status, created.data) == (201, expected)
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}/lists/{created.id}"
    assert (await tenant.api.get("/lists")).data == [expected]
    assert (await tenant.api.get(f"/lists/{created.id}")).data == expected

    merged = await tenant.api.patch(f"/lists/{created.id}", {"org": "Acme", "list_type": None})
    expected = {"id": created.id, "name": "VIP", "description": "Dear", "org": "Acme"}
    assert (merged.status, merged.data) == (200, expected)
    replaced = await tenant.api.post(f"/lists/{created.id}", {"name": "VIP 2"})
    expected = {"id": created.id, "name": "VIP 2"}
    assert (replaced.status, replaced.data) == (200, expected)
    refused = await tenant.api.post(f"/lists/{created.id}", {})
    assert refused.data == {"name": {"required": {"message": "Field is required but missing", "value": "name"}}}

    deleted = await tenant.api.delete(f"/lists/{created.id}")
    assert (deleted.status, deleted.data) == (200, {**expected, "_read_only": {"deleted": True}})
    assert (await tenant.api.get(f"/lists/{created.id}")).status == 404
    assert (await tenant.api.delete(f"/lists/{created.id}")).status == 404


async def test_life_of_an_entry(tenant: Tenant) -> None:
    of = await new_list(tenant)
    created = await tenant.api.put(
        f"/lists/{of}/entries", {"number": "+14155550100", "name": "Ada", "list_id": "elsewhere", "note": "x"}
    )
    expected = {
        "id": created.id,
        "list_id": of,
        "number": "+14155550100",
        "name": "Ada",
        "note": "x",
        "profile": {},
    }
    assert (created.status, created.data) == (201, expected)
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}/lists/{of}/entries/{created.id}"
    path = f"/lists/{of}/entries/{created.id}"
    assert (await tenant.api.get(path)).data == expected

    row = {"id": created.id, "key": of, "value": {"number": "+14155550100", "name": "Ada"}}
    listed = await tenant.api.get(f"/lists/{of}/entries")
    assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, [row], 1)
    assert (await tenant.api.get(f"/lists/{'f' * 32}/entries")).data == []

    merged = await tenant.api.patch(path, {"pattern": "^1", "name": None})
    expected["pattern"] = "^1"
    del expected["name"]
    assert (merged.status, merged.data) == (200, expected)
    refused = await tenant.api.post(path, {"number": "1"})
    assert refused.data == {"list_id": {"required": {"message": "Field is required but missing", "value": "list_id"}}}
    replaced = await tenant.api.post(path, {"number": "1", "list_id": of})
    expected = {"id": created.id, "list_id": of, "number": "1", "profile": {}}
    assert (replaced.status, replaced.data) == (200, expected)

    deleted = await tenant.api.delete(path)
    assert (deleted.status, deleted.data) == (200, {**expected, "_read_only": {"deleted": True}})
    assert (await tenant.api.get(path)).status == 404
    assert (await tenant.api.get(f"/lists/{of}/entries")).data == []


async def test_entries_are_cleared_for_good(tenant: Tenant, server: RunningServer) -> None:
    of, other = await new_list(tenant), await new_list(tenant)
    ids = sorted(
        [(await tenant.api.put(f"/lists/{of}/entries", {"number": str(number)})).id for number in range(3)],
        reverse=True,
    )
    kept = await tenant.api.put(f"/lists/{other}/entries", {"number": "7"})
    photo = await tenant.api.post(f"/lists/{of}/entries/{ids[0]}/photo", body=JPEG, content_type="image/jpeg")
    assert photo.status == 200
    store, attachments = server.runtime.store, server.runtime.attachments
    pictured = await store.get(tenant.id, "list_entry", ids[0])
    assert pictured is not None
    assert await attachments.find(pictured, "photo")

    cleared = await tenant.api.delete(f"/lists/{of}/entries")
    assert (cleared.status, [(row["id"], row["key"]) for row in cleared.data]) == (200, [(id_, of) for id_ in ids])
    assert (await tenant.api.get(f"/lists/{of}/entries")).data == []
    assert await attachments.find(pictured, "photo") is None
    again = await tenant.api.put(f"/lists/{of}/entries", {"id": ids[0], "number": "1"})
    assert (again.status, again.id) == (201, ids[0])

    assert (await tenant.api.delete(f"/lists/{of}")).status == 200
    assert (await tenant.api.get(f"/lists/{of}/entries/{ids[0]}")).status == 404
    assert (await tenant.api.get(f"/lists/{other}/entries/{kept.id}")).status == 200


async def test_a_refused_deletion_keeps_the_entries(tenant: Tenant) -> None:
    of = await new_list(tenant)
    await tenant.api.put(f"/lists/{of}/entries", {"number": "1"})
    refused = await tenant.api.delete(f"/lists/{of}", headers={"If-Match": '"1-0"'})
    assert refused.status == 412
    assert len((await tenant.api.get(f"/lists/{of}/entries")).data) == 1


async def test_card(tenant: Tenant) -> None:
    of = await new_list(tenant, org="Acme; Sons")
    entry = await tenant.api.put(
        f"/lists/{of}/entries",
        {
            "firstname": "Ada",
            "lastname": "Lovelace",
            "displayname": "Countess, the first",
            "email": "ada@acme.test",
            "caller_id": {"internal": "2001", "external": "+14155550100"},
            "profile": {
                "birthday": "1815-12-10",
                "note": "one\ntwo",
                "role": "Analyst",
                "title": "x" * 100,
                "addresses": [{"address": "London: St James", "types": ["home"]}, {"address": "Paris"}],
            },
        },
    )
    path = f"/lists/{of}/entries/{entry.id}"
    title = f"TITLE:{'x' * 100}"
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        "FN:Ada Lovelace",
        "N:Lovelace;Ada",
        "ORG:Acme\\; Sons",
        "EMAIL:ada@acme.test",
        "BDAY:1815-12-10",
        "NOTE:one\\ntwo",
        title[:75],
        title[75:],
        "ROLE:Analyst",
        "NICKNAME:Countess\\, the first",
        "TEL:2001",
        "TEL:+14155550100",
        "ADR;TYPE=home:London\\: St James",
        "ADR;TYPE=intl,postal,parcel,work:Paris",
        "END:VCARD",
    ]
    card = await tenant.api.get(f"{path}/vcard")
    assert (card.status, card.headers["Content-Type"]) == (200, "text/x-vcard")
    assert card.raw.decode() == "\n".join(lines) + "\n"
    card = await tenant.api.get(f"{path}/vcard", headers={"Accept": "text/directory"})
    assert card.headers["Content-Type"] == "text/directory"
    refused = await tenant.api.get(f"{path}/vcard", headers={"Accept": "application/json"})
    assert refused.status == 406
    assert (await tenant.api.get(f"/lists/{of}/entries/{'f' * 32}/vcard")).status == 404

    photo = await tenant.api.post(f"{path}/photo", body=JPEG, content_type="image/jpeg")
    assert (photo.status, photo.data) == (200, entry.data)
    encoded = f"PHOTO;ENCODING=B;TYPE=JPEG:{base64.b64encode(JPEG).decode()}"
    lines[5:5] = [encoded[start : start + 75] for start in range(0, len(encoded), 75)]
    assert (await tenant.api.get(f"{path}/vcard")).raw.decode() == "\n".join(lines) + "\n"
    png = await tenant.api.post(f"{path}/photo", body=b"\x89PNG", content_type="image/png")
    assert png.status == 200
    assert b"PHOTO" not in (await tenant.api.get(f"{path}/vcard")).raw


async def test_a_photo_is_a_file(tenant: Tenant) -> None:
    of = await new_list(tenant)
    entry = await tenant.api.put(f"/lists/{of}/entries", {})
    refused = await tenant.api.post(f"/lists/{of}/entries/{entry.id}/photo", {"photo": "none"})
    expected = {"file": {"required": {"message": "please provide an image file"}}}
    assert refused.invalid() == expected
    text = await tenant.api.post(f"/lists/{of}/entries/{entry.id}/photo", body=b"text", content_type="text/html")
    assert text.status == 415
