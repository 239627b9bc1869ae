# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/port_requests/{ID}/attachments` and `/loa`."""

from __future__ import annotations

import asyncio
import base64
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from tests.harness import Answer, RunningServer, Tenant, send_parts, set_options
from tests.numbers import fresh
from tests.ports import BILL, Porting

PDF = b"%PDF-1.4 a bill"
AS_URL = b"data:application/pdf;base64," + base64.b64encode(PDF)


async def put(porting: Porting, request_id: str, body: bytes, content_type: str, **query: str) -> Answer:
    path = f"/port_requests/{request_id}/attachments"
    return await porting.customer.api.put(path, body=body, content_type=content_type, query=query)


async def test_life_of_a_file(porting: Porting) -> None:
    request_id = (await porting.made()).id
    path = f"/port_requests/{request_id}/attachments"
    assert (await porting.customer.api.get(path)).data == {}
    added = await put(porting, request_id, AS_URL, "application/pdf", filename="bill.pdf")
    assert (added.status, added.data) == (201, {})
    listed = {"bill.pdf": {"content_type": "application/pdf", "length": len(AS_URL)}}
    assert (await porting.customer.api.get(path)).data == listed
    assert (await porting.customer.api.get(f"/port_requests/{request_id}")).data["uploads"] == listed
    for accept in ("application/pdf", "application/json, text/javascript, */*", "*/*", "application/json"):
        read = await porting.agent.api.get(f"{path}/bill.pdf", headers={"Accept": accept})
        assert (read.status, read.raw, read.headers["Content-Type"]) == (200, AS_URL, "application/pdf")
        assert read.headers["Content-Disposition"] == "attachment; filename=bill.pdf"
    replaced = await porting.customer.api.post(f"{path}/bill.pdf", body=b"text", content_type="text/plain")
    assert (replaced.status, replaced.data) == (200, {})
    assert (await porting.customer.api.get(path)).data == {"bill.pdf": {"content_type": "text/plain", "length": 4}}
    assert (await porting.customer.api.get(f"{path}/bill.pdf")).raw == b"text"
    deleted = await porting.customer.api.delete(f"{path}/bill.pdf")
    assert (deleted.status, deleted.data) == (200, {})
    assert (await porting.customer.api.get(path)).data == {}
    missing = (404, "404", "bad_identifier", {"message": "bad identifier", "cause": "bill.pdf"})
    assert (await porting.customer.api.get(f"{path}/bill.pdf")).error() == missing
    assert (await porting.customer.api.delete(f"{path}/bill.pdf")).error() == missing
    again = await porting.customer.api.post(f"{path}/bill.pdf", body=b"text", content_type="text/plain")
    assert again.error() == missing


ENDINGS = {"application/pdf": ".pdf", "application/x-pdf": ".pdf", "text/plain": ".txt", "application/octet-stream": ""}
NAMES = {"application/pdf": ("bill.signed.pdf", "a/b.pdf"), "text/plain; charset=utf-8": ("Ärger und Öl.txt",)}
CALLED = [
    *((content_type, "bill", f"bill{ending}") for content_type, ending in ENDINGS.items()),
    *((content_type, name, name) for content_type, names in NAMES.items() for name in names),
]


@pytest.mark.parametrize(("content_type", "filename", "name"), CALLED)
async def test_what_files_are_called(porting: Porting, content_type: str, filename: str, name: str) -> None:
    request_id = (await porting.made()).id
    assert (await put(porting, request_id, PDF, content_type, filename=filename)).status == 201
    path = f"/port_requests/{request_id}/attachments"
    assert list((await porting.customer.api.get(path)).data) == [name]
    read = await porting.customer.api.get(f"{path}/{name.replace('/', '%2F')}") if "/" not in name else None
    assert read is None or (read.status, read.raw) == (200, PDF)


async def test_a_file_without_a_name_has_one(porting: Porting) -> None:
    request_id = (await porting.made()).id
    assert (await put(porting, request_id, PDF, "application/pdf")).status == 201
    [name] = (await porting.customer.api.get(f"/port_requests/{request_id}/attachments")).data
    assert name.startswith("uploaded_file_")
    assert name.endswith(".pdf")


async def test_a_file_is_decoded_only_where_the_request_says_so(porting: Porting) -> None:
    path = f"/port_requests/{(await porting.made()).id}/attachments"
    encoded = {"body": base64.b64encode(PDF), "content_type": "application/pdf", "query": {"filename": "a.pdf"}}
    await porting.customer.api.put(path, **encoded)
    assert (await porting.customer.api.get(f"{path}/a.pdf")).raw == base64.b64encode(PDF)
    await porting.customer.api.put(path, **encoded, headers={"Content-Transfer-Encoding": "base64"})
    assert (await porting.customer.api.get(f"{path}/a.pdf")).raw == PDF


