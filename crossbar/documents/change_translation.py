# SPDX-License-Identifier: MPL-2.0
"""A change of the database as an event: which account's it is, and what listeners are told of it.

Source: KAZOO `core/kazoo_data/src/kzs_publish.erl` (`publish_doc`): a save without previous revision is `doc_created`,
a save with one `doc_edited`, and one that marks a document as deleted, or takes it away, `doc_deleted`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from bson import Timestamp

from crossbar import __version__
from crossbar.documents.document import ACCOUNTS, DocumentKey, account_database, is_private
from crossbar.documents.document_types import ACCOUNT, NOTICE
from crossbar.documents.event import CALL_EVENT, CONFIGURATION, NOTIFICATION, Event
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
HIDDEN: Final = frozenset({"password", "password_reset_link"})
"""What nobody is told of a notification who hears of it beside its letter."""
MOST_TREES: Final = 20_000
_ACCOUNT_ID: Final = re.compile(r"[0-9a-f]{32}")
_MONTHLY: Final = re.compile(r"\d{6}-")


class _Changed(NamedTuple):
    """A change, and the document that it leaves (nothing where it is taken away)."""

    key: DocumentKey
    operation: str
    full: Mapping[str, Any]
    at: Timestamp
    unix_time: float

    @classmethod
    def of(cls, change: Mapping[str, Any]) -> _Changed:
        at, wall = change["clusterTime"], change.get("wallTime")
        return cls(
            DocumentKey.parse(change["documentKey"]["_id"]),
            change["operationType"],
            change.get("fullDocument") or {},
            at,
            float(at.time) if wall is None else wall.timestamp(),
        )

    @property
    def action(self) -> str:
        """What it is to a document."""
        if self.operation == "delete" or self.full.get("deleted"):
            return "doc_deleted"
        is_new = self.operation == "insert" or str(self.full.get("rev", "")).startswith("1-")
        return "doc_created" if is_new else "doc_edited"


class Translation:
    """Makes events of changes. Remembers the accounts' trees as they are where the stream is.

    `node` is the server that says so in notifications.
    """

    def __init__(self, store: Store, node: str) -> None:
        self._node = node
        self._log = store.event_log
        self._announced = store.shapes.announced
        self._owned_elsewhere = {NOTICE, *(shape.type for shape in store.shapes if shape.announced)}
        self._sealed = {shape.type for shape in store.shapes if not all(map(is_private, shape.sealed))}
        self._trees: dict[str, tuple[str, ...]] = {}

    def forget(self) -> None:
        """The stream begins at another place."""
        self._trees.clear()

    async def event(self, change: Mapping[str, Any], token: str, interest: Interest) -> Event | None:
        """The event of a change, under its token; None for what is none, or nobody wants."""
        changed = _Changed.of(change)
        if changed.key.partition == ACCOUNTS and changed.key.type == ACCOUNT:
            account_id: str | None = changed.key.id
            tree = await self._tree_of_changed(changed, interest)
        else:
            account_id = self._owner(changed)
            if account_id is None or not (interest.needs_trees or interest.wants(account_id)):
                return None
            tree = await self._tree(account_id, changed.at)
        if account_id is None or tree is None or not interest.wants(account_id, tree):
            return None
        told = self._told(changed, account_id)
        if told is None:
            return None
        category, name, about, about_id, body = told
        return Event(token, account_id, tree, category, name, about, about_id, body, changed.unix_time)

    async def _tree_of_changed(self, changed: _Changed, interest: Interest) -> tuple[str, ...] | None:
        """The accounts above an account whose definition changed, which the definition says itself."""
        account_id, full = changed.key.id, changed.full
        known = self._trees.pop(account_id, None)
        if full:
            tree = tuple(full["doc"].get("pvt_tree") or ())
            if not full.get("deleted"):
                self._remember(account_id, tree)
            return tree
        if known is None and (interest.needs_trees or interest.wants(account_id)):
            return await self._log.tree_at(account_id, Timestamp(changed.at.time, max(changed.at.inc - 1, 0)))
        return known

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

    def _owner(self, changed: _Changed) -> str | None:
        """The account that is to hear of it: that of the partition, or the one named in a partition of the system.

        None for what is no event.
        """
        key = changed.key
        if key.type in (RAISED, CALL_EVENT, NOTICE) and changed.operation != "insert":  # it is only forgotten
            return None
        if key.type == RAISED or (key.type in self._announced and _ACCOUNT_ID.fullmatch(key.partition)):
            return key.partition
        if key.type not in self._owned_elsewhere:
            return None
        fields = changed.full.get("doc") or {}
        named = fields.get("pvt_assigned_to") or fields.get("pvt_account_id")
        return named if isinstance(named, str) and _ACCOUNT_ID.fullmatch(named) else None

    def _told(self, changed: _Changed, account_id: str) -> tuple[str, str, str, str, bytes] | None:
        """Category and name of the event, what it is about, and its body; None for what is told otherwise."""
        key, full = changed.key, changed.full
        if key.type == RAISED:
            return full["category"], full["name"], full["about"], full["about_id"], full["body"]
        if key.type == CALL_EVENT:
            told = orjson.loads(full["json"])
            category, name = (str(told.get(part, "")) for part in ("event_category", "event_name"))
            if category == NOTIFICATION:  # its notice, which was written with it, is told
                return None
            return category or CALL_EVENT, name, key.type, key.id, full["json"]
        if key.type == NOTICE:
            return self._notification(key, orjson.loads(full["json"]), account_id)
        action = changed.action
        return CONFIGURATION, action, key.type, key.id, self._body(key, full, account_id, action)

    def _notification(
        self, key: DocumentKey, notice: Mapping[str, Any], account_id: str
    ) -> tuple[str, str, str, str, bytes] | None:
        """A notice as an event: its payload and what all notifications tell. None for letters without an event.

        Source: KAZOO `core/kazoo_amqp/src/api/kapi_notifications.erl`.
        """
        name = str(notice["event_name"])
        if not name:
            return None
        body = {
            "app_name": "crossbar",
            "app_version": __version__,
            "msg_id": key.id,
            "node": self._node,
            "server_id": self._node,
            "system_log_id": key.id,
            **{field: value for field, value in notice["payload"].items() if field not in HIDDEN},
            "account_id": account_id,
            "event_category": NOTIFICATION,
            "event_name": name,
        }
        return NOTIFICATION, name, name, key.id, orjson.dumps(body)

    def _body(self, key: DocumentKey, full: Mapping[str, Any], account_id: str, name: str) -> bytes:
        """What is told of a changed document: which it is, and as far as there is one, its public part."""
        month = f"-{key.id[:6]}" if _MONTHLY.match(key.id) else ""
        fields = full.get("doc") or {}
        about = {
            "id": key.id,
            "database": account_database(account_id) + month,
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
