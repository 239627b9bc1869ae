"""A change of the database as an event: which account's it is, and what listeners are told of it.

Source: KAZOO `core/kazoo_data/src/kzs_publish.erl` (`publish_doc`): a save without previous revision is `doc_created`, a
save with one `doc_edited`, and one that marks a document as deleted, or takes it away, `doc_deleted`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson
from bson import Timestamp

from crossbar.documents.document import ACCOUNTS, DocumentKey
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.event import CALL_EVENT, CONFIGURATION, Event
from crossbar.documents.event_interest import Interest
from crossbar.documents.store import Store
from crossbar.documents.store.event_log import RAISED

PROJECTION: Final = {
    "operationType": 1,
    "documentKey": 1,
    "clusterTime": 1,
    "wallTime": 1,
    **{
        f"fullDocument.{key}": 1
        for key in (
            "rev", "deleted", "json", "listens", "category", "name", "about", "about_id", "body",
            "doc.pvt_tree", "doc.pvt_account_id", "doc.pvt_assigned_to", "doc.pvt_created", "doc.pvt_modified",
        )
    },
}  # fmt: skip
"""What is read of a change."""
LARGEST_DOCUMENT: Final = 256 * 1024
"""Bytes of JSON beyond which an event names the document without showing it."""
MOST_TREES: Final = 20_000
_ACCOUNT_ID: Final = re.compile(r"[0-9a-f]{32}")
_MONTHLY: Final = re.compile(r"\d{6}-")


class Translation:
    """Makes events of changes. Remembers the accounts' trees as they are where the stream is."""

    def __init__(self, store: Store) -> None:
        self._log = store.event_log
        self._announced = store.shapes.announced
        self._owned_elsewhere = {shape.type for shape in store.shapes if shape.announced}
        self._sealed = {shape.type for shape in store.shapes if any(not _is_private(path) for path in shape.sealed)}
        self._trees: dict[str, tuple[str, ...]] = {}

    def forget(self) -> None:
        """The stream begins at another place."""
        self._trees.clear()

    async def event(self, change: Mapping[str, Any], token: str, interest: Interest) -> Event | None:
        """The event of a change, under its token; None for what is none, or nobody wants."""
        key = DocumentKey.parse(change["documentKey"]["_id"])
        full = change.get("fullDocument") or {}
        if key.partition == ACCOUNTS and key.type == ACCOUNT:
            return await self._account_event(change, key, full, token, interest)
        if key.type == RAISED:
            account_id: str | None = key.partition
            if change["operationType"] != "insert":
                return None
        elif key.type in self._announced:
            account_id = self._owner(key, full)
        else:
            return None
        if account_id is None or not (interest.needs_trees or interest.wants(account_id)):
            return None
        tree = await self._tree(account_id, change["clusterTime"])
        if tree is None or not interest.wants(account_id, tree):
            return None
        return self._made(change, key, full, token, account_id, tree)

    async def _account_event(
        self, change: Mapping[str, Any], key: DocumentKey, full: Mapping[str, Any], token: str, interest: Interest
    ) -> Event | None:
        """The event of an account's definition, whose place in the tree is part of it."""
        if full:
            tree: tuple[str, ...] | None = tuple(full["doc"].get("pvt_tree") or ())
            self._remember(key.id, tree or ())
        else:
            at = change["clusterTime"]
            tree = self._trees.pop(key.id, None)
            if tree is None and (interest.needs_trees or interest.wants(key.id)):
                tree = await self._log.tree_at(key.id, Timestamp(at.time, max(at.inc - 1, 0)))
        if full.get("deleted"):
            self._trees.pop(key.id, None)
        if tree is None or not interest.wants(key.id, tree):
            return None
        return self._made(change, key, full, token, key.id, tree)

    async def _tree(self, account_id: str, at: Timestamp) -> tuple[str, ...] | None:
        """The accounts above an account when a change was made; None where there was no such account."""
        known = self._trees.get(account_id)
        if known is None:
            known = await self._log.tree_at(account_id, at)
            if known is not None:
                self._remember(account_id, known)
        return known

    def _remember(self, account_id: str, tree: tuple[str, ...]) -> None:
        if len(self._trees) >= MOST_TREES:
            self._trees.clear()
        self._trees[account_id] = tree

    def _owner(self, key: DocumentKey, full: Mapping[str, Any]) -> str | None:
        """The account whose document it is: that of its partition, or the one it names in a partition of the system."""
        if _ACCOUNT_ID.fullmatch(key.partition):
            return key.partition
        if key.type not in self._owned_elsewhere:
            return None
        fields = full.get("doc") or {}
        named = fields.get("pvt_assigned_to") or fields.get("pvt_account_id")
        return named if isinstance(named, str) and _ACCOUNT_ID.fullmatch(named) else None

    def _made(
        self,
        change: Mapping[str, Any],
        key: DocumentKey,
        full: Mapping[str, Any],
        token: str,
        account_id: str,
        tree: tuple[str, ...],
    ) -> Event | None:
        wall = change.get("wallTime")
        unix_time = wall.timestamp() if wall is not None else float(change["clusterTime"].time)
        if key.type == RAISED:
            category, name = full["category"], full["name"]
            about, about_id, body = full["about"], full["about_id"], full["body"]
        elif key.type == CALL_EVENT:
            if change["operationType"] != "insert":
                return None
            category, body = CALL_EVENT, full["json"]
            name = orjson.loads(body).get("event_name", "")
            about, about_id = key.type, key.id
        else:
            category, name = CONFIGURATION, _action(change["operationType"], full)
            about, about_id, body = key.type, key.id, self._body(key, full, account_id, name)
        return Event(token, account_id, tree, category, name, about, about_id, body, unix_time)

    def _body(self, key: DocumentKey, full: Mapping[str, Any], account_id: str, name: str) -> bytes:
        """What is told of a changed document: which it is, and as far as there is one, its public part."""
        month = f"-{key.id[:6]}" if _MONTHLY.match(key.id) else ""
        fields = full.get("doc") or {}
        about = {
            "id": key.id,
            "database": f"account%2F{account_id[:2]}%2F{account_id[2:4]}%2F{account_id[4:]}{month}",
            "account_id": account_id,
            "type": key.type,
            "rev": full.get("rev"),
            "date_created": fields.get("pvt_created"),
            "date_modified": fields.get("pvt_modified"),
            "is_soft_deleted": full.get("deleted", False),
            "event_category": CONFIGURATION,
            "event_name": name,
        }
        body = orjson.dumps({name: value for name, value in about.items() if value is not None})
        document: bytes = full.get("json", b"")
        if not document or len(document) > LARGEST_DOCUMENT or key.type in self._sealed:
            return body
        return b'%s,"doc":%s}' % (body[:-1], document)


def _action(operation: str, full: Mapping[str, Any]) -> str:
    if operation == "delete" or full.get("deleted"):
        return "doc_deleted"
    return "doc_created" if operation == "insert" or str(full.get("rev", "")).startswith("1-") else "doc_edited"


def _is_private(path: str) -> bool:
    return path.startswith("pvt_")
