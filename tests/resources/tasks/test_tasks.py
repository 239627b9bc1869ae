# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/tasks` and `/tasks`, as clients use them."""

from __future__ import annotations

import asyncio
import csv
import time
from io import StringIO
from typing import Any

from crossbar import clock
from crossbar.resources.tasks.domain.job import start
from tests.call_records import given, leg
from tests.harness import Answer, Api, RunningServer, Tenant

ID1 = {"category": "skel", "action": "id1"}
ID2 = {"category": "skel", "action": "id2"}
DUMP = {"category": "billing", "action": "dump"}


async def put_csv(api: Api, text: str | bytes, query: dict[str, str], path: str = "/tasks") -> Answer:
    body = text.encode() if isinstance(text, str) else text
    return await api.request("PUT", path, body=body, content_type="text/csv", query=query)


async def done(api: Api, task_id: str, path: str = "/tasks") -> dict[str, Any]:
    """The task, as soon as it is over."""
    async with asyncio.timeout(30):
        while True:
            task: dict[str, Any] = (await api.get(f"{path}/{task_id}")).data["_read_only"]
            if task["status"] not in ("pending", "executing"):
                return task


async def run(tenant: Tenant, task_id: str) -> dict[str, Any]:
    started = await tenant.api.patch(f"/tasks/{task_id}", {})
    assert started.status == 200, started.envelope
    return await done(tenant.api, task_id)


async def executing(server: RunningServer, tenant: Tenant) -> str:
    """A task that has begun, and that no worker will take for an hour."""
    task_id: str = (await put_csv(tenant.api, "col1\na\n", ID1)).data["_read_only"]["id"]
    with clock.frozen(time.time() + 3600):
        assert await start(server.runtime.store, tenant.id, task_id, "crossbar@elsewhere")
    return task_id


def unknown(task_id: str) -> tuple[int, str, str, Any]:
    return 404, "404", "bad identifier", [task_id]


# Help


async def test_help_needs_no_token(anonymous: Api) -> None:
    told = await anonymous.get("/tasks")
    assert told.status == 200
    offered = {category: [*actions] for category, actions in told.data["tasks"].items()}
    assert len(offered.pop("number_management")) == 20
    assert offered == {
        "billing": ["dump"],
        "skel": ["id1", "id2"],
        "rates": ["export", "import", "delete"],
        "resource_selectors": ["import", "delete"],
    }


async def test_help_about_one_category_and_one_action(anonymous: Api) -> None:
    category = await anonymous.get("/tasks", query={"category": "skel"})
    assert [*category.data["tasks"]["skel"]] == ["id1", "id2"]
    action = await anonymous.get("/tasks", query=ID2)
    assert action.data == {
        "tasks": {
            "skel": {
                "id2": {
                    "description": "The identity of two columns",
                    "doc": "Takes two columns, and gives both back as they are.",
                    "expected_content": "text/csv",
                    "mandatory": ["col1", "col2"],
                }
            }
        }
    }
    dump = await anonymous.get("/tasks", query=DUMP)
    assert dump.data["tasks"]["billing"]["dump"].keys() == {"description", "doc"}


async def test_help_about_what_is_not_there(anonymous: Api) -> None:
    for query in ({"category": "compaction"}, {"category": "skel", "action": "id3"}):
        told = await anonymous.get("/tasks", query=query)
        assert told.error() == unknown("unknown category or action")


# Creating


async def test_a_task_from_csv(tenant: Tenant) -> None:
    before = clock.now()
    created = await put_csv(tenant.api, "col1\na\nb\n", {**ID1, "file_name": "letters.csv"})
    assert created.status == 201
    task = created.data["_read_only"]
    assert before <= task["created"] <= clock.now()
    assert task == {
        "id": task["id"],
        "account_id": tenant.id,
        "auth_account_id": tenant.id,
        "category": "skel",
        "action": "id1",
        "file_name": "letters.csv",
        "created": task["created"],
        "status": "pending",
        "total_count": 2,
    }
    assert len(task["id"]) == 30
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}/tasks/{task['id']}"
    read = await tenant.api.get(f"/tasks/{task['id']}")
    assert (read.status, read.data) == (200, {"_read_only": {**task, "csvs": ["in.csv"]}})


