# SPDX-License-Identifier: MPL-2.0
"""The example office: its people and what they share, in the order in which an administrator would set it up."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Final

from crossbar.care.demo_api import DemoApi, DemoRefused, converter_of
from crossbar.care.demo_people import (
    AREAS,
    CUSTOMER_AREAS,
    CUSTOMER_LINES,
    FIRST_EXTENSION,
    OFFICE_LINES,
    PORTED_LINE,
    STAFF,
    Colleague,
    fictional,
    plain,
)
from crossbar.care.demo_sounds import DemoSounds
from crossbar.ids import new_secret

WORKDAYS: Final = ["monday", "tuesday", "wednesday", "thursday", "friday"]
QUIETLY: Final = {"send_email_on_creation": "false"}
ADMIN: Final = "admin"
TIMEZONE: Final = "America/New_York"
Data = dict[str, Any]


def action(module: str, data: Data | None = None, **children: Data) -> Data:
    """A step of a callflow."""
    return {"module": module, "data": data or {}, "children": children}


@dataclass(slots=True)
class Worker:
    """Somebody of the office, with the ids of what belongs to them."""

    colleague: Colleague
    extension: str
    user_id: str
    device_id: str
    vmbox_id: str
    callflow_id: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.colleague.first_name} {self.colleague.last_name}"


@dataclass(slots=True)
class DemoOffice:
    """An account that is being filled; `api` speaks as the master account's administrator, `own` as the office's."""

    api: DemoApi
    own: DemoApi
    account_id: str
    realm: str
    chance: random.Random
    sounds: DemoSounds
    area: str = ""
    workers: list[Worker] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    """What there is one of, by what it is called here."""

    @classmethod
    async def opened(cls, api: DemoApi, master_id: str, name: str, password: str, seed: random.Random) -> DemoOffice:
        """A new account below the master account, with an administrator. Raises DemoRefused."""
        realm = f"{plain(name) or 'demo'}.demo.example"
        about = {"name": name, "realm": realm, "timezone": TIMEZONE, "language": "en-us"}
        account = await api.send("PUT", f"/accounts/{master_id}", about, **QUIETLY)
        admin = {"first_name": "Dana", "last_name": "Admin", "username": ADMIN, "password": password}
        admin |= {"priv_level": "admin", "email": f"admin@{realm}"}
        made = await api.send("PUT", f"/accounts/{account['id']}/users", admin, **QUIETLY)
        own = api.acting(await api.token_of(account["id"], made["id"]))
        office = cls(api, own, account["id"], realm, seed, DemoSounds(converter_of(api)))
        office.ids["admin"] = made["id"]
        return office

    def path(self, rest: str) -> str:
        """A path below the account."""
        return f"/accounts/{self.account_id}{rest}"

    async def put(self, collection: str, data: Data, **query: str) -> str:
        """A new document; its id."""
        made = await self.own.send("PUT", self.path(collection), data, **query)
        return str(made["id"])

    async def build(self) -> None:
        """Everything but what happens there."""
        await self._switch_mail_off()
        await self._buy_numbers()
        self.ids["directory"] = await self.put("/directories", {"name": "Everybody", "sort_by": "last_name"})
        for number, colleague in enumerate(STAFF):
            self.workers.append(await self._hire(colleague, str(FIRST_EXTENSION + number)))
        await self._teams()
        await self._hours_and_menu()
        await self._rooms_and_fax()
        await self._rules_and_lists()
        await self._trunks_and_places()

    async def _switch_mail_off(self) -> None:
        """Nobody is to be written to: the addresses are made up."""
        for template in await self.api.get(self.path("/notifications"), paginate="false"):
            name = str(template["id"])
            whole = await self.api.get(self.path(f"/notifications/{name}"))
            await self.api.send("POST", self.path(f"/notifications/{name}"), {**whole, "enabled": False})

    async def _buy_numbers(self) -> None:
        """Numbers of an area in which no other office of this kind is."""
        for area in AREAS:
            try:
                await self._add_number(area, OFFICE_LINES[0])
            except DemoRefused:
                continue
            self.area = area
            break
        else:
            raise DemoRefused("all numbers of the example are taken: end another example account first")
        for line in OFFICE_LINES[1:]:
            await self._add_number(self.area, line)
        main = self.number(0)
        caller_id = {"external": {"name": "Demo Office", "number": main}}
        await self.own.send("PATCH", self.path(""), {"caller_id": caller_id})

    async def _add_number(self, area: str, line: int) -> None:
        number = fictional(area, line)
        await self.api.send("PUT", self.path(f"/phone_numbers/{number}"), {"carrier_name": "knm_local"})

    def number(self, at: int) -> str:
        """One of the office's numbers."""
        return fictional(self.area, OFFICE_LINES[at])

    def customer(self) -> str:
        """The number of somebody outside."""
        return fictional(self.chance.choice(CUSTOMER_AREAS), self.chance.choice(CUSTOMER_LINES))

    async def _hire(self, colleague: Colleague, extension: str) -> Worker:
        name = f"{colleague.first_name} {colleague.last_name}"
        username = f"{plain(colleague.first_name)}.{plain(colleague.last_name)}"
        user = {
            "first_name": colleague.first_name,
            "last_name": colleague.last_name,
            "username": username,
            "password": new_secret(8),
            "email": f"{username}@{self.realm}",
            "priv_level": "user",
            "presence_id": extension,
            "timezone": TIMEZONE,
            "title": colleague.team.capitalize(),
            "vm_to_email_enabled": False,
            "caller_id": {"internal": {"name": name, "number": extension}},
        }
        user_id = await self.put("/users", user, **QUIETLY)
        device = {
            "name": f"{colleague.first_name}'s phone",
            "device_type": "softphone" if self.chance.random() < 0.3 else "sip_device",
            "owner_id": user_id,
            "mac_address": "02:" + ":".join(f"{self.chance.randrange(256):02x}" for _ in range(5)),
            "sip": {
                "username": f"{plain(self.realm.split('.')[0])}_{extension}",
                "password": f"{self.chance.getrandbits(64):016x}",
            },
        }
        device_id = await self.put("/devices", device)
        box = {
            "mailbox": extension,
            "name": f"{name}'s voicemail",
            "owner_id": user_id,
            "pin": "4711",
            "require_pin": True,
        }
        vmbox_id = await self.put("/vmboxes", box)
        rings = action("user", {"id": user_id, "timeout": 20}, _=action("voicemail", {"id": vmbox_id}))
        flow = {"name": name, "numbers": [extension], "flow": rings, "owner_id": user_id}
        callflow_id = await self.put("/callflows", flow)
        directories = {self.ids["directory"]: callflow_id}
        await self.own.send("PATCH", self.path(f"/users/{user_id}"), {"directories": directories})
        return Worker(colleague, extension, user_id, device_id, vmbox_id, callflow_id)

    def team(self, name: str) -> list[Worker]:
        """Those of a team."""
        return [one for one in self.workers if one.colleague.team == name]

    async def _teams(self) -> None:
        sales = self.team("sales")
        members = {one.user_id: {"type": "user", "weight": at} for at, one in enumerate(sales, 1)}
        self.ids["group"] = await self.put("/groups", {"name": "Sales", "endpoints": members})
        endpoints = [{"endpoint_type": "user", "id": one.user_id, "timeout": 20, "delay": 0} for one in sales]
        ringing = action(
            "ring_group", {"name": "Sales", "strategy": "simultaneous", "timeout": 20, "endpoints": endpoints}
        )
        flow = {"name": "Sales", "numbers": ["300"], "flow": ringing, "group_id": self.ids["group"]}
        self.ids["sales flow"] = await self.put("/callflows", flow)
        self.ids["queue"] = await self.put(
            "/queues", {"name": "Support", "strategy": "most_idle", "max_queue_size": 20}
        )
        roster = [one.user_id for one in self.team("support")]
        await self.own.send("POST", self.path(f"/queues/{self.ids['queue']}/roster"), roster)
        waits = action("acdc_member", {"id": self.ids["queue"]})
        self.ids["support flow"] = await self.put("/callflows", {"name": "Support", "numbers": ["400"], "flow": waits})

    async def _hours_and_menu(self) -> None:
        """By day the menu, at night and on holidays an announcement."""
        self.ids["greeting"] = await self._sound(
            "Greeting", "Welcome to the demo office. For sales press one, for support press two."
        )
        await self._sound("Closed", "We are closed. Please call again tomorrow.")
        menu = {"name": "Main menu", "retries": 3, "timeout": 10_000, "max_extension_length": 3}
        self.ids["menu"] = await self.put("/menus", {**menu, "media": {"greeting": self.ids["greeting"]}})
        hours = {"name": "Office hours", "cycle": "weekly", "interval": 1, "wdays": WORKDAYS}
        rule = await self.put(
            "/temporal_rules", {**hours, "time_window_start": 9 * 3600, "time_window_stop": 18 * 3600}
        )
        new_year = {"name": "New Year", "cycle": "yearly", "interval": 1, "month": 1, "days": [1]}
        holiday = await self.put("/temporal_rules", new_year)
        holidays = await self.put("/temporal_rules_sets", {"name": "Holidays", "temporal_rules": [holiday]})
        reception = self.team("reception")[0]
        closed = action("voicemail", {"id": reception.vmbox_id})
        keys = {
            "1": action("callflow", {"id": self.ids["sales flow"]}),
            "2": action("callflow", {"id": self.ids["support flow"]}),
        }
        keys["_"] = action("user", {"id": reception.user_id, "timeout": 30}, _=closed)
        by_day = action("menu", {"id": self.ids["menu"]}, **keys)
        routes = {holidays: closed, rule: by_day, "_": closed}
        flow = action("temporal_route", {"rules": [holidays, rule], "timezone": TIMEZONE}, **routes)
        await self.put("/callflows", {"name": "Main number", "numbers": [self.number(0), "100"], "flow": flow})
        await self.put("/callflows", {"name": "Everybody else", "numbers": ["no_match"], "flow": action("offnet")})

    async def _sound(self, name: str, text: str) -> str:
        media_id = await self.put(
            "/media", {"name": name, "media_source": "upload", "streamable": True, "language": "en-us"}
        )
        raw = self.path(f"/media/{media_id}/raw")
        await self.own.send_raw("POST", raw, await self.sounds.spoken(text), "audio/wav")
        return media_id

    async def _rooms_and_fax(self) -> None:
        host = self.workers[0]
        room = {"name": "Monday meeting", "owner_id": host.user_id, "conference_numbers": ["500"]}
        self.ids["conference"] = await self.put("/conferences", {**room, "member": {"pins": ["1234"]}})
        meets = action("conference", {"id": self.ids["conference"]})
        await self.put("/callflows", {"name": "Monday meeting", "numbers": ["500"], "flow": meets})
        fax = {
            "name": "Office fax",
            "caller_name": "Demo Office",
            "caller_id": self.number(1),
            "fax_timezone": TIMEZONE,
        }
        self.ids["faxbox"] = await self.put("/faxboxes", {**fax, "owner_id": host.user_id})
        receives = action("faxbox", {"id": self.ids["faxbox"]})
        await self.put("/callflows", {"name": "Office fax", "numbers": [self.number(1)], "flow": receives})

    async def _rules_and_lists(self) -> None:
        await self.put("/blacklists", {"name": "Nuisance calls", "numbers": {self.customer(): {}}})
        contacts = await self.put("/lists", {"name": "Suppliers", "description": "Whom accounting calls"})
        for name in ("Paper & Co", "Coffee Roasters"):
            entry = {"displayname": name, "number": self.customer()}
            await self.own.send("PUT", self.path(f"/lists/{contacts}/entries"), entry)
        await self.put("/clicktocall", {"name": "Call us", "extension": "300"})
        await self.put("/cccps", {"cid": self.number(3), "active": True, "outbound_cid": self.number(0)})
        hook = {"name": "Switched off", "uri": "http://hooks.demo.example/calls", "hook": "channel_create"}
        await self.put("/webhooks", {**hook, "http_verb": "post", "enabled": False})
        script = "function main(call) { return {module: 'hangup', data: {}, children: {}}; }"
        await self.put("/functions", {"name": "Hang up", "function_js": script, "enabled": False})
        await self._send("PUT", "/ingest_tokens", {"name": "Switch"})
        await self._send("PUT", "/tokens", {"name": "Monthly report", "scope": {"cdrs": [{"rules": {"#": ["GET"]}}]}})
        factor = {"name": "Authenticator app", "provider_name": "authenticator", "enabled": False}
        await self._send("PUT", "/multi_factor", factor)
        await self._send(
            "POST", "/metaflows", {"binding_digit": "*", "numbers": {"1": {"module": "hangup", "data": {}}}}
        )
        await self._send("POST", "/limits", {"twoway_trunks": 10, "inbound_trunks": 5})
        await self._send("POST", "/allotments", {"did_us": {"amount": 60_000, "cycle": "monthly"}})
        rates = {"per_minute": {"total_packets": 1000}, "per_second": {"total_packets": 50}}
        limits = {"account": rates, "device": rates}
        await self.api.send("POST", self.path("/rate_limits"), limits)
        person = self.workers[3]
        hotdesk = {"hotdesk": {"id": person.extension, "enabled": True, "require_pin": False}}
        await self._send("PATCH", f"/users/{person.user_id}", hotdesk)
        desk = self.workers[4].device_id
        await self._send("PATCH", f"/devices/{desk}", {"hotdesk": {"users": {person.user_id: {}}}})
        await self._send(
            "PUT", "/comments", {"comments": [{"author": "Dana Admin", "content": "An example to look at."}]}
        )

    async def _trunks_and_places(self) -> None:
        server = {
            "server_name": "Old exchange",
            "auth": {
                "auth_method": "Password",
                "auth_user": f"{plain(self.realm.split('.')[0])}_trunk",
                "auth_password": "a-long-password",
            },
            "DIDs": {self.number(2): {}},
        }
        await self._send("PUT", "/connectivity", {"name": "Trunks", "servers": [server]})
        await self._send("PUT", "/external_numbers", {"number": self.customer()})
        plan = {
            "name": "Office plan",
            "description": "What a desk costs",
            "plan": {"users": {"_all": {"rate": 5, "name": "Desk"}}},
        }
        await self.api.send("PUT", self.path("/service_plans"), plan)
        await self._send("PUT", "/whitelabel", {"domain": f"ui.{self.realm}", "company_name": "Demo Office"})
        await self._dedicated_address()
        mast = {"name": "Roof antenna", "gateways": [{"server": "192.0.2.30"}], "weight_cost": 50}
        await self._send("PUT", "/resources", mast)
        await self._send("PUT", "/skels", {"name": "Nothing in particular"})
        mime = 'Content-Type: text/plain; charset="utf-8"\r\n\r\nA picture of the new office.\r\n'
        await self._send("PUT", "/mms", {"to": self.customer(), "from": self.number(0), "body": mime})
        ported = {"name": "From the old provider", "numbers": {fictional(self.area, PORTED_LINE): {}}}
        self.ids["port"] = await self.put(
            "/port_requests", {**ported, "bill": {"name": "Demo Office", "carrier": "Old Telco"}}
        )
        await self._send("PATCH", f"/port_requests/{self.ids['port']}/submitted", {})

    async def _dedicated_address(self) -> None:
        """An address of the range that is kept for documentation, which the office has for itself."""
        for last in self.chance.sample(range(1, 255), 20):
            address = f"203.0.113.{last}"
            try:
                await self.api.send("PUT", "/ips", {"ip": address, "zone": "demo", "host": "switch.demo.example"})
            except DemoRefused:  # another example has it
                continue
            await self._send("POST", f"/ips/{address}", {})
            return

    async def _send(self, verb: str, path: str, data: Any) -> None:
        await self.own.send(verb, self.path(path), data)
