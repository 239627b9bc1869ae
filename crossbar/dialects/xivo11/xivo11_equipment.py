# SPDX-License-Identifier: MPL-2.0
"""What of 1.1 is plugged into a line: its SIP endpoint, and the telephone it is on."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from crossbar.dialects import telephone_lines, wiring
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import Edit
from crossbar.dialects.refusals import empty_answer, json_answer
from crossbar.dialects.shapes import ENDPOINT, LINE, line_attributes
from crossbar.dialects.wiring import ENDPOINTS, LINES
from crossbar.dialects.xivo11 import xivo11_devices, xivo11_users
from crossbar.dialects.xivo11.xivo11_associations import require_same_tenant
from crossbar.dialects.xivo11.xivo11_lines import ENDPOINT_RESOURCE, LINE_RESOURCE, people_on
from crossbar.dialects.xivo11.xivo11_lists import page
from crossbar.dialects.xivo11.xivo11_protocol import not_found, resource_error, route
from crossbar.dialects.xivo11.xivo11_views import line_with
from crossbar.documents.document import Document
from crossbar.documents.document_types import DEVICE
from crossbar.endpoint import jointly
from crossbar.errors import JSON

TELEPHONES = xivo11_devices.RESOURCE


def _line_endpoint(context: DialectContext, line: Document) -> dict[str, JSON]:
    number = ENDPOINTS.of(line)
    return line_with(context.base, line, ("endpoint_sip", "endpoints/sip", number), endpoint_id=number, endpoint="sip")


@route("GET", "/lines/{line}/endpoints/sip", summary="The SIP endpoint of a line")
async def endpoint_of_line(context: DialectContext) -> web.Response:
    """A line's endpoint."""
    line = await LINE_RESOURCE.found(context, "line")
    if line.type == LINE:
        raise not_found("LineEndpoint", line_id=LINES.of(line))
    return json_answer(_line_endpoint(context, line))


@route("GET", "/endpoints/sip/{endpoint}/lines", summary="List the lines of a SIP endpoint")
async def lines_of_endpoint(context: DialectContext) -> web.Response:
    """An endpoint's line."""
    endpoint = await ENDPOINT_RESOURCE.found(context, "endpoint")
    items = [_line_endpoint(context, endpoint)] if endpoint.type == DEVICE else []
    return json_answer(page(len(items), items))


@route("PUT", "/lines/{line}/endpoints/sip/{endpoint}", summary="Give a line a SIP endpoint")
async def put_line_endpoint(context: DialectContext) -> web.Response:
    """A line and an endpoint come together."""
    line = await LINE_RESOURCE.found(context, "line")
    endpoint = await ENDPOINT_RESOURCE.found(context, "endpoint")
    if line.id == endpoint.id:
        return empty_answer(204)
    if line.type == DEVICE:
        raise resource_error("Line is associated with a Endpoint", line_id=LINES.of(line), endpoint="sip")
    if endpoint.type != ENDPOINT:
        raise resource_error("Endpoint is associated with a Line", endpoint_id=ENDPOINTS.of(endpoint))
    require_same_tenant(line, endpoint, "Line and Endpoint")
    await ENDPOINT_RESOURCE.doing(telephone_lines.merge(context, line, endpoint))
    return empty_answer(204)


@route("DELETE", "/lines/{line}/endpoints/sip/{endpoint}", summary="Take the SIP endpoint from a line")
async def delete_line_endpoint(context: DialectContext) -> web.Response:
    """A line and its endpoint part; nothing may be on the line."""
    line = await LINE_RESOURCE.found(context, "line")
    endpoint = await ENDPOINT_RESOURCE.found(context, "endpoint")
    number = LINES.of(line)
    if line.id != endpoint.id:
        facts = {"line_id": number, "endpoint_id": ENDPOINTS.of(endpoint)}
        raise resource_error("Line is not associated with Endpoint", **facts)
    if await people_on(context, line):
        raise resource_error("Line is associated with a User", line_id=number)
    if (await wiring.around_line(context, line)).extensions_of(line):
        raise resource_error("Line is associated with a Extension", line_id=number)
    if line_attributes(line).get("device") or line.text("mac_address"):
        raise resource_error("Line is associated with a Device", line_id=number)
    await ENDPOINT_RESOURCE.doing(telephone_lines.part(context, line))
    return empty_answer(204)