async def test_an_input_comes_back_byte_for_byte(tenant: Tenant) -> None:
    sent = b'\xef\xbb\xbfcol1,note\r\n"a, b","say ""hi"""\n\n\xc3\xa4,\r\n'
    task = (await put_csv(tenant.api, sent, ID1)).data["_read_only"]
    assert task["total_count"] == 2
    path = f"/tasks/{task['id']}"
    for answer in (
        await tenant.api.get(f"{path}/input"),
        await tenant.api.get(path, query={"csv_name": "in.csv"}, headers={"Accept": "text/csv"}),
        await tenant.api.get(path, query={"csv_name": "in.csv", "accept": "csv"}),
    ):
        assert (answer.status, answer.raw) == (200, sent)
        assert answer.headers["Content-Type"] == "text/csv"
        name = f"skel_id1_{task['id']}_in.csv"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'


async def test_an_upload_of_any_csv_type(tenant: Tenant) -> None:
    for content_type in ("text/comma-separated-values", "application/octet-stream", "text/csv; charset=utf-8"):
        made = await tenant.api.request("PUT", "/tasks", body=b"col1\na\n", content_type=content_type, query=ID1)
        assert (made.status, made.data["_read_only"]["total_count"]) == (201, 1)


async def test_a_task_from_records(tenant: Tenant) -> None:
    records = [{"col1": "a", "col2": 7}, {"col2": "d, e", "col1": "c"}, {"col1": "f", "col2": True, "col3": "x"}]
    created = await tenant.api.put("/tasks", {"records": records, "file_name": "some.json"}, query=ID2)
    task = created.data["_read_only"]
    assert (created.status, task["total_count"], task["file_name"]) == (201, 3, "some.json")
    stored = await tenant.api.get(f"/tasks/{task['id']}/input")
    assert stored.headers["Content-Type"] == "text/csv"
    assert stored.raw == b'col1,col2\r\na,7\r\nc,"d, e"\r\nf,true\r\n'


async def test_records_must_be_objects(tenant: Tenant) -> None:
    refused = await tenant.api.put("/tasks", {"records": ["a"]}, query=ID1)
    assert refused.error()[:3] == (400, "400", "validation error")
    assert refused.data["records.0"].keys() == {"type"}


async def test_category_and_action_are_in_the_query(tenant: Tenant) -> None:
    for query in ({}, {"category": "skel"}, {"action": "id1"}):
        refused = await tenant.api.put("/tasks", {"category": "skel", "action": "id1"}, query=query)
        assert refused.error() == (500, "500", "invalid request", {"message": "invalid request"})


async def test_an_action_that_is_not_offered(tenant: Tenant) -> None:
    for category, action in (("skel", "id3"), ("number_management", "none"), ("compaction", "compact_all")):
        refused = await tenant.api.put("/tasks", {}, query={"category": category, "action": action})
        assert refused.error() == unknown("unknown_category_action")


async def test_what_is_no_csv(tenant: Tenant) -> None:
    headerless = "Empty CSV or some row(s) longer than others or header missing"
    malformed = "Malformed CSV - unable to process the file due to errors in the CSV"
    for text, message in (
        (b"", headerless),
        (b"col1\n", headerless),
        (b"col1,\na,b\n", headerless),
        (b"col1\na,b\n", headerless),
        (b"col1,col2\na\n", headerless),
        (b'col1\n"a\n', malformed),
        (b"col1\n\xff\xfe\n", malformed),
    ):
        refused = await put_csv(tenant.api, text, ID1)
        assert refused.error() == (400, "400", "validation error", {"csv": {"format": {"message": message}}}), text


