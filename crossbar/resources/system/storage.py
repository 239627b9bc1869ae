# SPDX-License-Identifier: MPL-2.0
"""Storage: where the files of an account, a user or the installation are kept, and plans that resellers keep ready.

Source: KAZOO `cb_storage.erl`.
"""

from __future__ import annotations

import asyncio
from typing import Final

from crossbar.documents.document import SYSTEM_DATA, as_object, merge, value_at
from crossbar.documents.schemas import ClientUrls
from crossbar.endpoint import Collection, Context, Draft, Lists, Reply, answer_listing
from crossbar.errors import JSON, Invalid
from crossbar.resources.system.domain.file_store import Handler, StoreFailure
from crossbar.resources.system.domain.outside_files import FILES
from crossbar.resources.system.domain.storage_plan import (
    PLAN_SHAPE,
    STORAGE_PLAN,
    STORAGE_SHAPE,
    SYSTEM_ID,
    handler_of,
    signature,
)
from crossbar.wire.request_values import is_false

NO_BYPASS: Final = "The system does not allow bypassing settings validation"
SIGNATURE: Final = "_sig"
"""Where an entry that was tried with success says which settings it had then."""


def partition(context: Context) -> str:
    """The account's own, or the installation's for bare paths."""
    return context.account_id if context.named_account_id else SYSTEM_DATA


async def reseller_only(context: Context) -> bool | None:
    """Plans are a reseller's, or the installation's."""
    return None if context.target is None or context.target.is_reseller else False


storage = Collection(
    "storage",
    "/accounts/{account_id}/storage",
    STORAGE_SHAPE,
    schema="storage",
    operations=(),
    partition=partition,
    hard_delete=True,
    document_id=lambda context: _document_id(context),  # noqa: PLW0108 - it is defined below
)
plans = Collection(
    storage,
    ("/accounts/{account_id}/storage/plans/{plan_id}", "/storage/plans/{plan_id}"),
    PLAN_SHAPE,
    schema="storage",
    operations=("create", "read", "replace", "merge", "delete"),
    partition=partition,
    hard_delete=True,
    who=reseller_only,
)
PATHS: Final = ("/accounts/{account_id}/storage", "/accounts/{account_id}/users/{user_id}/storage", "/storage")
for _offered in (storage, plans):
    _offered.option("validate_settings", "`false`: handlers are not tried", "create", "replace", "merge")


@storage.check
@plans.check
async def check_urls(context: Context, draft: Draft) -> None:
    """A URL is named as the one at fault, though the schema only sees that no kind of handler fits."""
    urls = ClientUrls.refusing(context.config.security.blocked_hosts)
    for handler_id, entry in as_object(draft.data.get("attachments")).items():
        if not isinstance(entry, dict) or entry.get("handler") != "http":
            continue
        url = value_at(entry, "settings.url")
        if isinstance(url, str) and not urls.allows(url):
            draft.errors.add(f"attachments.{handler_id}.settings.url", "error", "invalid client URL", value=url)


@storage.finish
@plans.finish
async def try_handlers(context: Context, draft: Draft) -> None:
    """Every handler has to take a small file and give it back, unless it did so before with the same settings."""
    bypassed = is_false(context.values.get("validate_settings"))
    if bypassed and not context.config.storage.allow_validation_overrides:
        raise Invalid.field("validate_settings", "forbidden", NO_BYPASS)
    entries = as_object(draft.data.get("attachments"))
    before = as_object(draft.previous.at("attachments")) if draft.previous else {}
    handlers = [handler_of(handler_id, entry) for handler_id, entry in entries.items()]
    known = {
        handler.id
        for handler in handlers
        if signature(handler) == value_at(as_object(before.get(handler.id)), SIGNATURE)
    }
    if not bypassed:
        await asyncio.gather(*(_try(context, draft, handler) for handler in handlers if handler.id not in known))
    for handler in handlers:
        entry = entries[handler.id]
        entry.pop(SIGNATURE, None)
        if not bypassed or handler.id in known:
            entry[SIGNATURE] = signature(handler)


async def _try(context: Context, draft: Draft, handler: Handler) -> None:
    try:
        await context.request.app[FILES].probe(partition(context), handler)
    except StoreFailure as failure:
        details: dict[str, JSON] = {"error_code": failure.status, "error_body": failure.body}
        draft.errors.add(f"attachments.{handler.id}", "invalid", failure.message, **details)


def _document_id(context: Context) -> str:
    """The user's or the account's id, or that of the installation's document."""
    if not context.named_account_id:
        return SYSTEM_ID
    return context.parents["users"].id if "users" in context.parents else context.account_id


@storage.get(*PATHS, shows=storage.life.schema)
async def read(context: Context) -> Reply:
    """Where files are kept; 404 before anything was said of it."""
    return await storage.life.answer(context, await storage.life.load(context, _document_id(context)))


@storage.put(*PATHS, **storage.about("create"))
async def create(context: Context) -> Reply:
    """Say for the first time where files are kept."""
    saved = await storage.life.save_new(context, _document_id(context), context.object)
    return await storage.life.answer(context, saved)


@storage.post(*PATHS, **storage.about("replace"))
async def replace(context: Context) -> Reply:
    """Say anew where files are kept."""
    saved = await storage.life.upsert(context, _document_id(context), lambda _: dict(context.object), must_exist=True)
    return await storage.life.answer(context, saved)


@storage.patch(*PATHS, **storage.about("merge"))
async def change(context: Context) -> Reply:
    """Change a part of where files are kept."""
    saved = await storage.life.upsert(
        context, _document_id(context), lambda stored: merge(stored, context.object), must_exist=True
    )
    return await storage.life.answer(context, saved)


@storage.delete(*PATHS, **storage.about("delete"))
async def remove(context: Context) -> Reply:
    """New files are kept here again; those that lie elsewhere are read from there as before."""
    return await storage.life.remove_and_answer(context, await storage.life.load(context, _document_id(context)))


@plans.get("/accounts/{account_id}/storage/plans", "/storage/plans", lists=Lists.PAGES)
async def list_plans(context: Context) -> Reply:
    """The storage plans, whole."""
    return await answer_listing(context, STORAGE_PLAN, partition(context), whole=True)
