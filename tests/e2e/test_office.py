# SPDX-License-Identifier: MPL-2.0
"""An office from its first request to its last: built, read back, changed and cleared away as MonsterUI does it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import pytest_asyncio
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database

from crossbar import clock
from crossbar.documents.document import SYSTEM_DATA, document_key
from crossbar.resources.identity.domain import account_removal
from tests.e2e.interface import MADE_BY
from tests.e2e.office import DIRECTORY, FEATURE_CODES, HOURS, NOBODY, WHOLE, WORKDAYS, Office
from tests.harness import RunningServer, Tenant
from tests.samples import MP3

Documents = list[dict[str, Any]]
LISTS = (
    "callflows",
    "conferences",
    "devices",
    "directories",
    "faxboxes",
    "groups",
    "media",
    "menus",
    "queues",
    "temporal_rules",
    "temporal_rules_sets",
    "vmboxes",
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(server: RunningServer) -> Office:
    """An office to look at."""
    return await (await empty_office(server.master)).build()


async def empty_office(reseller: Tenant) -> Office:
    return await Office.opened(reseller, f"office{uuid.uuid4().hex[:12]}")


def column(rows: Documents, key: str) -> list[Any]:
    return [row.get(key) for row in rows]


def picked(row: dict[str, Any], *keys: str) -> list[Any]:
    return [row[key] for key in keys]


def ids(rows: Documents) -> set[str]:
    return {row["id"] for row in rows}


def those(office: Office, names: Iterable[str]) -> set[str]:
    return {office.callflows[name] for name in names}


# Reading


async def test_the_dashboard(office: Office) -> None:
    (box,) = await office.ui.get("/vmboxes", filter_type="mainVMBox")
    assert (await office.ui.get(f"/vmboxes/{box['id']}"))["delete_after_notify"] is True
    users = await office.ui.get("/users", **WHOLE)
    features = {user["first_name"]: user["features"] for user in users}
    assert features == {**{name: ["vm_to_email"] for name in features}, "Ann": ["vm_to_email", "music_on_hold"]}
    devices = await office.ui.get("/devices", with_status="true", **WHOLE)
    keys = ("device_type", "enabled", "registrable", "registered")
    assert [picked(device, *keys) for device in devices] == [["sip_device", True, True, False]] * 5
    assert await office.ui.get("/channels", **WHOLE) == []
    in_use = '["in_service","port_in"]'
    assert (await office.ui.get("/phone_numbers", filter_state=in_use, **WHOLE))["numbers"] == {}
    classifiers = await office.ui.get("/phone_numbers/classifiers")
    assert all(one["name"] == name and one["friendly_name"] and one["regex"] for name, one in classifiers.items())
    callflows = await office.ui.get("/callflows", has_type="type", **WHOLE)
    assert ids(callflows) > set(office.callflows.values())  # `has_type` means nothing
    (found,) = await office.ui.get("/directories")
    assert (found["id"], found["name"]) == (office.directory, DIRECTORY)
    directory = await office.ui.get(f"/directories/{office.directory}", **WHOLE)
    members = {entry["user_id"]: entry["callflow_id"] for entry in directory["users"]}
    assert members == {person.id: person.callflow_id for person in office.people}


async def test_the_users(office: Office) -> None:
    users = {row["id"]: row for row in await office.ui.get("/users", **WHOLE)}
    flows = {row["owner_id"]: row for row in await office.ui.get("/callflows", filter_type="mainUserCallflow", **WHOLE)}
    devices = {row["owner_id"]: row for row in await office.ui.get("/devices", with_status="true", **WHOLE)}
    boxes = {row["owner_id"]: row for row in await office.ui.get("/vmboxes", has_key="owner_id", **WHOLE)}
    assert users.keys() == {office.admin_id, *(person.id for person in office.people)}
    for person in office.people:
        user, flow, device, box = (rows[person.id] for rows in (users, flows, devices, boxes))
        name = f"{user['first_name']} {user['last_name']}"
        assert picked(user, "presence_id", "priv_level") == [person.extension, "user"]
        assert user["email"] == user["username"]
        assert picked(flow, "id", "numbers", "featurecode") == [person.callflow_id, [person.extension], False]
        assert flow["modules"] == ["user", "voicemail"]
        assert picked(device, "id", "name", "registered") == [person.device_id, f"{name}'s Phone", False]
        assert picked(box, "id", "mailbox", "name") == [person.vmbox_id, person.extension, f"{name}'s VMBox"]
    providers = (await office.ui.get("/multi_factor"))["multi_factor_providers"]
    assert [one["enabled"] for one in providers if one["provider_name"] == "otp"] == [True]
    assert (await office.ui.get("/security"))["account"] == {}


async def test_one_user(office: Office) -> None:
    ann = office.people[0]
    user = await office.ui.get(f"/users/{ann.id}")
    assert user["directories"] == {office.directory: ann.callflow_id}
    assert user["caller_id"] == {"internal": {"name": "Ann Archer", "number": "2001"}}
    assert user["music_on_hold"] == {"media_id": office.hold_music}
    assert user["ui_metadata"] == MADE_BY
    for collection, expected in (("callflows", ann.callflow_id), ("devices", ann.device_id), ("vmboxes", ann.vmbox_id)):
        assert ids(await office.ui.get(f"/{collection}", filter_owner_id=ann.id)) == {expected}
    flow = await office.ui.get(f"/callflows/{ann.callflow_id}")
    assert picked(flow["flow"]["data"], "id", "can_call_self", "timeout") == [ann.id, False, 20]
    assert flow["metadata"] == {
        ann.id: {"name": "Ann Archer", "pvt_type": "user"},
        ann.vmbox_id: {"name": "Ann Archer's VMBox", "pvt_type": "vmbox"},
    }
    device = await office.ui.get(f"/devices/{ann.device_id}")
    assert (device["sip"]["username"], device["media"]["video"]) == ("user_2001", {"codecs": []})


async def test_the_main_number(office: Office) -> None:
    ui = office.ui
    main = await ui.get("/callflows", has_value="type", key_missing=("owner_id", "group_id"))
    named = ("MainCallflow", "MainConference", "MainFaxing", *HOURS, *(f"{name}Menu" for name in HOURS))
    assert ids(main) == those(office, named)
    assert all(row["type"] in ("main", "conference", "faxing") and row["numbers"] for row in main)

    rules = await ui.get("/temporal_rules", has_key="type")
    assert {row["name"]: row["type"] for row in rules} == {
        "MainOpenHours": "main_weekdays",
        "MainLunchHours": "main_lunchbreak",
        "Christmas": "main_holidays",
    }
    hours = await ui.get(f"/temporal_rules/{office.rules['MainOpenHours']}")
    assert picked(hours, "time_window_start", "time_window_stop", "wdays") == [32_400, 61_200, WORKDAYS]
    sets = await ui.get("/temporal_rules_sets", has_key="type", filter_type="main_holidays")
    assert column(sets, "id") == [office.holidays]
    assert (await ui.get(f"/temporal_rules_sets/{office.holidays}"))["temporal_rules"] == [office.rules["Christmas"]]

    flow = await ui.get(f"/callflows/{office.callflows['MainCallflow']}")
    order = [office.holidays, office.rules["MainLunchHours"], office.rules["MainOpenHours"]]
    assert flow["flow"]["data"] == {"rules": order}
    assert list(flow["flow"]["children"]) == [*order, "_"]
    shown = {key: reference.get("name") or reference["numbers"] for key, reference in flow["metadata"].items()}
    assert [shown[branch] for branch in order] == ["Holidays", "MainLunchHours", "MainOpenHours"]
    assert [shown[office.callflows[name]] for name in HOURS] == [[name] for name in HOURS]

    assert ids(await ui.get("/menus")) == set(office.menus.values())
    menu = await ui.get(f"/menus/{office.menus['MainOpenHours']}")
    assert picked(menu, "record_pin", "type", "retries") == ["4711", "main", 3]
    assert menu["media"] == {"exit_media": True, "invalid_media": True, "transfer_media": True}


async def test_what_a_call_can_be_sent_to(office: Office) -> None:
    """The main number's lists of callflows, each by its own filters."""
    lists: tuple[tuple[dict[str, str], set[str]], ...] = (
        ({"filter_flow.module": "qubicle"}, set()),
        ({"filter_ui_is_main_number_cf": "true"}, set()),
        ({"has_key": "owner_id", "filter_type": "mainUserCallflow"}, {one.callflow_id for one in office.people}),
        ({"has_key": "group_id", "filter_type": "baseGroup"}, those(office, ["Sales Ring Group"])),
        ({"has_key": "group_id", "filter_type": "userGroup"}, those(office, ["Sales SmartPBX's Callflow"])),
        ({"filter_type": "conference"}, those(office, ["MainConference", "Bob's conference"])),
        ({"filter_type": "conference", "filter_owner_id": office.people[1].id}, those(office, ["Bob's conference"])),
        ({"filter_type": "faxing"}, those(office, ["MainFaxing"])),
        (NOBODY, those(office, ["no_match"])),
        (
            {"key_missing": "type", "filter_not_numbers": "no_match", "filter_name": "Support"},
            those(office, ["Support"]),
        ),
    )
    for query, expected in lists:
        assert ids(await office.ui.get("/callflows", **WHOLE, **query)) == expected, query