async def test_an_input_that_does_not_fit_the_action(tenant: Tenant) -> None:
    for answer, errors in (
        (await put_csv(tenant.api, "col1\na\n", ID2), {"missing_mandatory_fields": ["col2"]}),
        (
            await put_csv(tenant.api, 'col1,col2,x\na,b,\n,"c, d",e\nf,,\n', ID2),
            {"missing_mandatory_values": [',"c, d",e', "f,,"]},
        ),
        (
            await tenant.api.put("/tasks", {}, query=ID2),
            {"missing_mandatory_fields": ["col1", "col2"], "expected_content": "text/csv"},
        ),
        (await put_csv(tenant.api, "col1\na\n", DUMP), {"expected_content": "none"}),
    ):
        assert answer.error() == (400, "400", "bad request", errors)
    assert (await tenant.api.get("/tasks")).data == []


# Running


async def test_the_life_of_a_task(tenant: Tenant) -> None:
    task_id = (await put_csv(tenant.api, "col1\na\nb\n", ID1)).data["_read_only"]["id"]
    path = f"/tasks/{task_id}"
    for file in (path + "/output", path):
        missing = await tenant.api.get(file, headers={"Accept": "text/csv"})
        assert missing.error() == (404, "404", "bad_identifier", {"message": "bad identifier", "cause": task_id})

    started = await tenant.api.patch(path, {})
    begun = started.data["_read_only"]
    assert (started.status, begun["status"]) == (200, "executing")
    assert begun["node"].startswith("crossbar@")
    assert begun["start_timestamp"] >= begun["created"]
    over = await done(tenant.api, task_id)
    assert over["end_timestamp"] >= over["start_timestamp"]
    assert over == {
        **{key: value for key, value in begun.items() if key != "node"},
        "status": "success",
        "end_timestamp": over["end_timestamp"],
        "success_count": 2,
        "failure_count": 0,
        "total_count": 2,
        "csvs": ["in.csv", "out.csv"],
    }
    for answer in (await tenant.api.get(f"{path}/output"), await tenant.api.get(path, query={"accept": "csv"})):
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv")
        assert answer.raw == b"col1,error\r\na,col1 was set to a!\r\nb,col1 was set to b!\r\n"
        name = f"skel_id1_{task_id}_out.csv"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'

    again = await tenant.api.patch(path, {})
    details = {"message": "bad identifier", "reason": "task already started", "cause": task_id}
    assert again.error() == (404, "404", "bad_identifier", details)
    stopped = await tenant.api.patch(f"{path}/stop", {})
    details = {"message": "bad identifier", "reason": "task is not running", "cause": task_id}
    assert stopped.error() == (404, "404", "bad_identifier", details)

    removed = await tenant.api.delete(path)
    assert (removed.status, removed.data["_read_only"]["status"]) == (200, "success")
    for gone in (await tenant.api.get(path), await tenant.api.get(f"{path}/output"), await tenant.api.delete(path)):
        assert gone.error() == unknown(task_id)


async def test_rows_that_will_not_do(tenant: Tenant) -> None:
    records = [{"col1": "a", "col2": "b"}, {"col1": None, "col2": ""}, {"col1": "c"}]
    created = await tenant.api.put("/tasks", {"records": records}, query=ID2)
    over = await run(tenant, created.data["_read_only"]["id"])
    assert (over["status"], over["success_count"], over["failure_count"]) == ("partial", 1, 2)
    output = await tenant.api.get(f"/tasks/{over['id']}/output")
    assert output.raw == (
        b"col1,col2,Col1,Col2,error\r\na,b,a,b,\r\n,,,,bad fields(s) col1 col2\r\nc,,,,bad fields(s) col2\r\n"
    )


