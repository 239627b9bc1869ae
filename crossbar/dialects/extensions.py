# SPDX-License-Identifier: MPL-2.0
"""Extensions: numbers that lead to lines. An associated one is a number of a callflow; any other is kept by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crossbar.access.authorship import stamps
from crossbar.dialects import integer_ids, telephone_users, wiring
from crossbar.dialects.declaration import Declaration
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import ASIDE, Edit
from crossbar.dialects.identifiers import as_number
from crossbar.dialects.shapes import EXTENSION
from crossbar.dialects.wiring import EXTENSIONS, Wiring, called, exten_of
from crossbar.dialing import account_dial_plan, normalize
from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.document_types import CALLFLOW
from crossbar.documents.field import Expression
from crossbar.documents.selection import Selection, at, either, includes, one_of
from crossbar.documents.store import Duplicate
from crossbar.endpoint import Context, JointChange, jointly
from crossbar.errors import JSON, Invalid, NotFound
from crossbar.ids import new_id
from crossbar.resources.calls.flows.callflows import callflows

MADE = "made"
"""Under `pvt_xivo` of an extension: it was made in a dialect, and stays where no callflow has its number."""


async def find(context: DialectContext, word: str) -> Document:
    """The extension of a number (its id). Raises NotFound."""
    number = as_number(word)
    key = None if number is None else await integer_ids.find(context.store, EXTENSIONS, number)
    if key is None or not await telephone_users.is_visible(context, key.partition):
        raise NotFound(word)
    extension = await context.store.get(*key)
    if extension is None or not (_is_made(extension) or await _flows_with(context, extension)):
        raise NotFound(word)
    return extension


def _is_made(extension: Document) -> bool:
    return extension.at(f"{ASIDE}.{MADE}") is True


async def _flows_with(context: DialectContext, extension: Document) -> list[Document]:
    conditions = (wiring.RINGING, includes("numbers", called(extension)))
    return await context.store.select(Selection((extension.partition,), CALLFLOW, conditions=conditions))


async def visible(context: DialectContext, accounts: tuple[str, ...]) -> tuple[Expression, ...]:
    """What holds for the extensions that there are: made in a dialect, or numbers of callflows that ring somebody."""
    numbers: list[str] = []
    for account in accounts:
        flows = await context.store.select(Selection((account,), CALLFLOW, conditions=(wiring.RINGING,)))
        known = [number for flow in flows for number in wiring.numbers_in(flow)]
        await wiring.extensions_for(context, account, list(dict.fromkeys(known)))
        numbers += known
    return (either((at(f"{ASIDE}.{MADE}"), one_of(at(f"{ASIDE}.called"), numbers))),)


async def create(context: DialectContext, declaration: Declaration, values: Mapping[str, JSON]) -> Document:
    """A new extension, which leads nowhere yet. Raises Invalid."""
    crossbar = await context.crossbar("PUT", "callflows")
    edit = Edit()
    declaration.write(edit, declaration.with_initial(values))
    await integer_ids.give(context.store, EXTENSIONS, edit)
    edit.put_aside(MADE, True)
    edit.put_aside("called", await _called(context, str(edit.aside.get("exten")), context.account.id))
    document = Document(context.account.id, EXTENSION, new_id(), edit.private)
    document.fields.update(stamps(crossbar.author, document))
    try:
        return await context.store.insert(document)
    except Duplicate as duplicate:
        raise _exists(str(edit.aside.get("exten"))) from duplicate


async def change(
    context: DialectContext, declaration: Declaration, extension: Document, values: Mapping[str, JSON]
) -> Document:
    """Other values; where the number changes, the callflow's does. Raises Invalid."""
    crossbar = await _crossbar(context, "POST", extension)
    exten = str(values.get("exten") or exten_of(extension))

    async def everywhere(joint: JointChange) -> Document:
        current = await joint.current(extension)
        before = number = called(current)
        if exten != exten_of(current):
            number = await _called(context, exten, current.partition)

        def changed(stored: Document) -> None:
            edit = Edit(stored)
            declaration.write(edit, values)
            edit.put_aside("called", number)
            edit.put_aside(MADE, True)
            stored.fields.update(edit.private)
            stored.fields.update(stamps(crossbar.author, stored))

        saved = await joint.update(extension, changed)
        for flow in await _flows_with(context, current) if number != before else []:
            joint.decided_by(flow)
            numbers = [number if one == before else one for one in as_list(flow.at("numbers"))]
            await _edit_flow(joint, context, flow, {"numbers": numbers})
        return saved

    try:
        return await jointly(context.store, everywhere)
    except Duplicate as duplicate:
        raise _exists(exten) from duplicate


