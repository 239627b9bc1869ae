# SPDX-License-Identifier: MPL-2.0
"""An office as MonsterUI's SmartPBX and Callflows apps build one: the same requests, in their order.

Phone numbers are not among them: where the apps would buy or assign one, the office has an extension.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.interface import Document, Ui, action, callflow
from tests.harness import Tenant
from tests.samples import MP3

PASSWORD = "correct horse"
WORKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"]
PEOPLE = (("Ann", "Archer"), ("Bob", "Baker"), ("Cem", "Carter"), ("Dee", "Dyer"), ("Eve", "Ellis"))
HOURS = ("MainOpenHours", "MainAfterHours", "MainLunchHours", "MainHolidays")
"""The four callflows between which the main number's chooses; each leads to a menu's."""
FEATURE_CODES: tuple[Document, ...] = (
    {"name": "call_forward[action=activate]", "number": "72", "numbers": ["*72"], "module": "call_forward"},
    {"name": "hotdesk[action=toggle]", "number": "13", "numbers": ["*13"], "module": "hotdesk"},
    {"name": "park_and_retrieve", "number": "3", "patterns": [r"^\*3([0-9]*)$"], "module": "park"},
    {"name": "voicemail[action=check]", "number": "97", "numbers": ["*97"], "module": "voicemail"},
)
DIRECTORY = "SmartPBX Directory"
NOBODY = {"filter_numbers": "no_match"}
WHOLE = {"paginate": "false"}


@dataclass
class Person:
    """A user with what belongs to one: the ids of the user, the voicemail box, the callflow and the phone."""

    id: str
    extension: str
    vmbox_id: str
    callflow_id: str
    device_id: str


@dataclass
class Office:
    """An account, its interface, and the ids of what was built in it."""

    id: str
    name: str
    admin_id: str
    ui: Ui
    people: list[Person] = field(default_factory=list)
    callflows: dict[str, str] = field(default_factory=dict)
    menus: dict[str, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    holidays: str = ""
    hold_music: str = ""
    group: str = ""
    conference: str = ""
    queue: str = ""
    directory: str = ""
    faxbox: str = ""

    @classmethod
    async def opened(cls, reseller: Tenant, name: str) -> Office:
        """A new account below `reseller`, whose administrator has logged in."""
        above = Ui(reseller.root)
        account = await above.put(
            f"/accounts/{reseller.id}",
            {"name": name, "realm": f"{name}.test", "timezone": "Europe/Berlin", "language": "en-US"},
        )
        admin = await above.put(
            f"/accounts/{account['id']}/users",
            {"first_name": "Ada", "last_name": "Admin", "username": "ada", "password": PASSWORD, "priv_level": "admin"},
        )
        credentials = hashlib.md5(f"ada:{PASSWORD}".encode()).hexdigest()
        login = await reseller.root.acting(None).put("/user_auth", {"credentials": credentials, "account_name": name})
        assert login.data["account_id"] == account["id"]
        token = login.envelope["auth_token"]
        return cls(account["id"], name, admin["id"], Ui(reseller.api.acting(token, f"/accounts/{account['id']}")))

    async def build(self) -> Office:
        """Everything that a small office has."""
        await self.build_unknown_numbers()
        await self.build_main_vmbox()
        await self.build_main_number()
        await self.build_feature_codes()
        for number, (first_name, last_name) in enumerate(PEOPLE):
            self.people.append(await self.hire(first_name, last_name, str(2001 + number)))
        await self.build_office_hours()
        await self.build_hold_music()
        await self.build_group()
        await self.build_conference()
        await self.build_faxbox()
        await self.build_queue()
        return self

    # What the apps make by themselves when they are opened

    async def build_unknown_numbers(self) -> None:
        """The callflow for numbers that nothing else answers."""
        assert await self.ui.get("/callflows", **NOBODY) == []
        made = await self.ui.put("/callflows", {"numbers": ["no_match"], "flow": action("offnet")})
        self.callflows["no_match"] = made["id"]

    async def build_main_vmbox(self) -> None:
        """The dashboard's voicemail box."""
        assert await self.ui.get("/vmboxes", filter_type="mainVMBox") == []
        box = {"type": "mainVMBox", "mailbox": "0", "name": f"{self.name}'s VMBox", "delete_after_notify": True}
        await self.ui.put("/vmboxes", box)

    async def build_main_number(self) -> None:
        """The menus, and the callflows that lead to them by the time of the day."""
        # Here the app reads the account's phone numbers, which decide how much it shows.
        await self._callflow("MainConference", ["undefinedconf"], action("conference"), type="conference")
        await self._callflow("MainFaxing", ["undefinedfaxing"], action("faxbox"), type="faxing")
        for name in HOURS:
            menu = await self.ui.put(
                "/menus",
                {
                    "name": f"{name}Menu",
                    "record_pin": "4711",
                    "media": {"exit_media": True, "invalid_media": True, "transfer_media": True},
                    "retries": 3,
                    "max_extension_length": 4,
                    "type": "main",
                },
            )
            self.menus[name] = menu["id"]
            to_menu = await self.ui.put(
                "/callflows", callflow([f"{name}Menu"], action("menu", {"id": menu["id"]}), type="main")
            )
            self.callflows[f"{name}Menu"] = to_menu["id"]
            made = await self.ui.put(
                "/callflows", callflow([name], action("callflow", {"id": to_menu["id"]}), type="main")
            )
            self.callflows[name] = made["id"]
        open_hours = action("callflow", {"id": self.callflows["MainOpenHours"]})
        routed = action("temporal_route", _=open_hours)
        await self._callflow("MainCallflow", ["undefinedMainNumber"], routed, type="main")

    async def build_feature_codes(self) -> None:
        """A callflow for each code that a phone can dial."""
        assert await self.ui.get("/callflows", has_key="featurecode", **WHOLE) == []
        for code in FEATURE_CODES:
            dialled: Document = {key: code[key] for key in ("numbers", "patterns") if key in code}
            made = await self.ui.put(
                "/callflows",
                {
                    "flow": action(code["module"]),
                    "featurecode": {"name": code["name"], "number": code["number"]},
                    **dialled,
                },
            )
            self.callflows[code["name"]] = made["id"]

    # What a person builds

    async def hire(self, first_name: str, last_name: str, extension: str) -> Person:
        """A user with voicemail box, callflow, entry in the directory, and a phone."""
        name = f"{first_name} {last_name}"
        user = await self.ui.put(
            "/users",
            {
                "first_name": first_name,
                "last_name": last_name,
                "username": f"{first_name}@{self.name}.test".lower(),
                "password": PASSWORD,
                "email": f"{first_name}@{self.name}.test".lower(),
                "priv_level": "user",
                "presence_id": extension,
                "caller_id": {"internal": {"name": name, "number": extension}},
            },
        )
        box = await self.ui.put("/vmboxes", {"mailbox": extension, "name": f"{name}'s VMBox", "owner_id": user["id"]})
        rings = action(
            "user",
            {"id": user["id"], "can_call_self": False, "timeout": 20},
            _=action("voicemail", {"id": box["id"]}),
        )
        flow = await self.ui.put(
            "/callflows",
            callflow(
                [extension],
                rings,
                name=f"{name} SmartPBX's Callflow",
                owner_id=user["id"],
                type="mainUserCallflow",
            ),
        )
        directory_id = await self._main_directory()
        await self.ui.change(
            f"/users/{user['id']}", lambda stored: stored.update(directories={directory_id: flow["id"]})
        )
        device = await self.ui.put(
            "/devices",
            {
                "name": f"{name}'s Phone",
                "device_type": "sip_device",
                "owner_id": user["id"],
                "enabled": True,
                "sip": {"username": f"user_{extension}", "password": "a-secret-word"},
                "media": {"audio": {"codecs": ["PCMU", "PCMA"]}, "video": {"codecs": []}},
                "suppress_unregister_notifications": False,
            },
        )
        return Person(user["id"], extension, box["id"], flow["id"], device["id"])

    async def build_office_hours(self) -> None:
        """Open from nine to five with an hour for lunch, and closed at Christmas."""
        open_hours = {"start": 32_400, "stop": 61_200, "days": WORKDAYS}
        lunch = {"start": 43_200, "stop": 46_800, "days": WORKDAYS}
        for name, kind, hours in (("MainOpenHours", "weekdays", open_hours), ("MainLunchHours", "lunchbreak", lunch)):
            rule = await self.ui.put(
                "/temporal_rules",
                {
                    "name": name,
                    "type": f"main_{kind}",
                    "cycle": "weekly",
                    "interval": 1,
                    "time_window_start": hours["start"],
                    "time_window_stop": hours["stop"],
                    "wdays": hours["days"],
                },
            )
            self.rules[name] = rule["id"]
        christmas = await self.ui.put(
            "/temporal_rules",
            {
                "name": "Christmas",
                "type": "main_holidays",
                "cycle": "yearly",
                "interval": 1,
                "month": 12,
                "days": [25],
                "time_window_start": 0,
                "time_window_stop": 86_400,
            },
        )
        self.rules["Christmas"] = christmas["id"]
        holidays = await self.ui.put(
            "/temporal_rules_sets",
            {"name": "Holidays", "type": "main_holidays", "temporal_rules": [christmas["id"]]},
        )
        self.holidays = holidays["id"]
        ways = (
            (self.holidays, "MainHolidays"),
            (self.rules["MainLunchHours"], "MainLunchHours"),
            (self.rules["MainOpenHours"], "MainOpenHours"),
            ("_", "MainAfterHours"),
        )

        def route(main: Document) -> None:
            branches = {branch: action("callflow", {"id": self.callflows[name]}) for branch, name in ways}
            main["flow"]["children"] = branches
            main["flow"]["data"]["rules"] = [branch for branch, _ in ways[:-1]]
            main["numbers"] = ["2000"]  # a phone number, where there are some

        await self.ui.change(f"/callflows/{self.callflows['MainCallflow']}", route)

    async def build_hold_music(self) -> None:
        """A sound for callers who wait, chosen by the first user."""
        fields = {"streamable": True, "name": "hold.mp3", "media_source": "upload", "description": "hold.mp3 (file)"}
        self.hold_music = (await self.ui.put("/media", fields))["id"]
        data_url = b"data:audio/mp3;base64," + base64.b64encode(MP3)
        sent = await self.ui.api.post(
            f"/media/{self.hold_music}/raw", body=data_url, content_type="application/x-base64"
        )
        assert (sent.status, sent.data["content_length"]) == (200, len(MP3))

        def choose(user: Document) -> None:
            user["music_on_hold"] = {"media_id": self.hold_music}

        await self.ui.change(f"/users/{self.people[0].id}", choose)

    async def build_group(self) -> None:
        """Two users who ring together: the group, how it rings, and what leads to it."""
        members = self.people[:2]
        group = await self.ui.put(
            "/groups",
            {
                "name": "Sales",
                "endpoints": {person.id: {"type": "user", "weight": at} for at, person in enumerate(members, 1)},
            },
        )
        self.group = group["id"]
        endpoints = [{"endpoint_type": "user", "id": person.id, "timeout": 20, "delay": 0} for person in members]
        ringing = action("ring_group", {"strategy": "simultaneous", "timeout": 20, "endpoints": endpoints})
        base = await self._callflow(
            "Sales Ring Group", ["group_mq3Bnk0vLx2Yc7"], ringing, type="baseGroup", group_id=self.group
        )
        leads = action("callflow", {"id": base["id"]})
        await self._callflow("Sales SmartPBX's Callflow", ["2100"], leads, type="userGroup", group_id=self.group)

    async def build_conference(self) -> None:
        """A room of the second user's, and the callflow to it."""
        host = self.people[1]
        conference = await self.ui.put(
            "/conferences",
            {
                "name": "Bob Baker's SmartPBX Conference",
                "owner_id": host.id,
                "play_name": False,
                "member": {"join_muted": False, "join_deaf": False},
                "conference_numbers": ["2200"],
            },
        )
        self.conference = conference["id"]
        meets = action("conference", {"id": self.conference})
        await self._callflow("Bob's conference", ["2200"], meets, type="conference", owner_id=host.id)

    async def build_faxbox(self) -> None:
        """A box for faxes, and where they come in."""
        account = await self.ui.get("")
        faxbox = await self.ui.put(
            "/faxboxes",
            {
                "name": f"{account['name']}'s Faxbox",
                "caller_name": account["name"],
                "caller_id": "2300",
                "fax_header": "Acme Phones Fax Printer",
                "fax_timezone": account["timezone"],
                "fax_identity": "2300",
                "owner_id": account["id"],
                "notifications": {"inbound": {"email": {"send_to": f"fax@{self.name}.test"}}},
            },
        )
        self.faxbox = faxbox["id"]

        def receive(main: Document) -> None:
            main["numbers"] = ["2300"]
            main["flow"]["data"]["id"] = self.faxbox

        await self.ui.change(f"/callflows/{self.callflows['MainFaxing']}", receive)

    async def build_queue(self) -> None:
        """A queue with three agents and the callflow to it."""
        self.queue = (await self.ui.put("/queues", {"name": "Support", "strategy": "round_robin"}))["id"]
        roster = [person.id for person in self.people[2:]]
        added = await self.ui.api.post(f"/queues/{self.queue}/roster", roster)
        assert (added.status, added.data["agents"]) == (200, sorted(roster))
        await self._callflow("Support", ["2400"], action("acdc_member", {"id": self.queue}))

    # What a person takes away

    async def dismiss(self, person: Person) -> None:
        """A user goes, with everything that belongs to the user."""
        for collection in ("devices", "callflows", "vmboxes", "conferences"):
            await self._delete_all(collection, filter_owner_id=person.id)
        await self.ui.delete(f"/users/{person.id}")

    async def clear(self) -> None:
        """Take away everything but the administrator, group by group as the screens offer it."""
        for person in self.people:
            await self.dismiss(person)
        await self._delete_all("callflows", filter_group_id=self.group)
        await self.ui.delete(f"/groups/{self.group}")
        for rule in (self.rules["MainOpenHours"], self.rules["MainLunchHours"]):
            await self.ui.delete(f"/temporal_rules/{rule}")
        holidays = await self.ui.get(f"/temporal_rules_sets/{self.holidays}")
        for rule in holidays["temporal_rules"]:
            await self.ui.delete(f"/temporal_rules/{rule}")
        await self.ui.delete(f"/temporal_rules_sets/{self.holidays}")
        for collection in ("callflows", "menus", "vmboxes", "faxboxes", "queues", "directories", "media"):
            await self._delete_all(collection)

    async def _delete_all(self, collection: str, **query: str) -> None:
        rows = await self.ui.get(f"/{collection}", **WHOLE, **query)
        await _together(self.ui.delete(f"/{collection}/{row['id']}") for row in rows)

    async def _callflow(self, name: str, numbers: list[str], flow: Document, **fields: Any) -> Document:
        made = await self.ui.put("/callflows", callflow(numbers, flow, name=name, **fields))
        self.callflows[name] = made["id"]
        return made

    async def _main_directory(self) -> str:
        found = [row["id"] for row in await self.ui.get("/directories", **WHOLE) if row["name"] == DIRECTORY]
        if not found:
            fields = {"name": DIRECTORY, "confirm_match": False, "min_dtmf": 3, "max_dtmf": 0, "sort_by": "last_name"}
            found = [(await self.ui.put("/directories", fields))["id"]]
        (self.directory,) = found
        return self.directory


async def _together(requests: Any) -> None:
    """All of them, as many at a time as the interface sends: five."""
    gate = asyncio.Semaphore(5)

    async def one(request: Awaitable[Any]) -> None:
        async with gate:
            await request

    await asyncio.gather(*map(one, requests))
