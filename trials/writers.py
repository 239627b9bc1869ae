# SPDX-License-Identifier: MPL-2.0
"""The kinds of writers: what each writes, and how it finds out whether all of that is there."""

from __future__ import annotations

import hashlib
import random
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from trials.acknowledged import Held, Writer

UPLOAD_BYTES: Final = 700_000
ABSENT: Final = None
LEDGER: Final = "trial"
"""The ledger that is written to."""
MESSAGE: Final = (
    b'--part\r\nContent-Type: application/json\r\n\r\n{"data": {"caller_id_number": "+14155550100"}}\r\n'
    b'--part\r\nContent-Disposition: form-data; name="file"; filename="voice.mp3"\r\nContent-Type: audio/mp3\r\n\r\n'
    + bytes(5000)
    + b"\r\n--part--\r\n"
)
"""A voicemail with its sound."""


@dataclass
class Devices(Writer):
    """Creates, renames and deletes devices."""

    held: dict[str, Held] = field(default_factory=dict)
    attempted: set[str] = field(default_factory=set)

    async def step(self) -> None:
        """One write."""
        chosen = random.choice(list(self.held)) if self.held else None
        word = f"{self.name}-{next(self.count)}"
        match random.randrange(5):
            case 0 | 1:
                self.attempted.add(word)
                status, found = await self.client.ask("PUT", "/devices", {"name": word, "note": word})
                if status == 201:
                    self.held[found["id"]] = Held({word})
            case 2 | 3 if chosen:
                self.attempted.add(word)
                change = {"name": word, "note": word}
                request = lambda: self.client.ask("PATCH", f"/devices/{chosen}", change)  # noqa: E731
                await self.held[chosen].write(word, request)
            case 4 if chosen:
                await self.held[chosen].write(ABSENT, lambda: self.client.ask("DELETE", f"/devices/{chosen}"))

    async def check(self) -> None:
        """Every device is as acknowledged; the listing tells the same; nothing is there that nobody asked for."""
        _, rows = await self.client.must("GET", "/devices?paginate=false")
        listed = {row["id"]: row["name"] for row in rows if row["name"].startswith(f"{self.name}-")}
        for device_id, held in self.held.items():
            status, found = await self.client.must("GET", f"/devices/{device_id}")
            name = found["name"] if status == 200 else ABSENT
            self.expect(name in held.possible, f"device {device_id} is {name!r}, {held}")
            self.expect(status != 200 or found["note"] == name, f"device {device_id} is torn: {found}")
            self.expect(listed.get(device_id) == name, f"device {device_id} is listed as {listed.get(device_id)!r}")
        for device_id in listed.keys() - self.held.keys():
            self.expect(listed[device_id] in self.attempted, f"device {device_id} was never asked for")


@dataclass
class Uploads(Writer):
    """Uploads sounds, over and over."""

    held: dict[str, Held] = field(default_factory=dict)

    async def step(self) -> None:
        """One upload."""
        if len(self.held) < 3:
            status, found = await self.client.ask(
                "PUT", "/media", {"name": f"{self.name}-{next(self.count)}", "media_source": "upload"}
            )
            if status == 201:
                self.held[found["id"]] = Held({ABSENT})
            return
        chosen = random.choice(list(self.held))
        contents = secrets.token_bytes(random.randrange(1, UPLOAD_BYTES))
        digest = hashlib.sha256(contents).hexdigest()
        await self.held[chosen].write(digest, lambda: self.client.ask("POST", f"/media/{chosen}/raw", raw=contents))

    async def check(self) -> None:
        """Every file is one that was sent, whole, and the last that was acknowledged."""
        for media_id, held in self.held.items():
            status, found = await self.client.must("GET", f"/media/{media_id}/raw")
            digest = hashlib.sha256(found).hexdigest() if status == 200 else ABSENT
            self.expect(digest in held.possible, f"file of media {media_id} ({status}) is {digest}, {held}")


