"""The one life of a document request: load → normalize → validate → check → save → after → answer.

Source: `crossbar_doc.erl` (`load`, `load_merge`, `patch_and_validate`, `save`, `delete`, `pvt_updates`),
`cb_context:validate_request_data`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from crossbar import clock
from crossbar.documents.document import Document, DocumentKey, document_key, private_fields, public_fields
from crossbar.documents.shape import Unique, alphanumeric
from crossbar.documents.store import Attempts, Duplicate, Stale
from crossbar.endpoint.context import Call
from crossbar.endpoint.document_list import answer_listing
from crossbar.endpoint.hooks import Draft, Hooks
from crossbar.endpoint.reply import Reply
from crossbar.errors import JSON, Conflict, Invalid, NotFound
from crossbar.ids import new_id
from crossbar.wire.request_values import is_false

LONGEST_ID: Final = 255
"""Characters of an id that a client chooses."""


class Lifecycle:
    """The usual operations on the documents of one type."""

    def __init__(
        self,
        document_type: str,
        schema: str | None,
        id_name: str,
        hooks: Hooks,
        *,
        hard_delete: bool = False,
        client_ids: bool = True,
        database: Callable[[Call], str] = lambda call: call.account_id,
    ) -> None:
        self.document_type = document_type
        self.schema = schema
        self.id_name = id_name
        self.hooks = hooks
        self.hard_delete = hard_delete
        self.client_ids = client_ids
        self.database = database

    # Handlers

    async def list(self, call: Call) -> Reply:
        """GET of the collection: a page of summaries."""
        return await answer_listing(call, self.document_type, self.database(call), rows_hooks=self.hooks.rows_for(call))

    async def read(self, call: Call) -> Reply:
        """GET of one document."""
        document_id = call.path[self.id_name]
        raw = await call.store.read(self.database(call), self.document_type, document_id)
        if raw is None:
            raise NotFound(document_id)
        if not self.hooks.show:
            return Reply.raw(raw)
        return await self.answer(call, await self.load(call, document_id))

    async def create(self, call: Call) -> Reply:
        """PUT on the collection: a new document."""
        document_id = chosen_id(call.object.get("id") or call.object.get("ID")) if self.client_ids else None
        document = await self.save_new(call, document_id or new_id(), call.object)
        reply = await self.answer(call, document)
        reply.location = f"{call.request.rel_url.raw_path.rstrip('/')}/{quote(document.id, safe='')}"
        return reply

    async def replace(self, call: Call) -> Reply:
        """POST on a document: its public part becomes the request's data."""
        return await self.update(call, lambda _: dict(call.object))

    async def merge(self, call: Call) -> Reply:
        """PATCH on a document: the request's data is merged onto its public part."""
        return await self.update(call, lambda stored: merge(stored, call.object))

    async def delete(self, call: Call) -> Reply:
        """DELETE of a document, soft unless the endpoint or `should_soft_delete=false` says otherwise."""
        document = await self.load(call, call.path[self.id_name])
        for hook in self.hooks.before_delete:
            await hook(call, document)
        call.ready_to_write(document.revision)
        await self.remove(call, document)
        return Reply({**document.public, "_read_only": {"deleted": True}}, revision=document.revision)

    # Parts, also for endpoints that go their own way

    async def load(self, call: Call, document_id: str) -> Document:
        """The stored document, or 404 `bad_identifier`."""
        document = await call.store.get(self.database(call), self.document_type, document_id)
        if document is None:
            raise NotFound(document_id)
        return document

    async def answer(self, call: Call, document: Document) -> Reply:
        """The public part as the wire shows it."""
        public = document.public
        for show in self.hooks.show:
            await show(call, document, public)
        return Reply(public, revision=document.revision)

    async def save_new(self, call: Call, document_id: str, data: dict[str, JSON]) -> Document:
        """Validate and save a new document."""
        draft = Draft(document_id, dict(data), None)
        await self.validate(call, draft)
        call.ready_to_write()
        saved = await self.store(call, draft)
        for after in self.hooks.after:
            await after(call, saved, None)
        return saved

    async def save_over(self, call: Call, previous: Document, data: dict[str, JSON]) -> Document:
        """Validate `data` as the new public part of `previous` and save it. Raises Stale when outrun."""
        draft = Draft(previous.id, data, previous)
        await self.validate(call, draft)
        call.ready_to_write(previous.revision)
        saved = await self.store(call, draft)
        for after in self.hooks.after:
            await after(call, saved, previous)
        return saved

    async def store(self, call: Call, draft: Draft) -> Document:
        """Save a draft that was validated. Raises Stale when outrun, Conflict when the id is taken."""
        document = self._document(call, draft)
        try:
            if self.hooks.save is not None:
                return await self.hooks.save(call, document, draft.previous)
            if draft.previous is None:
                return await call.store.insert(document)
            return await call.store.replace(document, draft.previous)
        except Duplicate as duplicate:
            # Without a claim it is the id that is taken; without a holder it was let go in the meantime.
            raise (duplicate.claim and await self._taken(call, draft)) or Conflict() from duplicate

    async def upsert(
        self,
        call: Call,
        document_id: str,
        change: Callable[[dict[str, JSON]], dict[str, JSON]],
        *,
        must_exist: bool = False,
    ) -> Document:
        """Validate and save what `change` makes of the stored public part, which is `{}` of a missing document."""
        async for _ in Attempts():
            previous = await call.store.get(self.database(call), self.document_type, document_id)
            if previous is None and must_exist:
                raise NotFound(document_id)
            try:
                if previous is None:
                    return await self.save_new(call, document_id, change({}))
                return await self.save_over(call, previous, change(public_fields(previous.fields)))
            except Stale:
                continue
            except Conflict:  # somebody else created it in between
                if previous is not None:
                    raise
        raise Conflict

    async def remove(self, call: Call, document: Document) -> None:
        """Delete a document, softly or for good."""
        if self.hard_delete or is_false(call.values.get("should_soft_delete")):
            await call.store.remove(document)
            await call.services.attachments.delete(document)
        else:

            def mark(stored: Document) -> None:
                stored.fields.update(stamps(call, stored), pvt_deleted=True)

            await call.store.change(document.database, document.type, document.id, mark)
        for hook in self.hooks.after_delete:
            await hook(call, document)

    async def validate(self, call: Call, draft: Draft) -> None:
        """Normalise, validate and check a draft. Raises Invalid with everything that was found."""
        for normalize in self.hooks.normalize:
            await normalize(call, draft)
        if self.schema is not None:
            draft.data, found = call.schema_errors(self.schema, draft.data)
            draft.errors.fields.update(found)
        draft.data.pop("id", None)
        for check in self.hooks.check:
            await check(call, draft)
        if draft.errors:
            # What a check found stays: it may know more of the matter than a claim does.
            draft.errors.fields |= {**(await self._taken(call, draft)).fields, **draft.errors.fields}
            raise draft.errors
        for finish in self.hooks.finish:
            await finish(call, draft)
        if draft.errors:
            raise await self._taken(call, draft) or draft.errors

    async def update(self, call: Call, change: Callable[[dict[str, JSON]], dict[str, JSON]]) -> Reply:
        """Save what `change` makes of the public part of the document in the path, and answer it."""
        document_id = call.path[self.id_name]
        async for _ in Attempts():
            previous = await self.load(call, document_id)
            try:
                saved = await self.save_over(call, previous, change(public_fields(previous.fields)))
            except Stale:
                continue
            return await self.answer(call, saved)
        raise Conflict

    async def _taken(self, call: Call, draft: Draft) -> Invalid:
        """The uniqueness errors of a draft that is refused anyway, so that the client learns of all at once."""
        document = self._document(call, draft)
        claims = list(call.store.shapes[self.document_type].unique(document))
        holders = await call.store.claimants(document.database, claims)
        errors = Invalid()
        for claim in claims:
            holder = holders.get(claim.key)
            if holder is not None and document_key(*holder) != document.key:
                details = {} if claim.cause is None else {"cause": claim.cause}
                errors.add(claim.field, "unique", await _refusal(call, claim, holder), **details)
        return errors

    def _document(self, call: Call, draft: Draft) -> Document:
        previous = draft.previous
        kept = private_fields(previous.fields) if previous else {}
        document = Document(
            previous.database if previous else self.database(call),
            self.document_type,
            draft.id,
            {**draft.data, **kept},
            previous.revision if previous else None,
        )
        document.fields.update(stamps(call, document))
        for key, value in draft.private.items():
            if value is None:
                document.fields.pop(key, None)
            else:
                document.fields[key] = value
        return document


