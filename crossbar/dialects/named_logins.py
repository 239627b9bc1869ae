# SPDX-License-Identifier: MPL-2.0
"""Log-ins by name and password alone: which user is meant where no account is named.

The name is looked for in the master account, then as `name@realm` or `name@account name`, then anywhere, if only one
account has it. An e-mail address does in place of the name.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final

from crossbar.access.directory import Account, User
from crossbar.access.failed_logins import LoginTry
from crossbar.access.identity import Identity
from crossbar.access.login_types import USER_AUTH, SecondFactorWanted
from crossbar.access.passwords import MD5_FIELD, hashed
from crossbar.access.standing import is_switched_off
from crossbar.dialects.shapes import email_tag
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT, USER
from crossbar.documents.listing import Listing
from crossbar.documents.selection import Selection
from crossbar.resources.identity.users import username_claim
from crossbar.runtime import Runtime

METHOD: Final = "wazo_auth"
HASHED_AS: Final = "pvt_xivo.hashed_as"
"""The user name in the digests of a password that is older than the user name."""

Meant = tuple[Account, User, Document]


async def identity_of(runtime: Runtime, name: str, secret: str, address: str) -> Identity | None:
    """Who logs in with a name and a password, both as sent in Latin-1; None where either is wrong.

    Raises 429 where too many log-ins under that name have failed.
    """
    password = secret.encode("latin-1")
    return await identity_proved(runtime, _utf8(name), address, lambda user: has_password(runtime, user, password))


async def identity_proved(
    runtime: Runtime, name: str, address: str, proves: Callable[[Document], bool]
) -> Identity | None:
    """Who of those whom a name may mean is the one, as `proves` tells; None for nobody. Raises 429 as `identity_of`."""
    failed_logins = runtime.access.costs.failed_logins
    attempt = LoginTry(address, "dialects", name)
    failed_logins.begin(attempt)
    for account, user, document in await _meant(runtime, name):
        if proves(document) and await _may_log_in(runtime, account, user):
            failed_logins.succeeded(attempt)
            return Identity.without_token(account, user, METHOD)
    failed_logins.failed(attempt)
    return None


async def _may_log_in(runtime: Runtime, account: Account, user: User) -> bool:
    """Whether name and password are enough for a user of the account, as for Crossbar's own log-in they would be."""
    if is_switched_off(account, user) or account.expired:
        return False
    settings = await runtime.access.policies.settings_of(account, USER_AUTH)
    if not settings.enabled:
        return False
    try:
        verdict = await runtime.access.second_factors(account, user, settings.multi_factor, None)
    except SecondFactorWanted:
        return False
    return verdict is None or verdict.admits


def _utf8(text: str) -> str:
    """Text that was read as Latin-1 and is UTF-8, where it can be."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text


def has_password(runtime: Runtime, user: Document, password: bytes) -> bool:
    """Whether a user logs in with a password, in UTF-8 or as it was sent."""
    known, username = user.text(MD5_FIELD), hashed_name(user)
    if not known or not username:
        return False
    pepper = runtime.access.pepper
    spellings = {password, _utf8(password.decode("latin-1")).encode()}
    return any(hmac.compare_digest(pepper.digest(hashed("md5", username, one)), known) for one in sorted(spellings))


def hashed_name(user: Document) -> str:
    """The user name in the digest of a user's password: an earlier one, if he was renamed without a new password."""
    earlier = user.at(HASHED_AS)
    if isinstance(earlier, dict) and earlier.get("md5") == user.fields.get(MD5_FIELD):
        return str(earlier.get("username"))
    return user.text("username")


async def _meant(runtime: Runtime, name: str) -> list[Meant]:
    """The users whom a name may mean, those first that it means before others; ones of the same rank only if alone."""
    master = await runtime.access.directory.master_id()
    if master is not None and (found := await _within(runtime, [master], name)):
        return found
    login, at, place = name.rpartition("@")
    if at:
        realm = await runtime.access.directory.account_of_realm(place)
        named = [realm] if realm else await runtime.access.directory.accounts_of_name(place)
        if found := await _within(runtime, [account.id for account in named], login):
            return found
    accounts = [document.id for document in await runtime.store.all(Listing(ACCOUNTS, ACCOUNT))]
    found = await _within(runtime, accounts, name)
    return found if len(found) == 1 else []


async def _within(runtime: Runtime, accounts: list[str], name: str) -> list[Meant]:
    """The enabled users of some accounts who have a name, or an e-mail address."""
    if not accounts or not name:
        return []
    documents: list[Document] = []
    for account_id in await _holders(runtime, accounts, name):
        holder = await runtime.store.claims.holder(account_id, username_claim(name).key)
        user = await runtime.store.get(account_id, USER, holder) if holder else None
        documents += [user] if user else []
    if not documents and "@" in name:
        documents = await runtime.store.select(Selection(tuple(accounts), USER, (email_tag(name),)))
    found = []
    for document in documents:
        account = await runtime.access.directory.account(document.partition)
        user_of = User.of(document)
        if account is not None and user_of.enabled:
            found.append((account, user_of, document))
    return found


async def _holders(runtime: Runtime, accounts: list[str], name: str) -> list[str]:
    """Those of the accounts that have a user of this name."""
    return await runtime.store.claims.partitions_of(accounts, username_claim(name).key)
