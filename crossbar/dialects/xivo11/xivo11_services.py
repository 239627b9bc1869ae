"""Forwards and services of 1.1's users, contexts, and what the server tells of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import Edit
from crossbar.dialects.identifiers import dashed
from crossbar.dialects.refusals import empty_answer, json_answer
from crossbar.dialects.server_identity import server_id
from crossbar.dialects.telephone_users import edit
from crossbar.dialects.wiring import INCOMING
from crossbar.dialects.xivo11.xivo11_contexts import known_contexts
from crossbar.dialects.xivo11.xivo11_lists import page
from crossbar.dialects.xivo11.xivo11_protocol import input_error, not_found, resource_error, route
from crossbar.dialects.xivo11.xivo11_users import RESOURCE
from crossbar.dialects.xivo11.xivo11_views import FORWARDS, SERVICES, forwards_of, services_of
from crossbar.documents.document import Document, as_object
from crossbar.errors import JSON


@route("GET", "/users/{user}/forwards", summary="Where the calls of a user go instead")
async def read_forwards(context: DialectContext) -> web.Response:
    """All forwards."""
    return json_answer(forwards_of(await RESOURCE.found(context, "user")))


@route("GET", "/users/{user}/forwards/{forward}", summary="Where the calls of a user go instead")
async def read_forward(context: DialectContext) -> web.Response:
    """One forward."""
    user = await RESOURCE.found(context, "user")
    return json_answer(forwards_of(user)[_one_of(context, "forward", FORWARDS)])


@route("PUT", "/users/{user}/forwards", summary="Send the calls of a user elsewhere")
async def change_forwards(context: DialectContext) -> web.Response:
    """Several forwards."""
    user = await RESOURCE.found(context, "user")
    await _forward(context, user, {name: context.object[name] for name in FORWARDS if name in context.object})
    return empty_answer(204)


@route("PUT", "/users/{user}/forwards/{forward}", summary="Send the calls of a user elsewhere")
async def change_forward(context: DialectContext) -> web.Response:
    """One forward."""
    user = await RESOURCE.found(context, "user")
    await _forward(context, user, {_one_of(context, "forward", FORWARDS): context.object})
    return empty_answer(204)


async def _forward(context: DialectContext, user: Document, wanted: Mapping[str, JSON]) -> None:
    current = forwards_of(user)
    new = {name: {**current[name], **_checked(name, value)} for name, value in wanted.items()}
    for name, forward in new.items():
        if forward["enabled"] and forward["destination"] is None:
            if current[name]["enabled"] and current[name]["destination"] is not None:
                raise resource_error("Forward must be disabled to remove destination")
            raise input_error("destination: Must not be null!")

    def write(edit: Edit) -> None:
        for name, forward in new.items():
            if name == "unconditional":
                edit.put("call_forward.enabled", forward["enabled"])
                edit.put("call_forward.number", forward["destination"])
            else:
                edit.put_aside(f"forwards.{name}", forward)

    await RESOURCE.doing(edit(context, user, write))


def _checked(name: str, value: JSON) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise input_error(f"field '{name}': wrong type. Should be a dict")
    found = {key: value[key] for key in ("enabled", "destination") if key in value}
    if not isinstance(found.get("enabled", False), bool):
        raise input_error("field 'enabled': wrong type. Should be a boolean")
    if not isinstance(found.get("destination", ""), str | None):
        raise input_error("field 'destination': wrong type. Should be a unicode string")
    return found


@route("GET", "/users/{user}/services", summary="What is switched on for a user")
async def read_services(context: DialectContext) -> web.Response:
    """All services."""
    return json_answer(services_of(await RESOURCE.found(context, "user")))


@route("GET", "/users/{user}/services/{service}", summary="What is switched on for a user")
async def read_service(context: DialectContext) -> web.Response:
    """One service."""
    user = await RESOURCE.found(context, "user")
    return json_answer(services_of(user)[_one_of(context, "service", SERVICES)])


@route("PUT", "/users/{user}/services", summary="Switch services of a user on or off")
async def change_services(context: DialectContext) -> web.Response:
    """Several services."""
    user = await RESOURCE.found(context, "user")
    await _switch(context, user, {name: context.object[name] for name in SERVICES if name in context.object})
    return empty_answer(204)


@route("PUT", "/users/{user}/services/{service}", summary="Switch a service of a user on or off")
async def change_service(context: DialectContext) -> web.Response:
    """One service."""
    user = await RESOURCE.found(context, "user")
    await _switch(context, user, {_one_of(context, "service", SERVICES): context.object})
    return empty_answer(204)


async def _switch(context: DialectContext, user: Document, wanted: Mapping[str, JSON]) -> None:
    switched = {name: as_object(value).get("enabled") for name, value in wanted.items()}
    for value in switched.values():
        if not isinstance(value, bool):
            raise input_error("field 'enabled': wrong type. Should be a boolean")

    def write(edit: Edit) -> None:
        if "dnd" in switched:
            edit.put("do_not_disturb.enabled", switched["dnd"])
        if "incallfilter" in switched:
            edit.put_aside("services.incallfilter", switched["incallfilter"])

    await RESOURCE.doing(edit(context, user, write))


def _one_of(context: DialectContext, argument: str, names: tuple[str, ...]) -> str:
    name = context.args[argument]
    if name not in names:
        raise not_found(argument.capitalize(), name=name)
    return name


# Contexts, and the server


@route("GET", "/contexts", summary="List contexts")
async def list_contexts(context: DialectContext) -> web.Response:
    """The contexts of the configuration."""
    items: list[dict[str, JSON]] = [
        {
            "id": number,
            "name": name,
            "label": name,
            "type": "incall" if name == INCOMING else "internal",
            "enabled": True,
            "tenant_uuid": dashed(context.account.id),
        }
        for number, name in enumerate(known_contexts(context), 1)
    ]
    return json_answer(page(len(items), items))


@route("GET", "/infos", summary="What the server tells of itself")
async def infos(context: DialectContext) -> web.Response:
    """The server's uuid, the same for as long as there is its database."""
    return json_answer({"uuid": await server_id(context.store), "wazo_version": "20.04"})


@route("GET", "/status", summary="Whether the server is well")
async def status(context: DialectContext) -> web.Response:
    """The state of what the server needs."""
    await context.store.ping()
    return json_answer({"rest_api": {"status": "ok"}, "database": {"status": "ok"}})
