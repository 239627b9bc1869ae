"""Migrations: changes of an account's ways that its administrator orders once.

Source: KAZOO `cb_migrations`.
"""

from __future__ import annotations

from typing import Final

from crossbar import clock
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Call, Reply, Resource
from crossbar.errors import Invalid, NotFound

TYPE: Final = "migrations"
SHAPE: Final = Shape(TYPE, summary=Summary("id"))
TELETYPE: Final = "notify_to_teletype"
DESCRIPTIONS: Final = {TELETYPE: "Migrate account and all sub accounts to Teletype"}

migrations = Resource("migrations")


@migrations.get()
async def index(_: Call) -> Reply:
    """Migration → what it does."""
    return Reply(DESCRIPTIONS)


@migrations.get("/{migration_id}")
async def read(call: Call) -> Reply:
    """What a migration does, and whether and when it was performed on the account."""
    migration_id = call.path["migration_id"]
    if migration_id not in DESCRIPTIONS:
        raise NotFound(migration_id)
    stored = await call.store.get(call.account_id, TYPE, TYPE)
    performed = stored.fields.get(migration_id) if stored else None
    answer = {"id": migration_id, "description": DESCRIPTIONS[migration_id], "performed": performed is not None}
    return Reply(answer if performed is None else {**answer, "performed_time": performed["performed_time"]})


@migrations.post("/{migration_id}")
async def perform(call: Call) -> Reply:
    """Perform a migration on the account and, where asked, on those below it."""
    if call.path["migration_id"] not in DESCRIPTIONS:
        raise Invalid({"migration": {"invalid": {"migration": "not found"}}})
    if call.values.get("perform_migration") != "now":
        raise Invalid({"migration": {"failed": {"error": "invalid action time"}}})
    account_ids = [call.account_id, *(await _below(call) if call.values.is_true("include_descendants") else ())]
    for account_id in account_ids:
        await _use_teletype(call, account_id)
    return Reply({"performed_on": account_ids})


async def _below(call: Call) -> list[str]:
    """The accounts below; without `include_resellers` not the resellers and what is theirs."""
    found = await call.store.documents(Listing(ACCOUNTS, "account", tag=f"descendant/{call.account_id}"))
    if call.values.is_true("include_resellers"):
        return [account.id for account in found]
    resellers = {account.id for account in found if account.at("pvt_reseller") is True}
    return [account.id for account in found if resellers.isdisjoint((account.id, *account.at("pvt_tree", ())))]


async def _use_teletype(call: Call, account_id: str) -> None:
    def prefer(account: Document) -> None:
        account.fields["pvt_notification_preference"] = "teletype"

    await call.store.change(ACCOUNTS, "account", account_id, prefer)
    stored = await call.store.get(account_id, TYPE, TYPE)
    performed = {"performed_time": clock.now(), "performed_by": call.identity.owner_id or call.identity.account_id}
    fields = {**(stored.fields if stored else {"pvt_type": TYPE}), TELETYPE: performed}
    await call.store.put(Document(account_id, TYPE, TYPE, fields))
