# SPDX-License-Identifier: MPL-2.0
"""The directory: accounts and users as access decisions see them.

Source: `core/kazoo_documents/src/kzd_accounts.erl` (tree, enabled, trial), `kzd_users.erl`,
`core/kazoo_services/src/kz_services_reseller.erl` (nearest reseller).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from crossbar import clock
from crossbar.access.feed_cache import FeedCache
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT, USER
from crossbar.documents.feed import Change, Feed
from crossbar.documents.listing import Listing
from crossbar.documents.shape import SEPARATOR
from crossbar.documents.store import Store

REALM = "realm"
"""Name of the claim an account makes on its realm, lower-cased."""
API_KEY = "api_key"
"""Name of the claim an account makes on its API key, as keyed digest."""
ADMIN = "admin"
"""The `priv_level` of administrators."""
ROOT = "root"
"""Tag of an account without ancestors."""


def ip_tag(address: str) -> str:
    """Tag of an account that may log in from `address`, however that is written: `2001:db8::00ab` is `2001:db8::ab`."""
    with suppress(ValueError):
        known = ip_address(address)
        address = str((known.ipv4_mapped if isinstance(known, IPv6Address) else None) or known)
    return f"ip/{address}"


def credential_tag(method: str, digest: str) -> str:
    """Tag of a user who logs in with a hash (`md5` or `sha`) of this keyed digest."""
    return f"{method}/{digest}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Bearer:
    """Whom tokens can stand for: a user, or an account. `signature_secret` is what their tokens are signed with.

    Times are Gregorian seconds.
    """

    id: str
    enabled: bool
    created: int
    language: str | None = None
    signature_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Account(Bearer):
    """An account. `tree` holds the ids of its ancestors, the topmost first."""

    name: str
    realm: str
    tree: tuple[str, ...]
    superduper_admin: bool
    is_reseller: bool
    trial_expires: int | None = None
    timezone: str | None = None

    @classmethod
    def of(cls, document: Document) -> Account:
        """The account that a document of the partition `accounts` defines."""
        get = document.fields.get
        return cls(
            id=document.id,
            name=document.text("name"),
            realm=document.text("realm"),
            tree=tuple(get("pvt_tree") or ()),
            enabled=get("pvt_enabled") is not False,
            superduper_admin=get("pvt_superduper_admin") is True,
            is_reseller=get("pvt_reseller") is True,
            created=get("pvt_created") or 0,
            trial_expires=get("pvt_trial_expires"),
            language=document.text("language") or None,
            timezone=document.text("timezone") or None,
            signature_secret=get("pvt_signature_secret"),
        )

    @property
    def parent_id(self) -> str | None:
        """The account right above, None for a root."""
        return self.tree[-1] if self.tree else None

    @property
    def expired(self) -> bool:
        """Whether its trial is over."""
        return self.trial_expires is not None and self.trial_expires <= clock.now()

    def within(self, account_id: str) -> bool:
        """Whether `account_id` is the account itself or above it."""
        return account_id == self.id or account_id in self.tree


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class User(Bearer):
    """A user. `md5` and `sha1` are keyed digests of the hashes by which the user logs in."""

    account_id: str
    username: str | None
    priv_level: str
    md5: str | None = field(default=None, repr=False)
    sha1: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, document: Document) -> User:
        """The user that a document of an account's partition describes."""
        get = document.fields.get
        return cls(
            id=document.id,
            account_id=document.partition,
            username=document.text("username") or None,
            priv_level=document.text("priv_level") or "user",
            enabled=get("enabled") is not False,
            created=get("pvt_created") or 0,
            language=document.text("language") or None,
            md5=get("pvt_md5_auth"),
            sha1=get("pvt_sha1_auth"),
            signature_secret=get("pvt_signature_secret"),
        )

    @property
    def is_admin(self) -> bool:
        """Whether the user's `priv_level` is `admin`."""
        return self.priv_level == ADMIN


