# SPDX-License-Identifier: MPL-2.0
"""`/1.1/extensions`: numbers that can be dialled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crossbar.dialects import extensions, wiring
from crossbar.dialects.declaration import Declaration, Property
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import Aside, Edit
from crossbar.dialects.identifiers import dashed
from crossbar.dialects.wiring import EXTENSIONS
from crossbar.dialects.xivo11 import xivo11_values
from crossbar.dialects.xivo11.xivo11_contexts import require_context
from crossbar.dialects.xivo11.xivo11_lists import ListRules
from crossbar.dialects.xivo11.xivo11_protocol import links, resource_error
from crossbar.dialects.xivo11.xivo11_resource import Xivo11Resource
from crossbar.dialects.xivo11.xivo11_values import given
from crossbar.documents.document import Document, value_at
from crossbar.documents.field import Expression
from crossbar.documents.selection import at, equals, literal, where
from crossbar.errors import JSON


@dataclass(frozen=True, slots=True)
class SwitchedOn:
    """Whether an extension is in use: the opposite of `commented`."""

    paths: tuple[str, ...] = ()

    def read(self, fields: Mapping[str, JSON]) -> JSON:
        """Not commented out."""
        return value_at(fields, "pvt_xivo.commented") is not True

    def write(self, edit: Edit, value: JSON) -> None:
        """Comment it out, or in."""
        edit.put_aside("commented", value is False)

    @property
    def expression(self) -> Expression:
        """As `read`."""
        return where(at("pvt_xivo.commented"), literal(False), literal(True))


_INCOMING: Final = equals(at("pvt_xivo.context"), wiring.INCOMING)
TYPE: Final = where(_INCOMING, literal("incall"), literal("internal"))
EXTENSION_DECLARATION: Final = Declaration(
    "extensions",
    "Extension",
    EXTENSIONS,
    (
        given("id"),
        given("tenant_uuid"),
        Property("exten", xivo11_values.numeric(40), Aside("exten", ("pvt_xivo.exten", "numbers")), is_required=True,
                 is_nullable=False, is_column=True, is_searched=True),
        Property("context", xivo11_values.TEXT, Aside("context"), "default", is_required=True, is_nullable=False,
                 is_column=True, is_searched=True),
        Property("commented", xivo11_values.BOOLEAN, Aside("commented"), False, False, is_nullable=False),
        Property("enabled", xivo11_values.BOOLEAN, SwitchedOn(), True, is_nullable=False),
        given("lines"),
        given("links"),
    ),
)  # fmt: skip


class Extensions11:
    """Extensions, as 1.1 has them."""

    async def find(self, context: DialectContext, word: str) -> Document:
        """The extension of a number."""
        return await extensions.find(context, word)

    async def create(self, context: DialectContext, values: dict[str, JSON]) -> Document:
        """A new extension."""
        require_context(context, values.get("context"))
        return await extensions.create(context, EXTENSION_DECLARATION, values)

    async def change(self, context: DialectContext, document: Document, values: dict[str, JSON]) -> None:
        """Other values."""
        require_context(context, values.get("context"))
        await extensions.change(context, EXTENSION_DECLARATION, document, values)

    async def remove(self, context: DialectContext, document: Document) -> None:
        """End an extension that leads nowhere."""
        wired = await wiring.whole(context, document.partition)
        line = wired.line_of(document)
        if line is not None:
            facts = {"extension_id": EXTENSIONS.of(document), "line_id": wiring.LINES.of(line)}
            raise resource_error("Extension is associated with a Line", **facts)
        await extensions.remove(context, document)

    async def worked_out(self, context: DialectContext, documents: Sequence[Document]) -> list[dict[str, JSON]]:
        """Ids, and the lines to which the extensions lead."""
        accounts = dict.fromkeys(extension.partition for extension in documents)
        wirings = {account: await wiring.whole(context, account) for account in accounts}
        shown: list[dict[str, JSON]] = []
        for extension in documents:
            line = wirings[extension.partition].line_of(extension)
            number = EXTENSIONS.of(extension)
            shown.append(
                {
                    "id": number,
                    "tenant_uuid": dashed(extension.partition),
                    "lines": [] if line is None else [_line(context, line)],
                    "links": links(context.base, ("extensions", "extensions", number)),
                }
            )
        return shown


def _line(context: DialectContext, line: Document) -> dict[str, JSON]:
    number = wiring.LINES.of(line)
    return {"id": number, "name": line.text("sip.username"), "links": links(context.base, ("lines", "lines", number))}


RESOURCE: Final = Xivo11Resource(
    "extensions",
    "callflows",
    ListRules(EXTENSION_DECLARATION, order="exten", columns={"type": TYPE}, conditions=extensions.visible),
    Extensions11(),
)
RESOURCE.mount()
