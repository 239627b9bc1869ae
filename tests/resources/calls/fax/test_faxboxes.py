# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/faxboxes`."""

from __future__ import annotations

import re

from tests.harness import Tenant

DEFAULTS = {
    "attempts": 0,
    "caller_name": "Kazoo Fax Printer",
    "fax_header": "Kazoo Fax Printer",
    "media": {},
    "retries": 1,
    "smtp_permission_list": [],
}


async def test_create_read_list_change_delete(tenant: Tenant) -> None:
    created = await tenant.api.put("/faxboxes", {"name": "Fax", "smtp_email_address": "mine.test"})
    address = created.data["smtp_email_address"]
    assert re.fullmatch(r"[0-9a-f]{8}\.fax\.kazoo\.io", address)
    expected = {**DEFAULTS, "id": created.id, "name": "Fax"}
    assert (created.status, created.data) == (201, {**expected, "smtp_email_address": address})
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}/faxboxes/{created.id}"
    assert (await tenant.api.get(f"/faxboxes/{created.id}")).data == expected
    assert (await tenant.api.get("/faxboxes")).data == [{**expected, "smtp_email_address": address}]

    replaced = await tenant.api.post(f"/faxboxes/{created.id}", {"name": "Other", "retries": 3})
    assert replaced.data == {**expected, "name": "Other", "retries": 3, "smtp_email_address": address}
    for change in ({"caller_id": "+14155550100"}, {"anything": {"at": "all"}}, {"retries": 2}):
        patched = await tenant.api.patch(f"/faxboxes/{created.id}", change)
        assert patched.status == 200
        assert {**patched.data, **change} == patched.data
        assert patched.data["smtp_email_address"] == address
    assert (await tenant.api.delete(f"/faxboxes/{created.id}")).data["_read_only"] == {"deleted": True}
    assert (await tenant.api.get(f"/faxboxes/{created.id}")).status == 404


async def test_a_mail_address_belongs_to_one_box_anywhere(tenant: Tenant, stranger: Tenant) -> None:
    box = {"name": "Fax", "custom_smtp_email_address": f"Fax@{tenant.realm}"}
    created = await tenant.api.put("/faxboxes", box)
    assert created.status == 201
    taken = {**box, "custom_smtp_email_address": f"fax@{tenant.realm}"}
    refused = await stranger.api.put("/faxboxes", taken)
    message = "email address must be unique"
    assert refused.invalid() == {
        "custom_smtp_email_address": {"unique": {"message": message, "cause": f"fax@{tenant.realm}"}}
    }
    await tenant.api.delete(f"/faxboxes/{created.id}")
    assert (await stranger.api.put("/faxboxes", taken)).status == 201


async def test_the_schema(tenant: Tenant) -> None:
    refused = await tenant.api.put(
        "/faxboxes",
        {
            "retries": 9,
            "smtp_permission_list": ["("],
            "notifications": {"inbound": {"callback": {"url": "http://localhost/"}}},
        },
    )
    assert set(refused.data) == {
        "name",
        "retries",
        "smtp_permission_list.0",
        "notifications.inbound.callback.url",
    }