@route("GET", "/users/{user}/lines/{line}/associated/endpoints/sip", summary="The SIP endpoint of a user's line")
async def endpoint_of_user(context: DialectContext) -> web.Response:
    """The endpoint that a user's own telephone program needs; `main` is the main one of his lines."""
    user = await xivo11_users.RESOURCE.found(context, "user")
    wired = await wiring.around_users(context, user.partition, [user.id])
    if context.args["line"] == "main":
        line = wired.main_line_of(user.id)
    else:
        wanted = await LINE_RESOURCE.found(context, "line")
        line = next((one for one in wired.lines_of(user.id) if one.id == wanted.id), None)
    if line is None:
        raise not_found("UserLine", user_id=context.args["user"], line_id=context.args["line"])
    found = await ENDPOINT_RESOURCE.find(context, str(ENDPOINTS.of(await _numbered(context, line))))
    (shown,) = await ENDPOINT_RESOURCE.shown(context, [found])
    return json_answer(shown)


async def _numbered(context: DialectContext, line: Document) -> Document:
    return await LINE_RESOURCE.find(context, str(LINES.of(line)))


# Telephones


def _line_device(context: DialectContext, line: Document, device_id: str) -> dict[str, JSON]:
    return line_with(context.base, line, ("devices", "devices", device_id), device_id=device_id)


@route("GET", "/lines/{line}/devices", summary="The device of a line")
async def device_of_line(context: DialectContext) -> web.Response:
    """The telephone that a line is on."""
    line = await LINE_RESOURCE.found(context, "line")
    device_id = line_attributes(line).get("device") or (line.id if line.text("mac_address") else None)
    if not isinstance(device_id, str):
        raise not_found("LineDevice", line_id=LINES.of(line))
    return json_answer(_line_device(context, line, device_id))


@route("GET", "/devices/{device}/lines", summary="List the lines of a device")
async def lines_of_device(context: DialectContext) -> web.Response:
    """The lines on a telephone."""
    device = await TELEPHONES.found(context, "device")
    items = [_line_device(context, line, device.id) for line in await xivo11_devices.lines_on(context, device)]
    return json_answer(page(len(items), items))


@route("PUT", "/lines/{line}/devices/{device}", summary="Put a line on a device")
async def put_line_device(context: DialectContext) -> web.Response:
    """A line that is complete comes on a telephone."""
    line, device = await LINE_RESOURCE.found(context, "line"), await TELEPHONES.found(context, "device")
    current = line_attributes(line).get("device")
    if current == device.id:
        return empty_answer(204)
    _require(line, line.type == DEVICE, "Endpoint")
    _require(line, bool((await wiring.around_line(context, line)).extensions_of(line)), "Extension")
    _require(line, bool(await people_on(context, line)), "User")
    if current:
        raise resource_error("Line is associated with a Device", line_id=LINES.of(line), device_id=current)
    require_same_tenant(line, device, "Line and Device")
    await TELEPHONES.doing(_put_on(context, line, device.id))
    return empty_answer(204)


@route("DELETE", "/lines/{line}/devices/{device}", summary="Take a line off a device")
async def delete_line_device(context: DialectContext) -> web.Response:
    """A line is on a telephone no more."""
    line, device = await LINE_RESOURCE.found(context, "line"), await TELEPHONES.found(context, "device")
    if line_attributes(line).get("device") != device.id:
        raise resource_error("Line is not associated with Device", line_id=LINES.of(line), device_id=device.id)
    await TELEPHONES.doing(_put_on(context, line, None))
    return empty_answer(204)


def _require(line: Document, has: bool, what: str) -> None:
    if not has:
        raise resource_error(f"Line must be associated with a {what}", line_id=LINES.of(line))


async def _put_on(context: DialectContext, line: Document, device_id: str | None) -> Document:
    def edited(previous: Document) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
        edit = Edit(previous)
        edit.put_aside("line.device", device_id)
        return edit.public, edit.private

    return await jointly(context.store, lambda joint: telephone_lines.edit_line(joint, context, line, edited))
