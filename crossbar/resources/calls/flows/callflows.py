# SPDX-License-Identifier: MPL-2.0
"""Callflows: what happens to a call, step by step, for the numbers and patterns that lead to it.

Source: KAZOO `cb_callflows`, `kzd_callflows.erl` (`validate`), view `callflows/crossbar_listing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crossbar.dialing import account_dial_plan, check_ownership, normalize
from crossbar.documents.document import Document
from crossbar.documents.document_types import CALLFLOW, USER
from crossbar.documents.shape import Shape, Summary, Unique, or_default
from crossbar.endpoint import Collection, Context, Draft
from crossbar.errors import JSON, Invalid

NUMBER_CLAIM: Final = "callflow.number"
"""What a callflow claims each of its numbers as."""
NAMED: Final = ("name", "first_name", "last_name", "numbers")
"""What is shown of a document that a callflow refers to."""


def steps(flow: JSON) -> Iterator[dict[str, Any]]:
    """The nodes of a flow, parents first, in the order of their branches."""
    waiting = [flow]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict):
            continue
        yield node
        children = node.get("children")
        if isinstance(children, dict):
            waiting.extend(reversed(children.values()))


def modules(callflow: Document) -> list[str]:
    """The actions of a flow, each once; a step that is switched off does not count."""
    found: dict[str, None] = {}
    for step in steps(callflow.at("flow")):
        module, data = step.get("module"), step.get("data")
        if isinstance(module, str) and isinstance(data, dict) and data.get("skip_module") is not True:
            found[module] = None
    return list(found)


def claims(callflow: Document) -> Iterator[Unique]:
    """The numbers and patterns that lead to no second callflow of the account."""

    def exists(what: str) -> Any:
        return lambda holder: f"{what} exists in callflow {holder.id} {holder.at('name') or holder.id}"

    for number in _texts(callflow.at("numbers")):
        yield Unique(NUMBER_CLAIM, number, "numbers", exists(f"Number {number}"), cause=number)
    for pattern in _texts(callflow.at("patterns")):
        yield Unique("callflow.pattern", pattern, "patterns", exists(f"Pattern {pattern}"), cause=pattern)


def _texts(values: JSON) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


callflows = Collection(
    "callflows",
    "/accounts/{account_id}/callflows/{callflow_id}",
    Shape(
        CALLFLOW,
        summary=Summary(
            "id",
            "name",
            "type",
            "numbers",
            "patterns",
            "owner_id",
            "group_id",
            featurecode=or_default("featurecode", False),
            modules=modules,
            flags=or_default("flags", []),
        ),
        unique=claims,
        numbers=lambda callflow: _texts(callflow.at("numbers")),
        filters=("group_id", "owner_id", "type"),
    ),
    schema="callflows",
)


@callflows.normalize
async def lead_somewhere(context: Context, draft: Draft) -> None:
    """A callflow without number and pattern is refused before anything else is looked at."""
    numbers, patterns = draft.data.get("numbers"), draft.data.get("patterns")
    _check_is_list("numbers", numbers)
    if numbers:
        return
    _check_is_list("patterns", patterns)
    if not patterns:
        message = "Callflows must be assigned at least one number or pattern"
        raise Invalid.field("numbers", "required", message)


def _check_is_list(field: str, value: JSON) -> None:
    if value is not None and not isinstance(value, list):
        message = "Value did not match type: array"
        raise Invalid.field(field, "type", message, target="array", value=value)


@callflows.normalize
async def normalize_numbers(context: Context, draft: Draft) -> None:
    """Numbers are kept as calls bring them: in E.164 form."""
    if numbers := draft.data.get("numbers"):
        dial_plan = await account_dial_plan(context.store, context.account_id)
        draft.data["numbers"] = [
            normalize(number, dial_plan) if isinstance(number, str) else number for number in numbers
        ]


@callflows.finish
async def numbers_are_own(context: Context, draft: Draft) -> None:
    """A public number that an account holds is used only by who may act for that account."""
    await check_ownership(context.store, context.directory, context.identity, draft.data["numbers"])


@callflows.show
async def show_references(context: Context, callflow: Document, public: dict[str, Any]) -> None:
    """Whoever reads a callflow learns the names of what it refers to."""
    if context.verb != "GET":
        return
    ids = dict.fromkeys(_references(callflow.at("flow")))
    types = [shape.type for shape in context.store.shapes if shape.stored_in == "documents"]
    found = {
        document.id: document for document in await context.store.find_by_ids(context.account_id, ids, types, NAMED)
    }
    public["metadata"] = {key: _reference(found[key]) for key in ids if key in found}


def _references(flow: JSON) -> Iterator[str]:
    """Everything in a flow that may be the id of a document."""
    for step in steps(flow):
        data, children = step.get("data"), step.get("children")
        if isinstance(data, dict):
            for key, value in data.items():
                if (key == "id" or "_id" in key) and isinstance(value, str) and value:
                    yield value
        if isinstance(children, dict):
            yield from (branch for branch in children if len(branch) > 1)


def _reference(document: Document) -> dict[str, JSON]:
    name = document.at("name")
    if document.type == USER:
        name = f"{document.at('first_name') or ''} {document.at('last_name') or ''}"
    shown = {"name": name, "numbers": document.at("numbers"), "pvt_type": document.type}
    return {key: value for key, value in shown.items() if value is not None}
