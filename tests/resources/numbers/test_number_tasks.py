# SPDX-License-Identifier: MPL-2.0
"""The tasks of the category `number_management`."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterable
from io import StringIO
from typing import Any

import pytest

from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.resources.numbers.domain import number_actions
from crossbar.resources.numbers.domain.number import FOR_SALE, State
from crossbar.resources.numbers.domain.number_row import COLUMNS
from crossbar.resources.tasks.domain import action
from crossbar.resources.tasks.domain.job import Lost, claim, start
from crossbar.resources.tasks.domain.runner import Runner
from crossbar.resources.tasks.domain.task import TASK, new_task
from crossbar.resources.tasks.domain.task_catalog import CATALOG
from tests.harness import Api, RunningServer, Tenant, new_person, new_tenant
from tests.numbers import NOT_FOUND, add, allow_additions, fresh, own, stock
from tests.tasks import output_of, run_task

CATEGORY = "number_management"
HANGUP = {"module": "hangup", "data": {}, "children": {}}


def sheet(header: str, rows: Iterable[str]) -> str:
    return "\n".join([header, *rows, ""])


async def run(api: Api, name: str, contents: str | None = None) -> list[dict[str, str]]:
    return await output_of(api, await run_task(api, CATEGORY, name, contents))


async def test_help(anonymous: Api) -> None:
    actions = (await anonymous.get("/tasks", query={"category": CATEGORY})).data["tasks"][CATEGORY]
    lists = {"list", "list_all", "dump", *(f"dump_{state}" for state in State)}
    sheets = {"find", "import", "assign_to", "update_merge", "update_overwrite", "release", "reserve", "delete"}
    assert set(actions) == lists | sheets
    assert all("expected_content" not in actions[name] for name in lists)
    assert all(
        (actions[name]["expected_content"], actions[name]["mandatory"]) == ("text/csv", ["e164"]) for name in sheets
    )
    features = [*COLUMNS[COLUMNS.index("cnam.inbound") :]]
    assert actions["import"]["optional"] == [*COLUMNS[1:]]
    assert actions["update_merge"]["optional"] == actions["update_overwrite"]["optional"] == ["carrier_name", *features]
    assert actions["assign_to"]["optional"] == actions["reserve"]["optional"] == ["account_id"]


async def test_lists(server: RunningServer, tenant: Tenant, master: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_actions, "PAGE", 2)
    child = await new_tenant(server, tenant, f"child{tenant.realm.partition('.')[0]}")
    mine, below = await own(master, tenant, 3), await own(master, child, 3)
    await tenant.api.put("/callflows", {"numbers": mine[:1], "flow": HANGUP})
    rows = await run(tenant.api, "list")
    assert [row["e164"] for row in rows] == mine
    assert [*rows[0]] == [*COLUMNS]
    expected = {
        "account_name": tenant.realm.partition(".")[0],
        "account_id": tenant.id,
        "state": "in_service",
        "used_by": "callflow",
        "ported_in": "false",
        "carrier_module": "knm_local",
        "cnam.inbound": "false",
        "e911.name": "",
        "force_outbound": "false",
    }
    assert {key: rows[0][key] for key in expected} == expected
    everything = await run(tenant.api, "list_all")
    assert [row["e164"] for row in everything] == [*mine, *below]
    assert {row["account_id"] for row in everything} == {tenant.id, child.id}


async def test_dumps_are_the_operators(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    (mine,), free = await own(master, tenant, 1), fresh()
    await stock(master, free)
    assert (await run_task(tenant.api, CATEGORY, "dump"))["status"] == "success"
    numbers = {row["e164"] for row in await run(master.api, "dump")}
    assert {mine, free} <= numbers
    available = {row["e164"]: row for row in await run(master.api, "dump_available")}
    assert free in available
    assert mine not in available
    assert (available[free]["account_id"], available[free]["state"]) == ("", "available")


async def test_find(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    (mine,), (other,) = await own(master, tenant, 1), await own(master, stranger, 1)
    rows = await run(tenant.api, "find", sheet("e164", [mine, other, fresh(), mine[1:]]))
    assert [row["error"] for row in rows] == ["", "not_found", "not_found", "bad fields(s) e164"]
    assert (rows[0]["state"], rows[1]["state"], rows[1]["e164"]) == ("in_service", "", other)


async def test_import(tenant: Tenant, master: Tenant, stranger: Tenant) -> None:
    first, second, third, taken = fresh(), fresh(), fresh(), (await own(master, stranger, 1))[0]
    header = (
        "e164,account_id,state,carrier_module,ported_in,cnam.outbound,e911.name,prepend.enabled,opaque.a.b,opaque.c"
    )
    rows = await run(
        master.api,
        "import",
        sheet(
            header,
            [
                f"{first},{tenant.id},,knm_bandwidth2,true,,,true,deep,x",
                f"{second},{tenant.id},reserved,knm_inventory,,Ada,,,,",
                f"{taken},{tenant.id},,,,,,,,",
                f"{third},{'f' * 32},,,,,,,,",
                f"{third},{tenant.id},gone,,,,,,,",
                f"{third},{tenant.id},,knm_nobody,,,,,,",
            ],
        ),
    )
    assert [row["error"] for row in rows] == [
        "",
        "",
        f"number {taken} already exists",
        "requestor is unauthorized to perform operation",
        "requestor is unauthorized to perform operation",
        "bad fields(s) carrier_module",
    ]
    assert [*rows[0]] == [*COLUMNS, "error"]
    assert (rows[0]["carrier_module"], rows[0]["ported_in"], rows[0]["account_id"]) == (
        "knm_bandwidth2",
        "true",
        tenant.id,
    )
    shown = (await tenant.api.get(f"/phone_numbers/{first}")).data
    assert (shown["a"], shown["c"], shown["prepend"]) == ({"b": "deep"}, "x", {"enabled": True})
    assert shown["_read_only"]["carrier_module"] == "bandwidth2"
    assert (await tenant.api.get(f"/phone_numbers/{second}")).data["features"] == ["outbound_cnam"]
    assert (rows[1]["state"], rows[1]["cnam.outbound"]) == ("reserved", "Ada")
    assert (await master.api.get(f"/phone_numbers/{third}")).error() == NOT_FOUND


async def test_the_same_number_twice(tenant: Tenant, master: Tenant) -> None:
    number = fresh()
    rows = await run(master.api, "import", sheet("e164,account_id", [f"{number},{tenant.id}"] * 2))
    assert [row["error"] for row in rows] == ["", f"number {number} already exists"]


async def test_updates(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    number, (other,) = fresh(), await own(master, stranger, 1)
    await add(master, tenant, number, carrier_name="inventory", note="kept", force_outbound=True)
    header = "e164,carrier_name,cnam.outbound,cnam.inbound,force_outbound,opaque.colour"
    rows = await run(
        tenant.api, "update_merge", sheet(header, [f"{number},,Ada,true,,red", f"{other},,Ada,,,", f"{fresh()},,,,,"])
    )
    assert [row["error"] for row in rows] == ["", "requestor is unauthorized to perform operation", "not_found"]
    shown = (await tenant.api.get(f"/phone_numbers/{number}")).data
    assert (shown["note"], shown["colour"], shown["force_outbound"]) == ("kept", "red", True)
    assert shown["features"] == ["force_outbound", "inbound_cnam", "outbound_cnam"]
    await run(tenant.api, "update_overwrite", sheet(header, [f"{number},,,,true,"]))
    shown = (await tenant.api.get(f"/phone_numbers/{number}")).data
    assert shown["features"] == ["force_outbound"]
    assert "note" not in shown and "colour" not in shown
    refused = await run(tenant.api, "update_merge", sheet(header, [f"{number},local,,,,"]))
    assert refused[0]["error"] == "requestor is unauthorized to perform operation"
    changed = await run(master.api, "update_merge", sheet(header, [f"{number},knm_local,,,,"]))
    assert (changed[0]["error"], changed[0]["carrier_module"]) == ("", "knm_local")


async def test_numbers_move_and_go(server: RunningServer, tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    child = await new_tenant(server, tenant, f"child{tenant.realm.partition('.')[0]}")
    mine, gone, bought = await own(master, tenant, 3)
    await add(master, tenant, free := fresh(), carrier_name="inventory", create_with_state="reserved")
    refused = await run(tenant.api, "assign_to", sheet("e164,account_id", [f"{mine},{stranger.id}"]))
    assert refused[0]["error"] == "requestor is unauthorized to perform operation"
    rows = await run(
        tenant.api, "assign_to", sheet("e164,account_id", [f"{mine},{child.id}", f"{free},", f"{fresh()},"])
    )
    assert [row["error"] for row in rows] == ["", "", "not_found"]
    assert [row["account_id"] for row in rows[:2]] == [child.id, tenant.id]
    assert [row["state"] for row in rows[:2]] == ["in_service"] * 2
    assert list((await child.api.get("/phone_numbers")).data["numbers"]) == [mine]
    rows = await run(tenant.api, "release", sheet("e164", [gone, free, fresh()]))
    assert [(row["state"], row["error"]) for row in rows] == [("deleted", ""), ("available", ""), ("", "not_found")]
    await allow_additions(server, tenant)
    new = fresh()
    rows = await run(tenant.api, "reserve", sheet("e164,account_id", [f"{free},", f"{new},{child.id}", f"{free[1:]},"]))
    assert [(row["state"], row["account_id"]) for row in rows[:2]] == [("reserved", tenant.id), ("reserved", child.id)]
    assert rows[2]["error"] == "bad fields(s) e164"
    rows = await run(tenant.api, "delete", sheet("e164", [bought, new, free]))
    assert {row["state"] for row in rows} == {"deleted"}
    assert (await master.api.get(f"/phone_numbers/{free}")).error() == NOT_FOUND


async def test_plain_users_do_nothing_in_bulk(server: RunningServer, tenant: Tenant) -> None:
    person = await new_person(server, tenant)
    for name in ("list", "import", "release"):
        body = b"e164\n+14155550100\n"
        query = {"category": CATEGORY, "action": name}
        refused = await person.api.request("PUT", "/tasks", body=body, content_type="text/csv", query=query)
        assert refused.error()[:3] == (403, "403", "forbidden")


# A hundred at a time


class Dies(Exception):
    """What ends a worker in the middle."""


async def prepared_task(server: RunningServer, tenant: Tenant, numbers: list[str]) -> Document:
    contents = sheet("e164", numbers).encode()
    master = server.master
    task = new_task(
        tenant.id,
        auth_account_id=master.id,
        category=CATEGORY,
        action="release",
        total_count=len(numbers),
    )
    await server.runtime.attachments.put(task, "in.csv", "text/csv", contents)
    return await server.runtime.store.insert(task)


async def now(server: RunningServer, task: Document) -> Document:
    found = await server.runtime.store.get(task.partition, TASK, task.id)
    assert found is not None
    return found


@pytest.mark.parametrize("kill_at", ["before the transaction", "within it", "after it"])
async def test_a_task_that_is_interrupted_goes_on_after_the_last_chunk(
    kill_at: str, server: RunningServer, tenant: Tenant, master: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(action, "BATCH_ROWS", 3)
    numbers = [fresh() for _ in range(8)]
    body = {"numbers": numbers, "carrier_name": "inventory"}
    assert (await master.root.put(f"/accounts/{tenant.id}/phone_numbers/collection", body)).data["error"] == []
    task = await prepared_task(server, tenant, numbers)
    store, runner = server.runtime.store, Runner(server.runtime, CATALOG)
    keep, kept = Runner._keep_as_it_is, 0

    async def dies(lease: Any, task: Document, batch: action.Batch) -> Document:
        nonlocal kept
        if kept == 1:
            if kill_at == "after it":
                await keep(lease, task, batch)
            elif kill_at == "within it":
                write = batch.write

                async def write_and_die(transaction: Any) -> None:
                    assert write is not None
                    await write(transaction)
                    raise Dies

                batch = action.Batch(batch.columns, batch.rows, 0, 0, batch.cursor, batch.last, write=write_and_die)
                await keep(lease, task, batch)
            raise Dies
        kept += 1
        return await keep(lease, task, batch)

    monkeypatch.setattr(Runner, "_keep_as_it_is", staticmethod(dies))
    assert await start(store, tenant.id, task.id, "node") is not None
    lease = await claim(store, "one that dies")
    assert lease is not None and lease.task_id == task.id
    fetched = await now(server, task)
    with pytest.raises((Dies, Lost)):
        done = fetched
        async for batch in CATALOG.find(CATEGORY, "release").batches(action.Work(server.runtime, done), None):  # type: ignore[union-attr]
            done = await runner._keep(lease, done, batch)
    monkeypatch.setattr(Runner, "_keep_as_it_is", staticmethod(keep))
    done = await now(server, task)
    chunks = 2 if kill_at == "after it" else 1
    assert (done.fields["success_count"], done.fields.get("failure_count")) == (3 * chunks, 0)
    released = await store.count_tagged(Listing(NUMBERS, NUMBER), [FOR_SALE])
    held = (await tenant.api.get("/phone_numbers", query={"paginate": "false"})).data["numbers"]
    assert (len(held), released >= 3 * chunks) == (8 - 3 * chunks, True)
    await lease.release()
    again = await claim(store, "another")
    assert again is not None
    await runner.work(again)
    over = await now(server, task)
    assert [over.fields[key] for key in ("status", "success_count", "failure_count")] == ["success", 8, 0]
    output = await server.runtime.attachments.find(over, "out.csv")
    assert output is not None
    rows = list(csv.DictReader(StringIO((await server.runtime.attachments.read(output)).decode())))
    assert [(row["e164"], row["state"], row["error"]) for row in rows] == [(n, "available", "") for n in numbers]


async def test_a_chunk_that_was_outrun_is_worked_out_again(
    server: RunningServer, tenant: Tenant, master: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody releases one number while a task is about to: the row tells so, and the others are done."""
    numbers = await own(master, tenant, 3)
    keep, outrun = Runner._keep_as_it_is, False

    async def late(lease: Any, task: Document, batch: action.Batch) -> Document:
        nonlocal outrun
        if batch.write is not None and not outrun:
            outrun = True
            assert (await tenant.api.delete(f"/phone_numbers/{numbers[1]}")).status == 200
        return await keep(lease, task, batch)

    monkeypatch.setattr(Runner, "_keep_as_it_is", staticmethod(late))
    rows = await run(tenant.api, "release", sheet("e164", numbers))
    assert [(row["e164"], row["error"]) for row in rows] == [
        (numbers[0], ""),
        (numbers[1], "not_found"),
        (numbers[2], ""),
    ]
    assert (await tenant.api.get("/phone_numbers")).data["numbers"] == {}


async def test_progress_can_be_watched(tenant: Tenant, master: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action, "BATCH_ROWS", 2)
    numbers = [fresh() for _ in range(6)]
    keep, seen, go_on = Runner._keep_as_it_is, [], asyncio.Semaphore(0)

    async def watched(lease: Any, task: Document, batch: action.Batch) -> Document:
        after = await keep(lease, task, batch)
        seen.append((await master.api.get(f"/tasks/{task.id}")).data["_read_only"]["success_count"])
        go_on.release()
        return after

    monkeypatch.setattr(Runner, "_keep_as_it_is", staticmethod(watched))
    await run(master.api, "import", sheet("e164,account_id", [f"{number},{tenant.id}" for number in numbers]))
    assert seen == [2, 4, 6]