async def test_the_feature_codes(office: Office) -> None:
    rows = await office.ui.get("/callflows", has_key="featurecode", **WHOLE)
    assert {row["featurecode"]["name"]: row["featurecode"]["number"] for row in rows} == {
        code["name"]: code["number"] for code in FEATURE_CODES
    }
    by_code = {row["featurecode"]["number"]: row for row in rows}
    assert by_code["97"]["numbers"] == ["*97"]
    assert by_code["3"]["patterns"] == [r"^\*3([0-9]*)$"]
    assert by_code["3"]["numbers"] == []
    own = await office.ui.get("/callflows", **{"has_key": "featurecode", "filter_ui_metadata.origin": "voip"}, **WHOLE)
    assert ids(own) == ids(rows)
    foreign = {"has_key": "featurecode", "filter_not_ui_metadata.origin": "voip"}
    assert await office.ui.get("/callflows", **foreign, **WHOLE) == []
    assert ids(await office.ui.get("/callflows", has_key="featurecode.name", **WHOLE)) == ids(rows)


async def test_the_groups(office: Office) -> None:
    (group,) = await office.ui.get("/groups", **WHOLE)
    assert picked(group, "id", "name", "features", "endpoints") == [office.group, "Sales", [], 2]
    flows = await office.ui.get("/callflows", has_key="group_id", **WHOLE)
    assert sorted(picked(row, "group_id", "type") for row in flows) == [
        [office.group, "baseGroup"],
        [office.group, "userGroup"],
    ]
    details = await office.ui.get(f"/groups/{office.group}")
    assert details["endpoints"].keys() == {person.id for person in office.people[:2]}
    (base,) = await office.ui.get("/callflows", filter_group_id=office.group, filter_type="baseGroup")
    ringing = await office.ui.get(f"/callflows/{base['id']}")
    assert [endpoint["id"] for endpoint in ringing["flow"]["data"]["endpoints"]] == list(details["endpoints"])


