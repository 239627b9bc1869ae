# SPDX-License-Identifier: MPL-2.0
"""Users as the person on the server's own machine sees them, and a way back for who has lost a password."""

from __future__ import annotations

from dataclasses import dataclass

from crossbar.access.authorship import Author, stamps
from crossbar.access.directory import Account
from crossbar.access.passwords import password_fields
from crossbar.documents.document import Document
from crossbar.documents.document_types import USER
from crossbar.documents.listing import Listing
from crossbar.errors import Invalid
from crossbar.ids import new_id, new_secret
from crossbar.runtime import Runtime


class NobodyFound(Exception):
    """There is no such account or user, or there are several; the text tells a person."""


@dataclass(frozen=True, slots=True)
class KnownUser:
    """What is told of a user."""

    id: str
    username: str | None
    name: str
    priv_level: str
    enabled: bool


async def find_account(runtime: Runtime, named: str | None) -> Account:
    """The account of this id, realm or name; without one the master account. Raises NobodyFound."""
    directory = runtime.access.directory
    if named is None:
        master = await directory.master_id()
        if master is None:
            raise NobodyFound("there is no account yet; `crossbar init` creates the first one")
        named = master
    exactly = await directory.account(named) or await directory.account_of_realm(named)
    found = [exactly] if exactly else await directory.accounts_of_name(named)
    if not found:
        raise NobodyFound(f"there is no account {named}; its name, realm or id is wanted")
    if len(found) > 1:
        realms = ", ".join(account.realm for account in found)
        raise NobodyFound(f"several accounts are called {named}; name one by its realm: {realms}")
    return found[0]


async def users_of(runtime: Runtime, account: Account) -> list[KnownUser]:
    """All users of an account, by name."""
    return [_known(user) for user in await runtime.store.all(Listing(account.id, USER, descending=False))]


async def set_password(runtime: Runtime, account: Account, named: str, password: str) -> KnownUser:
    """Give the user of this user name or id another password; tokens from before are no longer good.

    Raises NobodyFound, and Invalid for a password that the schema refuses.
    """
    users = await runtime.store.all(Listing(account.id, USER))
    found = next((user for user in users if named.lower() in (user.id, user.fields.get("username"))), None)
    if found is None:
        advice = f"`crossbar user list --account {account.realm}` tells who there is"
        raise NobodyFound(f"{account.name} has no user {named}; {advice}")
    username = found.fields.get("username")
    if not isinstance(username, str):
        raise NobodyFound(f"the user {found.id} has no user name to log in with")
    if not password:
        raise Invalid.field("password", "required", "Field is required but missing")
    _, errors = runtime.schemas.errors("users", {**found.public, "password": password})
    if "password" in errors:
        raise Invalid({"password": errors["password"]})
    fields = {**password_fields(runtime.access.pepper, username, password), "pvt_signature_secret": new_secret(16)}

    def change(user: Document) -> None:
        user.fields.update(fields)
        user.fields.update(stamps(Author(new_id(), None), user))

    changed = await runtime.store.update(account.id, USER, found.id, change)
    if changed is None:
        raise NobodyFound(f"the user {named} was deleted just now")
    return _known(changed)


def _known(user: Document) -> KnownUser:
    fields = user.fields
    name = " ".join(str(fields[part]) for part in ("first_name", "last_name") if fields.get(part))
    username = fields.get("username")
    return KnownUser(
        user.id,
        username if isinstance(username, str) else None,
        name,
        str(fields.get("priv_level", "user")),
        fields.get("enabled") is not False,
    )