@dataclass
class Users(Writer):
    """Creates users whose names may be held once in an account, and gives names free."""

    held: dict[str, tuple[str, Held]] = field(default_factory=dict)
    uncertain: set[str] = field(default_factory=set)

    async def step(self) -> None:
        """One write."""
        if self.held and random.random() < 0.3:
            user_id = random.choice(list(self.held))
            await self.held[user_id][1].write(ABSENT, lambda: self.client.ask("DELETE", f"/users/{user_id}"))
            return
        word = f"{self.name}-{next(self.count)}"
        status, found = await self.client.ask("PUT", "/users", self._user(word))
        if status == 201:
            self.held[found["id"]] = (word, Held({word}))
        else:
            self.uncertain.add(word)

    @staticmethod
    def _user(word: str) -> dict[str, Any]:
        return {"first_name": "T", "last_name": word, "username": word, "password": "hunter-hunter"}

    async def check(self) -> None:
        """Names are held by who has them, and by nobody else; a lost creation has left all or nothing."""
        for user_id, (word, held) in self.held.items():
            status, found = await self.client.must("GET", f"/users/{user_id}")
            name = found["username"] if status == 200 else ABSENT
            self.expect(name in held.possible, f"user {user_id} is {name!r}, {held}")
            again, _ = await self.client.must("PUT", "/users", data=self._user(word))
            self.expect(again == (400 if name else 201), f"the name {word} is {'free' if name else 'taken'}: {again}")
        _, rows = await self.client.must("GET", "/users?paginate=false")
        present = {row["username"] for row in rows if "username" in row}
        for word in self.uncertain:
            again, _ = await self.client.must("PUT", "/users", data=self._user(word))
            self.expect(again == (400 if word in present else 201), f"the name {word} leaked: {again}")


@dataclass
class Accounts(Writer):
    """Creates and deletes accounts, whose realms are held once in the installation, and which their parent counts."""

    parent: str = ""
    held: dict[str, tuple[str, Held]] = field(default_factory=dict)
    uncertain: set[str] = field(default_factory=set)

    def _realm(self, number: int) -> str:
        return f"{self.name}-{number}.trial.test"

    async def step(self) -> None:
        """One write."""
        if not self.parent:
            realm = self._realm(next(self.count))
            status, found = await self.client.ask("PUT", "", {"name": realm, "realm": realm})
            self.parent = found["id"] if status == 201 else ""
            return
        if self.held and random.random() < 0.4:
            account_id = random.choice(list(self.held))
            request = lambda: self.client.ask("DELETE", "", account_id=account_id)  # noqa: E731
            await self.held[account_id][1].write(ABSENT, request)
            return
        realm = self._realm(next(self.count))
        status, found = await self.client.ask("PUT", "", {"name": realm, "realm": realm}, account_id=self.parent)
        if status == 201:
            self.held[found["id"]] = (realm, Held({realm}))
        else:
            self.uncertain.add(realm)

    async def check(self) -> None:
        """Accounts are there or not, with their realms; the parent's count is that of its children."""
        if not self.parent:
            return
        for account_id, (_, held) in self.held.items():
            status, found = await self.client.must("GET", "", account_id=account_id)
            realm = found["realm"] if status == 200 else ABSENT
            self.expect(realm in held.possible, f"account {account_id} is {realm!r}, {held}")
        _, children = await self.client.must("GET", "/children?paginate=false", account_id=self.parent)
        _, rows = await self.client.must("GET", "/descendants?paginate=false", account_id=self.parent)
        self.expect({row["id"] for row in children} == {row["id"] for row in rows}, "children are not descendants")
        _, siblings = await self.client.must("GET", "/children?paginate=false")
        counted = {row["id"]: row.get("descendants_count", 0) for row in siblings}
        self.expect(
            counted[self.parent] == len(children), f"{counted[self.parent]} descendants, {len(children)} children"
        )
        present = {row["realm"] for row in children}
        for realm in self.uncertain:
            again, _ = await self.client.must("PUT", "", data={"name": realm, "realm": realm})
            self.expect(again == (400 if realm in present else 201), f"the realm {realm} leaked: {again}")