async def test_what_is_no_file(porting: Porting, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = (await porting.made()).id
    path = f"/port_requests/{request_id}/attachments"
    for content_type in ("image/png", "text/html", "application/zip"):
        assert (await put(porting, request_id, PDF, content_type, filename="a")).status == 415
    await put(porting, request_id, PDF, "application/pdf", filename="a.pdf")
    refused = await porting.customer.api.post(f"{path}/a.pdf", body=PDF, content_type="image/png")
    assert refused.status == 415
    empty: tuple[int, str, str, Any] = (400, "400", "validation error", {})
    for answer in (await porting.customer.api.put(path, {}), await porting.customer.api.post(f"{path}/a.pdf", {})):
        assert answer.error()[:3] == empty[:3]
        assert answer.data == {"file": {"required": {"message": "Please provide a file"}}}
    two = await send_parts(porting.customer.api, "PUT", path, {}, (PDF, "application/pdf"), (PDF, "application/pdf"))
    assert list(two.data) == ["file"]
    set_options(monkeypatch, server, "limits", max_upload_size=1000)
    large = await put(porting, request_id, b"x" * 1001, "application/pdf", filename="large.pdf")
    assert large.error()[3] == {
        "file": {"maxSize": {"message": "Payload or Files must not be more than 1000 bytes", "target": 1000}}
    }
    assert list((await porting.customer.api.get(path)).data) == ["a.pdf"]


async def test_files_of_a_request_on_its_way_stay(porting: Porting) -> None:
    request_id = (await porting.made()).id
    path = f"/port_requests/{request_id}/attachments"
    await put(porting, request_id, PDF, "application/pdf", filename="a.pdf")
    for state in ("submitted", "pending", "scheduled", "completed"):
        await porting.moved(request_id, state)
        for api in (porting.customer.api, porting.agent.api, porting.master.api):
            refused = await api.delete(f"{path}/a.pdf")
            assert refused.error() == (405, "405", "invalid_method", {"message": "invalid method"})
        assert (await put(porting, request_id, PDF, "application/pdf", filename=f"{state}.pdf")).status == 201
    assert len((await porting.customer.api.get(path)).data) == 5


async def test_sixteen_files_at_once(porting: Porting) -> None:
    request_id = (await porting.made()).id
    uploads = (
        put(porting, request_id, PDF + bytes([n]), "application/pdf", filename=f"{n % 8}.pdf") for n in range(16)
    )
    assert {answer.status for answer in await asyncio.gather(*uploads)} == {201}
    listed = (await porting.customer.api.get(f"/port_requests/{request_id}/attachments")).data
    assert listed == {f"{n}.pdf": {"content_type": "application/pdf", "length": len(PDF) + 1} for n in range(8)}


# The letter


def text_of(answer: Answer) -> str:
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/pdf")
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(answer.raw)).pages).split())


async def test_a_letter_of_authorization(porting: Porting) -> None:
    numbers = [fresh() for _ in range(7)]
    bill = {**BILL, "street_number": "5", "street_address": "Main", "street_type": "St", "btn": numbers[0], "pin": "99"}
    request = await porting.made(*numbers, bill=bill, signee_name="Ann Lee", signing_date=63_950_128_200)
    path = f"/port_requests/{request.id}/loa"
    letter = await porting.customer.api.get(path, headers={"Accept": "application/pdf"})
    text = text_of(letter)
    reseller = (await porting.reseller.api.get("")).data["name"]
    for wanted in (
        "Letter of Authorization",
        reseller,
        "Ann Lee",
        "5 Main St",
        "Boston, MA",
        "Old Telco",
        "12-34",
        "99",
    ):
        assert wanted in text, text
    assert "2026-07-01" in text
    assert all(number in text for number in numbers)
    assert letter.headers["Content-Disposition"] == f'attachment; filename="loa-{request.id}.pdf"'
    for api in (porting.agent.api, porting.master.api):
        assert text_of(await api.get(path)) == text
    await porting.customer.api.patch(f"/port_requests/{request.id}", {"winning_carrier": "New Telco"})
    assert "New Telco" in text_of(await porting.customer.api.get(path, query={"accept": "pdf"}))
    await porting.moved(request.id, "submitted", "pending", "completed")
    assert numbers[3] in text_of(await porting.customer.api.get(path))


@pytest.mark.parametrize(
    "name", ["", "a\nb\tc", "\0\x07", "💩 日本語 عربى", "<b>&amp;</b> **x** __y__", "x" * 128, "{carrier} {0}"]
)
async def test_a_letter_bears_any_text(porting: Porting, name: str) -> None:
    bill = {"name": name, "street_address": name, "carrier": name, "account_number": name * 20}
    request = await porting.made(bill=bill, signee_name=name, winning_carrier=name, signing_date=10**18)
    text_of(await porting.customer.api.get(f"/port_requests/{request.id}/loa"))


async def test_a_letter_with_many_numbers_has_pages(porting: Porting) -> None:
    request = await porting.made(*(fresh() for _ in range(400)))
    letter = await porting.customer.api.get(f"/port_requests/{request.id}/loa")
    assert len(PdfReader(BytesIO(letter.raw)).pages) > 1
    printed = text_of(letter)
    assert all(number in printed for number in request.data["numbers"])


async def test_files_are_their_owners(porting: Porting, stranger: Tenant) -> None:
    request_id = (await porting.made()).id
    await put(porting, request_id, PDF, "application/pdf", filename="a.pdf")
    for path in (f"/port_requests/{request_id}/attachments/a.pdf", f"/port_requests/{request_id}/loa"):
        answer = await stranger.api.get(path)
        assert answer.status == 404
        assert PDF not in answer.raw
