# SPDX-License-Identifier: MPL-2.0
"""Named tokens: what somebody makes for a program, with no more rights than needed, and can end again.

A token names its account and its document and carries a secret, of which only a keyed digest is stored. It acts as the
user who made it (or as the account, for whoever is no user of it), within its scope and its networks. It is bound to
the secret that the log-ins of its bearer are signed with: what ends these ends it.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Final, NamedTuple

from crossbar import clock
from crossbar.access.bad_token import BAD_IDENTITY, EXPIRED, NOT_FOUND, BadToken
from crossbar.access.directory import Account, Directory, User
from crossbar.access.feed_cache import FeedCache
from crossbar.access.identity import Identity
from crossbar.access.pepper import Pepper
from crossbar.access.standing import is_switched_off
from crossbar.documents.document import Document, as_list
from crossbar.documents.feed import Feed
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.errors import JSON, CrossbarError
from crossbar.ids import new_secret

log = logging.getLogger(__name__)

TYPE: Final = "access_token"
METHOD: Final = "named_token"
"""`Identity.method` of who presents such a token."""
USE_TYPE: Final = "access_token_use"
"""When a token was last used, apart from the token, whose revision that does not change."""
DIGEST_FIELD: Final = "pvt_token_digest"
BEARER_FIELD: Final = "pvt_bearer_digest"
NOTED_SECONDS: Final = 60.0
"""So often at most each worker notes that a token is used."""

_TOKEN: Final = re.compile(r"kzt-([^-]{32})-([0-9a-f]{32})-([0-9a-f]{48})", re.ASCII)


def owner_tag(user_id: str) -> str:
    """The tag of the tokens of a user."""
    return f"owner/{user_id}"


def _tags(document: Document) -> list[str]:
    owner = document.text("pvt_owner_id")
    return [owner_tag(owner)] if owner else []


NAMED_TOKEN_SHAPE: Final = Shape(
    TYPE,
    summary=Summary(
        "id", "name", "expires", "scope", "networks", created="pvt_created", user_id="pvt_owner_id",
        created_by=lambda document: {
            key: value
            for key, value in (
                ("account_id", document.fields.get("pvt_auth_account_id")),
                ("user_id", document.fields.get("pvt_auth_user_id")),
            )
            if value
        },
    ),
    sort="pvt_created",
    tags=_tags,
)  # fmt: skip
TOKEN_USE_SHAPE: Final = Shape(USE_TYPE, summary=Summary("id", last_used="pvt_last_used"))


class NamedToken(NamedTuple):
    """A token in its parts."""

    account_id: str
    id: str
    secret: str

    @classmethod
    def new(cls, account_id: str, token_id: str) -> NamedToken:
        """A token with a new secret."""
        return cls(account_id, token_id, new_secret(24))

    @classmethod
    def read(cls, text: str) -> NamedToken | None:
        """The token that a text is, or None."""
        match = _TOKEN.fullmatch(text) if text.startswith("kzt-") else None
        return cls(*match.groups()) if match else None

    def __str__(self) -> str:
        return f"kzt-{self.account_id}-{self.id}-{self.secret}"


@dataclass(slots=True)
class _Known:
    """A token as it is stored, and whom it was last found to stand for."""

    digest: str
    bearer: str
    owner_id: str | None
    expires: int | None
    scope: JSON
    networks: tuple[str, ...]
    identity: Identity | None = field(default=None, repr=False)


class NamedTokens:
    """Judges named tokens, in memory that the change feed keeps fresh."""

    def __init__(self, store: Store, feed: Feed, directory: Directory, pepper: Pepper, *, limit: int = 20_000) -> None:
        self._store = store
        self._directory = directory
        self._pepper = pepper
        self._known: FeedCache[tuple[str, str], _Known] = FeedCache(feed, self._load, limit=limit, keep_absent=True)
        feed.subscribe(TYPE, lambda change: self._known.forget((change.partition, change.id)))
        self._noted: dict[str, float] = {}
        """When the use of which token was last noted, the earliest first; those whose time is over go."""
        self._noting: set[asyncio.Task[None]] = set()

    def secrets(self, token: NamedToken, bearer_secret: str) -> dict[str, str]:
        """What is stored of a token: digests of its own secret and of that of whom it stands for."""
        return {DIGEST_FIELD: self._pepper.digest(token.secret), BEARER_FIELD: self._pepper.digest(bearer_secret)}

    async def identity(self, token: NamedToken) -> Identity:
        """Whom a token stands for now. Raises BadToken."""
        key = (token.account_id, token.id)
        kept = self._known.known(key) or (await self._known.read(key),)
        known = kept[0]
        if known is None or not hmac.compare_digest(known.digest, self._pepper.digest(token.secret)):
            raise BadToken(NOT_FOUND)
        if known.expires is not None and known.expires <= clock.now():
            raise BadToken(EXPIRED)
        account = await self._directory.account(token.account_id)
        user = await self._directory.user(token.account_id, known.owner_id) if known.owner_id else None
        if account is None or (known.owner_id and user is None) or is_switched_off(account, user):
            raise BadToken(BAD_IDENTITY)
        self._note(token)
        same = known.identity
        if same is None or same.account is not account or same.user is not user:
            holder: Account | User = user or account
            secret = holder.signature_secret
            if secret is None or not hmac.compare_digest(known.bearer, self._pepper.digest(secret)):
                raise BadToken(BAD_IDENTITY)
            same = known.identity = _identity(token, known, account, user)
        return same

    def _note(self, token: NamedToken) -> None:
        """Remember in the store that a token is used, behind the request and not too often."""
        now = clock.unix_now()
        while self._noted and now - self._noted[earliest := next(iter(self._noted))] >= NOTED_SECONDS:
            del self._noted[earliest]
        if token.id in self._noted:
            return
        self._noted[token.id] = now
        task = asyncio.create_task(self._keep_use(token))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _keep_use(self, token: NamedToken) -> None:
        now = clock.now()

        def later(document: Document) -> bool:
            document.fields["pvt_last_used"] = now
            return True

        fresh = Document(token.account_id, USE_TYPE, token.id, {"pvt_type": USE_TYPE, "pvt_created": now})
        try:
            await self._store.create_or_update(fresh, later)
        except CrossbarError as error:
            log.warning("the use of token %s is not noted: %s", token.id, error)

    @property
    def lately_used(self) -> int:
        """How many tokens it remembers as used, which is no more than were within `NOTED_SECONDS`."""
        return len(self._noted)

    async def settle(self) -> None:
        """Return when all uses are noted."""
        if self._noting:
            await asyncio.wait(set(self._noting))

    async def _load(self, key: tuple[str, str]) -> _Known | None:
        document = await self._store.get(key[0], TYPE, key[1])
        if document is None:
            return None
        get = document.fields.get
        networks = tuple(str(network) for network in as_list(get("networks")))
        return _Known(
            get(DIGEST_FIELD, ""), get(BEARER_FIELD, ""), get("pvt_owner_id"), get("expires"), get("scope"), networks
        )


def _identity(token: NamedToken, known: _Known, account: Account, user: User | None) -> Identity:
    claims: dict[str, Any] = {"account_id": account.id, "method": METHOD, "token_id": token.id}
    if user is not None:
        claims["owner_id"] = user.id
    if known.expires is not None:
        claims["exp"] = clock.unix(known.expires)
    return Identity(account, user, METHOD, claims, str(token), scope=known.scope, networks=known.networks)


def comes_from(networks: tuple[str, ...], client_ip: str) -> bool:
    """Whether an address lies in one of the networks, or there are none."""
    if not networks:
        return True
    try:
        address = ip_address(client_ip)
    except ValueError:
        return False
    return any(address in ip_network(network, strict=False) for network in networks)
