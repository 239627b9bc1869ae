# SPDX-License-Identifier: MPL-2.0
"""Damage to an installation, done to its database directly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from pymongo.database import Database

from crossbar.care.check import CheckOutcome, check_runtime
from crossbar.documents.document_types import DEVICE, VMBOX
from tests.e2e.office import Office
from tests.harness import RunningServer, Tenant

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

    async def check(self, **options: Any) -> CheckOutcome:
        return await check_runtime(self.server.runtime, **options)

    async def found(self, **options: Any) -> Counter[str]:
        """How many findings there are of each kind."""
        return Counter(finding.kind for finding in (await self.check(**options)).findings)


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
