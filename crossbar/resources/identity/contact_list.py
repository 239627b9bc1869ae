# SPDX-License-Identifier: MPL-2.0
"""Contact list: whom the people of an account can call, worked out from its callflows.

Source: KAZOO `cb_contact_list`, `provisioner_contact_list.erl`, views `contact_list/extensions`, `…/names`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from crossbar.dialing import is_reconcilable
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT, CALLFLOW, CONFERENCE, DEVICE, DIRECTORY, MENU, USER, VMBOX
from crossbar.documents.listing import Listing
from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import JSON

EXTENSION: Final = "extension"
CUSTOM: Final = "custom"
FEATURE_CODE: Final = "featurecode"
PEOPLE: Final = (USER, DEVICE)
"""What an extension rings."""
NAMED: Final = (USER, MENU, CONFERENCE, DIRECTORY, DEVICE, VMBOX)
"""Types of documents that a contact takes its name from."""
NAMED_BY_TARGET: Final = ("menu", "conference", "directory", "receive_fax", "voicemail")
"""Modules of flows without a name that are called what they lead to."""
NAMED_BY_ACTION: Final = (
    "call_forward", "do_not_disturb", "intercom", "privacy", "record_call", "disa", "dynamic_cid", "hotdesk",
    "manual_presence", "park",
)  # fmt: skip
"""Modules of flows without a name that are called what they do."""

contact_list = Endpoint("contact_list")


@dataclass(frozen=True, slots=True)
class Contact:
    """An entry in the making: `target` names the document to ask for a name and whether to leave the entry out."""

    kind: str
    numbers: tuple[str, ...]
    target: str | None = None
    name: str | None = None
    module: str | None = None


@contact_list.get("/accounts/{account_id}/contact_list")
async def read(context: Context) -> Reply:
    """Name, and the first number of the public network and within the account, of everybody who has both."""
    callflows = await context.store.all(Listing(context.account_id, CALLFLOW, descending=False))
    kinds = await _kinds(context)
    found = [contact for callflow in callflows if (contact := contact_of(callflow)) is not None]
    wanted = sorted((contact for contact in found if not kinds or contact.kind in kinds), key=lambda it: it.kind)
    targets = await _targets(context, {contact.target for contact in wanted if contact.target})
    entries = (_entry(contact, targets) for contact in wanted if not _is_excluded(targets.get(contact.target or "")))
    return Reply([entry for entry in entries if entry is not None])


def contact_of(callflow: Document) -> Contact | None:
    """What a callflow adds to the list; None if it leads to nobody who can be named."""
    numbers = callflow.at("numbers")
    module = callflow.at("flow.module")
    if not isinstance(numbers, list) or not isinstance(module, str) or _is_excluded(callflow):
        return None
    dialled = tuple(number for number in numbers if isinstance(number, str))
    target = callflow.text("flow.data.id") or callflow.text("flow.data.owner_id")
    if module in PEOPLE and target and callflow.at("flow.children._.module") in (None, "voicemail"):
        return Contact(EXTENSION, dialled, target)
    kind = FEATURE_CODE if callflow.at("featurecode") else CUSTOM
    if name := callflow.text("name") or callflow.text("flow.data.name"):
        return Contact(kind, dialled, name=name, module=module.replace("_", " ", 1))
    if module in NAMED_BY_TARGET and target:
        return Contact(kind, dialled, target, module=module)
    action = callflow.text("flow.data.action")
    if module not in (*NAMED_BY_ACTION, "voicemail") or not action:
        return None
    suffix = "" if action == module else f" ({action})"
    return Contact(kind, dialled, name=f"{module}{suffix}".replace("_", " "))


def _entry(contact: Contact, targets: dict[str, Document]) -> dict[str, str] | None:
    name = contact.name or _name_of(targets.get(contact.target or ""))
    if not name or not contact.numbers:
        return None
    entry = {"name": f"{name} ({contact.module})" if contact.module else name}
    for number in contact.numbers:
        entry.setdefault("external_number" if is_reconcilable(number) else "internal_number", number)
    return entry


async def _kinds(context: Context) -> JSON:
    """The kinds of contacts wanted, by the account or else by the system; all if none is named."""
    account = await context.store.get(ACCOUNTS, ACCOUNT, context.account_id)
    own = account.at("contact_list.includes") if account else None
    return context.runtime.settings.get("crossbar.contact_list", "default_includes", []) if own is None else own


async def _targets(context: Context, ids: Iterable[str]) -> dict[str, Document]:
    """The documents of any type that may have a name, by id."""
    wanted, found = sorted(ids), dict[str, Document]()
    for shape in context.store.shapes:
        if shape.type in NAMED and wanted:
            found |= await context.store.get_many(context.account_id, shape.type, wanted)
    return found


def _name_of(document: Document | None) -> str:
    if document is None:
        return ""
    return f"{document.text('first_name')} {document.text('last_name')}".strip() or document.text("name")


def _is_excluded(document: Document | None) -> bool:
    return document is not None and document.at("contact_list.exclude") is True
