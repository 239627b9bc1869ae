# SPDX-License-Identifier: MPL-2.0
"""`/1.1/devices`: telephones, known by KAZOO's own ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from crossbar.dialects.declaration import Declaration, Property, ValueKind
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import Aside, Edit, InField
from crossbar.dialects.identifiers import dashed, undashed
from crossbar.dialects.integer_ids import Kind
from crossbar.dialects.refusals import WrongValue, empty_answer
from crossbar.dialects.shapes import hardware_tag
from crossbar.dialects.telephone_lines import crossbar_of
from crossbar.dialects.wiring import LINES
from crossbar.dialects.xivo11 import xivo11_values
from crossbar.dialects.xivo11.xivo11_lists import ListRules
from crossbar.dialects.xivo11.xivo11_protocol import links, resource_error, route
from crossbar.dialects.xivo11.xivo11_resource import Xivo11Resource
from crossbar.dialects.xivo11.xivo11_values import given
from crossbar.documents.document import Document
from crossbar.documents.document_types import DEVICE
from crossbar.documents.field import Expression
from crossbar.documents.selection import Selection, at, cut, document_id, either, glued, has, text, where
from crossbar.errors import JSON, NotFound
from crossbar.ids import new_id
from crossbar.resources.identity.devices import devices

HARDWARE: Final = Kind(
    "devices", DEVICE, conditions=(either((has("mac_address"), has("pvt_xivo.device"))),), is_numbered=False
)
_DIGITS = 12


def _mac(value: JSON) -> JSON:
    if value is None:
        return None
    if not isinstance(value, str):
        raise WrongValue(xivo11_values.WRONG_TYPE("a unicode string"))
    parts = value.replace("-", ":").lower().split(":")
    if len(parts) != 6 or any(len(part) != 2 or set(part) - set("0123456789abcdef") for part in parts):
        raise WrongValue(xivo11_values.WRONG_TYPE("a MAC address"))
    return "".join(parts)


def _with_colons(value: JSON) -> JSON:
    digits = str(value)
    pairs = [digits[index : index + 2] for index in range(0, len(digits), 2)]
    return ":".join(pairs) if len(digits) == _DIGITS else digits


MAC: Final = ValueKind(_mac, _with_colons, {"type": "string", "pattern": "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"})
IPV4: Final = xivo11_values.text(pattern=r"(\d{1,3}\.){3}\d{1,3}")


@dataclass(frozen=True, slots=True)
class MacHome:
    """The MAC address: twelve digits in KAZOO's documents."""

    paths: tuple[str, ...] = ("mac_address",)

    def read(self, fields: Mapping[str, JSON]) -> JSON:
        """The digits."""
        return fields.get("mac_address")

    def write(self, edit: Edit, value: JSON) -> None:
        """Set or take away the digits."""
        edit.put("mac_address", value)

    @property
    def expression(self) -> Expression:
        """With colons, as clients see it."""
        digits = text(at("mac_address"))
        pairs = [cut(digits, index, 2) for index in range(0, _DIGITS, 2)]
        colons = glued(*(part for pair in pairs[:-1] for part in (pair, ":")), pairs[-1])
        return where(has("mac_address"), colons, None)


def _column(name: str, home: Aside | InField, kind: ValueKind = xivo11_values.TEXT) -> Property:
    return Property(name, kind, home, is_column=True, is_searched=True)


DEVICE_DECLARATION: Final = Declaration(
    "devices",
    "Device",
    HARDWARE,
    (
        given("id", document_id()),
        given("tenant_uuid"),
        _column("ip", Aside("device.ip"), IPV4),
        Property("mac", MAC, MacHome(), is_column=True, is_searched=True),
        _column("sn", Aside("device.sn")),
        _column("plugin", Aside("device.plugin")),
        _column("vendor", InField("provision.endpoint_brand")),
        _column("model", InField("provision.endpoint_model")),
        _column("version", Aside("device.version")),
        _column("description", Aside("device.description")),
        given("status"),
        given("is_new"),
        Property("template_id", xivo11_values.TEXT, Aside("device.template_id")),
        Property("options", xivo11_values.OBJECT, Aside("device.options")),
        given("links"),
    ),
)


class Devices11:
    """Telephones, as 1.1 has them."""

    async def find(self, context: DialectContext, word: str) -> Document:
        """The telephone of an id."""
        device = await context.store.get(context.account.id, DEVICE, undashed(word))
        if device is None or not (device.text("mac_address") or device.at("pvt_xivo.device") is not None):
            raise NotFound(word)
        return device

    async def create(self, context: DialectContext, values: dict[str, JSON]) -> Document:
        """A new telephone."""
        crossbar = await context.crossbar("PUT", "devices")
        edit = Edit()
        edit.put_aside("device.status", "autoprov")
        DEVICE_DECLARATION.write(edit, values)
        device_id = new_id()
        edit.put("name", str(_with_colons(values.get("mac") or "") or values.get("model") or device_id)[:128])
        return await devices.life.save_new(crossbar, device_id, edit.public, edit.private)

    async def change(self, context: DialectContext, document: Document, values: dict[str, JSON]) -> None:
        """Other values."""

        def changed(previous: Document) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
            edit = Edit(previous)
            DEVICE_DECLARATION.write(edit, values)
            return edit.public, edit.private

        await devices.life.edit(await crossbar_of(context, "POST", document), document.id, changed)

    async def remove(self, context: DialectContext, document: Document) -> None:
        """End a telephone that has no line."""
        lines = await lines_on(context, document)
        if lines:
            raise resource_error("Device is associated with a Line", device_id=document.id, line_id=LINES.of(lines[0]))
        crossbar = await crossbar_of(context, "DELETE", document)
        await devices.life.remove(crossbar, await devices.life.load(crossbar, document.id))

    async def worked_out(self, context: DialectContext, documents: Sequence[Document]) -> list[dict[str, JSON]]:
        """The id, and whether the telephone is in use."""
        shown: list[dict[str, JSON]] = []
        for device in documents:
            lines = await lines_on(context, device)
            kept = device.at("pvt_xivo.device.status")
            shown.append(
                {
                    "id": device.id,
                    "tenant_uuid": dashed(device.partition),
                    "status": "configured" if lines else kept or "not_configured",
                    "is_new": not lines,
                    "links": links(context.base, ("devices", "devices", device.id)),
                }
            )
        return shown


async def lines_on(context: DialectContext, device: Document) -> list[Document]:
    """The lines on a telephone: its own, and those put on it."""
    tagged = Selection((device.partition,), LINES.type, (hardware_tag(device.id),))
    own = [device] if "lines" in (device.at("pvt_xivo.numbers") or {}) else []
    return [*own, *(line for line in await context.store.select(tagged) if line.id != device.id)]


@route("GET", "/devices/{id}/autoprov", "/devices/{id}/synchronize", summary="Have a device set itself up again")
async def set_up(context: DialectContext) -> web.Response:
    """Telephones fetch their settings when they next ask; there is nothing to send."""
    await RESOURCE.found(context, "id")
    return empty_answer(204)


RESOURCE: Final = Xivo11Resource("devices", "devices", ListRules(DEVICE_DECLARATION, order="ip"), Devices11())
RESOURCE.mount()
