# SPDX-License-Identifier: MPL-2.0
"""Named tokens: what somebody makes for a program, with no more rights than needed, and can end again.

A token acts as the user who made it (or as the account, for whoever is no user of it), within its scope and its
networks. It is bound to the secret that the log-ins of its bearer are signed with: what ends these ends it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Final

from crossbar import clock
from crossbar.access.bad_token import BAD_IDENTITY, EXPIRED, NOT_FOUND, BadToken
from crossbar.access.directory import Account, Bearer, Directory, User
from crossbar.access.feed_cache import FeedCache
from crossbar.access.identity import Identity
from crossbar.access.pepper import Pepper
from crossbar.access.secret_token import DIGEST_FIELD, SecretToken
from crossbar.access.standing import is_switched_off
from crossbar.access.token_uses import TokenUses
from crossbar.documents.document import Document, as_list
from crossbar.documents.feed import Feed
from crossbar.documents.shape import Shape, Summary, owner_tag
from crossbar.documents.store import Store
from crossbar.errors import JSON

TYPE: Final = "access_token"
METHOD: Final = "named_token"
"""`Identity.method` of who presents such a token."""
BEARER_FIELD: Final = "pvt_bearer_digest"


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
    moves=False,  # it opens the installation that made it
)  # fmt: skip


class NamedToken(SecretToken):
    """A named token in its parts."""

    __slots__ = ()
    PREFIX = "kzt-"


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
        self.uses = TokenUses(store)

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
        self.uses.note(token)
        same = known.identity
        if same is None or same.account is not account or same.user is not user:
            holder: Bearer = user or account
            secret = holder.signature_secret
            if secret is None or not hmac.compare_digest(known.bearer, self._pepper.digest(secret)):
                raise BadToken(BAD_IDENTITY)
            same = known.identity = _identity(token, known, account, user)
        return same

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
