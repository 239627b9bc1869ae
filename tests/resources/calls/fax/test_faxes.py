# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/faxes`, also of a fax box and of a user."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from crossbar import clock, ids
from crossbar.documents.document import Document
from crossbar.endpoint.magic_links import magic_link
from crossbar.errors import JSON
from crossbar.resources.calls.fax.faxes import LETTER
from tests.harness import Answer, RunningServer, Tenant, send_parts
from tests.samples import PDF, WAV, pages

JOB: dict[str, Any] = {"from_number": "+14155550100", "to_number": "4155550199"}
BY_URL = {**JOB, "document": {"url": "https://paper.test/fax.pdf"}}
DEFAULTS = {"attempts": 0, "retries": 1}


async def send(tenant: Tenant, data: Any, *files: tuple[bytes, str], path: str = "/faxes") -> Answer:
    return await send_parts(tenant.api, "PUT", path, data, *files)


async def receive(server: RunningServer, tenant: Tenant, *files: tuple[bytes, str], **fields: Any) -> str:
    """A fax handed in by the switch; returns its id."""
    kept = await send_parts(
        server.master.root, "POST", "/ingest/faxes", {"account_id": tenant.id, **JOB, **fields}, *files
    )
    assert kept.status == 200, kept.envelope
    return kept.id


# To send


@pytest.mark.parametrize("path", ["/faxes", "/faxes/outgoing"])
async def test_a_fax_by_url(tenant: Tenant, path: str) -> None:
    created = await tenant.api.put(path, BY_URL)
    expected = {
        **BY_URL,
        **DEFAULTS,
        "id": created.id,
        "to_number": "+14155550199",
        "document": {"url": "https://paper.test/fax.pdf", "method": "get"},
        "fax_timezone": "America/Los_Angeles",
    }
    assert (created.status, created.data) == (201, expected)
    assert re.fullmatch("[0-9a-f]{32}", created.id)
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}{path}/{created.id}"
    (row,) = (await tenant.api.get("/faxes/outgoing")).data
    moment = row.pop("created")
    assert row == {
        "id": created.id,
        "status": "pending",
        "to": "+14155550199",
        "from": "+14155550100",
        "attempts": 0,
    }
    read = await tenant.api.get(f"/faxes/outgoing/{created.id}")
    assert read.data == {**expected, "created": moment, "status": "pending"}
    for folder in ("inbox", "incoming", "outbox"):
        assert (await tenant.api.get(f"/faxes/{folder}")).data == []


async def test_a_fax_with_its_paper(tenant: Tenant, server: RunningServer) -> None:
    created = await send(tenant, JOB, (pages(2), "image/tiff"))
    assert (created.status, created.data["to_number"]) == (201, "+14155550199")
    job = await server.runtime.store.get(tenant.id, "fax", created.id)
    assert job is not None
    assert (job.at("pvt_job_status"), job.at("pvt_pages")) == ("pending", 2)
    papers = await server.runtime.attachments.all(job)
    assert [(paper.name, paper.content_type) for paper in papers] == [
        ("fax_file.pdf", "application/pdf"),
        ("original_file.tiff", "image/tiff"),
    ]


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({}, {"from_number": "required", "to_number": "required"}),
        (JOB, {"document.url": "required"}),
        ({**BY_URL, "to_number": "2001"}, {"document.to_number": "required"}),
        ({**JOB, "document": {"url": "ftp://x"}}, {"document.url": "pattern"}),
        ({**BY_URL, "retries": 5}, {"retries": "maximum"}),
    ],
)
async def test_what_is_no_job(tenant: Tenant, data: Any, errors: dict[str, str]) -> None:
    refused = await tenant.api.put("/faxes", data)
    assert refused.error()[:3] == (400, "400", "validation error")
    assert {field: next(iter(detail)) for field, detail in refused.data.items()} == errors


@pytest.mark.parametrize(
    ("contents", "content_type"), [(b"%PDF-1.4 not really", "application/pdf"), (WAV, "image/tiff")]
)
async def test_what_is_no_paper_leaves_nothing(
    tenant: Tenant, server: RunningServer, contents: bytes, content_type: str
) -> None:
    refused = await send(tenant, JOB, (contents, content_type))
    text = "error processing fax file"
    assert refused.error() == (500, "500", text, {"message": text})
    assert (await tenant.api.get("/faxes/outgoing")).data == []
    stored = server.runtime.store.database["attachments.files"]
    assert await stored.count_documents({"metadata.a": tenant.id}) == 0


