# SPDX-License-Identifier: MPL-2.0
"""A resource of XiVO REST 1.1: list, read, create, update, delete, made of its declaration."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from crossbar.dialects.declaration import Declaration, Property
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.refusals import Refusal, WrongValue, empty_answer, json_answer
from crossbar.dialects.resource_objects import ResourceObjects
from crossbar.dialects.xivo11 import xivo11_lists
from crossbar.dialects.xivo11.xivo11_lists import ListRules
from crossbar.dialects.xivo11.xivo11_protocol import input_error, listed, not_found, route, translated
from crossbar.documents.document import Document
from crossbar.errors import JSON, Invalid, NotFound

Result = TypeVar("Result")


@dataclass(frozen=True)
class Xivo11Resource:
    """A resource under `path`. `refuses_unknown`: unknown properties are wrong, else they are ignored."""

    path: str
    noun: str
    """The endpoint of Crossbar's that speaks of the same documents."""
    rules: ListRules
    objects: ResourceObjects
    refuses_unknown: bool = False

    @property
    def declaration(self) -> Declaration:
        """What it consists of."""
        return self.rules.declaration

    def mount(self) -> None:
        """Make its routes known."""
        title, body = self.declaration.title, self.declaration.schema
        route("GET", f"/{self.path}", summary=f"List {self.path}", is_list=True)(self.list_all)
        route("POST", f"/{self.path}", summary=f"Create a {title}", body=body)(self.create)
        route("GET", f"/{self.path}/{{id}}", summary=f"Read a {title}")(self.read)
        route("PUT", f"/{self.path}/{{id}}", summary=f"Update a {title}", body=body)(self.update)
        route("DELETE", f"/{self.path}/{{id}}", summary=f"Delete a {title}")(self.delete)

    async def list_all(self, context: DialectContext) -> web.Response:
        """GET of the collection."""
        await context.crossbar("GET", self.noun)
        total, documents = await xivo11_lists.select(context, self.rules)
        return json_answer(xivo11_lists.page(total, await self.shown(context, documents)))

    async def read(self, context: DialectContext) -> web.Response:
        """GET of one object."""
        document = await self.found(context, "id")
        (shown,) = await self.shown(context, [document])
        return json_answer(shown)

    async def create(self, context: DialectContext) -> web.Response:
        """POST on the collection."""
        values = self.values(context)
        needed = [one.name for one in self.declaration.properties if one.is_required]
        lacking = [name for name in needed if name not in values]
        if lacking:
            raise input_error(f"missing parameters: {listed(lacking)}")
        document = await self.doing(self.objects.create(context, values))
        (shown,) = await self.shown(context, [document])
        return json_answer(shown, 201, {"Location": f"{context.base}/{self.path}/{shown['id']}"})

    async def update(self, context: DialectContext) -> web.Response:
        """PUT on one object."""
        document = await self.found(context, "id")
        await self.doing(self.objects.change(context, document, self.values(context)))
        return empty_answer(204)

    async def delete(self, context: DialectContext) -> web.Response:
        """DELETE of one object."""
        await self.doing(self.objects.remove(context, await self.found(context, "id")))
        return empty_answer(204)

    # Parts, also for associations

    async def find(self, context: DialectContext, word: str) -> Document:
        """The document that a word names, whoever asks. Refuses with 404."""
        try:
            return await self.objects.find(context, word)
        except NotFound:
            raise not_found(self.declaration.title, id=word) from None

    async def found(self, context: DialectContext, name: str) -> Document:
        """The document that an argument of the path names, after the decision on whether the caller may see it."""
        document = await self.find(context, context.args[name])
        account = await context.runtime.access.directory.account(document.partition)
        await context.crossbar("GET", self.noun, document.id, account=account)
        return document

    async def shown(self, context: DialectContext, documents: Sequence[Document]) -> list[dict[str, JSON]]:
        """The objects that documents are."""
        extras = await self.objects.worked_out(context, documents)
        return [self.declaration.shown(document, extra) for document, extra in zip(documents, extras, strict=True)]

    def values(self, context: DialectContext) -> dict[str, JSON]:
        """What a body gives to properties. Raises 400 with everything that is wrong."""
        if not isinstance(context.body, dict):
            raise input_error("the request body must be a JSON object")
        unknown = self.declaration.unknown(context.body)
        if unknown and self.refuses_unknown:
            raise input_error(f"unknown parameters: {listed(unknown)}")
        wrong: list[str] = []

        def refused(one: Property, _: JSON, error: WrongValue) -> None:
            wrong.append(f"Input Error - {str(error).format(name=one.name)}")

        values = self.declaration.taken(context.body, refused)
        if wrong:
            raise Refusal(400, wrong)
        return values

    async def doing(self, work: Awaitable[Result]) -> Result:
        """Do what may find a document invalid, and say so in the words of the properties."""
        try:
            return await work
        except Invalid as error:
            raise translated(error, self.declaration) from error
