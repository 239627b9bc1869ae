# SPDX-License-Identifier: MPL-2.0
"""Accounts as they are kept: how they are listed and found, what only one may have, and their API keys.

Source: KAZOO `kzd_accounts.erl`, `kzdb_account.erl`, view `accounts/listing_by_id`. Account documents lie in the
partition `accounts`, so that a realm, a name and an API key are unique by its index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crossbar.access.api_keys import api_key_fields
from crossbar.access.authorship import Author, stamps
from crossbar.access.directory import API_KEY, REALM, ROOT, ip_tag
from crossbar.access.pepper import Pepper
from crossbar.documents.document import ACCOUNTS, Document, as_list
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.shape import Shape, Summary, Unique, alphanumeric, or_default
from crossbar.documents.store import Store
from crossbar.errors import NotFound
from crossbar.ids import new_secret


def tags(account: Document) -> Iterator[str]:
    """The further listings: children of the parent, descendants of each ancestor, log-in addresses."""
    tree = account.fields.get("pvt_tree", [])
    yield f"child/{tree[-1]}" if tree else ROOT
    yield from (f"descendant/{ancestor}" for ancestor in tree)
    yield from sorted({ip_tag(entry["ip"]) for entry in _addresses(account)})


def _addresses(account: Document) -> Iterator[dict[str, Any]]:
    ips = account.at("ips")
    for entry in ips.values() if isinstance(ips, dict) else as_list(ips):
        if isinstance(entry, dict) and isinstance(entry.get("ip"), str):
            yield entry


def claims(account: Document) -> Iterator[Unique]:
    """The realm, the name (as lower-case letters and digits) and the API key that no second account may have."""
    if realm := account.text("realm"):
        yield Unique(REALM, realm.lower(), "realm", "Account realm already in use", cause=realm)
    if (name := account.text("name")) and not account.at("pvt_shares_name"):
        yield Unique("account_name", alphanumeric(name), "name", "Account name already in use", cause=name)
    if digest := account.text("pvt_api_key_digest"):
        yield Unique(API_KEY, digest, "api_key", "API key already in use")


ACCOUNT_SHAPE: Final = Shape(
    ACCOUNT,
    summary=Summary(
        "id",
        "name",
        "realm",
        descendants_count=or_default("descendants_count", 0),
        flags=or_default("flags", []),
        tree=or_default("pvt_tree", []),
    ),
    sort="name",
    tags=tags,
    unique=claims,
    numbers=lambda account: [str(account.fields.get("realm", ""))],
)


def api_key_of(pepper: Pepper, account: Document) -> str | None:
    """The API key of an account, 64 hex characters."""
    sealed = account.fields.get("pvt_api_key")
    return pepper.unseal(sealed) if sealed else None


async def renew_api_key(store: Store, pepper: Pepper, account_id: str, author: Author) -> str | None:
    """Give an account a new API key and return it; the old one ends. Raises NotFound."""

    def renew(account: Document) -> None:
        account.fields.update(stamps(author, account), **api_key_fields(pepper, new_secret()))

    account = await store.update(ACCOUNTS, ACCOUNT, account_id, renew)
    if account is None:
        raise NotFound(account_id)
    return api_key_of(pepper, account)