async def test_a_fax_box_says_what_the_fax_does_not(tenant: Tenant) -> None:
    box = await tenant.api.put(
        "/faxboxes", {"name": "Fax", "caller_id": "+14155550100", "caller_name": "Acme", "fax_timezone": "Etc/UTC"}
    )
    path = f"/faxboxes/{box.id}/faxes"
    created = await tenant.api.put(path, body=PDF, content_type="application/pdf")
    assert list(created.data) == ["to_number"]
    created = await send(tenant, {"to_number": "4155550199"}, (PDF, "application/pdf"), path=path)
    assert created.data == {
        **DEFAULTS,
        "id": created.id,
        "to_number": "+14155550199",
        "from_number": "+14155550100",
        "from_name": "Acme",
        "fax_identity_name": "Kazoo Fax Printer",
        "fax_timezone": "Etc/UTC",
        "faxbox_id": box.id,
    }
    await tenant.api.put("/faxes", BY_URL)
    assert len((await tenant.api.get("/faxes/outgoing")).data) == 2
    (row,) = (await tenant.api.get(f"{path}/outgoing")).data
    assert (row["id"], row["faxbox_id"], row["from_name"]) == (created.id, box.id, "Acme")
    missing = await tenant.api.put(f"/faxboxes/{'f' * 32}/faxes", BY_URL)
    assert missing.status == 404


async def test_the_faxes_of_a_user(tenant: Tenant, server: RunningServer) -> None:
    path = f"/users/{tenant.admin_id}/faxes"
    own = await tenant.api.put(path, BY_URL)
    assert own.data["owner_id"] == tenant.admin_id
    foreign = await receive(server, tenant)
    received = await receive(server, tenant, owner_id=tenant.admin_id)
    assert [row["id"] for row in (await tenant.api.get(f"{path}/outgoing")).data] == [own.id]
    assert [row["id"] for row in (await tenant.api.get(f"{path}/inbox")).data] == [received]
    assert (await tenant.api.get(f"{path}/inbox/{foreign}")).status == 404


# Received and sent


async def test_a_received_fax(tenant: Tenant, server: RunningServer) -> None:
    fax = await receive(server, tenant, (pages(2), "image/tiff"), call_id="c1")
    public = {**JOB, **DEFAULTS, "id": fax, "call_id": "c1", "folder": "inbox"}
    for folder in ("inbox", "incoming"):
        (row,) = (await tenant.api.get(f"/faxes/{folder}")).data
        created = row.pop("created")
        assert abs(created - clock.now()) < 60
        assert row == {**public, "status": "completed", "to": JOB["to_number"], "from": JOB["from_number"]}
        assert (await tenant.api.get(f"/faxes/{folder}/{fax}")).data == public
    assert (await tenant.api.get("/faxes/outbox")).data == []
    misplaced = await tenant.api.get(f"/faxes/outbox/{fax}")
    text = "document is not in folder outbox"
    assert misplaced.error() == (500, "500", text, {"message": text})

    path = f"/faxes/inbox/{fax}/attachment"
    loaded = await tenant.api.get(path)
    assert (loaded.status, loaded.headers["Content-Type"]) == (200, "application/pdf")
    assert len(PdfReader(BytesIO(loaded.raw)).pages) == 2
    name = r"filename=fax_document_\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\.pdf"
    assert re.fullmatch(f"attachment; {name}", loaded.headers["Content-Disposition"])
    shown = await tenant.api.get(path, query={"disposition": "inline"})
    assert re.fullmatch(f"inline; {name}", shown.headers["Content-Disposition"])

    assert (await tenant.api.delete(path)).data == {}
    assert (await tenant.api.get(path)).error()[0] == 404
    deleted = await tenant.api.delete(f"/faxes/inbox/{fax}")
    assert deleted.data == {**public, "_read_only": {"deleted": True}}
    assert (await tenant.api.get(f"/faxes/inbox/{fax}")).status == 404
    assert (await tenant.api.get("/faxes/inbox")).data == []


async def test_a_hidden_path_to_the_paper(tenant: Tenant, server: RunningServer) -> None:
    fax = await receive(server, tenant, (PDF, "application/pdf"))
    hidden = magic_link(server.runtime, f"/v2/accounts/{tenant.id}/faxes/inbox/{fax}/attachment")
    loaded = await tenant.root.acting(None).get(server.url + hidden)
    assert (loaded.status, loaded.raw) == (200, PDF)


