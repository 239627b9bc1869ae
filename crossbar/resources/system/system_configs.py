# SPDX-License-Identifier: MPL-2.0
"""System configs: the settings of the installation, by category, for all nodes (`default`), a zone or one node.

Source: KAZOO `cb_system_configs`, `kapps_config_doc.erl`. Only what differs from the defaults is stored. What the
server itself uses counts from the next request on (`crossbar.settings`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from crossbar.documents.document import SYSTEM_CONFIG, Document, merge, public_fields
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Draft, Lists, Reply, Who, answer_listing
from crossbar.endpoint.document_history import HISTORY
from crossbar.errors import JSON, NotFound, SystemFault
from crossbar.resources.system.domain.config_credentials import CREDENTIALS
from crossbar.resources.system.domain.default_values import complete_defaults, difference, system_defaults
from crossbar.settings import DEFAULT_SECTION, TYPE

SECTION: Final = re.compile(r".+@.+|[a-zA-Z0-9.]+")
"""The name of a section: `default`, a node (`app@host`) or a zone."""

Sections = dict[str, dict[str, JSON]]

system_configs = Collection(
    "system_configs",
    "/system_configs/{category}",
    Shape(TYPE, summary=Summary("id"), sealed=tuple(f"*.{name}" for name in CREDENTIALS)),
    schema="system_configs",
    operations=("delete",),
    partition=lambda _: SYSTEM_CONFIG,
    who=Who.SUPERDUPER,
    hard_delete=True,
    takes_all_words=True,
    history=HISTORY,
)


def sections_of(fields: dict[str, JSON]) -> Sections:
    """The sections among the fields of a document."""
    return {
        name: values
        for name, values in fields.items()
        if isinstance(values, dict) and name != "id" and SECTION.fullmatch(name)
    }


# Saving


@system_configs.normalize
async def keep_sections(_: Context, draft: Draft) -> None:
    """What is neither a node nor a zone is no setting (`ui_metadata`)."""
    draft.data = {name: values for name, values in draft.data.items() if name != "id" and SECTION.fullmatch(name)}


@system_configs.check
async def check_sections(context: Context, draft: Draft) -> None:
    """Each section is judged against the category's schema, and only its difference from the defaults stays."""
    base, complete = system_defaults(context.runtime, draft.id), complete_defaults(context.runtime, draft.id)
    sections = sections_of(draft.data)
    for name in sorted(sections, key=lambda name: name != DEFAULT_SECTION):
        values, found = context.schema_errors(f"system_config.{draft.id}", merge(base, sections[name]))
        draft.errors.fields.update({f"{name}.{field}": error for field, error in found.items()})
        draft.data[name] = difference(values, complete)
        if name == DEFAULT_SECTION:
            base, complete = values, merge(complete, values)


@system_configs.after
async def apply(context: Context, _: Document, __: Document | None) -> None:
    """This worker need not wait for the change feed."""
    context.runtime.settings.forget()


@system_configs.after_delete
async def unapply(context: Context, _: Document) -> None:
    """This worker need not wait for the change feed."""
    context.runtime.settings.forget()


# Categories


@system_configs.get("/system_configs", lists=Lists.PAGES)
async def index(context: Context) -> Reply:
    """The ids of the categories that have something stored."""
    reply = await answer_listing(context, TYPE, SYSTEM_CONFIG)
    reply.data = [row["id"] for row in orjson.loads(reply.json or b"[]")]
    reply.json = None
    return reply


@system_configs.get("/system_configs/{category}", options={"with_defaults": "`true`: complete"})
async def read(context: Context) -> Reply:
    """A category, `default` complete and the other sections as stored, or all complete (`with_defaults`)."""
    category = context.path["category"]
    stored, revision = await _stored(context, category)
    default = merge(complete_defaults(context.runtime, category), stored.pop(DEFAULT_SECTION, {}))
    if context.values.is_true("with_defaults"):
        stored = {name: merge(default, values) for name, values in stored.items()}
    return Reply({**stored, DEFAULT_SECTION: default, "id": category}, revision=revision)


