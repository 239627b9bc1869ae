# SPDX-License-Identifier: MPL-2.0
"""Which users have which lines, and which extensions lead to them: read from devices and callflows.

A line with an endpoint is a device of KAZOO's with SIP credentials; its main user owns it, further ones stand in
`pvt_xivo.line.secondary`. An extension leads to a line where a callflow of its number rings the line's device, or its
user: then the line is the one that the callflow names (`pvt_xivo.line`), else the user's main line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from crossbar.dialects import integer_ids
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import ASIDE
from crossbar.dialects.integer_ids import Kind
from crossbar.dialects.shapes import ENDPOINT, EXTENSION, LINE, called_tag, line_attributes, secondary_tag
from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.document_types import CALLFLOW, DEVICE
from crossbar.documents.selection import Selection, at, has, one_of
from crossbar.documents.shape import owner_tag
from crossbar.documents.store import Duplicate
from crossbar.errors import JSON
from crossbar.ids import new_id

INCOMING: Final = "from-extern"
INTERNAL: Final = "default"
HAS_SIP: Final = (has("sip.username"),)
LINES: Final = Kind("lines", (DEVICE, LINE), conditions=HAS_SIP)
ENDPOINTS: Final = Kind("endpoints_sip", (DEVICE, ENDPOINT), conditions=HAS_SIP)
EXTENSIONS: Final = Kind("extensions", EXTENSION)
RINGING: Final = one_of(at("flow.module"), ("user", "device"))
UNRANKED: Final = 10**6
_DIALLED: Final = re.compile(r"\+?\d{1,40}", re.ASCII)


def context_of(line: Document) -> str:
    """The context of a line."""
    return str(line_attributes(line).get("context") or INTERNAL)


def secondary_users(line: Document) -> list[str]:
    """The users who share a line with its main user, by id."""
    return [user for user in as_list(line_attributes(line).get("secondary")) if isinstance(user, str)]


def users_on(line: Document) -> list[str]:
    """The users of a line by id, the main one first."""
    owner = line.text("owner_id")
    return [*([owner] if owner else []), *(user for user in secondary_users(line) if user != owner)]


def target_of(callflow: Document) -> str:
    """The id of the user or device that a callflow rings."""
    return str(as_object(as_object(callflow.at("flow")).get("data")).get("id") or "")


def numbers_in(callflow: Document) -> list[str]:
    """The numbers of a callflow that somebody could dial."""
    return [one for one in as_list(callflow.at("numbers")) if isinstance(one, str) and _DIALLED.fullmatch(one)]


def exten_of(extension: Document) -> str:
    """The digits of an extension."""
    return str(extension.at(f"{ASIDE}.exten"))


def called(extension: Document) -> str:
    """The number of callflows that an extension stands for."""
    return str(extension.at(f"{ASIDE}.called"))


@dataclass
class Wiring:
    """Some lines, the callflows that ring them or their users, and the extensions of those, by their numbers."""

    lines: dict[str, Document]
    flows: list[Document]
    extensions: dict[str, Document] = field(default_factory=dict)

    def lines_of(self, user_id: str) -> list[Document]:
        """A user's lines, the main one first."""

        def rank(line: Document) -> tuple[int, int]:
            ranks = as_object(line_attributes(line).get("ranks"))
            return ranks.get(user_id, UNRANKED), LINES.of(line)

        return sorted((line for line in self.lines.values() if user_id in users_on(line)), key=rank)

    def main_line_of(self, user_id: str) -> Document | None:
        """A user's main line."""
        return next(iter(self.lines_of(user_id)), None)

    def line_of_flow(self, callflow: Document) -> Document | None:
        """The line to which a callflow leads."""
        target = target_of(callflow)
        named = self.lines.get(str(callflow.at(f"{ASIDE}.line")))
        if named is not None and target in (named.id, *users_on(named)):
            return named
        return self.lines.get(target) or self.main_line_of(target)

    def flows_of(self, line: Document) -> list[Document]:
        """The callflows that lead to a line."""
        return [flow for flow in self.flows if (found := self.line_of_flow(flow)) is not None and found.id == line.id]

    def extensions_of(self, line: Document) -> list[Document]:
        """The extensions that lead to a line: internal ones first, then by number."""
        found = [
            self.extensions[number]
            for flow in self.flows_of(line)
            for number in numbers_in(flow)
            if number in self.extensions
        ]
        return sorted(found, key=lambda one: (one.at(f"{ASIDE}.context") == INCOMING, EXTENSIONS.of(one)))

    def flow_of(self, extension: Document) -> Document | None:
        """The callflow of an extension's number."""
        number = called(extension)
        return next((flow for flow in self.flows if number in numbers_in(flow)), None)

    def line_of(self, extension: Document) -> Document | None:
        """The line to which an extension leads."""
        flow = self.flow_of(extension)
        return None if flow is None else self.line_of_flow(flow)


