# SPDX-License-Identifier: MPL-2.0
"""What all of XiVO REST 1.0 has in common: kinds of values, lists, errors, how its resources are reached."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from crossbar.dialects import integer_ids
from crossbar.dialects.declaration import Declaration, ValueKind
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.dialect_dispatcher import Dialect
from crossbar.dialects.homes import ASIDE
from crossbar.dialects.refusals import Refusal, WrongValue, empty_answer, json_answer
from crossbar.dialects.resource_objects import ResourceObjects
from crossbar.dialects.routes import DialectRoute
from crossbar.documents.document import Document
from crossbar.documents.selection import Selection, at
from crossbar.errors import JSON, CrossbarError, Invalid

REALM: Final = 'Basic realm="XivoRealm"'
UNREADABLE: Final = ["No parsable data in the request"]
LARGEST_ID: Final = 10**15


def refusal(error: CrossbarError) -> Refusal:
    """What 1.0 says to an error of the protocol."""
    match error.status:
        case 401 | 403 | 423:
            return Refusal(401, headers={"WWW-Authenticate": REALM})
        case 404 | 405 | 406 | 412 | 415:
            return Refusal(error.status)
    if isinstance(error, Invalid):
        if {"json", "body"} & set(error.fields):
            return Refusal(400, UNREADABLE)
        return wrong_parameters(list(error.fields))
    text = error.data.get("message") if isinstance(error.data, dict) else None
    return Refusal(error.status, [str(text or error.message)])


def wrong_parameters(names: Sequence[str]) -> Refusal:
    """400: properties that there are not, or that do not take what they were given."""
    return Refusal(400, [f"Incorrect parameters sent: {', '.join(names)}"])


DIALECT: Final = Dialect("XiVO REST 1.0", ("/1.0",), "confd", refusal, basic=True, digest=True)


# Kinds of values


def _as_it_is(value: JSON) -> JSON:
    return value


def _text(value: JSON) -> JSON:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise WrongValue("text")


def _flag(value: JSON) -> JSON:
    if value in (0, 1) and isinstance(value, int):  # booleans are
        return bool(value)
    if value in ("0", "1"):
        return value == "1"
    raise WrongValue("flag")


def _integer(value: JSON) -> JSON:
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST_ID:
        return value
    raise WrongValue("integer")


TEXT: Final = ValueKind(_text, _as_it_is, {"type": "string"})
FLAG: Final = ValueKind(_flag, lambda value: int(bool(value)), {"type": "integer", "enum": [0, 1]})
NOT_FLAG: Final = ValueKind(lambda value: not _flag(value), lambda value: int(not value), FLAG.schema)
INTEGER: Final = ValueKind(_integer, _as_it_is, {"type": "integer"})


# A resource


@dataclass(frozen=True)
class Xivo10Resource:
    """A resource of 1.0: list, read, create, update, delete; nothing else."""

    declaration: Declaration
    noun: str
    """The endpoint of Crossbar's that speaks of the same documents."""
    objects: ResourceObjects

    def mount(self) -> None:
        """Make its routes known."""
        name, title = self.declaration.name, self.declaration.title
        item, body = f"/{name}/{{id}}", self.declaration.schema
        for method, template, handler, does in (
            ("GET", f"/{name}", self._list, "List"),
            ("GET", item, self._read, "Read"),
            ("POST", f"/{name}", self._create, "Create"),
            ("PUT", item, self._update, "Update"),
            ("DELETE", item, self._delete, "Delete"),
        ):
            takes = method in ("POST", "PUT")
            DIALECT.table.add(
                DialectRoute(
                    method,
                    template,
                    handler,
                    answers_json=method == "GET",
                    takes_json=takes,
                    needs_body=takes,
                    summary=f"{does} {name if does == 'List' else f'a {title}'}",
                    body=body if takes else None,
                )
            )

    async def _list(self, context: DialectContext) -> web.Response:
        await context.crossbar("GET", self.noun)
        kind = self.declaration.number
        accounts = (context.account.id,)
        skip, limit = _stretch(context)
        await integer_ids.give_all(context.store, kind, accounts)
        by_number = (at(f"{ASIDE}.numbers.{kind.name}"),)
        selection = Selection(accounts, kind.type, (kind.tag,), order=by_number, skip=skip, limit=limit)
        total = await context.store.count(selection)
        documents = await context.store.select(selection) if limit != 0 else []
        extras = await self.objects.worked_out(context, documents)
        items = [self.declaration.shown(document, extra) for document, extra in zip(documents, extras, strict=True)]
        return json_answer({"total": total, "items": items})

    async def _read(self, context: DialectContext) -> web.Response:
        document = await self.objects.find(context, context.args["id"])
        await context.crossbar("GET", self.noun, document.id)
        (extra,) = await self.objects.worked_out(context, [document])
        return json_answer(self.declaration.shown(document, extra))

    async def _create(self, context: DialectContext) -> web.Response:
        values = self._values(context)
        document = await self._translated(self.objects.create(context, values))
        return empty_answer(201, self._location(context, document))

    async def _update(self, context: DialectContext) -> web.Response:
        document = await self.objects.find(context, context.args["id"])
        values = self._values(context)
        await self._translated(self.objects.change(context, document, values))
        return empty_answer(200, self._location(context, document))

    async def _delete(self, context: DialectContext) -> web.Response:
        document = await self.objects.find(context, context.args["id"])
        await self.objects.remove(context, document)
        return empty_answer(200)

    def _values(self, context: DialectContext) -> dict[str, JSON]:
        """What a body gives to properties; refused whole if one is unknown or does not take its value."""
        if not isinstance(context.body, dict):
            raise Refusal(400, UNREADABLE)
        wrong = dict.fromkeys(self.declaration.unknown(context.body))
        values = self.declaration.taken(context.body, lambda one, _value, _wrong: wrong.setdefault(one.name))
        if wrong:
            raise wrong_parameters([name for name in context.body if name in wrong])
        return values

    async def _translated(self, work: Awaitable[Document | None]) -> Document:
        """Do what may find a document invalid, and say so in the words of the properties."""
        try:
            document = await work
        except Invalid as error:
            raise wrong_parameters(self.declaration.named(error.fields)) from error
        return document or Document("", "", "", {})

    def _location(self, context: DialectContext, document: Document) -> dict[str, str]:
        return {"Location": f"{context.base}/{self.declaration.name}/{self.declaration.number.of(document)}"}


def _stretch(context: DialectContext) -> tuple[int, int | None]:
    """Where a page begins and how long it is; pages count from 0, and both parameters are needed."""
    if "_page" not in context.query or "_pagesize" not in context.query:
        return 0, None
    numbers = []
    for name in ("_page", "_pagesize"):
        text = context.query[name]
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise wrong_parameters([name])
        numbers.append(int(text))
    page, size = numbers
    return page * size, size
