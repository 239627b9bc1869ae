# SPDX-License-Identifier: MPL-2.0
"""The history of a document: its versions, one of them, what changed in it, and back to it.

`…/history` lists the versions, the newest first, `…/history/{revision}` shows one (`?diff=true`: what it changed), and
POST with `{"action": "restore"}` makes its public part the document's again, as any update would: with validation,
checks, claims, charges and events. A document that was deleted comes back by that, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from crossbar import clock
from crossbar.access.plain_users import HISTORY
from crossbar.documents.document import Document, document_key, private_fields, public_fields
from crossbar.documents.shape import SEPARATOR
from crossbar.documents.store.history import STAMPS, Version, changed_keys
from crossbar.endpoint.context import Context
from crossbar.endpoint.paging import cut
from crossbar.endpoint.reply import Reply
from crossbar.errors import JSON, Invalid, NotFound
from crossbar.wire.list_options import ListOptions, list_options

if TYPE_CHECKING:
    from crossbar.endpoint.lifecycle import Lifecycle

__all__ = ["ACTION", "DIFF", "HISTORY", "DocumentHistory", "told"]

RESTORE: Final = "restore"
DIFF: Final = {"diff": "`true`: when and by whom it was written, and what it changed, as operations of a JSON patch"}
ACTION: Final = {"action": "`restore`: it becomes the document's present version"}
NOT_RESTORED: Final = frozenset({"pvt_deleted", "pvt_signature_secret", "pvt_created"})
"""Private fields that do not come back with a document: its tokens stay ended."""


MOST: Final = 2**31 - 4
"""Versions of a page at most: the database counts in 32 bits, and some more are read than asked for."""


@dataclass(frozen=True, slots=True)
class DocumentHistory:
    """Handlers for the documents of one life cycle; `chosen` gives the id of the one in the path."""

    life: Lifecycle
    chosen: Callable[[Context], str] | None = None

    async def list(self, context: Context) -> Reply:
        """GET `…/history`: a page of versions, the newest first unless asked otherwise."""
        options = list_options(context.values, page_size=context.config.api.pagination_page_size)
        start = _start(options.start_key, self._key(context))
        found = await self._found(context, start, MOST if options.page_size is None else options.page_size, options)
        if not found and start is None:
            raise NotFound(self._id(context))
        page, info = cut(found, options, lambda version: version.position)
        before: list[Version | None]
        if options.ascending:
            before = [None if start is None or not page else await context.store.history.previous(page[0]), *page]
        else:
            before = [*found[1:], None]
        return Reply([await told(context, one, older) for one, older in zip(page, before, strict=False)], page=info)

    async def _found(self, context: Context, start: str | None, size: int, options: ListOptions) -> Sequence[Version]:
        """A page's versions from a position on, the present one among them, and at least one more if there is one."""
        limit, ascending = min(size, MOST) + 3, options.ascending
        kept = await context.store.history.versions(self._key(context), start, limit, ascending=ascending)
        document = await self._present(context)
        if document is None:
            return kept
        present = Version(document)
        kept = [one for one in kept if one.position != present.position]
        if ascending:
            return [one for one in [*kept, present] if start is None or one.position >= start]
        return [one for one in [present, *kept] if start is None or one.position <= start]

    async def read(self, context: Context) -> Reply:
        """GET `…/history/{revision}`: the document as it was; with `diff`, how it came from the version before."""
        version = await self._version(context)
        shown = await self._shown(context, version.document)
        if not context.values.is_true("diff"):
            return Reply(shown, revision=version.document.revision)
        before = await context.store.history.previous(version)
        older = {} if before is None else await self._shown(context, before.document)
        changes = difference(older, shown)
        return Reply({**await told(context, version, before), "changes": changes}, revision=version.document.revision)

    async def act(self, context: Context) -> Reply:
        """POST `…/history/{revision}` with `action` `restore`."""
        if context.values.get("action") != RESTORE:
            text = f"Value not found in enumerated list of values: {RESTORE}"
            raise Invalid.field("action", "enum", text, target=[RESTORE], value=context.values.get("action"))
        version = await self._version(context)
        saved = await self._restored(context, version.document)
        return await self.life.answer(context, saved)

    async def _restored(self, context: Context, version: Document) -> Document:
        data = public_fields(version.fields)
        present = await self._present(context)
        if present is not None and not present.fields.get("pvt_deleted"):
            return await self.life.edit(context, version.id, lambda _: (data, {}))
        private = private_fields((present or version).fields)
        kept = {key: value for key, value in private.items() if key not in NOT_RESTORED and key not in _STAMPED}
        return await self.life.save_new(context, version.id, data, deleted=present, kept=kept)

    def _id(self, context: Context) -> str:
        return self.chosen(context) if self.chosen is not None else context.path[self.life.id_name]

    def _key(self, context: Context) -> str:
        return document_key(self.life.partition(context), self.life.document_type, self._id(context))

    async def _present(self, context: Context) -> Document | None:
        life = self.life
        return await context.store.history.present(life.partition(context), life.document_type, self._id(context))

    async def _version(self, context: Context) -> Version:
        """The version in the path. Raises NotFound."""
        revision = context.path["revision"]
        present = await self._present(context)
        if present is not None and present.revision == revision:
            return Version(present)
        found = await context.store.history.at(self._key(context), revision)
        if found is None:
            raise NotFound(revision)
        return found

    async def _shown(self, context: Context, document: Document) -> dict[str, JSON]:
        """The public part as the endpoint shows it."""
        public = document.public
        for show in self.life.hooks.show:
            await show(context, document, public)
        return public