@dataclass
class Messages(Writer):
    """Leaves voicemails, moves and deletes them; the box counts them."""

    box: str = ""
    held: dict[str, Held] = field(default_factory=dict)
    uncertain: int = 0

    async def step(self) -> None:
        """One write."""
        if not self.box:
            box = {"name": self.name, "mailbox": str(secrets.randbelow(10**9) + 1)}
            status, found = await self.client.ask("PUT", "/vmboxes", box)
            self.box = found["id"] if status == 201 else ""
            return
        if self.held and random.random() < 0.4:
            chosen = random.choice(list(self.held))
            folder = random.choice(["new", "saved"])
            path = f"/vmboxes/{self.box}/messages/{chosen}"
            await self.held[chosen].write(folder, lambda: self.client.ask("POST", path, {"folder": folder}))
            return
        status, found = await self.client.ask(
            "PUT", f"/vmboxes/{self.box}/messages", raw=MESSAGE, content_type="multipart/mixed; boundary=part"
        )
        if status == 201:
            self.held[found["media_id"]] = Held({"new"})
        else:
            self.uncertain += 1

    async def check(self) -> None:
        """Every message is in its folder, and the box's numbers are those of its messages."""
        if not self.box:
            return
        _, messages = await self.client.must("GET", f"/vmboxes/{self.box}/messages?paginate=false")
        folders = {message["media_id"]: message["folder"] for message in messages}
        for media_id, held in self.held.items():
            folder = folders.get(media_id)
            self.expect(folder in held.possible, f"message {media_id} is in {folder}, {held}")
        unknown = len(folders.keys() - self.held.keys())
        self.expect(unknown <= self.uncertain, f"{unknown} messages that nobody left")
        _, boxes = await self.client.must("GET", "/vmboxes?paginate=false")
        row = next(row for row in boxes if row["id"] == self.box)
        counted = {folder: count for folder, count in Counter(folders.values()).items() if folder != "deleted"}
        told = {folder: count for folder, count in row.get("folders", {}).items() if count}
        self.expect(told == counted, f"the box counts {told}, it has {counted}")


@dataclass
class Ledgers(Writer):
    """Credits and debits the account; its balance is the sum of its entries, whoever made them."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    attempted: set[str] = field(default_factory=set)

    async def step(self) -> None:
        """One entry."""
        word = f"{self.name}-{next(self.count)}"
        verb, cents = random.choice(["credit", "debit"]), random.randrange(100, 10_000)
        self.attempted.add(word)
        entry = {
            "amount": cents / 100,
            "source": {"service": LEDGER, "id": word},
            "usage": {"type": "trial", "quantity": 1, "unit": "entry"},
        }
        status, _ = await self.client.ask("PUT", f"/ledgers/{verb}", entry)
        if status == 201:
            self.acknowledged[word] = cents if verb == "credit" else -cents

    async def check(self) -> None:
        """Every entry that was acknowledged is there, once; the balance and the month's sum are those of all."""
        _, entries = await self.client.must("GET", f"/ledgers/{LEDGER}?paginate=false")
        mine = [entry for entry in entries if entry["source"]["id"].startswith(f"{self.name}-")]
        there = {entry["source"]["id"]: round(entry["amount"] * 100) for entry in mine}
        self.expect(len(there) == len(mine), "an entry is there twice")
        for word, cents in self.acknowledged.items():
            self.expect(there.get(word) == cents, f"entry {word} of {cents} cents is {there.get(word)}")
        self.expect(there.keys() <= self.attempted, f"entries that nobody made: {there.keys() - self.attempted}")
        together = sum(round(entry["amount"] * 100) for entry in entries)
        _, total = await self.client.must("GET", "/ledgers/total")
        self.expect(round(total["amount"] * 100) == together, f"balance {total}, entries {together} cents")
        _, month = await self.client.must("GET", f"/ledgers/summary/{entries[0]['id'][:6]}") if entries else (0, {})
        summed = month.get("summary", {}).get(LEDGER, {"amount": 0, "usage": {"quantity": 0}})
        self.expect(round(summed["amount"] * 100) == together, f"month {summed}, entries {together} cents")
        self.expect(summed["usage"]["quantity"] == len(entries), f"month {summed}, {len(entries)} entries")


KINDS: Final = (Devices, Devices, Devices, Uploads, Uploads, Users, Accounts, Messages, Ledgers, Ledgers)
