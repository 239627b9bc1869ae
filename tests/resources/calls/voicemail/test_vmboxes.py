# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/vmboxes` and the messages in them."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar import clock
from crossbar.documents.document import Document
from tests.harness import RunningServer, Tenant
from tests.voicemail import DAY, DEFAULTS, TAKEN, leave, new_box

# Boxes


async def test_create_read_replace_delete(tenant: Tenant) -> None:
    created = await tenant.api.put("/vmboxes", {"name": "Ada", "mailbox": "101"})
    expected = {**DEFAULTS, "id": created.id, "name": "Ada", "mailbox": "101"}
    assert (created.status, created.data) == (201, expected)
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}/vmboxes/{created.id}"
    read = await tenant.api.get(f"/vmboxes/{created.id}")
    assert (read.status, read.data) == (200, expected)
    replaced = await tenant.api.post(f"/vmboxes/{created.id}", {"name": "Bob", "mailbox": "101", "pin": "1234"})
    assert (replaced.status, replaced.data) == (200, {**expected, "name": "Bob", "pin": "1234"})
    patched = await tenant.api.patch(f"/vmboxes/{created.id}", {"pin": None, "my_field": 1})
    assert (patched.status, patched.data) == (200, {**expected, "name": "Bob", "my_field": 1})
    deleted = await tenant.api.delete(f"/vmboxes/{created.id}")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert (await tenant.api.get(f"/vmboxes/{created.id}")).status == 404


async def test_boxes_are_listed_by_name_with_their_messages(tenant: Tenant) -> None:
    ids = {name: await new_box(tenant, number, name=name) for name, number in (("b", "2"), ("c", "3"), ("a", "1"))}
    row = {"messages": 0, "flags": []}
    listed = await tenant.api.get("/vmboxes")
    assert listed.data == [
        {"id": ids["a"], "name": "a", "mailbox": "1", **row},
        {"id": ids["b"], "name": "b", "mailbox": "2", **row},
        {"id": ids["c"], "name": "c", "mailbox": "3", **row},
    ]
    for folder in ("new", "new", "saved", "deleted"):
        await leave(tenant, ids["b"], folder=folder)
    await leave(tenant, ids["c"], timestamp=clock.now() - 100 * DAY)
    counted = await tenant.api.get("/vmboxes")
    assert [(row["messages"], row.get("folders")) for row in counted.data] == [
        (0, None),
        (3, {"new": 2, "saved": 1}),
        (0, None),
    ]


@pytest.mark.parametrize(("one", "other"), [("100", "100"), ("100", "0100")])
async def test_a_mailbox_number_is_unique(tenant: Tenant, one: str, other: str) -> None:
    await new_box(tenant, one)
    taken = await tenant.api.put("/vmboxes", {"name": "Two", "mailbox": other})
    assert taken.data == {"mailbox": {"unique": {"message": TAKEN, "cause": other}}}
    nameless = await tenant.api.put("/vmboxes", {"mailbox": other})
    assert set(nameless.data) == {"mailbox", "name"}


async def test_the_one_address_of_old_clients(tenant: Tenant) -> None:
    created = await tenant.api.put("/vmboxes", {"name": "A", "mailbox": "1", "notify_email_address": "a@x.test"})
    assert created.headers["Warning"] == "214 Transformation applied: attribute notify_email_address replaced"
    assert created.data["notify_email_addresses"] == ["a@x.test"]
    assert "notify_email_address" not in created.data
    current = await tenant.api.patch(f"/vmboxes/{created.id}", {"notify_email_addresses": ["b@x.test"]})
    assert "Warning" not in current.headers
    assert current.data["notify_email_addresses"] == ["b@x.test"]


async def test_messages_inside_a_box_are_kept_and_not_shown(tenant: Tenant, server: RunningServer) -> None:
    box = await new_box(tenant)

    def age(document: Any) -> None:
        document.fields["messages"] = [{"media_id": "m1"}]

    await server.runtime.store.update(tenant.id, "vmbox", box, age)
    listed = await tenant.api.get("/vmboxes")
    assert listed.data[0]["messages"] == 1
    for changed in (
        await tenant.api.post(f"/vmboxes/{box}", {"name": "N", "mailbox": "100"}),
        await tenant.api.patch(f"/vmboxes/{box}", {"name": "M"}),
    ):
        assert changed.envelope["message"] == "Please migrate your voicemail box messages to MODB"
        assert "messages" not in changed.data
    assert "messages" not in (await tenant.api.get(f"/vmboxes/{box}")).data
    stored = await server.runtime.store.get(tenant.id, "vmbox", box)
    assert stored is not None
    assert stored.at("messages") == [{"media_id": "m1"}]


# Mailbox numbers

NO_NUMBER = {"unique": {"message": "Invalid mailbox number or already exists"}}


def refused(mailbox: str) -> tuple[int, str, str, dict[str, Any]]:
    unique = {**NO_NUMBER["unique"], "cause": mailbox}
    return 400, "400", "validation error", {"mailbox": {"unique": unique}}


@pytest.mark.parametrize(
    "mailbox",
    [
        "abc",
        "1a",
        "10 0",
        "10-0",
        "*97",
        "#",
        "0x64",
        "1_0",
        " 100",
        "100 ",
        "100\n",
        "\uff11\uff10\uff10",
        "\u0661\u0660\u0660",
        "1e2",
        "-",
        "9" * 20,
    ],
)
async def test_a_mailbox_is_a_number(mailbox: str, tenant: Tenant) -> None:
    assert (await tenant.api.put("/vmboxes", {"name": "Box", "mailbox": mailbox})).error() == refused(mailbox)
    box = await tenant.api.put("/vmboxes", {"name": "Box", "mailbox": "200"})
    path = f"/vmboxes/{box.id}"
    assert (await tenant.api.post(path, {"name": "Box", "mailbox": mailbox})).error() == refused(mailbox)
    assert (await tenant.api.patch(path, {"mailbox": mailbox})).error() == refused(mailbox)
    assert (await tenant.api.get(path)).data["mailbox"] == "200"


@pytest.mark.parametrize("mailbox", ["100", "0100", "00100", "+100", "100.0", "99.5", "100.4"])
async def test_one_number_has_one_box_however_it_is_written(mailbox: str, tenant: Tenant) -> None:
    assert (await tenant.api.put("/vmboxes", {"name": "Box", "mailbox": "100"})).status == 201
    assert (await tenant.api.put("/vmboxes", {"name": "Box 2", "mailbox": mailbox})).error() == refused(mailbox)


async def test_other_errors_come_along(tenant: Tenant) -> None:
    refusal = await tenant.api.put("/vmboxes", {"mailbox": "abc"})
    assert refusal.status == 400
    assert set(refusal.data) == {"mailbox", "name"}


async def test_a_box_with_an_old_number_that_is_none_can_be_read_and_mended(
    tenant: Tenant, server: RunningServer
) -> None:
    box = await tenant.api.put("/vmboxes", {"name": "Box", "mailbox": "100"})

    def spoil(document: Document) -> None:
        document.fields["mailbox"] = "abc"

    await server.runtime.store.update(tenant.id, "vmbox", box.id, spoil)
    path = f"/vmboxes/{box.id}"
    assert (await tenant.api.get(path)).data["mailbox"] == "abc"
    assert (await tenant.api.patch(path, {"mailbox": "101"})).data["mailbox"] == "101"
    assert (await tenant.api.put("/vmboxes", {"name": "Other", "mailbox": "100"})).status == 201