async def _give_numbers(context: DialectContext, account: str) -> None:
    for kind in (LINES, ENDPOINTS):
        await integer_ids.give_all(context.store, kind, (account,))


async def whole(context: DialectContext, account: str) -> Wiring:
    """All of an account's."""
    await _give_numbers(context, account)
    lines = await context.store.select(Selection((account,), LINES.type, (LINES.tag,)))
    flows = await context.store.select(Selection((account,), CALLFLOW, conditions=(RINGING,)))
    return await _with_extensions(context, account, lines, flows)


async def around_users(context: DialectContext, account: str, user_ids: Sequence[str]) -> Wiring:
    """What concerns some users of an account."""
    if not user_ids:
        return Wiring({}, [])
    await _give_numbers(context, account)
    tags = [tag for user_id in user_ids for tag in (owner_tag(user_id), secondary_tag(user_id))]
    lines = await context.store.select(Selection((account,), DEVICE, tuple(tags)))
    lines = [line for line in lines if LINES.name in as_object(line.at(f"{ASIDE}.numbers"))]
    targets = {*user_ids, *(line.id for line in lines), *(user for line in lines for user in users_on(line))}
    rings = (RINGING, one_of(at("flow.data.id"), sorted(targets)))
    flows = await context.store.select(Selection((account,), CALLFLOW, conditions=rings))
    return await _with_extensions(context, account, lines, flows)


async def around_line(context: DialectContext, line: Document) -> Wiring:
    """What concerns one line."""
    if line.type == LINE:
        return Wiring({line.id: line}, [])
    around = await around_users(context, line.partition, users_on(line)) if users_on(line) else Wiring({}, [])
    around.lines[line.id] = line
    if not around.flows or not users_on(line):
        rings = (RINGING, one_of(at("flow.data.id"), [line.id, *users_on(line)]))
        flows = await context.store.select(Selection((line.partition,), CALLFLOW, conditions=rings))
        return await _with_extensions(context, line.partition, around.lines.values(), flows)
    return around


async def _with_extensions(
    context: DialectContext, account: str, lines: Iterable[Document], flows: list[Document]
) -> Wiring:
    numbers = list(dict.fromkeys(number for flow in flows for number in numbers_in(flow)))
    extensions = await extensions_for(context, account, numbers)
    return Wiring({line.id: line for line in lines}, flows, extensions)


async def extensions_for(context: DialectContext, account: str, numbers: Sequence[str]) -> dict[str, Document]:
    """The extensions that stand for some numbers of callflows; those that there are not yet are made."""
    if not numbers:
        return {}
    found = await _extensions_called(context, account, numbers)
    lacking = [number for number in numbers if number not in found]
    for number in lacking:
        await _stand_for(context, account, number)
    return found | (await _extensions_called(context, account, lacking) if lacking else {})


async def _extensions_called(context: DialectContext, account: str, numbers: Sequence[str]) -> dict[str, Document]:
    tags = tuple(called_tag(number) for number in numbers)
    return {called(one): one for one in await context.store.select(Selection((account,), EXTENSION, tags))}


async def _stand_for(context: DialectContext, account: str, number: str) -> None:
    """Make the extension that stands for a number of a callflow of Crossbar's."""
    aside: dict[str, JSON] = {
        "numbers": {EXTENSIONS.name: await context.store.counters.take(f"xivo/{EXTENSIONS.name}")},
        "exten": number.lstrip("+"),
        "called": number,
        "context": INCOMING if number.startswith("+") else INTERNAL,
    }
    try:
        await context.store.insert(Document(account, EXTENSION, new_id(), {ASIDE: aside}))
    except Duplicate:  # somebody else was faster
        return