async def _refusal(call: Call, claim: Unique, holder: DocumentKey) -> str:
    """What the second one to claim a value is told."""
    if isinstance(claim.message, str):
        return claim.message
    document = await call.store.get(*holder)
    return claim.message(document or Document(*holder, fields={}))


def stamps(call: Call, document: Document) -> dict[str, JSON]:
    """The private fields that every save writes (`crossbar_doc:update_pvt_parameters`)."""
    now = clock.now()
    fields: dict[str, JSON] = {
        "pvt_type": document.type,
        "pvt_account_id": document.fields.get("pvt_account_id", document.database),
        "pvt_created": document.fields.get("pvt_created", now),
        "pvt_modified": now,
        "pvt_vsn": document.fields.get("pvt_vsn", "1"),
        "pvt_request_id": call.request_id,
        "pvt_is_authenticated": call.caller is not None,
    }
    if call.caller is not None:
        fields["pvt_auth_account_id"] = call.caller.account_id
        if call.caller.owner_id:
            fields["pvt_auth_user_id"] = call.caller.owner_id
        if call.caller.original_account_id:
            fields["pvt_original_auth_account_id"] = call.caller.original_account_id
        if call.caller.original_owner_id:
            fields["pvt_original_auth_owner_id"] = call.caller.original_owner_id
    if name := display_name(document.fields):
        fields["pvt_alphanum_name"] = alphanumeric(name)
    return fields


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


def display_name(fields: Mapping[str, JSON]) -> str:
    """`name`, or for people without one their first and last name."""
    name = fields.get("name")
    if isinstance(name, str) and name:
        return name
    return "".join(str(fields.get(part) or "") for part in ("first_name", "last_name"))


def merge(stored: dict[str, JSON], changes: dict[str, JSON]) -> dict[str, JSON]:
    """PATCH: `changes` merged recursively onto `stored`, which stays untouched.

    Objects merge key by key, arrays and scalars replace, null takes the key away at any depth, and an empty object
    clears the stored one. Source: `kz_json:merge_left`.
    """
    merged = {key: value for key, value in stored.items() if value is not None}
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and value:
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, dict) else {}, value)
        else:
            merged[key] = value
    return merged