_STAMPED: Final = frozenset(
    {
        *STAMPS,
        "pvt_type",
        "pvt_account_id",
        "pvt_vsn",
        "pvt_is_authenticated",
        "pvt_auth_account_id",
        "pvt_auth_user_id",
        "pvt_original_auth_account_id",
        "pvt_original_auth_owner_id",
        "pvt_client_ip",
        "pvt_alphanum_name",
    }
)
"""What each save notes anew."""


def _start(cursor: JSON, key: str) -> str | None:
    """The position at which a page begins, if the cursor names one of this document's."""
    start = cursor[0] if isinstance(cursor, list) and cursor else None
    return start if isinstance(start, str) and start.startswith(f"{key}{SEPARATOR}") else None


async def told(context: Context, version: Version, before: Version | None) -> dict[str, Any]:
    """What is said of a version in lists: when and by whom it was written, and which keys it changed.

    `before` is the version before it. A version that no request wrote has no author, and the time at which it followed.
    """
    document = version.document
    fields, older = document.fields, before.document.fields if before else {}
    by_server = before is not None and all(fields.get(name) == older.get(name) for name in STAMPS)
    written = fields.get("pvt_modified")
    if by_server and before is not None and before.until is not None:
        written = clock.gregorian(before.until)
    row: dict[str, Any] = {
        "revision": document.revision,
        "modified": written,
        "author": None if by_server else await author_of(context, fields),
        "changed": changed_keys(before.document if before else None, document),
    }
    if version.is_deleted:
        row["deleted"] = True
    if version.until is None:
        row["present"] = True
    return row


async def author_of(context: Context, fields: dict[str, Any]) -> dict[str, Any] | None:
    """Who wrote a version: account, user with name, and address; None where nobody known did.

    Of an author whose account the caller has no access to, no more than the account.
    """
    account_id, user_id = fields.get("pvt_auth_account_id"), fields.get("pvt_auth_user_id")
    if not fields.get("pvt_is_authenticated") or not isinstance(account_id, str):
        return None
    author: dict[str, Any] = {"account_id": account_id}
    account = await context.directory.account(account_id)
    caller = context.identity
    if not caller.superduper and (account is None or not account.within(caller.account_id)):
        return author
    author["request_id"] = fields.get("pvt_request_id")
    if fields.get("pvt_client_ip"):
        author["client_ip"] = fields["pvt_client_ip"]
    if isinstance(user_id, str):
        user = await context.directory.user(account_id, user_id)
        author |= {"user_id": user_id} | ({"user_name": user.username} if user and user.username else {})
    if original := fields.get("pvt_original_auth_account_id"):
        author["original_account_id"] = original
    if original := fields.get("pvt_original_auth_owner_id"):
        author["original_user_id"] = original
    return author


def difference(old: JSON, new: JSON, path: str = "") -> list[dict[str, JSON]]:
    """What turns one document into another, as operations of a JSON patch (RFC 6902), each with what `was` there.

    Arrays are exchanged whole.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[dict[str, JSON]] = []
        for key in sorted(old.keys() | new.keys()):
            place = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            if key not in new:
                found.append({"op": "remove", "path": place, "was": old[key]})
            elif key not in old:
                found.append({"op": "add", "path": place, "value": new[key]})
            else:
                found += difference(old[key], new[key], place)
        return found
    return [] if old == new else [{"op": "replace", "path": path, "value": new, "was": old}]
