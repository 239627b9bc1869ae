"""An endpoint with one document an account: no collection, no id in the path.

`limits`, `whitelabel`, `token_restrictions` and their like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from crossbar.documents.document import merge
from crossbar.documents.shape import Summary
from crossbar.endpoint.context import Context
from crossbar.endpoint.reply import Reply
from crossbar.endpoint.routing import Resource
from crossbar.errors import JSON


class Singleton(Resource):
    """One document of fixed id in each account.

    `operations` may be `read`, `create` (PUT; 409 if there is one), `replace` and `merge` (POST, PATCH; they create
    what is missing unless `must_exist`), `delete`.
    """

    def __init__(
        self,
        name: str,
        *,
        document_type: str,
        document_id: str,
        operations: Iterable[str] = ("read", "replace", "delete"),
        must_exist: bool = False,
        hard_delete: bool = True,
        **declaration: Any,
    ) -> None:
        declaration.setdefault("summary", Summary("id"))
        super().__init__(name, document_type=document_type, operations=(), hard_delete=hard_delete, **declaration)
        self.document_id = document_id
        self.must_exist = must_exist
        for operation, verb, handler in (
            ("read", "GET", self._read),
            ("create", "PUT", self._create),
            ("replace", "POST", self.replace),
            ("merge", "PATCH", self._merge),
            ("delete", "DELETE", self._delete),
        ):
            if operation in operations:
                self.route(verb, checks_itself=True)(handler)

    async def _read(self, context: Context) -> Reply:
        return await self.life.answer(context, await self.life.load(context, self.document_id))

    async def _create(self, context: Context) -> Reply:
        return await self.life.answer(context, await self.life.save_new(context, self.document_id, context.object))

    async def replace(self, context: Context) -> Reply:
        """POST: the document becomes the request's data."""
        return await self._save(context, lambda _: dict(context.object))

    async def _merge(self, context: Context) -> Reply:
        return await self._save(context, lambda stored: merge(stored, context.object))

    async def _delete(self, context: Context) -> Reply:
        document = await self.life.load(context, self.document_id)
        context.ready_to_write(document.revision)
        await self.life.remove(context, document)
        return Reply({**document.public, "_read_only": {"deleted": True}}, revision=document.revision)

    async def _save(self, context: Context, change: Callable[[dict[str, JSON]], dict[str, JSON]]) -> Reply:
        saved = await self.life.upsert(context, self.document_id, change, must_exist=self.must_exist)
        return await self.life.answer(context, saved)
