# SPDX-License-Identifier: MPL-2.0
"""A small installation: a few accounts and users, and workers that look at them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from crossbar.access import authenticators
from crossbar.access.basic import BasicCredentials
from crossbar.access.directory import Directory
from crossbar.access.keys import KEYS_SHAPE, Keys
from crossbar.access.passwords import password_fields
from crossbar.access.pepper import Pepper
from crossbar.access.restrictions import TokenRestrictions
from crossbar.access.tokens import Tokens
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.feed import Change, Feed
from crossbar.documents.shape import alphanumeric
from crossbar.documents.store import Store
from crossbar.errors import CrossbarError
from crossbar.ids import new_id
from crossbar.resources.auth.token_restrictions import token_restrictions
from crossbar.resources.identity.domain.account import ACCOUNT_SHAPE
from crossbar.resources.identity.users import users

PEPPER = Pepper("a pepper for tests, and for nothing else")


SHAPES = (
    ACCOUNT_SHAPE,
    users.shape,
    token_restrictions.shape,
    KEYS_SHAPE,
    authenticators.AUTHENTICATOR_SHAPE,
)


@dataclass
class Worker:
    """What one worker process has of access control, with a connection and a feed of its own."""

    store: Store
    feed: Feed
    directory: Directory
    keys: Keys
    tokens: Tokens
    basic: BasicCredentials
    restrictions: TokenRestrictions
    heard: dict[str, asyncio.Queue[Change]] = field(default_factory=dict)

    @classmethod
    def on(cls, store: Store, **settings: Any) -> Worker:
        feed = Feed(store)
        directory = Directory(store, feed)
        keys = Keys(store, feed, PEPPER)
        tokens = Tokens(store, feed, keys, directory)
        basic = BasicCredentials(directory, PEPPER, lambda: settings.get("form"))
        restrictions = TokenRestrictions(store, feed, lambda: settings.get("restrictions", {}))
        worker = cls(store, feed, directory, keys, tokens, basic, restrictions)
        for document_type in ("account", "user", "token_restrictions", "auth_keys", "revocation"):
            worker.heard[document_type] = asyncio.Queue()
            feed.subscribe(document_type, worker.heard[document_type].put_nowait)
        return worker

    async def hears(self, document_type: str, document_id: str) -> None:
        """Return when the feed has told this worker of the next change of that document."""
        async with asyncio.timeout(10):
            while (await self.heard[document_type].get()).id != document_id:
                pass

    async def hears_everything(self, document: Document) -> None:
        """Return when the feed has told this worker of all that happened to the store until now."""
        marker = await self.store.insert(Document("markers", document.type, new_id(), {"pvt_created": 0}))
        # What this worker writes itself it hears of at once, as an edit: only the database tells of a creation.
        heard = self.heard[document.type]
        while (change := await heard.get()).id != marker.id or change.event != "created":
            pass


StartWorker = Callable[..., Awaitable[Worker]]


class Installation:
    """Makes accounts and users."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._age = 0

    async def account(self, name: str, parent: Document | None = None, **fields: Any) -> Document:
        everything = {
            "name": name,
            "realm": f"{new_id()}.example.com",
            "pvt_alphanum_name": alphanumeric(name),
            "pvt_tree": [*parent.fields["pvt_tree"], parent.id] if parent else [],
            "pvt_enabled": True,
            "pvt_shares_name": True,
            "pvt_created": self._next_second(),
        }
        return await self.store.insert(Document(ACCOUNTS, "account", new_id(), everything | fields))

    async def user(self, account: Document, username: str | None, password: str = "secret", **fields: Any) -> Document:
        everything = {"first_name": "Ann", "last_name": "Lee", "enabled": True, "pvt_created": self._next_second()}
        if username is not None:
            everything |= {"username": username, **password_fields(PEPPER, username, password)}
        return await self.store.insert(Document(account.id, "user", new_id(), everything | fields))

    async def edit(self, document: Document, **fields: Any) -> Document:
        changed = await self.store.update(
            document.partition, document.type, document.id, lambda found: found.fields.update(fields)
        )
        assert changed is not None
        return changed

    async def delete(self, document: Document) -> None:
        await self.store.upsert(replace(document, fields={**document.fields, "pvt_deleted": True}))

    def _next_second(self) -> int:
        self._age += 1
        return 63_800_000_000 + self._age


@dataclass
class Request:
    """A request as access decisions see it."""

    verb: str = "GET"
    nouns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    named_account_id: str | None = None
    client_ip: str = "192.0.2.1"

    @classmethod
    def of(cls, verb: str, path: str) -> Request:
        """From a path whose endpoint names are in lower-case letters and whose arguments are anything else."""
        nouns: list[tuple[str, tuple[str, ...]]] = []
        for part in path.strip("/").split("/"):
            if (
                not nouns
                or (part.isalpha() and part.islower())
                or part in {"token_restrictions", "phone_numbers", "user_auth", "api_auth"}
            ):
                nouns.append((part, ()))
            else:
                nouns[-1] = (nouns[-1][0], (*nouns[-1][1], part))
        accounts = dict(nouns).get("accounts")
        return cls(verb, tuple(nouns), accounts[0] if accounts else None)


async def refusal(attempt: Awaitable[object]) -> tuple[int, str, Any]:
    """Status, message and data of the error that an attempt ends in."""
    with pytest.raises(CrossbarError) as refused:
        await attempt
    return refused.value.status, refused.value.message, refused.value.data