async def test_faxes_are_listed_inside_a_range(tenant: Tenant, server: RunningServer) -> None:
    now = clock.now()
    recent = await receive(server, tenant)
    old = await receive(server, tenant, timestamp=now - 40 * 86_400)
    assert [row["id"] for row in (await tenant.api.get("/faxes/inbox")).data] == [recent]
    older = await tenant.api.get("/faxes/inbox", query={"created_to": now - 30 * 86_400})
    assert [row["id"] for row in older.data] == [old]
    assert old.startswith(clock.year_month(now - 40 * 86_400))


async def test_a_fax_goes_on_and_out_again(tenant: Tenant, server: RunningServer) -> None:
    received = await receive(server, tenant, (PDF, "application/pdf"), rx_result={"success": True})
    path = f"/faxes/inbox/{received}"
    for envelope, text in (({}, "action required"), ({"action": "resubmit"}, "invalid action")):
        refused = await tenant.api.put(path, {}, **envelope)
        assert refused.error() == (500, "500", text, {"message": text})
    not_public = await tenant.api.put(path, {"to_number": "2001"}, action="forward")
    assert list(not_public.data) == ["document.to_number"]

    forwarded = await tenant.api.put(path, {"to_number": "4155550177"}, action="forward")
    assert forwarded.status == 201
    expected = {**JOB, **DEFAULTS, "id": forwarded.id, "to_number": "+14155550177"}
    assert forwarded.data == expected
    (job,) = (await tenant.api.get("/faxes/outgoing")).data
    assert (job["id"], job["status"]) == (forwarded.id, "pending")

    result = {"success": False, "error_message": "busy"}
    done = await server.master.root.post(
        "/ingest/fax_results", {"account_id": tenant.id, "id": forwarded.id, "tx_result": result}
    )
    assert done.status == 200
    assert (await tenant.api.get("/faxes/outgoing")).data == []
    (sent,) = (await tenant.api.get("/faxes/outbox")).data
    assert (sent["id"], sent["status"], sent["tx_result"]["error_message"]) == (done.id, "failed", "busy")
    assert (await tenant.api.get(f"/faxes/outbox/{done.id}/attachment")).raw == PDF
    twice = await server.master.root.post("/ingest/fax_results", {"account_id": tenant.id, "id": forwarded.id})
    assert twice.status == 404

    again = await tenant.api.put(f"/faxes/outbox/{done.id}", {}, action="resubmit")
    assert again.data == {**expected, "id": again.id}
    assert (await tenant.api.get(f"/faxes/outgoing/{again.id}")).data["status"] == "pending"
    stored = server.runtime.store.database["attachments.files"]
    assert await stored.count_documents({"metadata.a": tenant.id}) == 3


async def test_a_fax_without_paper_goes_nowhere(tenant: Tenant, server: RunningServer) -> None:
    received = await receive(server, tenant)
    refused = await tenant.api.put(f"/faxes/inbox/{received}", {}, action="forward")
    assert refused.error()[2] == "error when forwarding fax"
    sent = await receive(server, tenant, folder="outbox")
    refused = await tenant.api.put(f"/faxes/outbox/{sent}", {}, action="resubmit")
    assert refused.error()[2] == "error when resubmitting fax"


# Letters


def letter_of(account_id: str, fields: dict[str, JSON]) -> Document:
    """A letter to be kept: `to`, `from`, `errors` and what else is known of it."""
    now = clock.now()
    private = {"pvt_type": LETTER, "pvt_account_id": account_id, "pvt_created": now, "pvt_modified": now}
    return Document(account_id, LETTER, ids.monthly_id(), {**fields, **private})


async def test_letters_that_were_to_become_faxes(tenant: Tenant, server: RunningServer) -> None:
    assert (await tenant.api.get("/faxes/smtplog")).data == []
    fields = {"to": "4155550199@1a2b3c4d.fax.test", "from": "a@x.test", "errors": ["not allowed", "no paper"]}
    letter = await server.runtime.store.insert(letter_of(tenant.id, {**fields, "faxbox_id": "f" * 32}))
    (row,) = (await tenant.api.get("/faxes/smtplog")).data
    assert row.pop("created") == letter.at("pvt_created")
    assert row == {"id": letter.id, "to": fields["to"], "from": "a@x.test", "error": "not allowed"}
    read = await tenant.api.get(f"/faxes/smtplog/{letter.id}")
    assert read.data == {"id": letter.id, **fields, "faxbox_id": "f" * 32}
    assert (await tenant.api.get(f"/faxes/smtplog/202401-{'0' * 32}")).status == 404
