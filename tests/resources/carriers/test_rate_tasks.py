# SPDX-License-Identifier: MPL-2.0
"""The tasks of the category `rates`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from crossbar.documents.listing import Listing
from crossbar.resources.carriers.domain import rate, ratedeck
from crossbar.resources.carriers.domain.rate_row import COLUMNS
from tests.harness import Api, RunningServer, Tenant, new_person, new_tenant, set_options
from tests.tasks import output_of, run_task


@pytest.fixture
def deck() -> str:
    return f"deck.{uuid4().hex[:12]}"


async def clear_usual_deck(server: RunningServer) -> None:
    for document_type in (rate.TYPE, ratedeck.PREFIX):
        await server.runtime.store.remove_listed(Listing(ratedeck.DECK, document_type))


@pytest_asyncio.fixture(loop_scope="session")
async def usual_deck(server: RunningServer) -> AsyncIterator[Listing]:
    """The rates of the deck that is everybody's, which is empty before and after."""
    await clear_usual_deck(server)
    yield Listing(ratedeck.DECK, rate.TYPE)
    await clear_usual_deck(server)


async def test_help(anonymous: Api) -> None:
    told = await anonymous.get("/tasks", query={"category": "rates"})
    actions = told.data["tasks"]["rates"]
    assert actions["export"].keys() == {"description", "doc"}
    assert actions["import"]["mandatory"] == ["prefix", "rate_cost"]
    assert actions["delete"]["mandatory"] == ["prefix"]
    for name, mandatory in (("import", 2), ("delete", 1)):
        assert actions[name]["expected_content"] == "text/csv"
        assert [*actions[name]["mandatory"], *actions[name]["optional"]] == sorted(
            COLUMNS, key=lambda column: (column not in actions[name]["mandatory"][:mandatory], column)
        )


async def test_an_import(master: Tenant, deck: str) -> None:
    sheet = (
        "prefix,rate_cost,direction,iso_country_code,rate_suffix,routes,ratedeck_id,caller_id_numbers,options\n"
        f"1222,0.02,inbound,,,,{deck},,\n"
        f'44,0.5,,GB,night,"[""^\\\\+44"",""^44""]",{deck},1:44,"[""a"",""b""]"\n'
        f"49,9,outbound,DE,,^\\+49,{deck},,fax\n"
    )
    task = await run_task(master.api, "rates", "import", sheet)
    assert [task[key] for key in ("status", "success_count", "failure_count", "total_count")] == ["success", 3, 0, 3]
    rows = await output_of(master.api, task)
    assert [row["error"] for row in rows] == ["", "", ""]
    assert [*rows[0]] == [*sheet.split("\n", 1)[0].split(","), "error"]

    async def read(rate_id: str) -> dict[str, object]:
        answer = await master.root.get(f"/rates/{rate_id}", query={"ratedeck_id": deck})
        assert answer.status == 200, answer.envelope
        found: dict[str, object] = answer.data
        return found

    assert await read("XX-1222") == {
        "id": "XX-1222",
        "prefix": 1222,
        "rate_cost": 0.02,
        "direction": ["inbound"],
        "rate_name": "inbound_1222",
        "routes": ["^\\+?1222.+$"],
        "ratedeck_id": deck,
        "weight": 38,
    }
    assert await read("GB-44-night") == {
        "id": "GB-44-night",
        "prefix": 44,
        "rate_cost": 0.5,
        "direction": ["inbound", "outbound"],
        "iso_country_code": "GB",
        "rate_suffix": "night",
        "rate_name": "inbound_outbound_GB_44",
        "routes": ["^\\+44", "^44"],
        "ratedeck_id": deck,
        "caller_id_numbers": "^\\+?1.+$:^\\+?44.+$",
        "options": ["a", "b"],
        "weight": 1,
    }
    german = await read("DE-49")
    assert (german["routes"], german["options"]) == (["^\\+49"], ["fax"])
    assert deck in (await master.root.get("/rates/ratedecks")).data["ratedecks"]


async def test_a_row_is_laid_over_the_rate_of_its_id(master: Tenant, deck: str) -> None:
    first = f"prefix,rate_cost,description,ratedeck_id,weight\n1,0.01,kept,{deck},500\n"
    await run_task(master.api, "rates", "import", first)
    again = f"prefix,rate_cost,rate_surcharge,ratedeck_id\n1,0.02,0.3,{deck}\n"
    for _ in range(2):
        assert (await run_task(master.api, "rates", "import", again))["status"] == "success"
    read = await master.root.get("/rates/XX-1", query={"ratedeck_id": deck})
    assert read.data == {
        "id": "XX-1",
        "prefix": 1,
        "rate_cost": 0.02,
        "rate_surcharge": 0.3,
        "description": "kept",
        "direction": ["inbound", "outbound"],
        "rate_name": "inbound_outbound_1",
        "routes": ["^\\+?1.+$"],
        "ratedeck_id": deck,
        "weight": 100,
    }


async def test_cells_that_will_not_do(master: Tenant, deck: str) -> None:
    cells = ("1,0.01,sideways,,", "+1,x,,,", "1,0.01,,0,", "1,0.01,,,heavy")
    rows = [*(f"{row},{deck}" for row in cells), "1,0.01,,,,a/b", f"1,0.01,,,,{deck}"]
    sheet = ["prefix,rate_cost,direction,rate_minimum,weight,ratedeck_id", *rows]
    task = await run_task(master.api, "rates", "import", "\n".join(sheet) + "\n")
    assert [task[key] for key in ("status", "success_count", "failure_count")] == ["partial", 1, 5]
    assert [row["error"] for row in await output_of(master.api, task)] == [
        "bad fields(s) direction",
        "bad fields(s) prefix rate_cost",
        "bad fields(s) rate_minimum",
        "bad fields(s) weight",
        "bad fields(s) ratedeck_id",
        "",
    ]


