# SPDX-License-Identifier: MPL-2.0
"""Forwards and services of 1.1's users, tenants, contexts, and what the server tells of itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import Edit
from crossbar.dialects.identifiers import dashed, undashed
from crossbar.dialects.refusals import empty_answer, json_answer
from crossbar.dialects.server_identity import server_id
from crossbar.dialects.telephone_users import edit
from crossbar.dialects.tenants import own_and_below, slug_of
from crossbar.dialects.wiring import INCOMING
from crossbar.dialects.xivo11.xivo11_contexts import known_contexts
from crossbar.dialects.xivo11.xivo11_lists import page
from crossbar.dialects.xivo11.xivo11_protocol import input_error, not_found, resource_error, route
from crossbar.dialects.xivo11.xivo11_users import RESOURCE
from crossbar.dialects.xivo11.xivo11_views import FORWARDS, SERVICES, forwards_of, no_fallbacks, services_of
from crossbar.documents.document import Document, as_object
from crossbar.errors import JSON


@dataclass(frozen=True)
class UserSettings:
    """Settings of a user that are read and changed together, at `path`, or one by one, below it.

    `shown` gives all of them by name; `change` gets the body of each that is to be another.
    """

    path: str
    noun: str
    names: tuple[str, ...]
    shown: Callable[[Document], Mapping[str, JSON]]
    change: Callable[[DialectContext, Document, Mapping[str, JSON]], Awaitable[None]]

    def mount(self, reading: str, changing: str) -> None:
        """Make the routes known, with a summary of those that read and of those that change."""
        every, one = self.path, f"{self.path}/{{{self.noun}}}"
        route("GET", every, summary=reading)(self._read_all)
        route("GET", one, summary=reading)(self._read)
        route("PUT", every, summary=changing)(self._change_all)
        route("PUT", one, summary=changing)(self._change)

    async def _read_all(self, context: DialectContext) -> web.Response:
        return json_answer(self.shown(await RESOURCE.found(context, "user")))

    async def _read(self, context: DialectContext) -> web.Response:
        user = await RESOURCE.found(context, "user")
        return json_answer(self.shown(user)[self._name(context)])

    async def _change_all(self, context: DialectContext) -> web.Response:
        user = await RESOURCE.found(context, "user")
        body = context.object
        await self.change(context, user, {name: body[name] for name in self.names if name in body})
        return empty_answer(204)

    async def _change(self, context: DialectContext) -> web.Response:
        user = await RESOURCE.found(context, "user")
        await self.change(context, user, {self._name(context): context.object})
        return empty_answer(204)

    def _name(self, context: DialectContext) -> str:
        name = context.args[self.noun]
        if name not in self.names:
            raise not_found(self.noun.capitalize(), name=name)
        return name


async def _forward(context: DialectContext, user: Document, wanted: Mapping[str, JSON]) -> None:
    given = {name: _checked(name, value) for name, value in wanted.items()}

    def write(edit: Edit) -> None:
        current = forwards_of(replace(user, fields=edit.fields))
        for name, values in given.items():
            forward = {**as_object(current[name]), **values}
            _check_forward(as_object(current[name]), forward)
            if name == "unconditional":
                edit.put("call_forward.enabled", forward["enabled"])
                edit.put("call_forward.number", forward["destination"])
            else:
                edit.put_aside(f"forwards.{name}", forward)

    await RESOURCE.doing(edit(context, user, write))


def _check_forward(current: Mapping[str, JSON], forward: Mapping[str, JSON]) -> None:
    if forward["enabled"] and forward["destination"] is None:
        if current["enabled"] and current["destination"] is not None:
            raise resource_error("Forward must be disabled to remove destination")
        raise input_error("destination: Must not be null!")


def _checked(name: str, value: JSON) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise input_error(f"field '{name}': wrong type. Should be a dict")
    found = {key: value[key] for key in ("enabled", "destination") if key in value}
    if not isinstance(found.get("enabled", False), bool):
        raise input_error("field 'enabled': wrong type. Should be a boolean")
    if not isinstance(found.get("destination", ""), str | None):
        raise input_error("field 'destination': wrong type. Should be a unicode string")
    return found


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


UserSettings("/users/{user}/forwards", "forward", FORWARDS, forwards_of, _forward).mount(
    "Where the calls of a user go instead", "Send the calls of a user elsewhere"
)
UserSettings("/users/{user}/services", "service", SERVICES, services_of, _switch).mount(
    "What is switched on for a user", "Switch services of a user on or off"
)


@route("GET", "/users/{user}/fallbacks", summary="Where the calls of a user go that nobody answers")
async def fallbacks(context: DialectContext) -> web.Response:
    """Nowhere: what happens then is up to callflows."""
    await RESOURCE.found(context, "user")
    return json_answer(no_fallbacks())


# Tenants, contexts, and the server


@route("GET", "/tenants", summary="List tenants")
async def list_tenants(context: DialectContext) -> web.Response:
    """The account and those below it."""
    items = [_tenant(account) for account in await own_and_below(context)]
    return json_answer(page(len(items), items))


@route("GET", "/tenants/{tenant}", summary="Read a tenant")
async def read_tenant(context: DialectContext) -> web.Response:
    """One of them."""
    wanted = undashed(context.args["tenant"])
    found = next((account for account in await own_and_below(context) if account.id == wanted), None)
    if found is None:
        raise not_found("Tenant", uuid=context.args["tenant"])
    return json_answer(_tenant(found))


def _tenant(account: Document) -> dict[str, JSON]:
    return {"uuid": dashed(account.id), "slug": slug_of(account)}


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
