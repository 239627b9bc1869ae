"""Configs: the settings of an account, by category.

Source: KAZOO `cb_configs`, `kapps_account_config.erl`. An account's settings are laid over its reseller's, those over
the system's; only what differs from what lies below is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from crossbar.documents.document import Document, public_fields
from crossbar.documents.shape import Summary
from crossbar.documents.store import Attempts, Stale
from crossbar.endpoint import Call, Draft, Reply, Resource, merge
from crossbar.errors import JSON, Conflict, NotFound
from crossbar.resources.system.domain.default_values import difference, system_defaults

TYPE: Final = "account_config"

configs = Resource("configs", document_type=TYPE, summary=Summary("id"), operations=(), id_name="category")


def document_id(category: str) -> str:
    """The id of an account's settings of a category."""
    return f"configs_{category}"


@configs.get("/{category}")
async def read(call: Call) -> Reply:
    """The settings in force for the account."""
    stored = await _stored(call, call.account_id)
    below = await _below(call)
    own = public_fields(stored.fields) if stored else {}
    return _reply(call, merge(below, own), stored.revision if stored else None)


@configs.put("/{category}", checks_itself=True)
@configs.post("/{category}", checks_itself=True)
async def replace(call: Call) -> Reply:
    """The request's values are laid over what is in force without the account's own."""
    return await _save(call, lambda _: call.object)


@configs.patch("/{category}", checks_itself=True)
async def change(call: Call) -> Reply:
    """The request's values are laid over what is in force."""
    return await _save(call, lambda stored: merge(stored, call.object))


@configs.delete("/{category}", checks_itself=True)
async def delete(call: Call) -> Reply:
    """Back to what lies below."""
    stored = await _stored(call, call.account_id)
    if stored is None:
        raise NotFound(document_id(call.path["category"]))
    call.ready_to_write(stored.revision)
    await call.store.remove(stored)
    return Reply({**stored.public, "_read_only": {"deleted": True}}, revision=stored.revision)


async def _save(call: Call, change: Callable[[dict[str, JSON]], dict[str, JSON]]) -> Reply:
    category = call.path["category"]
    below = await _below(call)
    async for _ in Attempts():
        stored = await _stored(call, call.account_id)
        own = change(public_fields(stored.fields) if stored else {})
        values = call.valid(f"account_config.{category}", merge(below, own))
        values.pop("id", None)
        call.ready_to_write(stored.revision if stored else None)
        try:
            revision = await _keep(call, stored, difference(values, below))
        except (Stale, Conflict):
            continue
        return _reply(call, values, revision)
    raise Conflict


async def _keep(call: Call, stored: Document | None, own: dict[str, JSON]) -> str | None:
    """Store what differs from what lies below; nothing is stored as no document."""
    if not own:
        if stored is not None:
            await call.store.remove(stored)
        return None
    draft = Draft(document_id(call.path["category"]), own, stored)
    return (await configs.life.store(call, draft)).revision


async def _below(call: Call) -> dict[str, Any]:
    """What is in force for the account without its own settings, limited to what an account may set."""
    category = call.path["category"]
    system = call.services.settings.section(category)
    values = merge(system_defaults(call, category), system)
    reseller_id = await call.directory.reseller_of(call.account)
    reseller = await _stored(call, reseller_id) if reseller_id and reseller_id != call.account_id else None
    values = merge(values, public_fields(reseller.fields) if reseller else {})
    schema_id = f"account_config.{category}"
    schema = call.services.schemas.get(schema_id)
    if schema is None:
        return {}
    defaults, _ = call.services.schemas.errors(schema_id, {})
    return merge(defaults, {key: value for key, value in values.items() if key in schema.get("properties", {})})


async def _stored(call: Call, account_id: str) -> Document | None:
    return await call.store.get(account_id, TYPE, document_id(call.path["category"]))


def _reply(call: Call, values: dict[str, JSON], revision: str | None) -> Reply:
    return Reply({**values, "id": document_id(call.path["category"])}, revision=revision)