async def test_hold_music_conference_fax_and_queue(office: Office) -> None:
    ui, host = office.ui, office.people[1]
    (music,) = await ui.get("/media", **WHOLE, key_missing="type")
    assert picked(music, "id", "name", "media_source") == [office.hold_music, "hold.mp3", "upload"]
    sound = await ui.api.acting(None).get(f"/media/{office.hold_music}/raw", query={"auth_token": ui.api.token})
    assert (sound.status, sound.raw, sound.headers["Content-Type"]) == (200, MP3, "audio/mp3")

    (collection,) = await ui.get("/conferences", filter_owner_id=host.id)
    assert picked(collection, "id", "owner_id", "conference_numbers") == [office.conference, host.id, ["2200"]]
    conference = await ui.get(f"/conferences/{office.conference}")
    assert (conference["conference_numbers"], conference["member"]["numbers"]) == (["2200"], [])

    (faxbox,) = await ui.get("/faxboxes", **WHOLE)
    assert picked(faxbox, "id", "name", "owner_id") == [office.faxbox, f"{office.name}'s Faxbox", office.id]
    faxing = await ui.get(f"/callflows/{office.callflows['MainFaxing']}")
    assert picked(faxing, "numbers", "metadata") == [
        ["2300"],
        {office.faxbox: {"name": f"{office.name}'s Faxbox", "pvt_type": "faxbox"}},
    ]

    (queue,) = await ui.get("/queues", **WHOLE)
    assert picked(queue, "id", "name") == [office.queue, "Support"]
    agents = {row["id"]: row["queues"] for row in await ui.get("/agents", **WHOLE)}
    assert agents == {person.id: [office.queue] for person in office.people[2:]}


async def test_the_callflow_list_is_read_page_by_page(office: Office) -> None:
    everything = await office.ui.get("/callflows", **WHOLE)
    hidden = {"filter_not_ui_metadata.origin": ("callqueues", "csv-onboarding"), "filter_not_numbers": "no_match"}
    query: dict[str, Any] = {"page_size": "7", **hidden}
    seen: list[str] = []
    while True:
        page = await office.ui.api.get("/callflows", query=query)
        seen += column(page.data, "id")
        following = page.envelope.get("next_start_key")
        if following is None:
            break
        assert (len(page.data), page.envelope["page_size"]) == (7, 7)
        query["start_key"] = following
    assert seen == [row["id"] for row in everything if row["numbers"] != ["no_match"]]
    found = await office.ui.get("/search", t="callflow", q="name_and_number", v="2003")
    assert column(found, "id") == [office.people[2].callflow_id]


# Changing


def merged(stored: Any, change: Any) -> Any:
    """What a change leaves: objects one in the other, all else as the change has it, and nothing where that is null."""
    if not (isinstance(stored, dict) and isinstance(change, dict)):
        return change
    both = {key: merged(stored.get(key), change[key]) if key in change else stored[key] for key in stored | change}
    return {key: value for key, value in both.items() if value is not None}