async def remove(context: DialectContext, extension: Document) -> None:
    """End an extension that leads nowhere."""
    await _crossbar(context, "DELETE", extension)

    async def gone(joint: JointChange) -> None:
        joint.drop(await joint.current(extension))

    await jointly(context.store, gone)


async def associate(
    joint: JointChange, context: DialectContext, wired: Wiring, line: Document, extension: Document
) -> None:
    """Let an extension lead to a line: its number joins those of the line's callflow. Raises Invalid."""
    own = [flow for flow in wired.flows_of(line) if flow.at(f"{ASIDE}.line") == line.id]
    number = called(extension)
    if own:
        joint.decided_by(own[0])
        numbers = [*as_list(own[0].at("numbers")), number]
        await _edit_flow(joint, context, own[0], {"numbers": list(dict.fromkeys(numbers))})
        return
    crossbar = await _crossbar(context, "PUT", line, "callflows")
    data: dict[str, JSON] = {"name": exten_of(extension), "numbers": [number], "flow": flow_to(line)}
    await joint.create(callflows.life, crossbar, new_id(), data, {ASIDE: {"line": line.id}})


async def dissociate(joint: JointChange, context: DialectContext, flow: Document, extension: Document) -> None:
    """Let an extension lead nowhere: a callflow that had no other number ends."""

    def keep(stored: Document) -> None:
        stored.fields[ASIDE] = {**as_object(stored.fields.get(ASIDE)), MADE: True}

    joint.decided_by(flow)
    if not _is_made(extension):  # a callflow stood for it; it stays when that does so no longer
        await joint.update(extension, keep)
    numbers = [one for one in as_list(flow.at("numbers")) if one != called(extension)]
    if numbers or flow.at("patterns"):
        await _edit_flow(joint, context, flow, {"numbers": numbers})
    else:
        await joint.remove(callflows.life, await _crossbar(context, "DELETE", flow), flow.id)


async def lead_to_user(
    joint: JointChange, context: DialectContext, wired: Wiring, before: Document, line: Document
) -> None:
    """Let the callflows of a line ring its user, or where it has none its device."""
    for flow in wired.flows_of(before):
        if wiring.target_of(flow) in (before.id, before.text("owner_id")):
            joint.decided_by(flow)
            stored = await joint.current(flow)
            await _edit_flow(joint, context, flow, {"flow": {**as_object(stored.at("flow")), **flow_to(line)}}, line)


def flow_to(line: Document) -> dict[str, Any]:
    """What a call to a line does."""
    owner = line.text("owner_id")
    module, target = ("user", owner) if owner else ("device", line.id)
    return {"module": module, "data": {"id": target}, "children": {}}


async def _edit_flow(
    joint: JointChange,
    context: DialectContext,
    flow: Document,
    fields: Mapping[str, JSON],
    line: Document | None = None,
) -> None:
    crossbar = await _crossbar(context, "POST", flow)

    def changed(previous: Document) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
        edit = Edit(previous)
        if line is not None:
            edit.put_aside("line", line.id)
        return {**edit.public, **fields}, edit.private

    await joint.edit(callflows.life, crossbar, flow.id, changed)


async def _crossbar(context: DialectContext, verb: str, document: Document, noun: str = "callflows") -> Context:
    account = await context.runtime.access.directory.account(document.partition)
    return await context.crossbar(verb, noun, document.id, account=account)


async def _called(context: DialectContext, exten: str, account_id: str) -> str:
    return normalize(exten, await account_dial_plan(context.store, account_id))


def _exists(exten: str) -> Invalid:
    return Invalid.field(f"{ASIDE}.exten", "unique", "Extension already exists", cause=exten)
