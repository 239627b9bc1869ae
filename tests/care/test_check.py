# SPDX-License-Identifier: MPL-2.0
"""Each kind of damage, done to the database directly, is found, and mended where nothing is lost by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient

from crossbar.care import findings as kinds
from crossbar.documents.document_types import DEVICE, VMBOX
from crossbar.ids import new_id
from tests.care import damage as damages
from tests.care.damage import Place, Stored
from tests.e2e.office import Office
from tests.harness import RunningServer, ServerWith, new_tenant, send_parts
from tests.samples import WAV


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(server_with: ServerWith, mongo_client: MongoClient[Stored]) -> AsyncIterator[Place]:
    # What is changed in the database directly a server that remembers documents does not see at once.
    async with server_with(log__level="error", database__memory_mb="0") as server:
        tenant = await new_tenant(server, server.master, "reseller")
        child = await new_tenant(server, tenant, "child")
        office = await Office.opened(child, "office")
        await office.build()
        await leave_records(server, office)
        yield Place(server, mongo_client[server.runtime.config.database.name], tenant, child, office)


async def leave_records(server: RunningServer, office: Office) -> None:
    """What switches and money leave behind."""
    root = server.master.root
    paid = {"account_billing": "per_minute", "rate": "100", "rate_increment": "60", "rate_minimum": "60"}
    for number in range(3):
        leg = {
            "call_id": f"call-{number}",
            "call_direction": "outbound",
            "duration_seconds": 90,
            "billing_seconds": 80,
            "timestamp": 63_900_000_000 + number,
            "custom_channel_vars": {"owner_id": office.people[0].id, **paid},
        }
        assert (await root.post("/ingest/cdrs", {"account_id": office.id, **leg})).status == 200
    stat = {"call_id": "q1", "queue_id": office.queue, "status": "processed", "entered_timestamp": 63_900_000_000}
    stat |= {"handled_timestamp": 63_900_000_010, "processed_timestamp": 63_900_000_050}
    assert (await root.post("/ingest/call_stats", {"account_id": office.id, **stat})).status == 200
    credit = {
        "amount": 25,
        "source": {"service": "adhoc", "id": new_id()},
        "usage": {"type": "x", "quantity": 1, "unit": "y"},
    }
    assert (await root.put(f"/accounts/{office.id}/ledgers/credit", credit)).status == 201
    ported = {"name": "Move", "numbers": {"+12025550142": {}}}
    made = await root.put(f"/accounts/{office.id}/port_requests", ported)
    assert made.status == 201, made.envelope
    person = office.people[0]
    path = f"/accounts/{office.id}/vmboxes/{person.vmbox_id}/messages"
    left = await send_parts(root, "PUT", path, {"folder": "new"}, (WAV, "audio/wav"))
    assert left.status == 201, left.envelope
    for person in office.people[:2]:  # a realm beside the account's is claimed before everybody
        realm = {"sip": {"realm": "phones.office.test"}}
        assert (await root.patch(f"/accounts/{office.id}/devices/{person.device_id}", realm)).status == 200
    gone = await root.put(f"/accounts/{office.id}/menus", {"name": "Gone"})
    assert (await root.delete(f"/accounts/{office.id}/menus/{gone.id}")).status == 200


async def test_nothing_is_found_where_nothing_is_wrong(place: Place) -> None:
    outcome = await place.check()
    assert [finding.shown for finding in outcome.findings] == []
    assert outcome.looked_at > 60


MENDED = (
    (kinds.STORED_FORM, damages.part("json", b'{"id":"x"}')),
    (kinds.STORED_FORM, damages.part("row", b"{}")),
    (kinds.STORED_FORM, damages.part("k", "device\x01a\x01b")),
    (kinds.STORED_FORM, damages.part("tags", ["device/owner/nobody"])),
    (kinds.STORED_FORM, damages.part("name", "device\x01other")),
    (kinds.STORED_FORM, damages.part("a", "elsewhere")),
    (kinds.STORED_FORM, damages.deleted_document_in_lists),
    (kinds.STORED_FORM, damages.number_in_doc_alone),
    (kinds.EMPTY_CLAIM, damages.claim_of_nobody),
    (kinds.EMPTY_CLAIM, damages.claim_of_a_deleted_document),
    (kinds.EMPTY_CLAIM, damages.claim_of_an_unknown_type),
    (kinds.MISSING_CLAIM, damages.claim_lost),
    (kinds.MISSING_INDEX, damages.index_lost),
    (kinds.MISSING_INDEX, damages.index_not_unique),
    (kinds.MISSING_FILE, damages.pieces_left),
    (kinds.OLD_FILE, damages.file_replaced),
    (kinds.ACCOUNT_TREE, damages.account_elsewhere),
    (kinds.ACCOUNT_TREE, damages.parent_noted_wrong),
    (kinds.PORT_TREE, damages.port_request_elsewhere),
    (kinds.COUNT, damages.miscounted),
    (kinds.LEDGER_SUM, damages.balance_wrong),
    (kinds.LEDGER_SUM, damages.month_lost),
    (kinds.LEDGER_SUM, damages.month_of_nothing),
    (kinds.FIRST_LEG, damages.leg_unnoted),
    (kinds.QUEUE_TIMES, damages.queue_times_lost),
)


@pytest.mark.parametrize(("kind", "damage"), MENDED, ids=[f"{kind}-{damage.__name__}" for kind, damage in MENDED])
async def test_damage_is_found_and_mended(place: Place, kind: str, damage: Callable[[Place], None]) -> None:
    damage(place)
    assert kind in await place.found()
    assert kind in await place.found()  # looking changes nothing
    mended = await place.check(repair=True)
    assert [finding.shown for finding in mended.findings if not finding.mended] == []
    assert [finding.shown for finding in (await place.check()).findings] == []


async def test_what_clients_see_of_a_mended_document_is_what_its_fields_say(place: Place) -> None:
    person = place.office.people[0]
    path = f"/accounts/{place.office.id}/devices/{person.device_id}"
    before = await place.server.master.root.get(path)
    stored = place.one(DEVICE, _id=f"{place.office.id}/device/{person.device_id}")
    place.set(stored, json=b'{"id":"spoilt"}', row=b"{}")
    assert (await place.check(repair=True)).left == 0
    after = await place.server.master.root.get(path, query={"again": "1"})
    assert after.data == before.data
    assert after.envelope["revision"] != before.envelope["revision"]  # whoever keeps what was spoilt, asks anew


LEFT = (
    (kinds.UNKNOWN_TYPE, damages.unknown_document),
    (kinds.UNKNOWN_TYPE, damages.document_in_the_wrong_place),
    (kinds.UNREADABLE, damages.unreadable),
    (kinds.SCHEMA, damages.unfit),
    (kinds.FOREIGN_INDEX, damages.index_of_somebody),
    (kinds.MISSING_DEBIT, damages.debit_lost),
    (kinds.MISSING_PIECES, damages.pieces_lost),
    (kinds.ACCOUNT_TREE, damages.parent_gone),
    (kinds.HELD_TWICE, damages.held_by_another),
)


@pytest.fixture(autouse=True)
def put_back(place: Place) -> Any:
    """The database as it was before the test."""
    names = ("documents", "records", "claims", "attachments.files", "attachments.chunks")
    before = {name: list(place.database[name].find()) for name in names}
    yield
    for name, documents in before.items():
        place.database[name].delete_many({})
        place.database[name].insert_many(documents)
    for index in ("mine",):
        if index in place.database["documents"].index_information():
            place.database["documents"].drop_index(index)


@pytest.mark.parametrize(("kind", "damage"), LEFT, ids=[f"{kind}-{damage.__name__}" for kind, damage in LEFT])
async def test_what_a_repair_could_lose_something_by_is_only_told(
    place: Place, kind: str, damage: Callable[[Place], None]
) -> None:
    damage(place)
    assert kind in await place.found()
    mended = await place.check(repair=True)
    assert kind in {finding.kind for finding in mended.findings if not finding.mended}
    assert mended.left > 0


async def test_a_value_that_two_documents_hold_keeps_its_index_from_being_made(place: Place) -> None:
    documents = place.database["documents"]
    documents.drop_index("a_uniq")
    stored = place.one(VMBOX)
    copy_id = new_id()
    own = stored["_id"].rpartition("/")[2]
    copy = {**stored, "_id": stored["_id"].replace(own, copy_id), "k": stored["k"].replace(own, copy_id)}
    copy |= {name: stored[name].replace(own.encode(), copy_id.encode()) for name in ("json", "row")}
    copy["name"] = stored["name"].replace(own, copy_id)
    documents.insert_one(copy)
    assert await place.found(repair=True) == {kinds.HELD_TWICE: 1, kinds.MISSING_INDEX: 1}
    documents.delete_one({"_id": copy["_id"]})
    assert (await place.check(repair=True)).left == 0
    assert documents.index_information()["a_uniq"]["unique"] is True


async def test_a_claim_that_another_holds_is_put_right_in_two_runs(place: Place) -> None:
    """The first takes it from who does not claim it, the second gives it to who does."""
    damages.held_by_another(place)
    assert (await place.check(repair=True)).left > 0
    assert (await place.check(repair=True)).left == 0
    assert await place.found() == {}


@pytest.mark.parametrize(
    ("kind", "damage"),
    [(kinds.OWNERLESS_FILE, damages.file_of_nobody), (kinds.GONE_ACCOUNT, damages.crumbs_of_an_account)],
)
async def test_orphans_go_only_where_that_is_asked_for(
    place: Place, kind: str, damage: Callable[[Place], None]
) -> None:
    damage(place)
    assert await place.found(repair=True) == {kind: 1}
    removed = await place.check(remove_orphans=True)
    assert [(finding.kind, finding.mended) for finding in removed.findings] == [(kind, True)]
    assert await place.found() == {}


async def test_it_is_quiet_about_what_is_written_meanwhile(place: Place) -> None:
    """Documents that change, and claims that change hands with them, are never taken for damage."""
    root, person = place.server.master.root, place.office.people[0]
    path = f"/accounts/{place.office.id}/devices/{person.device_id}"
    ended = False

    async def write() -> int:
        count = 0
        while not ended:
            count += 1
            answer = await root.patch(path, {"sip": {"username": f"user_{count}"}})
            assert answer.status == 200
        return count

    writing = asyncio.create_task(write())
    for _ in range(10):
        assert await place.found() == {}
    ended = True
    assert await writing > 5