async def test_changes_stay_and_touch_nothing_else(server: RunningServer) -> None:
    office = await (await empty_office(server.master)).build()
    ui, ann = office.ui, office.people[0]

    async def rows() -> dict[str, dict[str, Any]]:
        return {f"{name}/{row['id']}": row for name in (*LISTS, "users") for row in await ui.get(f"/{name}", **WHOLE)}

    changes: dict[str, dict[str, Any]] = {
        f"users/{ann.id}": {"ui_help": {"voip": {"users": False}}, "last_name": "Abbot", "presence_id": None},
        f"devices/{ann.device_id}": {"enabled": False, "sip": {"password": "another-word"}},
        f"vmboxes/{ann.vmbox_id}": {"name": "Ann", "notify_email_addresses": ["ann@example.com"]},
        f"callflows/{ann.callflow_id}": {"name": "Ann", "flow": {"data": {"timeout": 30}}},
        f"temporal_rules/{office.rules['MainOpenHours']}": {"name": "Open", "wdays": WORKDAYS[:4]},
        f"temporal_rules_sets/{office.holidays}": {"name": "Feast days"},
        f"menus/{office.menus['MainOpenHours']}": {"name": "Open", "media": {"greeting": office.hold_music}},
        f"conferences/{office.conference}": {"member": {"pins": ["1234"]}},
        f"groups/{office.group}": {"music_on_hold": {"media_id": office.hold_music}},
        f"faxboxes/{office.faxbox}": {"retries": 3},
        f"queues/{office.queue}": {"name": "Help", "agent_ring_timeout": 25},
        f"directories/{office.directory}": {"name": "People", "confirm_match": True},
    }
    before = await rows()
    for path, change in changes.items():
        stored = await ui.get(f"/{path}")
        answered = await ui.patch(f"/{path}", change)
        read = await ui.get(f"/{path}")
        assert read == merged(stored, change)
        shown_to_either = {"_read_only", "agents", "metadata", "smtp_email_address", "users"}
        assert answered.keys() ^ read.keys() <= shown_to_either
        assert {key for key in answered.keys() & read.keys() if answered[key] != read[key]} <= shown_to_either
    after = await rows()
    assert {path for path in before | after if before.get(path) != after.get(path)} == changes.keys()


# Clearing away


async def test_nothing_is_left_of_an_office(server: RunningServer, mongo_client: MongoClient[dict[str, Any]]) -> None:
    reseller = server.master
    office = await (await empty_office(reseller)).build()
    database = mongo_client[server.runtime.config.database.name]
    files = [file["_id"] for file in database["attachments.files"].find({"metadata.a": office.id}, {"_id": 1})]
    assert len(files) == 1
    assert mentions(database, office.id) == ["attachments.files", "claims", "documents", "history", "records"]
    endless = database["events"].find_one({"expires": {"$exists": False}})
    assert endless is None  # whoever listens to accounts above is told of the end, and then the log forgets

    await office.clear()
    for name in LISTS:
        assert await office.ui.get(f"/{name}", **WHOLE) == [], name
    assert await office.ui.get("/agents", **WHOLE) == []
    assert column(await office.ui.get("/users", **WHOLE), "id") == [office.admin_id]
    sound = await office.ui.api.get(f"/media/{office.hold_music}/raw")
    assert sound.error() == (404, "404", "bad_identifier", {"message": "bad identifier", "cause": office.hold_music})

    above = reseller.root
    deleted = await above.delete(f"/accounts/{office.id}", {"ui_metadata": MADE_BY})
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert (await above.get(f"/accounts/{office.id}")).status == 404
    assert (await office.ui.api.get("/users")).status == 404
    assert (await office.ui.api.acting(office.ui.api.token, "").get(f"/accounts/{reseller.id}")).status == 401
    # What remains is the note by which writes that were under way are swept up, once they have had their time.
    note = database["documents"].find_one_and_delete(
        {"_id": document_key(SYSTEM_DATA, account_removal.TYPE, office.id)}
    )
    assert note is not None
    with clock.frozen(clock.unix_now() + account_removal.GRACE_SECONDS):
        await account_removal.clear_all(server.runtime)  # as a server does from time to time
    assert mentions(database, office.id) == []
    assert database["attachments.chunks"].count_documents({"files_id": {"$in": files}}) == 0
    again = await Office.opened(reseller, office.name)  # name and realm are free
    assert again.id != office.id


def mentions(database: Database[dict[str, Any]], text: str) -> list[str]:
    """The collections in which a text occurs, as a key or in a value, however deep.

    The log of events is none of them: it has what somebody listens to, for as long as events are kept.
    """
    stored = database.with_options(CodecOptions(document_class=RawBSONDocument))
    return sorted(
        name
        for name in stored.list_collection_names(filter={"name": {"$ne": "events"}})
        if any(text.encode() in document.raw for document in stored[name].find())
    )
