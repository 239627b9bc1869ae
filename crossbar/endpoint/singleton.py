# SPDX-License-Identifier: MPL-2.0
"""An endpoint with one document an account: no collection, no id in the path.

`limits`, `whitelabel`, `token_restrictions` and their like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from crossbar.documents.document import merge
from crossbar.documents.shape import Shape
from crossbar.endpoint.collection import Collection
from crossbar.endpoint.context import Context
from crossbar.endpoint.reply import Reply
from crossbar.errors import JSON


class Singleton(Collection):
    """One document of fixed id in each account; `path` is where it is.

    `operations` may be `read`, `create` (PUT; 409 if there is one), `replace` and `merge` (POST, PATCH; they create
    what is missing unless `must_exist`), `delete`.
    """

    def __init__(
        self,
        name: str,
        path: str,
        shape: Shape,
        *,
        document_id: str,
        schema: str | None = None,
        operations: Iterable[str] = ("read", "replace", "delete"),
        must_exist: bool = False,
        hard_delete: bool = True,
        history: str | None = None,
    ) -> None:
        super().__init__(
            name,
            path,
            shape,
            schema=schema,
            operations=(),
            hard_delete=hard_delete,
            document_id=lambda _: document_id,
            history=history,
        )
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
                self.route(verb, path, **self.about(operation))(handler)

    async def _read(self, context: Context) -> Reply:
        """The {document} of the account."""
        return await self.life.answer(context, await self.life.load(context, self.document_id))

    async def _create(self, context: Context) -> Reply:
        """Create the {document} of an account that has none."""
        return await self.life.answer(context, await self.life.save_new(context, self.document_id, context.object))

    async def replace(self, context: Context) -> Reply:
        """Replace the {document} of the account."""
        return await self._save(context, lambda _: dict(context.object))

    async def _merge(self, context: Context) -> Reply:
        """Change some fields of the {document} of the account."""
        return await self._save(context, lambda stored: merge(stored, context.object))

    async def _delete(self, context: Context) -> Reply:
        """Delete the {document} of the account."""
        return await self.life.remove_and_answer(context, await self.life.load(context, self.document_id))

    async def _save(self, context: Context, change: Callable[[dict[str, JSON]], dict[str, JSON]]) -> Reply:
        saved = await self.life.upsert(context, self.document_id, change, must_exist=self.must_exist)
        return await self.life.answer(context, saved)