async def test_a_task_of_which_nothing_succeeds(tenant: Tenant) -> None:
    created = await tenant.api.put("/tasks", {"records": [{"col1": "a", "col2": ""}]}, query=ID2)
    over = await run(tenant, created.data["_read_only"]["id"])
    assert (over["status"], over["success_count"], over["failure_count"]) == ("failure", 0, 1)


async def test_many_rows(tenant: Tenant) -> None:
    text = "col1\n" + "".join(f"{number}\n" for number in range(1050))
    created = await put_csv(tenant.api, text, ID1)
    over = await run(tenant, created.data["_read_only"]["id"])
    assert (over["status"], over["success_count"], over["total_count"]) == ("success", 1050, 1050)
    output = await tenant.api.get(f"/tasks/{over['id']}/output")
    rows = list(csv.DictReader(StringIO(output.raw.decode(), newline="")))
    assert [row["col1"] for row in rows] == [str(number) for number in range(1050)]


async def test_a_running_task_is_stopped(server: RunningServer, tenant: Tenant) -> None:
    task_id = await executing(server, tenant)
    stopped = await tenant.api.patch(f"/tasks/{task_id}/stop", {})
    assert (stopped.status, stopped.data["_read_only"]["status"]) == (200, "stopped")
    assert "end_timestamp" in stopped.data["_read_only"]
    again = await tenant.api.patch(f"/tasks/{task_id}", {})
    assert again.data["reason"] == "task already started"
    assert (await tenant.api.delete(f"/tasks/{task_id}")).status == 200


async def test_a_running_task_stays(server: RunningServer, tenant: Tenant) -> None:
    task_id = await executing(server, tenant)
    started = await tenant.api.patch(f"/tasks/{task_id}", {})
    assert (started.status, started.data["reason"]) == (404, "task already started")
    refused = await tenant.api.delete(f"/tasks/{task_id}")
    assert refused.error() == (404, "404", "bad_identifier", {"message": "bad identifier", "cause": task_id})
    assert (await tenant.api.get(f"/tasks/{task_id}")).data["_read_only"]["status"] == "executing"


async def test_an_unknown_task(tenant: Tenant, stranger: Tenant) -> None:
    theirs = (await put_csv(stranger.api, "col1\na\n", ID1)).data["_read_only"]["id"]
    for task_id in ("f" * 30, theirs):
        for answer in (
            await tenant.api.get(f"/tasks/{task_id}"),
            await tenant.api.get(f"/tasks/{task_id}/input"),
            await tenant.api.get(f"/tasks/{task_id}/output"),
            await tenant.api.patch(f"/tasks/{task_id}", {}),
            await tenant.api.patch(f"/tasks/{task_id}/stop", {}),
            await tenant.api.delete(f"/tasks/{task_id}"),
        ):
            assert answer.error() == unknown(task_id)


async def test_tasks_are_listed_newest_first(tenant: Tenant) -> None:
    ids = []
    for minute in (1, 2, 3):
        with clock.frozen(time.time() + 60 * minute):
            ids.append((await put_csv(tenant.api, "col1\na\n", ID1)).data["_read_only"]["id"])
    page = await tenant.api.get("/tasks", query={"page_size": 2})
    assert [row["id"] for row in page.data] == [ids[2], ids[1]]
    rest = await tenant.api.get("/tasks", query={"page_size": 2, "start_key": page.envelope["next_start_key"]})
    assert rest.data == [(await tenant.api.get(f"/tasks/{ids[0]}")).data["_read_only"]]
    await run(tenant, ids[1])
    over = await tenant.api.get("/tasks", query={"filter_status": "success"})
    assert [row["id"] for row in over.data] == [ids[1]]


# Without an account in the path


