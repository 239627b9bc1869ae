# SPDX-License-Identifier: MPL-2.0
"""Storage plans: which handler keeps the files of which documents.

Source: KAZOO `core/kazoo_data/src/kzs_plan.erl`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import orjson

from crossbar.documents.document import SYSTEM_DATA, Document, as_object, value_at
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.resources.system.domain.file_store import Handler

STORAGE: Final = "storage"
STORAGE_PLAN: Final = "storage_plan"
STORAGE_HANDLER: Final = "storage_handler"
SYSTEM_ID: Final = "system"
"""The id of the plan that holds for every account."""
SEALED: Final = ("attachments.*.settings.*", "attachments.*._sig", "connections.*.settings.credentials.*")

STORAGE_SHAPE: Final = Shape(STORAGE, summary=Summary("id"), sealed=SEALED)
"""One for an account, for a user, or (in `SYSTEM_DATA`) for the installation; its id is theirs, or `SYSTEM_ID`."""
PLAN_SHAPE: Final = Shape(STORAGE_PLAN, summary=Summary("id"), sealed=SEALED)
"""What a reseller keeps ready."""
HANDLER_SHAPE: Final = Shape(STORAGE_HANDLER, summary=Summary("id"), sealed=("settings.*",), moves=False)
"""A handler as it was when it took files: they are read with it, whatever becomes of the plan."""

MONTHLY: Final = frozenset({"call_recording", "fax", "mailbox_message"})
COVERED: Final = MONTHLY | {"function", "media"}
"""The types of documents whose files a plan can send elsewhere."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the files of a type go: a handler, the folder in front of their paths, and the revision of the plan."""

    handler: Handler
    folder: str
    revision: str


async def destination(store: Store, account_id: str, document_type: str) -> Destination | None:
    """Where a plan sends the files of a type: the account's own, then the installation's; None keeps them here."""
    if document_type not in COVERED:
        return None
    for partition, plan_id in ((account_id, account_id), (SYSTEM_DATA, SYSTEM_ID)):
        plan = await store.get(partition, STORAGE, plan_id)
        if plan is not None and (found := _chosen(plan, document_type)) is not None:
            return found
    return None


def _chosen(plan: Document, document_type: str) -> Destination | None:
    """What a plan says of a type: in the kind of database it lies in, else in the other; the type's word first."""
    kinds = ("modb", "account") if document_type in MONTHLY else ("account", "modb")
    places = [plan.at(f"plan.{kind}.types.{document_type}.attachments") for kind in kinds]
    for place in (*places, plan.at(f"plan.{kinds[0]}.attachments")):
        chosen = as_object(place)
        entry = as_object(as_object(plan.at("attachments")).get(str(chosen.get("handler"))))
        if entry:
            handler = handler_of(str(chosen["handler"]), entry)
            folder = value_at(chosen, "params.folder_path")
            return Destination(handler, folder if isinstance(folder, str) else "", plan.revision or "")
    return None


def handler_of(handler_id: str, entry: dict[str, Any]) -> Handler:
    """An entry of `attachments` as a handler."""
    return Handler(handler_id, str(entry.get("handler")), as_object(entry.get("settings")))


def signature(handler: Handler) -> str:
    """The MD5 of a handler's kind and settings: while it stays, what was tried once need not be tried again."""
    known: JSON = [handler.kind, handler.settings]
    return hashlib.md5(orjson.dumps(known, option=orjson.OPT_SORT_KEYS), usedforsecurity=False).hexdigest()