class Directory:
    """Accounts and users by id from memory, and by what they log in with from the store.

    `master` names the master account of the configuration; where it gives None it is the oldest root account.
    """

    def __init__(
        self, store: Store, feed: Feed, *, master: Callable[[], str | None] = lambda: None, limit: int = 20_000
    ) -> None:
        self._store = store
        self._master = master
        self._oldest_root: str | None = None
        self._accounts: FeedCache[str, Account] = FeedCache(feed, self._load_account, limit=limit)
        self._users: FeedCache[tuple[str, str], User] = FeedCache(feed, self._load_user, limit=limit)
        feed.subscribe(ACCOUNT, self.forget)
        feed.subscribe(USER, self.forget)

    async def account(self, account_id: str) -> Account | None:
        """The account of this id."""
        known = self._accounts.known(account_id)
        return await self._accounts.read(account_id) if known is None else known[0]

    async def user(self, account_id: str, user_id: str) -> User | None:
        """The user of this id in that account."""
        known = self._users.known((account_id, user_id))
        return await self._users.read((account_id, user_id)) if known is None else known[0]

    async def reread_account(self, account_id: str) -> Account | None:
        """The account as the store has it now, where memory must not be a moment behind."""
        return await self._accounts.read(account_id)

    async def reread_user(self, account_id: str, user_id: str) -> User | None:
        """The user as the store has it now, where memory must not be a moment behind."""
        return await self._users.read((account_id, user_id))

    def forget(self, change: Change) -> None:
        """An account or user changed; whoever changes one may say so before the feed does."""
        if change.type == ACCOUNT:
            self._accounts.forget(change.id)
        else:
            self._users.forget((change.partition, change.id))

    async def account_of_realm(self, realm: str) -> Account | None:
        """The account of this realm, whatever its case."""
        return await self._claimant(REALM, realm.lower())

    async def account_of_api_key(self, digest: str) -> Account | None:
        """The account whose API key has this keyed digest."""
        return await self._claimant(API_KEY, digest)

    async def accounts_of_name(self, name: str) -> list[Account]:
        """The accounts of this name (compared as lower-case letters and digits), the oldest first."""
        return _oldest_first(
            [Account.of(document) for document in await self._store.find_by_name(ACCOUNTS, ACCOUNT, name)]
        )

    async def accounts_of_ip(self, address: str) -> list[Account]:
        """The accounts that list this address."""
        return await self._tagged_accounts(ip_tag(address))

    async def users_of_credential(self, account_id: str, method: str, digest: str) -> list[User]:
        """The enabled users of an account who log in with a hash of this keyed digest, the oldest first.

        Always from the store: a new password counts at once. The database finds them by a digest that nobody can
        steer without the pepper, so how long it takes to compare tells nothing.
        """
        return await self._enabled_users(Listing(account_id, USER, tag=credential_tag(method, digest)))

    async def enabled_users(self, account_id: str) -> list[User]:
        """All enabled users of an account, the oldest first."""
        return await self._enabled_users(Listing(account_id, USER))

    async def chief_of(self, account_id: str) -> User | None:
        """The account's oldest enabled administrator, else its oldest enabled user."""
        return chief(await self.enabled_users(account_id))

    async def master_id(self) -> str | None:
        """The id of the master account; None while there is no account at all."""
        configured = self._master()
        if configured is not None:
            return configured
        if self._oldest_root is None:
            roots = await self._tagged_accounts(ROOT)
            self._oldest_root = roots[0].id if roots else None
        return self._oldest_root

    async def reseller_of(self, account: Account) -> str | None:
        """The id of the nearest reseller above an account, else of the master account."""
        for ancestor_id in reversed(account.tree):
            ancestor = await self.account(ancestor_id)
            if ancestor is not None and ancestor.is_reseller:
                return ancestor.id
        return await self.master_id()

    async def _claimant(self, claim: str, value: str) -> Account | None:
        account_id = await self._store.claims.holder(ACCOUNTS, f"{claim}{SEPARATOR}{value}")
        return None if account_id is None else await self.reread_account(account_id)

    async def _tagged_accounts(self, tag: str) -> list[Account]:
        documents = await self._store.all(Listing(ACCOUNTS, ACCOUNT, tag=tag))
        return _oldest_first([Account.of(document) for document in documents])

    async def _enabled_users(self, listing: Listing) -> list[User]:
        users = [User.of(document) for document in await self._store.all(listing)]
        return sorted((user for user in users if user.enabled), key=lambda user: (user.created, user.id))

    async def _load_account(self, account_id: str) -> Account | None:
        document = await self._store.get(ACCOUNTS, ACCOUNT, account_id)
        return Account.of(document) if document else None

    async def _load_user(self, key: tuple[str, str]) -> User | None:
        document = await self._store.get(key[0], USER, key[1])
        return User.of(document) if document else None


def chief(users: list[User]) -> User | None:
    """Of users in order of age the first administrator, else the first."""
    return next((user for user in users if user.is_admin), users[0] if users else None)


def _oldest_first(accounts: list[Account]) -> list[Account]:
    return sorted(accounts, key=lambda account: (account.created, account.id))