async def test_tasks_of_the_own_account(master: Tenant, tenant: Tenant) -> None:
    api = master.root
    created = await put_csv(api, "col1\na\n", ID1)
    task = created.data["_read_only"]
    path = f"/tasks/{task['id']}"
    assert (created.status, task["account_id"], created.headers["Location"]) == (201, master.id, f"/v2{path}")
    assert (await api.get(path)).data["_read_only"]["status"] == "pending"
    assert (await api.get(f"{path}/input")).raw == b"col1\na\n"
    stopped = await api.patch(f"{path}/stop", {})
    assert stopped.data["reason"] == "task is not running"
    assert (await api.patch(path, {})).data["_read_only"]["status"] == "executing"
    assert (await done(api, task["id"]))["status"] == "success"
    assert (await api.get(f"{path}/output")).raw.startswith(b"col1,error\r\n")
    assert task["id"] in [row["id"] for row in (await master.api.get("/tasks")).data]
    assert (await api.delete(path)).status == 200

    theirs = (await put_csv(tenant.api, "col1\na\n", ID1)).data["_read_only"]["id"]
    assert (await api.get(f"/tasks/{theirs}")).error() == unknown(theirs)
    for refused in (
        await put_csv(tenant.root, "col1\na\n", ID1),
        await tenant.root.get(f"/tasks/{theirs}"),
        await tenant.root.get(f"/tasks/{theirs}/output"),
        await tenant.root.patch(f"/tasks/{theirs}", {}),
        await tenant.root.patch(f"/tasks/{theirs}/stop", {}),
        await tenant.root.delete(f"/tasks/{theirs}"),
    ):
        assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})


# Billing


async def dumped(tenant: Tenant, api: Api) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """A dump ordered by a caller and over, and the rows of its output."""
    created = await api.put(f"/accounts/{tenant.id}/tasks", {}, query=DUMP)
    task = created.data["_read_only"]
    assert (created.status, "total_count" in task) == (201, False)
    over = await run(tenant, task["id"])
    assert over["csvs"] == ["out.csv"]
    output = await tenant.api.get(f"/tasks/{task['id']}/output")
    return over, list(csv.DictReader(StringIO(output.raw.decode(), newline="")))


async def test_a_dump_of_no_calls(tenant: Tenant) -> None:
    over, rows = await dumped(tenant, tenant.root)
    assert (over["status"], over["success_count"], over["failure_count"], rows) == ("success", 0, 0, [])


async def test_a_dump_has_the_legs_of_the_month(server: RunningServer, tenant: Tenant) -> None:
    now = clock.now()
    legs = [leg(tenant.id, number, call_id=f"recent-{number}", timestamp=now - number) for number in range(2)]
    await given(server, "cdrs", *legs, leg(tenant.id, 3), leg(server.master.id, 4, timestamp=now, call_id="master"))
    with clock.frozen(clock.unix(now) + 5):
        over, rows = await dumped(tenant, tenant.root)
    assert (over["status"], over["success_count"]) == ("success", 2)
    assert [row["call_id"] for row in rows] == ["recent-0", "recent-1"]
    listed = await tenant.api.get("/cdrs", query={"created_from": now - 60, "created_to": now + 60})
    assert [*rows[0]] == [*listed.data[0]]
    assert {**rows[0], "media_recordings": []} == {key: _text(value) for key, value in listed.data[0].items()}


def _text(value: Any) -> Any:
    return value if isinstance(value, list) else str(value)


async def test_a_dump_for_a_reseller_has_what_resellers_pay(
    server: RunningServer, master: Tenant, tenant: Tenant
) -> None:
    billed = {"reseller_billing": "per_minute", "rate": "300"}
    await given(server, "cdrs", leg(tenant.id, 0, timestamp=clock.now(), custom_channel_vars=billed))
    assert (await master.root.put(f"/accounts/{tenant.id}/reseller", {})).status == 201
    with clock.frozen(time.time() + 5):
        _, rows = await dumped(tenant, tenant.root)
    assert [(row["reseller_cost"], row["reseller_call_type"]) for row in rows] == [("300", "per_minute")]
