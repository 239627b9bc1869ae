"""Each kind of damage, done to the database directly, is found, and mended where nothing is lost by it."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from bson import ObjectId
from pymongo import MongoClient
from pymongo.database import Database

from crossbar.care import findings as kinds
from crossbar.care.check import Outcome, check_runtime
from crossbar.documents.document_types import DEVICE, VMBOX
from crossbar.ids import new_id
from tests.e2e.office import Office
from tests.harness import RunningServer, ServerWith, Tenant, new_tenant, send_parts
from tests.samples import WAV

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Stored = dict[str, Any]


@dataclass
class Place:
    """An installation with an office in it, and its database as MongoDB shows it."""

    server: RunningServer
    database: Database[Stored]
    tenant: Tenant
    child: Tenant
    office: Office

    def one(self, document_type: str, **query: Any) -> Stored:
        """A living document of a type, of the office or (`a`) another partition."""
        name = self.server.runtime.store.shapes[document_type].stored_in
        about = {"a": self.office.id, "_id": {"$regex": f"/{document_type}/"}, "deleted": {"$exists": False}}
        found = self.database[name].find_one({**about, **query}, sort=[("_id", 1)])
        assert found, (document_type, query)
        return found

    def set(self, stored: Stored, collection: str = "documents", **changes: Any) -> None:
        dotted = {key.replace("__", "."): value for key, value in changes.items()}
        self.database[collection].update_one({"_id": stored["_id"]}, {"$set": dotted})

    async def check(self, **options: Any) -> Outcome:
        return await check_runtime(self.server.runtime, **options)

    async def found(self, **options: Any) -> Counter[str]:
        """How many findings there are of each kind."""
        return Counter(finding.kind for finding in (await self.check(**options)).findings)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(server_with: ServerWith, mongo_client: MongoClient[Stored]) -> AsyncIterator[Place]:
    async with server_with(log__level="error") as server:
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


def part(name: str, value: Any) -> Callable[[Place], None]:
    def damage(place: Place) -> None:
        stored = place.one(DEVICE)
        assert name in stored
        place.set(stored, **{name: value})

    damage.__name__ = f"another_{name}"
    return damage


def deleted_document_in_lists(place: Place) -> None:
    (stored,) = place.database["documents"].find({"deleted": True, "_id": {"$regex": "/menu/"}})
    place.set(stored, k="menu\x01\x01x", tags=["menu/x"])


def number_in_doc_alone(place: Place) -> None:
    place.set(place.one(VMBOX), doc__name="Another name")


def claim_of_nobody(place: Place) -> None:
    place.database["claims"].insert_one({"_id": "realm\x01nowhere.test", "holder": f"{place.office.id}/device/gone"})


def claim_of_a_deleted_document(place: Place) -> None:
    (stored,) = place.database["documents"].find({"deleted": True, "_id": {"$regex": "/menu/"}})
    place.database["claims"].insert_one({"_id": "sip\x01gone@office.test", "holder": stored["_id"]})


def claim_of_an_unknown_type(place: Place) -> None:
    place.database["claims"].insert_one({"_id": "sip\x01odd@office.test", "holder": "nonsense"})


def claim_lost(place: Place) -> None:
    assert place.database["claims"].delete_one({"holder": {"$regex": f"^{place.office.id}/device/"}}).deleted_count


def index_lost(place: Place) -> None:
    place.database["records"].drop_index("a_tags_k")


def index_not_unique(place: Place) -> None:
    place.database["documents"].drop_index("a_uniq")
    place.database["documents"].create_index([("a", 1), ("uniq", 1)], name="a_uniq")


def pieces_left(place: Place) -> None:
    place.database["attachments.chunks"].insert_one(
        {"files_id": ObjectId.from_datetime(LONG_AGO), "n": 0, "data": b"x"}
    )


def file_replaced(place: Place) -> None:
    file = place.database["attachments.files"].find_one({})
    assert file
    file_id = ObjectId()
    place.database["attachments.files"].insert_one({**file, "_id": file_id, "uploadDate": LONG_AGO})
    place.database["attachments.files"].update_one({"_id": file["_id"]}, {"$set": {"uploadDate": datetime(2021, 1, 1)}})
    for chunk in place.database["attachments.chunks"].find({"files_id": file["_id"]}):
        place.database["attachments.chunks"].insert_one({**chunk, "_id": ObjectId(), "files_id": file_id})


def account_elsewhere(place: Place) -> None:
    account = place.one("account", a="accounts", **{"doc.name": "office"})
    tree = [*account["doc"]["pvt_tree"][:1], place.child.id]
    place.set(account, doc__pvt_tree=tree)


def parent_noted_wrong(place: Place) -> None:
    place.set(place.one("account", a="accounts", **{"doc.name": "office"}), doc__pvt_parent_id=place.tenant.id)


def port_request_elsewhere(place: Place) -> None:
    place.set(place.one("port_request", a="port_requests"), doc__pvt_tree=[])


def miscounted(place: Place) -> None:
    stored = place.one("account", a="accounts", **{"doc.name": "child"})
    row = re.sub(rb'"descendants_count":1', b'"descendants_count":9', stored["row"])
    body = re.sub(rb'"descendants_count":1', b'"descendants_count":9', stored["json"])
    assert (row, body) != (stored["row"], stored["json"])
    place.set(stored, doc__descendants_count=9, row=row, json=body)


def balance_wrong(place: Place) -> None:
    stored = place.one("ledger_balance")
    place.set(stored, doc__pvt_months={month: units + 1 for month, units in stored["doc"]["pvt_months"].items()})


def month_lost(place: Place) -> None:
    place.database["documents"].delete_one({"_id": place.one("ledger_month")["_id"]})


def month_of_nothing(place: Place) -> None:
    stored = place.one("ledger_month")
    about = {"id": "f" * 32, "name": "f"}
    key = stored["_id"].rpartition("-")[0] + "-" + "f" * 32
    copy = {**stored, "_id": key, "k": stored["k"].rpartition("\x01")[0] + "\x01" + key.rpartition("/")[2]}
    copy["doc"] = {**stored["doc"], "pvt_account": about}
    place.database["documents"].insert_one(copy)


def leg_unnoted(place: Place) -> None:
    place.database["records"].delete_one({"_id": place.one("cdr_interaction")["_id"]})


def queue_times_lost(place: Place) -> None:
    place.database["records"].update_one({"_id": place.one("call_stat")["_id"]}, {"$unset": {"doc.talk_time": 1}})


MENDED = (
    (kinds.STORED_FORM, part("json", b'{"id":"x"}')),
    (kinds.STORED_FORM, part("row", b"{}")),
    (kinds.STORED_FORM, part("k", "device\x01a\x01b")),
    (kinds.STORED_FORM, part("tags", ["device/owner/nobody"])),
    (kinds.STORED_FORM, part("name", "device\x01other")),
    (kinds.STORED_FORM, part("a", "elsewhere")),
    (kinds.STORED_FORM, deleted_document_in_lists),
    (kinds.STORED_FORM, number_in_doc_alone),
    (kinds.EMPTY_CLAIM, claim_of_nobody),
    (kinds.EMPTY_CLAIM, claim_of_a_deleted_document),
    (kinds.EMPTY_CLAIM, claim_of_an_unknown_type),
    (kinds.MISSING_CLAIM, claim_lost),
    (kinds.MISSING_INDEX, index_lost),
    (kinds.MISSING_INDEX, index_not_unique),
    (kinds.MISSING_FILE, pieces_left),
    (kinds.OLD_FILE, file_replaced),
    (kinds.TREE, account_elsewhere),
    (kinds.TREE, parent_noted_wrong),
    (kinds.PORT_TREE, port_request_elsewhere),
    (kinds.COUNT, miscounted),
    (kinds.LEDGER_SUM, balance_wrong),
    (kinds.LEDGER_SUM, month_lost),
    (kinds.LEDGER_SUM, month_of_nothing),
    (kinds.FIRST_LEG, leg_unnoted),
    (kinds.QUEUE_TIMES, queue_times_lost),
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


# What a person has to decide


def unknown_document(place: Place) -> None:
    place.database["documents"].insert_one({"_id": f"{place.office.id}/horoscope/1", "a": place.office.id, "doc": {}})


def document_in_the_wrong_place(place: Place) -> None:
    place.database["records"].insert_one(place.one(DEVICE))


def unreadable(place: Place) -> None:
    place.database["documents"].update_one({"_id": place.one(DEVICE)["_id"]}, {"$unset": {"doc": 1}})


def unfit(place: Place) -> None:
    stored = place.one(VMBOX)
    body = re.sub(rb'"mailbox":"(\w+)"', rb'"mailbox":["\1"]', stored["json"])
    place.set(stored, doc__timezone=7, doc__pin=["x"], json=body)


def index_of_somebody(place: Place) -> None:
    place.database["documents"].create_index("doc.name", name="mine")


def debit_lost(place: Place) -> None:
    entry = place.one("ledger", **{"doc.source.service": "per-minute-voip"})
    place.database["records"].delete_one({"_id": entry["_id"]})


def pieces_lost(place: Place) -> None:
    file = place.database["attachments.files"].find_one({})
    assert file
    place.database["attachments.chunks"].delete_many({"files_id": file["_id"]})
    place.set(file, "attachments.files", uploadDate=LONG_AGO)


def parent_gone(place: Place) -> None:
    place.database["documents"].delete_one({"_id": place.one("account", a="accounts", **{"doc.name": "child"})["_id"]})


def held_by_another(place: Place) -> None:
    mine, other = (f"{place.office.id}/device/{person.device_id}" for person in place.office.people[:2])
    place.database["claims"].update_many({"holder": mine}, {"$set": {"holder": other}})


LEFT = (
    (kinds.UNKNOWN_TYPE, unknown_document),
    (kinds.UNKNOWN_TYPE, document_in_the_wrong_place),
    (kinds.UNREADABLE, unreadable),
    (kinds.SCHEMA, unfit),
    (kinds.FOREIGN_INDEX, index_of_somebody),
    (kinds.MISSING_DEBIT, debit_lost),
    (kinds.MISSING_PIECES, pieces_lost),
    (kinds.TREE, parent_gone),
    (kinds.HELD_TWICE, held_by_another),
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
    held_by_another(place)
    assert (await place.check(repair=True)).left > 0
    assert (await place.check(repair=True)).left == 0
    assert await place.found() == {}


# What lost its document or account


def file_of_nobody(place: Place) -> None:
    file = place.database["attachments.files"].find_one({})
    assert file
    owner = f"{place.office.id}/media/gone"
    place.database["attachments.files"].insert_one(
        {
            **file,
            "_id": ObjectId(),
            "length": 0,
            "uploadDate": LONG_AGO,
            "metadata": {**file["metadata"], "document": owner},
        }
    )


def crumbs_of_an_account(place: Place) -> None:
    stored = place.one("menu")
    account_id = "e" * 32
    place.database["documents"].insert_one(
        {**stored, "_id": stored["_id"].replace(place.office.id, account_id), "a": account_id}
    )


@pytest.mark.parametrize(
    ("kind", "damage"), [(kinds.OWNERLESS_FILE, file_of_nobody), (kinds.GONE_ACCOUNT, crumbs_of_an_account)]
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
