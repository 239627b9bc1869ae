# SPDX-License-Identifier: MPL-2.0
"""`/1.1/lines` and `/1.1/endpoints/sip`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from crossbar.dialects import integer_ids, telephone_lines, telephone_users, user_homes, wiring
from crossbar.dialects.declaration import ABSENT, Declaration, Property, ValueKind
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import Aside
from crossbar.dialects.identifiers import dashed
from crossbar.dialects.shapes import ENDPOINT, LINE, line_attributes, numbers_of
from crossbar.dialects.telephone_lines import SECRET, USERNAME
from crossbar.dialects.wiring import ENDPOINTS, LINES
from crossbar.dialects.xivo11 import xivo11_values
from crossbar.dialects.xivo11.xivo11_contexts import require_context
from crossbar.dialects.xivo11.xivo11_lists import ListRules
from crossbar.dialects.xivo11.xivo11_protocol import input_error, links, resource_error
from crossbar.dialects.xivo11.xivo11_resource import Xivo11Resource
from crossbar.dialects.xivo11.xivo11_values import given
from crossbar.dialects.xivo11.xivo11_views import endpoint_link, extension_link
from crossbar.documents.document import Document
from crossbar.documents.document_types import DEVICE, USER
from crossbar.documents.selection import at, literal, or_else, where
from crossbar.documents.selection import has as has_field
from crossbar.errors import JSON, Invalid

CODE: Final = xivo11_values.text(pattern=r"[0-9]{6}")
POSITION: Final = xivo11_values.integer(1)
SIP_NAME: Final = xivo11_values.text(pattern=r"[a-zA-Z0-9_-]{1,40}")


def _line(name: str, kind: ValueKind, unset: JSON = None, initial: Any = ABSENT, **more: Any) -> Property:
    return Property(name, kind, Aside(f"line.{name}"), unset, initial, **more)


LINE_DECLARATION: Final = Declaration(
    "lines",
    "Line",
    LINES,
    (
        given("id"),
        given("tenant_uuid"),
        given("name", at("sip.username")),
        given("protocol", where(has_field("sip.username"), literal("sip"), None)),
        given("device_id", at("pvt_xivo.line.device")),
        given("device_slot", or_else(at("pvt_xivo.line.position"), 1)),
        given("provisioning_extension", at("pvt_xivo.line.provisioning_code")),
        _line("context", xivo11_values.TEXT, "default", is_required=True, is_nullable=False, is_column=True,
              is_searched=True),
        _line("provisioning_code", CODE, is_nullable=False, is_column=True, is_searched=True),
        _line("position", POSITION, 1, 1, is_nullable=False, is_column=True, is_searched=True),
        Property("caller_id_name", xivo11_values.TEXT, user_homes.CALLER_NAME),
        Property("caller_id_num", xivo11_values.numeric(40), user_homes.CALLER_NUMBER),
        _line("registrar", xivo11_values.TEXT, "default", "default"),
        given("endpoint_sip"),
        given("endpoint_sccp"),
        given("endpoint_custom"),
        given("extensions"),
        given("users"),
        given("links"),
    ),
)  # fmt: skip
ENDPOINT_DECLARATION: Final = Declaration(
    "endpoints/sip",
    "SIPEndpoint",
    ENDPOINTS,
    (
        given("id"),
        given("tenant_uuid"),
        given("name"),
        Property("username", SIP_NAME, USERNAME, is_nullable=False, is_column=True, is_searched=True),
        Property("secret", SIP_NAME, SECRET, is_nullable=False),
        Property("type", xivo11_values.text(pattern="(friend|peer|user)"), Aside("endpoint.type"), "friend", "friend",
                 is_nullable=False, is_column=True, is_searched=True),
        Property("host", xivo11_values.TEXT, Aside("endpoint.host"), "dynamic", "dynamic", is_nullable=False,
                 is_column=True, is_searched=True),
        Property("options", xivo11_values.PAIRS, Aside("endpoint.options"), [], []),
        given("line"),
        given("links"),
    ),
)  # fmt: skip


class Lines11:
    """Lines, as 1.1 has them."""

    async def find(self, context: DialectContext, word: str) -> Document:
        """The line of a number."""
        line = await telephone_lines.find(context, LINES, word)
        return await integer_ids.numbered_document(context.store, ENDPOINTS, line) if line.type == DEVICE else line

    async def create(self, context: DialectContext, values: dict[str, JSON]) -> Document:
        """A new line, with a provisioning code that no other has."""
        _check_line(context, values, has_endpoint=False)
        if "provisioning_code" in values:
            return await telephone_lines.create_apart(context, LINES, LINE, LINE_DECLARATION, values)
        for _ in range(telephone_lines.CODE_TRIES):
            given = {**values, "provisioning_code": telephone_lines.random_code()}
            try:
                return await telephone_lines.create_apart(context, LINES, LINE, LINE_DECLARATION, given)
            except Invalid:
                continue
        raise resource_error("there is no free provisioning code")

    async def change(self, context: DialectContext, document: Document, values: dict[str, JSON]) -> None:
        """Other values."""
        _check_line(context, values, has_endpoint=document.type == DEVICE)
        await telephone_lines.change(context, LINE_DECLARATION, document, values)

    async def remove(self, context: DialectContext, document: Document) -> None:
        """End a line that nothing is on."""
        number = LINES.of(document)
        wired = await wiring.around_line(context, document)
        if extensions := wired.extensions_of(document):
            facts = {"line_id": number, "extension_id": wiring.EXTENSIONS.of(extensions[0])}
            raise resource_error("Line is associated with a Extension", **facts)
        if await people_on(context, document):
            raise resource_error("Line is associated with a User", line_id=number)
        if line_attributes(document).get("device"):
            raise resource_error("Line is associated with a Device", line_id=number)
        if document.type == DEVICE:
            raise resource_error("Line is associated with a Endpoint", line_id=number, endpoint="sip")
        await telephone_lines.remove_apart(context, document)

    async def worked_out(self, context: DialectContext, documents: Sequence[Document]) -> list[dict[str, JSON]]:
        """Ids, the endpoint, and what is on each line."""
        return [await _line_shown(context, line) for line in documents]


async def _line_shown(context: DialectContext, line: Document) -> dict[str, JSON]:
    base, number = context.base, LINES.of(line)
    if line.type == DEVICE:
        line = await integer_ids.numbered_document(context.store, ENDPOINTS, line)
    wired = await wiring.around_line(context, line)
    code = line_attributes(line).get("provisioning_code")
    hardware = line_attributes(line).get("device")
    return {
        "id": number,
        "tenant_uuid": dashed(line.partition),
        "name": USERNAME.read(line.fields) if line.type == DEVICE else None,
        "protocol": "sip" if line.type == DEVICE else None,
        "device_id": hardware or (line.id if line.text("mac_address") else None),
        "device_slot": line_attributes(line).get("position") or 1,
        "provisioning_extension": code,
        "endpoint_sip": endpoint_link(base, line),
        "endpoint_sccp": None,
        "endpoint_custom": None,
        "extensions": [extension_link(base, one) for one in wired.extensions_of(line)],
        "users": await _users_of_line(context, line),
        "links": links(base, ("lines", "lines", number)),
    }


async def _users_of_line(context: DialectContext, line: Document) -> list[JSON]:
    return [
        {
            "uuid": dashed(user.id),
            "firstname": user_homes.FIRST_NAME.read(user.fields),
            "lastname": user_homes.LAST_NAME.read(user.fields),
            "links": links(context.base, ("users", "users", dashed(user.id))),
        }
        for user in await people_on(context, line)
    ]


async def people_on(context: DialectContext, line: Document) -> list[Document]:
    """The users of a line, the main one first."""
    ids = wiring.users_on(line)
    found = await context.store.get_many(line.partition, USER, ids) if ids else {}
    known = [found[user_id] for user_id in ids if user_id in found]
    return [await integer_ids.numbered_document(context.store, telephone_users.NUMBERS, user) for user in known]


def _check_line(context: DialectContext, values: dict[str, JSON], *, has_endpoint: bool) -> None:
    require_context(context, values.get("context"))
    for name in ("caller_id_name", "caller_id_num"):
        if values.get(name) is None:
            if not has_endpoint:
                values.pop(name, None)
        elif not has_endpoint:
            raise input_error(f"Cannot set {name} if there is no endpoint associated")


class Endpoints11:
    """SIP endpoints, as 1.1 has them."""

    async def find(self, context: DialectContext, word: str) -> Document:
        """The endpoint of a number."""
        endpoint = await telephone_lines.find(context, ENDPOINTS, word)
        is_line = endpoint.type == DEVICE
        return await integer_ids.numbered_document(context.store, LINES, endpoint) if is_line else endpoint

    async def create(self, context: DialectContext, values: dict[str, JSON]) -> Document:
        """A new endpoint, with a name and a secret if none are given."""
        word = telephone_lines.random_word
        given = {"username": word(), "secret": word(), **values}
        return await telephone_lines.create_apart(context, ENDPOINTS, ENDPOINT, ENDPOINT_DECLARATION, given)

    async def change(self, context: DialectContext, document: Document, values: dict[str, JSON]) -> None:
        """Other values."""
        await telephone_lines.change(context, ENDPOINT_DECLARATION, document, values)

    async def remove(self, context: DialectContext, document: Document) -> None:
        """End an endpoint that is on no line."""
        if document.type == DEVICE:
            facts = {"endpoint_id": ENDPOINTS.of(document), "line_id": LINES.of(document)}
            raise resource_error("SIPEndpoint is associated with a Line", **facts)
        await telephone_lines.remove_apart(context, document)

    async def worked_out(self, context: DialectContext, documents: Sequence[Document]) -> list[dict[str, JSON]]:
        """Ids, and the line."""
        return [
            {
                "id": ENDPOINTS.of(endpoint),
                "tenant_uuid": dashed(endpoint.partition),
                "name": USERNAME.read(endpoint.fields),
                "line": _line_of(context, endpoint),
                "links": links(context.base, ("endpoint_sip", "endpoints/sip", ENDPOINTS.of(endpoint))),
            }
            for endpoint in documents
        ]


def _line_of(context: DialectContext, endpoint: Document) -> JSON:
    number = numbers_of(endpoint).get("lines")
    return None if number is None else {"id": number, "links": links(context.base, ("lines", "lines", number))}


LINE_RESOURCE: Final = Xivo11Resource("lines", "devices", ListRules(LINE_DECLARATION, order="name"), Lines11())
ENDPOINT_RESOURCE: Final = Xivo11Resource(
    "endpoints/sip", "devices", ListRules(ENDPOINT_DECLARATION, order="username"), Endpoints11()
)
for _resource in (LINE_RESOURCE, ENDPOINT_RESOURCE):
    _resource.mount()
