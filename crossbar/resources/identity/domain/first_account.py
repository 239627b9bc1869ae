# SPDX-License-Identifier: MPL-2.0
"""The first account and its administrator, without which nobody could create anything.

Source: `crossbar_maintenance:create_account` (superduper admin, reseller, number additions, recorded as master).
"""

from __future__ import annotations

from dataclasses import dataclass

from crossbar.access.api_keys import api_key_fields
from crossbar.access.authorship import Author, stamps
from crossbar.access.passwords import password_fields
from crossbar.documents.document import ACCOUNTS, Document, public_fields
from crossbar.documents.document_types import ACCOUNT, USER
from crossbar.documents.store import Duplicate, Transaction
from crossbar.errors import Conflict, Invalid
from crossbar.ids import new_id, new_secret
from crossbar.resources.identity.domain.account import api_key_of
from crossbar.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Created:
    """The master account, its oldest administrator, its API key, and whether this call made them."""

    account_id: str
    user_id: str
    api_key: str
    created: bool


async def create(runtime: Runtime, *, account: str, realm: str, user: str, password: str) -> Created:
    """Create the master account (superduper admin) and its admin, unless there is a master account.

    Raises Invalid when a name or the password does not fit the schemas.
    """
    existing = await _existing(runtime)
    if existing is not None:
        return existing
    documents = _documents(runtime, account=account, realm=realm, user=user, password=password)

    async def insert(transaction: Transaction) -> None:
        for document in documents:
            await transaction.insert(document)

    try:
        await runtime.store.transact(insert)
    except Duplicate as duplicate:  # another process was faster
        existing = await _existing(runtime)
        if existing is None:
            raise Conflict from duplicate
        return existing
    master, admin = documents
    return Created(master.id, admin.id, api_key_of(runtime.access.pepper, master) or "", True)


async def _existing(runtime: Runtime) -> Created | None:
    account_id = await runtime.access.directory.master_id()
    if account_id is None:
        return None
    master = await runtime.store.get(ACCOUNTS, ACCOUNT, account_id)
    chief = await runtime.access.directory.chief_of(account_id)
    if master is None:
        return None
    return Created(account_id, chief.id if chief else "", api_key_of(runtime.access.pepper, master) or "", False)


def _documents(runtime: Runtime, *, account: str, realm: str, user: str, password: str) -> list[Document]:
    account_id, user_id = new_id(), new_id()
    timezone = runtime.config.accounts.default_timezone
    master, found = runtime.schemas.errors("accounts", {"name": account, "realm": realm, "timezone": timezone})
    admin, more = runtime.schemas.errors(
        "users",
        {
            "first_name": "Account",
            "last_name": "Admin",
            "username": user.lower(),
            "priv_level": "admin",
            "password": password,
        },
    )
    if found or more:
        raise Invalid({**found, **more})
    admin.pop("password")
    master.pop("enabled", None)
    pepper = runtime.access.pepper
    documents = [
        Document(
            ACCOUNTS,
            ACCOUNT,
            account_id,
            {
                **public_fields(master),
                **api_key_fields(pepper, new_secret()),
                "pvt_tree": [],
                "pvt_enabled": True,
                "pvt_superduper_admin": True,
                "pvt_wnm_allow_additions": True,
                "pvt_reseller": True,
                "pvt_cpaas_token": new_secret(),
                "pvt_signature_secret": new_secret(16),
            },
        ),
        Document(
            account_id,
            USER,
            user_id,
            {
                **public_fields(admin),
                **password_fields(pepper, user, password),
                "pvt_signature_secret": new_secret(16),
            },
        ),
    ]
    for document in documents:
        document.fields["pvt_account_id"] = account_id
        document.fields.update(stamps(Author(new_id(), None), document))
    return documents