@system_configs.put("/system_configs/{category}", checks_itself=True, refuses=(500,))
@system_configs.post("/system_configs/{category}", checks_itself=True, refuses=(500,))
async def replace(context: Context) -> Reply:
    """The request's sections become the category."""
    return Reply.document(await _save(context, lambda _: dict(context.object)))


@system_configs.patch("/system_configs/{category}", checks_itself=True, refuses=(500,))
async def change(context: Context) -> Reply:
    """The request's sections are laid over what is stored."""
    return Reply.document(await _save(context, lambda stored: merge(stored, context.object)))


# Sections


@system_configs.get("/system_configs/{category}/{node}", options={"with_defaults": "`true`: complete"})
async def read_section(context: Context) -> Reply:
    """One section as stored, or complete (`with_defaults`)."""
    category, node = context.path["category"], context.path["node"]
    stored, revision = await _stored(context, category)
    values = stored.get(node, {})
    if context.values.is_true("with_defaults"):
        default = merge(complete_defaults(context.runtime, category), stored.get(DEFAULT_SECTION, {}))
        values = merge(default, values)
    return _section(context, values, revision)


@system_configs.post("/system_configs/{category}/{node}", checks_itself=True, refuses=(500,))
async def replace_section(context: Context) -> Reply:
    """The request's values become the section."""
    return await _save_section(context, lambda _: dict(context.object))


@system_configs.patch("/system_configs/{category}/{node}", checks_itself=True, refuses=(500,))
async def change_section(context: Context) -> Reply:
    """The request's values are laid over the section."""
    return await _save_section(context, lambda stored: merge(stored, context.object))


@system_configs.delete("/system_configs/{category}/{node}", checks_itself=True, refuses=(500,))
async def delete_section(context: Context) -> Reply:
    """Forget what is stored for a section."""
    category, node = context.path["category"], context.path["node"]

    def without(stored: dict[str, JSON]) -> dict[str, JSON]:
        if node not in stored:
            raise NotFound(node)
        return {name: values for name, values in stored.items() if name != node}

    saved = await system_configs.life.upsert(context, category, without, must_exist=True)
    return _section(context, {}, saved.revision)


async def _stored(context: Context, category: str) -> tuple[Sections, str | None]:
    document = await context.store.get(SYSTEM_CONFIG, TYPE, category)
    return (sections_of(public_fields(document.fields)), document.revision) if document else ({}, None)


async def _save(context: Context, change: Callable[[dict[str, JSON]], dict[str, JSON]]) -> Document:
    return await system_configs.life.upsert(context, context.path["category"], change)


async def _save_section(context: Context, change: Callable[[dict[str, JSON]], dict[str, JSON]]) -> Reply:
    node = context.path["node"]
    if not SECTION.fullmatch(node):
        raise NotFound(node)

    def laid_in(stored: dict[str, JSON]) -> dict[str, JSON]:
        return {**stored, node: change(sections_of(stored).get(node, {}))}

    saved = await _save(context, laid_in)
    return _section(context, saved.fields.get(node, {}), saved.revision)


def _section(context: Context, values: dict[str, Any], revision: str | None) -> Reply:
    return Reply({**values, "id": f"{context.path['category']}/{context.path['node']}"}, revision=revision)


# Below an account there are none


async def misplaced(_: Context) -> Reply:
    """Settings of the installation belong to no account."""
    raise SystemFault("bad_identifier")


for _path, _verbs in (
    ("/accounts/{account_id}/system_configs", ("GET",)),
    ("/accounts/{account_id}/system_configs/{category}", ("GET", "PUT", "POST", "PATCH", "DELETE")),
    ("/accounts/{account_id}/system_configs/{category}/{node}", ("GET", "POST", "PATCH", "DELETE")),
):
    for _verb in _verbs:
        system_configs.route(_verb, _path, who=Who.TREE)(misplaced)
