# SPDX-License-Identifier: MPL-2.0
"""The one life of a document request: load → normalize → validate → check → save → after → answer.

Source: `crossbar_doc.erl` (`load`, `load_merge`, `patch_and_validate`, `save`, `delete`, `pvt_updates`),
`cb_context:validate_request_data`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from crossbar.access.authorship import stamps
from crossbar.documents.document import (
    Document,
    DocumentKey,
    copied,
    document_key,
    merge,
    private_fields,
    public_fields,
)
from crossbar.documents.shape import Unique
from crossbar.documents.store import Duplicate, Retries, Stale
from crossbar.endpoint.context import Context
from crossbar.endpoint.document_list import answer_listing
from crossbar.endpoint.hooks import Draft, Hooks
from crossbar.endpoint.reply import Reply
from crossbar.errors import JSON, Conflict, CrossbarError, Invalid, NotFound
from crossbar.events.notices import insert_telling, replace_telling
from crossbar.ids import new_id
from crossbar.wire.request_values import is_false

LONGEST_ID: Final = 255
"""Characters of an id that a client chooses."""


def own_partition(context: Context) -> str:
    """Where the documents of an account lie: the account in the path, else the token's."""
    return context.account_id


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The usual operations on the documents of one type, which lie in `partition`; see `Collection`."""

    document_type: str
    schema: str | None
    id_name: str
    hooks: Hooks
    hard_delete: bool = False
    client_ids: bool = True
    partition: Callable[[Context], str] = own_partition

    # Handlers. In what they say of themselves `{document}` and `{documents}` stand for what the path calls them.

    async def list(self, context: Context) -> Reply:
        """The {documents}, page by page."""
        return await answer_listing(
            context, self.document_type, self.partition(context), rows_hooks=self.hooks.rows_for(context)
        )

    async def read(self, context: Context) -> Reply:
        """One {document}."""
        document_id = context.path[self.id_name]
        raw = await context.store.get_json(self.partition(context), self.document_type, document_id)
        if raw is None:
            raise NotFound(document_id)
        if not self.hooks.show:
            return Reply.raw(raw)
        return await self.answer(context, await self.load(context, document_id))

    async def create(self, context: Context) -> Reply:
        """Create one of the {documents}."""
        document_id = chosen_id(context.object.get("id") or context.object.get("ID")) if self.client_ids else None
        document = await self.save_new(context, document_id or new_id(), context.object)
        reply = await self.answer(context, document)
        reply.location = f"{context.request.rel_url.raw_path.rstrip('/')}/{quote(document.id, safe='')}"
        return reply

    async def replace(self, context: Context) -> Reply:
        """Replace the public fields of one {document}."""
        document_id = context.path[self.id_name]
        saved = await self._edit(context, document_id, lambda _: (dict(context.object), {}))
        return await self.answer(context, saved)

    async def merge(self, context: Context) -> Reply:
        """Change some fields of one {document}: the data is merged onto what is there."""
        return await self.update(context, lambda stored: merge(stored, context.object))

    async def delete(self, context: Context) -> Reply:
        """Delete one {document}."""
        document = await self.load(context, context.path[self.id_name])
        for hook in self.hooks.before_delete:
            await hook(context, document)
        return await self.remove_and_answer(context, document)

    # Parts, also for endpoints that go their own way

    async def load(self, context: Context, document_id: str) -> Document:
        """The stored document, or 404 `bad_identifier`."""
        document = await context.store.get(self.partition(context), self.document_type, document_id)
        if document is None:
            raise NotFound(document_id)
        return document

    async def answer(self, context: Context, document: Document) -> Reply:
        """The public part as the wire shows it."""
        if document.body is not None and not self.hooks.show:
            return Reply(json=document.body, revision=document.revision)
        public = document.public
        for show in self.hooks.show:
            await show(context, document, public)
        return Reply(public, revision=document.revision)

    async def save_new(
        self,
        context: Context,
        document_id: str,
        data: dict[str, JSON],
        private: Mapping[str, JSON] | None = None,
        *,
        deleted: Document | None = None,
        kept: Mapping[str, JSON] | None = None,
    ) -> Document:
        """Validate and save a new document; `private`, `deleted` and `kept` as in `Draft`."""
        draft = Draft(document_id, dict(data), None, dict(private or {}), deleted=deleted, kept=kept or {})
        return await self._save(context, await self.prepared(context, draft), None)

    async def save_over(
        self, context: Context, previous: Document, data: dict[str, JSON], private: Mapping[str, JSON] | None = None
    ) -> Document:
        """Validate `data` as the new public part of `previous` and save it; `private` as in `Draft`.

        Raises Stale when outrun.
        """
        draft = Draft(previous.id, data, previous, dict(private or {}))
        return await self._save(context, await self.prepared(context, draft), previous)

    async def prepared(self, context: Context, draft: Draft) -> Document:
        """What is to be saved of a draft, after everything was checked."""
        await self.validate(context, draft)
        context.ready_to_write(draft.previous.revision if draft.previous else None)
        return self._document(context, draft)

    async def _save(self, context: Context, document: Document, previous: Document | None) -> Document:
        saved = await self._store(context, document, previous)
        await self.follow_save(context, saved, previous)
        return saved

    async def follow_save(self, context: Context, saved: Document, previous: Document | None) -> None:
        """Do what follows a save."""
        for after in self.hooks.after:
            await after(context, saved, previous)

    async def store(self, context: Context, draft: Draft) -> Document:
        """Save a draft that was validated. Raises Stale when outrun, Conflict when the id is taken."""
        return await self._store(context, self._document(context, draft), draft.previous)

    async def _store(self, context: Context, document: Document, previous: Document | None) -> Document:
        try:
            if self.hooks.save is not None:
                return await self.hooks.save(context, document, previous)
            notices = await self.notices(context, document, previous) if self.hooks.tell else ()
            if previous is None:
                return await insert_telling(context.store, document, notices)
            return await replace_telling(context.store, document, previous, notices)
        except Duplicate as duplicate:
            raise await self.refusal(context, document, duplicate) from duplicate

    async def notices(self, context: Context, document: Document, previous: Document | None) -> Sequence[Document]:
        """What is written in the same step as a save."""
        return [notice for tell in self.hooks.tell for notice in await tell(context, document, previous)]

    async def refusal(self, context: Context, document: Document, duplicate: Duplicate) -> CrossbarError:
        """What is said where an id, or a claimed value, is taken."""
        if duplicate.claim is not None:
            taken = await self._taken(context, document)
            if taken.fields:  # else the value was let go in the meantime
                return taken
        return Conflict()

    async def upsert(
        self,
        context: Context,
        document_id: str,
        change: Callable[[dict[str, JSON]], dict[str, JSON]],
        *,
        must_exist: bool = False,
    ) -> Document:
        """Validate and save what `change` makes of the stored public part, which is `{}` of a missing document."""
        async for _ in Retries():
            previous = await context.store.get(self.partition(context), self.document_type, document_id)
            if previous is None and must_exist:
                raise NotFound(document_id)
            try:
                if previous is None:
                    return await self.save_new(context, document_id, change({}))
                return await self.save_over(context, previous, change(copied(public_fields(previous.fields))))
            except Stale:
                continue
            except Conflict:  # somebody else created it in between
                if previous is not None:
                    raise
        raise Conflict

    async def remove(self, context: Context, document: Document) -> None:
        """Delete a document, softly or for good."""
        for_good = self._deletes_for_good(context)
        if for_good:
            await context.store.remove(document, stamps(context.author, document))
        else:
            await self._mark_deleted(context, document)
        await self.follow_deletion(context, document, for_good=for_good)

    async def _mark_deleted(self, context: Context, document: Document) -> None:
        """Delete softly what was judged, or what somebody has made of it since, if the request's conditions hold."""
        current: Document | None = document
        async for _ in Retries():
            if current is None:
                return
            marked = replace(current, fields={**current.fields, **_mark_of_deletion(context, current)})
            try:
                await context.store.replace(marked, current)
            except Stale:
                current = await context.store.get(document.partition, document.type, document.id)
                if current is not None:
                    context.ready_to_write(current.revision)
            else:
                return
        raise Conflict

    def deleted(self, context: Context, document: Document) -> Document | None:
        """A document as it is to be saved when it is deleted; None where it is to go for good."""
        if self._deletes_for_good(context):
            return None
        return replace(document, fields={**document.fields, **_mark_of_deletion(context, document)})

    async def follow_deletion(self, context: Context, document: Document, *, for_good: bool) -> None:
        """Do what follows a deletion."""
        if for_good:
            await context.runtime.attachments.delete(document)
        for hook in self.hooks.after_delete:
            await hook(context, document)

    def _deletes_for_good(self, context: Context) -> bool:
        return self.hard_delete or is_false(context.values.get("should_soft_delete"))

    async def remove_and_answer(self, context: Context, document: Document) -> Reply:
        """Judge the request's preconditions, delete the document and show it as it was."""
        context.ready_to_write(document.revision)
        await self.remove(context, document)
        return Reply({**document.public, "_read_only": {"deleted": True}}, revision=document.revision)

    async def validate(self, context: Context, draft: Draft) -> None:
        """Normalise, validate and check a draft. Raises Invalid with everything that was found."""
        for normalize in self.hooks.normalize:
            await normalize(context, draft)
        if self.schema is not None:
            draft.data, found = context.schema_errors(self.schema, draft.data)
            draft.errors.fields.update(found)
        draft.data.pop("id", None)
        for check in self.hooks.check:
            await check(context, draft)
        if draft.errors.fields:
            # The client learns of all errors at once. What a check found stays: it may know more than a claim does.
            taken = await self._taken(context, self._document(context, draft))
            raise Invalid({**taken.fields, **draft.errors.fields})
        for finish in self.hooks.finish:
            await finish(context, draft)
        if draft.errors.fields:
            taken = await self._taken(context, self._document(context, draft))
            raise taken if taken.fields else draft.errors

    async def update(self, context: Context, change: Callable[[dict[str, JSON]], dict[str, JSON]]) -> Reply:
        """Save what `change` makes of the public part of the document in the path, and answer it."""
        saved = await self.edit(
            context, context.path[self.id_name], lambda previous: (change(public_fields(previous.fields)), {})
        )
        return await self.answer(context, saved)

    async def edit(
        self,
        context: Context,
        document_id: str,
        change: Callable[[Document], tuple[dict[str, JSON], Mapping[str, JSON]]],
    ) -> Document:
        """Save the public part, and the changes of private fields, that `change` makes of the stored document."""

        def change_copy(previous: Document) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
            return change(replace(previous, fields=copied(previous.fields)))

        return await self._edit(context, document_id, change_copy)

    async def _edit(
        self,
        context: Context,
        document_id: str,
        change: Callable[[Document], tuple[dict[str, JSON], Mapping[str, JSON]]],
    ) -> Document:
        """As `edit`, for a `change` that leaves the stored document and all within as they are."""
        async with context.store.turns.turn(document_key(self.partition(context), self.document_type, document_id)):
            async for _ in Retries():
                previous = await self.load(context, document_id)
                data, private = change(previous)
                try:
                    return await self.save_over(context, previous, data, private)
                except Stale:
                    continue
        raise Conflict

    async def _taken(self, context: Context, document: Document) -> Invalid:
        """What of a document's claims others hold already, as validation errors; without any, no fields."""
        claims = list(context.store.shapes[self.document_type].unique(document))
        holders = await context.store.claims.holders(document.partition, claims)
        errors = Invalid()
        for claim in claims:
            holder = holders.get(claim.key)
            if holder is not None and document_key(*holder) != document.key:
                details = {} if claim.cause is None else {"cause": claim.cause}
                errors.add(claim.field, "unique", await _refusal(context, claim, holder), **details)
        return errors

    def _document(self, context: Context, draft: Draft) -> Document:
        previous = draft.previous
        kept = private_fields(previous.fields) if previous else dict(draft.kept)
        document = Document(
            previous.partition if previous else self.partition(context),
            self.document_type,
            draft.id,
            {**draft.data, **kept},
            previous.revision if previous else None,
        )
        document.fields.update(stamps(context.author, document))
        for key, value in draft.private.items():
            if value is None:
                document.fields.pop(key, None)
            else:
                document.fields[key] = value
        document.takes_place_of = draft.deleted
        return document


def _mark_of_deletion(context: Context, document: Document) -> dict[str, JSON]:
    return {**stamps(context.author, document), "pvt_deleted": True}


async def _refusal(context: Context, claim: Unique, holder: DocumentKey) -> str:
    """What the second one to claim a value is told."""
    if isinstance(claim.message, str):
        return claim.message
    document = await context.store.get(*holder)
    return claim.message(document or Document(*holder, fields={}))


def chosen_id(wanted: JSON) -> str | None:
    """The id that a client gives what it creates; None where it leaves that to the server.

    Raises 400 for what cannot stand in a path or tell documents apart.
    """
    if not wanted:
        return None
    if not isinstance(wanted, str):
        text = "Value did not match type(s): string"
        raise Invalid.field("id", "type", text, target="string", value=wanted)
    if len(wanted) > LONGEST_ID:
        text = f"String must not be more than {LONGEST_ID} characters"
        raise Invalid.field("id", "maxLength", text, target=LONGEST_ID, value=wanted, cause=wanted)
    if not wanted.isprintable():
        raise Invalid.field("id", "invalid", "An id has no control characters", cause=wanted)
    return wanted
