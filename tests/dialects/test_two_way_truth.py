# SPDX-License-Identifier: MPL-2.0
"""Whatever is changed in whichever language, all four tell the same story afterwards."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from tests.dialects.story import PICK, SpeakingMachine, run_in_own_account
from tests.harness import RunningServer

NAME: Final = st.sampled_from(["Ana", "Bö", "c d", "", "x" * 40, '"', "-"])
LANGUAGE: Final = st.sampled_from(["fr_FR", "de_DE", ""])
PIN: Final = st.sampled_from(["", "123", "12345", "1234567"])
OUTGOING: Final = st.sampled_from(["anonymous", '"Desk" <4155550100>', "default", ""])
CHANGES: Final = {
    "firstname": NAME,
    "lastname": NAME,
    "language": LANGUAGE,
    "outcallerid": OUTGOING,
    "userfield": NAME,
    "mobilephonenumber": st.sampled_from(["", "123"]),
}
IN_11: Final = {"outcallerid": "outgoing_caller_id", "mobilephonenumber": "mobile_phone_number"}


class Story(SpeakingMachine):
    """Users and voicemail boxes."""

    def __init__(self) -> None:
        super().__init__()
        for user in self.users10():
            if user["username"] != "admin":
                self.say(self.old, "DELETE", f"/users/{user['id']}")
        for box in self.ask(self.old, "/voicemails").json["items"]:
            self.say(self.old, "DELETE", f"/voicemails/{box['id']}")
        self.made = 0

    def users10(self) -> list[Any]:
        return self.items(self.old, "/users")

    def pick(self, number: int) -> Any:
        """One of the users who are no administrators, as 1.1 has him."""
        items = self.ask(self.confd, "/users?order=id").json["items"]
        known = [user for user in items if user["username"] != "admin"]
        return known[number % len(known)] if known else None

    def pick_box(self, number: int) -> Any:
        items = self.ask(self.old, "/voicemails").json["items"]
        return items[number % len(items)] if items else None

    # Changes

    @rule(first=NAME, last=NAME)
    def made_in_10(self, first: str, last: str) -> None:
        self.say(self.old, "POST", "/users", {"firstname": first, "lastname": last})

    @rule(first=NAME.filter(bool), last=NAME)
    def made_in_11(self, first: str, last: str) -> None:
        self.say(self.confd, "POST", "/users", {"firstname": first, "lastname": last or None})

    @rule(first=NAME.filter(bool))
    def made_in_crossbar(self, first: str) -> None:
        self.kazoo("PUT", "/users", {"first_name": first, "last_name": "K"})

    @rule(first=NAME, purpose=st.sampled_from(["user", "external_api"]))
    def made_in_wazo(self, first: str, purpose: str) -> None:
        self.made += 1
        name = f"made{self.made}-{id(self)}"
        self.say(self.auth, "POST", "/users", {"username": name, "firstname": first, "purpose": purpose})

    @rule(number=PICK, changes=st.fixed_dictionaries({}, optional=CHANGES))
    def changed_in_10(self, number: int, changes: dict[str, str]) -> None:
        if user := self.pick(number):
            self.say(self.old, "PUT", f"/users/{user['id']}", changes)
            now = self.ask(self.old, f"/users/{user['id']}").json
            assert changes.items() <= now.items()

    @rule(number=PICK, changes=st.fixed_dictionaries({}, optional=CHANGES))
    def changed_in_11(self, number: int, changes: dict[str, str]) -> None:
        if user := self.pick(number):
            said = {IN_11.get(name, name): value or None for name, value in changes.items()}
            said["firstname"] = said.get("firstname") or user["firstname"] or "Z"
            self.say(self.confd, "PUT", f"/users/{user['uuid']}", said)
            now = self.ask(self.confd, f"/users/{user['id']}").json
            assert said.items() <= now.items()

    @rule(number=PICK, first=NAME.filter(bool), language=st.sampled_from(["de-de", "pt-br"]))
    def changed_in_crossbar(self, number: int, first: str, language: str) -> None:
        if user := self.pick(number):
            path = f"/users/{user['uuid'].replace('-', '')}"
            self.kazoo("PATCH", path, {"first_name": first, "language": language, "caller_id_options": {}})

    @rule(number=PICK, way=st.sampled_from(["1.0", "crossbar", "wazo"]))
    def ended(self, number: int, way: str) -> None:
        if user := self.pick(number):
            match way:
                case "1.0":
                    self.say(self.old, "DELETE", f"/users/{user['id']}")
                case "wazo":
                    self.say(self.auth, "DELETE", f"/users/{user['uuid']}")
                case _:
                    self.kazoo("DELETE", f"/users/{user['uuid'].replace('-', '')}")

    @rule(pin=PIN, in_crossbar=st.booleans())
    def box_made(self, pin: str, in_crossbar: bool) -> None:
        taken = [int(box["mailbox"]) for box in self.ask(self.old, "/voicemails").json["items"]]
        mailbox = str(max(taken, default=100) + 1)
        if in_crossbar:
            self.kazoo("PUT", "/vmboxes", {"name": "box", "mailbox": mailbox})
        else:
            self.say(self.old, "POST", "/voicemails", {"mailbox": mailbox, "password": pin})

    @rule(number=PICK, box=PICK, way=st.sampled_from(["1.0", "1.1", "crossbar", "none"]))
    def box_given(self, number: int, box: int, way: str) -> None:
        user, found = self.pick(number), self.pick_box(box)
        if user is None or found is None:
            return
        match way:
            case "1.0":
                self.say(self.old, "PUT", f"/users/{user['id']}", {"voicemailid": found["id"]})
                assert self.ask(self.old, f"/users/{user['id']}").json["voicemailid"] == found["id"]
            case "1.1":
                self.say(self.confd, "DELETE", f"/users/{user['id']}/voicemails")
                self.say(self.confd, "PUT", f"/users/{user['id']}/voicemails/{found['id']}")
            case "none":
                self.say(self.old, "PUT", f"/users/{user['id']}", {"voicemailid": None})
                assert self.ask(self.old, f"/users/{user['id']}").json["voicemailid"] is None
            case _:
                rows = self.kazoo("GET", "/vmboxes").data
                (row,) = [row for row in rows if row["mailbox"] == found["mailbox"]]
                self.kazoo("PATCH", f"/vmboxes/{row['id']}", {"owner_id": user["uuid"].replace("-", "")})

    # The story

    @invariant()
    def all_tell_the_same_of_users(self) -> None:
        old = {user["id"]: user for user in self.users10()}
        new = {user["id"]: user for user in self.ask(self.confd, "/users").json["items"]}
        login = {user["uuid"]: user for user in self.ask(self.auth, "/users").json["items"]}
        assert old.keys() == new.keys()
        assert {user["uuid"] for user in new.values()} <= login.keys()
        rows = {row["id"] for row in self.kazoo("GET", "/users?paginate=false").data}
        assert {uuid.replace("-", "") for uuid in login} == rows
        for number, user in new.items():
            kazoo_id = user["uuid"].replace("-", "")
            document, before = self.kazoo("GET", f"/users/{kazoo_id}").data, old[number]
            for name in ("firstname", "lastname"):  # 1.0 has no null, so that nothing and empty text are the same there
                assert before[name] == (user[name] or ""), name
            assert login[user["uuid"]]["firstname"] == user["firstname"]
            assert document["first_name"] == (user["firstname"] or "-")
            assert document["last_name"] == (user["lastname"] or "-")
            for name in ("language", "userfield", "outcallerid", "mobilephonenumber"):
                assert (before[name] or None) == user[IN_11.get(name, name)], name
            assert document.get("language", "").lower() == (user["language"] or "").replace("_", "-").lower()
            hidden = document.get("caller_id_options", {}).get("outbound_privacy") == "full"
            assert hidden == (user["outgoing_caller_id"] == "anonymous")
            assert before["voicemailid"] == (user["voicemail"] or {}).get("id")

    @invariant()
    def all_tell_the_same_of_boxes(self) -> None:
        old = {box["id"]: box for box in self.ask(self.old, "/voicemails").json["items"]}
        new = {box["id"]: box for box in self.ask(self.confd, "/voicemails").json["items"]}
        rows = {row["mailbox"]: row for row in self.kazoo("GET", "/vmboxes?paginate=false").data}
        assert old.keys() == new.keys()
        assert {box["mailbox"] for box in old.values()} == rows.keys()
        for number, box in new.items():
            assert (old[number]["password"] or None, old[number]["mailbox"]) == (box["password"], box["number"])
            users = [user["id"] for user in self.users10() if user["voicemailid"] == number]
            listed = self.ask(self.confd, f"/voicemails/{number}/users").json["items"]
            assert sorted(users) == sorted(pair["user_id"] for pair in listed)


async def test_all_tell_the_same_story(server: RunningServer) -> None:
    await run_in_own_account(server, Story, "story")
