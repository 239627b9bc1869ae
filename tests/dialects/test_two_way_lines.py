# SPDX-License-Identifier: MPL-2.0
"""Lines, SIP endpoints, extensions and what belongs to what: dialects and Crossbar tell the same after any change."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from tests.dialects.speaker import Speaker, Told
from tests.dialects.story import PICK, SpeakingMachine, run_in_own_account
from tests.harness import RunningServer

CONTEXT: Final = st.sampled_from(["default", "from-extern"])
STEPS: Final = settings(max_examples=max(2, settings.default.max_examples // 16), stateful_step_count=14, deadline=None)
FIRST_EXTEN: Final = 1000
Things = dict[Any, Any]
"""What 1.1 has of a kind, by number."""


class Lines(SpeakingMachine):
    """What 1.1 and Crossbar have of telephones. A refusal is an answer, too: it has to change nothing."""

    def __init__(self) -> None:
        super().__init__()
        for row in self.kazoo("GET", "/callflows?paginate=false").data:
            self.kazoo("DELETE", f"/callflows/{row['id']}")
        for row in self.kazoo("GET", "/devices?paginate=false").data:
            self.kazoo("DELETE", f"/devices/{row['id']}")
        for kind in ("lines", "endpoints/sip", "extensions", "users"):
            for item in self.items(self.confd, f"/{kind}"):
                if item.get("username") != "admin":
                    self.say(self.confd, "DELETE", f"/{kind}/{item['id']}")
        self.exten = FIRST_EXTEN
        user = self.say(self.confd, "POST", "/users", {"firstname": "Bo"}).json["id"]
        self.say(self.confd, "POST", "/users", {"firstname": "Ana"})
        for person in (user, user, None):
            line = self.complete_line()
            if person:
                self.say(self.confd, "PUT", f"/users/{person}/lines/{line}")
            extension = {"exten": self.numbers(), "context": "default"}
            number = self.say(self.confd, "POST", "/extensions", extension).json["id"]
            self.say(self.confd, "PUT", f"/lines/{line}/extensions/{number}")

    def complete_line(self) -> int:
        """A line with an endpoint."""
        line: int = self.say(self.confd, "POST", "/lines", {"context": "default"}).json["id"]
        sip = self.say(self.confd, "POST", "/endpoints/sip", {}).json["id"]
        self.say(self.confd, "PUT", f"/lines/{line}/endpoints/sip/{sip}")
        return line

    def all(self, kind: str) -> list[Any]:
        found = self.items(self.confd, f"/{kind}")
        return sorted((item for item in found if item.get("username") != "admin"), key=lambda item: str(item["id"]))

    def pick(self, kind: str, number: int) -> Any:
        found = self.all(kind)
        return found[number % len(found)] if found else None

    def numbers(self) -> str:
        self.exten += 1
        return str(self.exten)

    def documents(self, kind: str) -> list[Any]:
        rows = self.kazoo("GET", f"/{kind}?paginate=false").data
        return [self.kazoo("GET", f"/{kind}/{row['id']}").data for row in rows]

    def pick_document(self, kind: str, number: int) -> Any:
        found = sorted(self.documents(kind), key=lambda document: str(document["name"]))
        return found[number % len(found)] if found else None

    def try_to(self, speaker: Speaker, method: str, path: str, *body: Any) -> Told:
        """Say what may be refused; a refusal changes nothing."""
        before = self.story()
        told: Told = self.do(speaker.request(method, path, *body))
        assert told.status in (200, 201, 204, 400), (method, path, told.raw)
        if told.status == 400:
            assert self.story() == before, (method, path, told.raw)
        return told

    def story(self) -> Any:
        return [self.all(kind) for kind in ("lines", "endpoints/sip", "extensions")], self.documents("callflows")

    # Made

    @rule()
    def user_made(self) -> None:
        self.say(self.confd, "POST", "/users", {"firstname": "Ana"})

    @rule(context=CONTEXT)
    def line_made(self, context: str) -> None:
        self.say(self.confd, "POST", "/lines", {"context": context})

    @rule(short=st.booleans())
    def endpoint_made(self, short: bool) -> None:
        body = {"username": self.numbers()[-1] + "x", "secret": "abc"} if short else {}
        self.try_to(self.confd, "POST", "/endpoints/sip", body)

    @rule(context=CONTEXT, new=st.booleans())
    def extension_made(self, context: str, new: bool) -> None:
        exten = self.numbers() if new else str(self.exten)
        self.try_to(self.confd, "POST", "/extensions", {"exten": exten, "context": context})

    @rule(number=PICK)
    def complete_line_made(self, number: int) -> None:
        line = self.complete_line()
        if user := self.pick("users", number):
            self.say(self.confd, "PUT", f"/users/{user['id']}/lines/{line}")

    @rule(number=PICK, owned=st.booleans(), mac=st.booleans())
    def device_made_in_crossbar(self, number: int, owned: bool, mac: bool) -> None:
        name = self.numbers()
        body: dict[str, Any] = {"name": name, "sip": {"username": f"sip{name}", "password": "12345"}}
        if owned and (user := self.pick("users", number)):
            body["owner_id"] = user["uuid"].replace("-", "")
        if mac:
            body["mac_address"] = f"00000000{name}"
        self.kazoo("PUT", "/devices", body)

    @rule(number=PICK, to_user=st.booleans(), plus=st.booleans())
    def callflow_made_in_crossbar(self, number: int, to_user: bool, plus: bool) -> None:
        target = self.pick("users", number) if to_user else self.pick_document("devices", number)
        if target:
            exten = f"+1415555{self.numbers()}" if plus else self.numbers()
            flow = {"module": "user", "data": {"id": target["uuid"].replace("-", "")}} if to_user else {
                "module": "device", "data": {"id": target["id"]}
            }  # fmt: skip
            self.kazoo("PUT", "/callflows", {"name": exten, "numbers": [exten, f"name{exten}"], "flow": flow})

    # Brought together, and apart

    @rule(line=PICK, other=PICK, apart=st.booleans())
    def line_and_endpoint(self, line: int, other: int, apart: bool) -> None:
        one, sip = self.pick("lines", line), self.pick("endpoints/sip", other)
        if one and sip:
            if apart and one["endpoint_sip"]:
                sip = one["endpoint_sip"]
            path = f"/lines/{one['id']}/endpoints/sip/{sip['id']}"
            told = self.try_to(self.confd, "DELETE" if apart else "PUT", path)
            now = self.ask(self.confd, f"/lines/{one['id']}").json["endpoint_sip"]
            if told.status == 204:
                assert (now and now["id"]) == (None if apart else sip["id"])

    @rule(line=PICK, number=PICK, way=st.sampled_from(["PUT", "POST", "DELETE"]))
    def line_and_user(self, line: int, number: int, way: str) -> None:
        one, user = self.pick("lines", line), self.pick("users", number)
        if not one or not user:
            return
        has = [told["uuid"] for told in one["users"]]
        if way == "DELETE" and has:
            user = {"id": has[number % len(has)], "uuid": has[number % len(has)]}
        path = f"/users/{user['id']}/lines"
        if way == "POST":
            told = self.try_to(self.confd, "POST", path, {"line_id": one["id"]})
        elif way == "PUT" or user["uuid"] in has:
            told = self.try_to(self.confd, way, f"{path}/{one['id']}")
        else:
            return
        if told.status < 400:
            now = [person["uuid"] for person in self.ask(self.confd, f"/lines/{one['id']}").json["users"]]
            assert (user["uuid"] in now) == (way != "DELETE")

    @rule(number=PICK, which=st.lists(PICK, max_size=3, unique=True))
    def all_lines_of_a_user(self, number: int, which: list[int]) -> None:
        lines = [line["id"] for line in self.all("lines") if line["protocol"]]
        if lines and (user := self.pick("users", number)):
            wanted = list(dict.fromkeys(lines[one % len(lines)] for one in which))
            path = f"/users/{user['id']}/lines"
            told = self.try_to(self.confd, "PUT", path, {"lines": [{"id": line} for line in wanted]})
            if told.status == 204:
                assert [pair["line_id"] for pair in self.items(self.confd, path)] == wanted

    @rule(line=PICK, number=PICK, way=st.sampled_from(["PUT", "POST", "DELETE"]))
    def line_and_extension(self, line: int, number: int, way: str) -> None:
        one, extension = self.pick("lines", line), self.pick("extensions", number)
        if not one or not extension:
            return
        has = [told["id"] for told in one["extensions"]]
        if way == "DELETE":
            if not has:
                return
            extension = {"id": has[number % len(has)]}
        path = f"/lines/{one['id']}/extensions"
        body = {"extension_id": extension["id"]}
        said = ("POST", path, body) if way == "POST" else (way, f"{path}/{extension['id']}")
        if self.try_to(self.confd, *said).status < 400:
            now = [told["id"] for told in self.ask(self.confd, f"/lines/{one['id']}").json["extensions"]]
            assert (extension["id"] in now) == (way != "DELETE")

    # Changed

    @rule(number=PICK, taken=st.booleans())
    def extension_renumbered(self, number: int, taken: bool) -> None:
        if extension := self.pick("extensions", number):
            exten = self.pick("extensions", number + 1)["exten"] if taken else self.numbers()
            told = self.try_to(self.confd, "PUT", f"/extensions/{extension['id']}", {"exten": exten})
            if told.status == 204:
                assert self.ask(self.confd, f"/extensions/{extension['id']}").json["exten"] == exten

    @rule(number=PICK)
    def endpoint_changed(self, number: int) -> None:
        if sip := self.pick("endpoints/sip", number):
            name = f"n{self.numbers()}"
            self.say(self.confd, "PUT", f"/endpoints/sip/{sip['id']}", {"username": name, "secret": f"s{name}"})

    @rule(number=PICK, user=PICK, owned=st.booleans())
    def device_changed_in_crossbar(self, number: int, user: int, owned: bool) -> None:
        if device := self.pick_document("devices", number):
            owner = self.pick("users", user) if owned else None
            owner_id = owner["uuid"].replace("-", "") if owner else None
            name = f"c{self.numbers()}"
            self.kazoo("PATCH", f"/devices/{device['id']}", {"owner_id": owner_id, "sip": {"username": name}})

    @rule(number=PICK, more=st.booleans())
    def callflow_changed_in_crossbar(self, number: int, more: bool) -> None:
        if flow := self.pick_document("callflows", number):
            numbers = [*(flow["numbers"] if more else []), self.numbers()]
            self.kazoo("PATCH", f"/callflows/{flow['id']}", {"numbers": numbers})

    # Ended

    @rule(number=PICK, kind=st.sampled_from(["lines", "endpoints/sip", "extensions", "users"]))
    def ended(self, number: int, kind: str) -> None:
        if item := self.pick(kind, number):
            told = self.try_to(self.confd, "DELETE", f"/{kind}/{item['id']}")
            there = self.do(self.confd.request("GET", f"/{kind}/{item['id']}"))
            assert there.status == (404 if told.status == 204 else 200)

    @rule(number=PICK, kind=st.sampled_from(["devices", "callflows", "users"]))
    def ended_in_crossbar(self, number: int, kind: str) -> None:
        if kind == "users":
            if user := self.pick("users", number):
                self.kazoo("DELETE", f"/users/{user['uuid'].replace('-', '')}")
        elif document := self.pick_document(kind, number):
            self.kazoo("DELETE", f"/{kind}/{document['id']}")

    # The story

    @invariant()
    def all_tell_the_same(self) -> None:
        users, lines, extensions, endpoints = (
            {item["id"]: item for item in self.all(kind)} for kind in ("users", "lines", "extensions", "endpoints/sip")
        )
        self.both_sides_of_each_pair_agree(users, lines, extensions, endpoints)
        self.crossbar_tells_the_same(users, lines, extensions, endpoints)

    def both_sides_of_each_pair_agree(
        self, users: Things, lines: Things, extensions: Things, endpoints: Things
    ) -> None:
        owned = {(user["uuid"], line["id"]) for user in users.values() for line in user["lines"]}
        assert owned == {(user["uuid"], number) for number, line in lines.items() for user in line["users"]}
        led = {(number, one["id"]) for number, line in lines.items() for one in line["extensions"]}
        assert led == {(line["id"], number) for number, one in extensions.items() for line in one["lines"]}
        plugged = {(number, line["endpoint_sip"]["id"]) for number, line in lines.items() if line["endpoint_sip"]}
        assert plugged == {(sip["line"]["id"], number) for number, sip in endpoints.items() if sip["line"]}
        for user in users.values():
            told = self.items(self.confd, f"/users/{user['id']}/lines")
            assert [pair["line_id"] for pair in told] == [line["id"] for line in user["lines"]]
            assert [pair["main_line"] for pair in told] == [number == 0 for number in range(len(told))]
            for line in user["lines"]:
                assert {one["id"] for one in line["extensions"]} == {one for number, one in led if number == line["id"]}
        for number, line in lines.items():
            assert self.ask(self.confd, f"/lines/{number}").json == line
            told = self.items(self.confd, f"/lines/{number}/extensions")
            assert [pair["extension_id"] for pair in told] == [one["id"] for one in line["extensions"]]
            told = self.items(self.confd, f"/lines/{number}/users")
            assert [pair["main_user"] for pair in told] == [place == 0 for place in range(len(told))]
            assert len(told) == len(line["users"])
        for number, one in extensions.items():
            told = self.do(self.confd.request("GET", f"/extensions/{number}/line"))
            assert (told.json["line_id"] if told.status == 200 else None) == next(
                (line["id"] for line in one["lines"]), None
            )

    def crossbar_tells_the_same(self, users: Things, lines: Things, extensions: Things, endpoints: Things) -> None:
        people = {user["uuid"].replace("-", "") for user in users.values()}
        devices = {device["sip"]["username"]: device for device in self.documents("devices")}
        assert {line["name"] for line in lines.values() if line["protocol"]} == devices.keys()
        for line in lines.values():
            if line["protocol"]:
                device, sip = devices[line["name"]], endpoints[line["endpoint_sip"]["id"]]
                assert device["sip"]["password"].startswith(sip["secret"])
                owner = device.get("owner_id")
                main = line["users"][0]["uuid"].replace("-", "") if line["users"] else None
                assert main == owner or owner not in people
        leads = {one["exten"]: [line["name"] for line in one["lines"]] for one in extensions.values()}
        rings: dict[str, Any] = {}
        for flow in self.documents("callflows"):
            for number in flow["numbers"]:
                if number.lstrip("+").isdigit():
                    rings[number.lstrip("+")] = (flow["flow"]["module"], flow["flow"]["data"]["id"])
        ids = {device["id"]: name for name, device in devices.items()}
        for exten, names in leads.items():
            module, target = rings.pop(exten, (None, None))
            if names:
                (name,) = names
                on = [
                    user["uuid"].replace("-", "")
                    for line in lines.values()
                    if line["name"] == name
                    for user in line["users"]
                ]
                assert (module == "device" and ids[target] == name) or (
                    module == "user" and (target in on or target not in people)
                )
            else:
                assert module is None or (target not in ids and not (module == "user" and _has_lines(users, target)))
        assert not rings, "numbers of callflows that are no extensions"


def _has_lines(users: Things, user_id: str) -> bool:
    return any(user["lines"] for user in users.values() if user["uuid"].replace("-", "") == user_id)


async def test_lines_endpoints_and_extensions_tell_the_same_story(server: RunningServer) -> None:
    await run_in_own_account(server, Lines, "lines", STEPS)
