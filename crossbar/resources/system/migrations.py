# SPDX-License-Identifier: MPL-2.0
"""Migrations: changes of an account's ways that its administrator orders once.

Source: KAZOO `cb_migrations`.
"""

from __future__ import annotations

from typing import Final

from crossbar import clock
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import Invalid, NotFound

TYPE: Final = "migrations"
MIGRATIONS_SHAPE: Final = Shape(TYPE, summary=Summary("id"))
TELETYPE: Final = "notify_to_teletype"
DESCRIPTIONS: Final = {TELETYPE: "Migrate account and all sub accounts to Teletype"}

migrations = Endpoint("migrations")


@migrations.get("/accounts/{account_id}/migrations")
async def index(_: Context) -> Reply:
    """Migration → what it does."""
    return Reply(DESCRIPTIONS)


@migrations.get("/accounts/{account_id}/migrations/{migration_id}")
async def read(context: Context) -> Reply:
    """What a migration does, and whether and when it was performed on the account."""
    migration_id = context.path["migration_id"]
    if migration_id not in DESCRIPTIONS:
        raise NotFound(migration_id)
    stored = await context.store.get(context.account_id, TYPE, TYPE)
    performed = stored.fields.get(migration_id) if stored else None
    answer = {"id": migration_id, "description": DESCRIPTIONS[migration_id], "performed": performed is not None}
    return Reply(answer if performed is None else {**answer, "performed_time": performed["performed_time"]})


@migrations.post(
    "/accounts/{account_id}/migrations/{migration_id}",
    options={
        "perform_migration": "`now`",
        "include_descendants": "`true`: the accounts below, too",
        "include_resellers": "`true`: among them resellers and what is theirs",
    },
)
async def perform(context: Context) -> Reply:
    """Perform a migration on the account and, where asked, on those below it."""
    if context.path["migration_id"] not in DESCRIPTIONS:
        raise Invalid({"migration": {"invalid": {"migration": "not found"}}})
    if context.values.get("perform_migration") != "now":
        raise Invalid({"migration": {"failed": {"error": "invalid action time"}}})
    account_ids = [
        context.account_id,
        *(await _below(context) if context.values.is_true("include_descendants") else ()),
    ]
    for account_id in account_ids:
        await _use_teletype(context, account_id)
    return Reply({"performed_on": account_ids})


async def _below(context: Context) -> list[str]:
    """The accounts below; without `include_resellers` not the resellers and what is theirs."""
    found = await context.store.all(Listing(ACCOUNTS, ACCOUNT, tag=f"descendant/{context.account_id}"))
    if context.values.is_true("include_resellers"):
        return [account.id for account in found]
    resellers = {account.id for account in found if account.at("pvt_reseller") is True}
    return [account.id for account in found if resellers.isdisjoint((account.id, *account.at("pvt_tree", ())))]


async def _use_teletype(context: Context, account_id: str) -> None:
    def prefer(account: Document) -> None:
        account.fields["pvt_notification_preference"] = "teletype"

    await context.store.update(ACCOUNTS, ACCOUNT, account_id, prefer)
    stored = await context.store.get(account_id, TYPE, TYPE)
    performed = {
        "performed_time": clock.now(),
        "performed_by": context.identity.owner_id or context.identity.account_id,
    }
    fields = {**(stored.fields if stored else {"pvt_type": TYPE}), TELETYPE: performed}
    await context.store.upsert(Document(account_id, TYPE, TYPE, fields))
