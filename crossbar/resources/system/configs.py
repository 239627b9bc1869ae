# SPDX-License-Identifier: MPL-2.0
"""Configs: the settings of an account, by category.

Source: KAZOO `cb_configs`, `kapps_account_config.erl`. An account's settings are laid over its reseller's, those over
the system's; only what differs from what lies below is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crossbar.access.authorship import stamps
from crossbar.documents.document import Document, merge, public_fields
from crossbar.documents.document_types import ACCOUNT_CONFIG
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Retries, Stale
from crossbar.endpoint import Collection, Context, Draft, Reply
from crossbar.errors import JSON, Conflict, NotFound
from crossbar.resources.system.domain.config_credentials import CREDENTIALS
from crossbar.resources.system.domain.default_values import difference, system_defaults

configs = Collection(
    "configs",
    "/accounts/{account_id}/configs/{category}",
    Shape(ACCOUNT_CONFIG, summary=Summary("id"), sealed=CREDENTIALS),
    operations=(),
    takes_all_words=True,
    document_id=lambda context: document_id(context.path["category"]),
)


def document_id(category: str) -> str:
    """The id of an account's settings of a category."""
    return f"configs_{category}"


@configs.get("/accounts/{account_id}/configs/{category}")
async def read(context: Context) -> Reply:
    """The settings in force for the account."""
    stored = await _stored(context, context.account_id)
    below = await _below(context)
    own = public_fields(stored.fields) if stored else {}
    return _reply(context, merge(below, own), stored.revision if stored else None)


@configs.put("/accounts/{account_id}/configs/{category}", checks_itself=True, refuses=(500,))
@configs.post("/accounts/{account_id}/configs/{category}", checks_itself=True, refuses=(500,))
async def replace(context: Context) -> Reply:
    """The request's values are laid over what is in force without the account's own."""
    return await _save(context, lambda _: context.object)


@configs.patch("/accounts/{account_id}/configs/{category}", checks_itself=True, refuses=(500,))
async def change(context: Context) -> Reply:
    """The request's values are laid over what is in force."""
    return await _save(context, lambda stored: merge(stored, context.object))


@configs.delete("/accounts/{account_id}/configs/{category}", checks_itself=True)
async def delete(context: Context) -> Reply:
    """Back to what lies below."""
    stored = await _stored(context, context.account_id)
    if stored is None:
        raise NotFound(document_id(context.path["category"]))
    context.ready_to_write(stored.revision)
    await context.store.remove(stored, stamps(context.author, stored))
    return Reply({**stored.public, "_read_only": {"deleted": True}}, revision=stored.revision)


async def _save(context: Context, change: Callable[[dict[str, JSON]], dict[str, JSON]]) -> Reply:
    category = context.path["category"]
    below = await _below(context)
    async for _ in Retries():
        stored = await _stored(context, context.account_id)
        own = change(public_fields(stored.fields) if stored else {})
        values = context.valid(f"account_config.{category}", merge(below, own))
        values.pop("id", None)
        context.ready_to_write(stored.revision if stored else None)
        try:
            revision = await _keep(context, stored, difference(values, below))
        except (Stale, Conflict):
            continue
        return _reply(context, values, revision)
    raise Conflict


async def _keep(context: Context, stored: Document | None, own: dict[str, JSON]) -> str | None:
    """Store what differs from what lies below; nothing is stored as no document."""
    if not own:
        if stored is not None:
            await context.store.remove(stored, stamps(context.author, stored))
        return None
    draft = Draft(document_id(context.path["category"]), own, stored)
    return (await configs.life.store(context, draft)).revision


async def _below(context: Context) -> dict[str, Any]:
    """What is in force for the account without its own settings, limited to what an account may set."""
    category = context.path["category"]
    system = context.runtime.settings.section(category)
    values = merge(system_defaults(context.runtime, category), dict(system))
    reseller_id = await context.directory.reseller_of(context.account)
    reseller = await _stored(context, reseller_id) if reseller_id and reseller_id != context.account_id else None
    values = merge(values, public_fields(reseller.fields) if reseller else {})
    schema_id = f"account_config.{category}"
    schema = context.runtime.schemas.get(schema_id)
    if schema is None:
        return {}
    defaults, _ = context.runtime.schemas.errors(schema_id, {})
    return merge(defaults, {key: value for key, value in values.items() if key in schema.get("properties", {})})


async def _stored(context: Context, account_id: str) -> Document | None:
    return await context.store.get(account_id, ACCOUNT_CONFIG, document_id(context.path["category"]))


def _reply(context: Context, values: dict[str, JSON], revision: str | None) -> Reply:
    return Reply({**values, "id": document_id(context.path["category"])}, revision=revision)