async def test_a_deletion_goes_by_everything_the_row_says(master: Tenant, deck: str) -> None:
    here = {"ratedeck_id": deck}
    for prefix, suffix, direction in ((1, "a", "inbound"), (1, "b", "outbound"), (1, "c", "inbound"), (12, "a", None)):
        fields = {"direction": direction} if direction else {}
        await master.root.put(
            "/rates", {"prefix": prefix, "rate_cost": 0.5, "rate_suffix": suffix, **fields}, query=here
        )
    sheet = (
        f"prefix,direction,rate_suffix,rate_cost,ratedeck_id\n1,inbound,a,0.5,{deck}\n1,,b,0.6,{deck}\n7,,,,{deck}\n"
    )
    for _ in range(2):
        task = await run_task(master.api, "rates", "delete", sheet)
        assert [task[key] for key in ("status", "success_count", "failure_count")] == ["success", 3, 0]
    left = await master.root.get("/rates", query=here)
    assert {row["id"] for row in left.data} == {"XX-1-b", "XX-1-c", "XX-12-a"}
    await run_task(master.api, "rates", "delete", f"prefix,ratedeck_id\n1,{deck}\n")
    assert [row["id"] for row in (await master.root.get("/rates", query=here)).data] == ["XX-12-a"]


async def test_an_export_can_be_imported_again(master: Tenant, server: RunningServer, usual_deck: Listing) -> None:
    empty = await run_task(master.api, "rates", "export")
    assert empty["status"] == "success"
    sheet = (
        "prefix,rate_cost,direction,routes,caller_id_numbers,rate_increment,description\n"
        '1,0.01,inbound,"[""^\\\\+1"",""^1""]",1:44,6,"with, comma"\n'
        "1222,0.25,,,,,\n"
    )
    await run_task(master.api, "rates", "import", sheet)
    before = {document.id: document.public for document in await server.runtime.store.all(usual_deck)}
    task = await run_task(master.api, "rates", "export")
    assert task["status"] == "success"
    exported = await master.api.get(f"/tasks/{task['id']}/output")
    lines = exported.raw.decode().split("\r\n")
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == 4
    await clear_usual_deck(server)
    again = await run_task(master.api, "rates", "import", exported.raw.decode())
    assert (again["status"], again["success_count"]) == ("success", 2)
    assert {document.id: document.public for document in await server.runtime.store.all(usual_deck)} == before


async def test_an_export_of_more_than_a_page(
    master: Tenant, server: RunningServer, usual_deck: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossbar.resources.carriers.domain.rate_actions.PAGE", 2)
    for prefix in range(1, 6):
        await master.root.put("/rates", {"prefix": prefix, "rate_cost": 1})
    rows = await output_of(master.api, await run_task(master.api, "rates", "export"))
    assert [row["prefix"] for row in rows] == ["1", "2", "3", "4", "5"]


# Who may


async def test_accounts_that_are_no_resellers_are_refused(
    server: RunningServer, tenant: Tenant, deck: str, usual_deck: Listing
) -> None:
    text = "task execution is forbidden"
    for action in ("import", "delete"):
        task = await run_task(tenant.api, "rates", action, f"prefix,rate_cost,ratedeck_id\n1,1,{deck}\n")
        assert [task[key] for key in ("status", "success_count", "failure_count")] == ["failure", 0, 1]
        assert [row["error"] for row in await output_of(tenant.api, task)] == [text]
    task = await run_task(tenant.api, "rates", "export")
    assert [task[key] for key in ("status", "success_count", "failure_count")] == ["failure", 0, 1]
    assert [row["error"] for row in await output_of(tenant.api, task)] == [text]
    assert await server.runtime.store.all(Listing(ratedeck.partition_of(deck), rate.TYPE)) == []


async def test_resellers_may(server: RunningServer, master: Tenant, tenant: Tenant, deck: str) -> None:
    await master.root.put(f"/accounts/{tenant.id}/reseller", {})
    customer = await new_tenant(server, tenant, f"customer{tenant.id[:8]}")
    sheet = f"prefix,rate_cost,ratedeck_id\n1,1,{deck}\n"
    assert (await run_task(tenant.api, "rates", "import", sheet))["status"] == "success"
    below = tenant.api.acting(tenant.token, f"/accounts/{customer.id}")
    assert (await run_task(below, "rates", "delete", sheet))["status"] == "failure"
    read = await master.root.get("/rates/XX-1", query={"ratedeck_id": deck})
    assert read.status == 200


async def test_plain_users_do_not(
    server: RunningServer, master: Tenant, deck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await new_person(server, master, f"clerk{deck[5:]}")
    query = {"category": "rates", "action": "export"}
    refused = await person.api.put("/tasks", {}, query=query)
    assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
    assert (await person.api.put("/tasks", {}, query={"category": "billing", "action": "dump"})).status == 201
    set_options(monkeypatch, server, "access", plain_users="as_kazoo")
    assert (await person.api.put("/tasks", {}, query=query)).status == 201
