# SPDX-License-Identifier: MPL-2.0
"""What a switch hands in together with a file: voicemail, recordings, faxes; and what became of fax jobs.

The data come as JSON, with the file as a second part of a multipart body. A record whose `call_id` is given is kept
once however often it is sent. An endpoint of this server alone, beside `ingest`.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.documents.document import Document
from crossbar.documents.document_types import VMBOX
from crossbar.documents.store import Duplicate
from crossbar.endpoint import Context, Reply
from crossbar.endpoint.files import only_file
from crossbar.errors import JSON, Invalid, NotFound
from crossbar.resources.calls.fax.domain import fax
from crossbar.resources.calls.fax.faxes import fax_store
from crossbar.resources.calls.media.recordings import create_recording
from crossbar.resources.calls.voicemail.domain.mailbox import mailbox_claim
from crossbar.resources.calls.voicemail.vmboxes import voicemail as voicemail_of
from crossbar.resources.ingest.ingest import PostedAccounts, ingest

ADDRESSES: Final = frozenset({"account_id", "account_realm", "vmbox_id", "mailbox", "folder"})
"""What says where a record belongs, and is no part of it."""
ADDRESSED: Final = {
    "account_id": "The account",
    "account_realm": "Its realm",
    "call_id": "The call, by which it is known again",
}


@ingest.post("/ingest/voicemails", options=ADDRESSED | {"vmbox_id": "The box", "mailbox": "Its number"})
async def voicemail(context: Context) -> Reply:
    """A message for the box of an id (`vmbox_id`) or a number (`mailbox`); its data as `vm_message_metadata`."""
    account = await _account(context)
    box = await _box(context, account)
    data = context.valid("vm_message_metadata", _data(context, "folder"))
    reference = _reference(context, "voicemail", box.id, data.get("timestamp"))
    message = voicemail_of(context, account).create(box, data, only_file(context), reference=reference)
    return await _kept(account, message)


@ingest.post("/ingest/recordings", options=ADDRESSED)
async def recording(context: Context) -> Reply:
    """A recording; its data as `call_recordings`."""
    account, data = await _account(context), _data(context)
    reference = _reference(context, "recording", data.get("start"), data.get("name"))
    return await _kept(account, create_recording(context, account.id, data, only_file(context), reference))


@ingest.post("/ingest/faxes", options=ADDRESSED | {"folder": f"`{fax.INBOX}` or `{fax.OUTBOX}`"})
async def received(context: Context) -> Reply:
    """A fax that was received (`folder` `inbox`, or none) or sent (`outbox`); its data as `faxes`."""
    account = await _account(context)
    where = context.object.get("folder", fax.INBOX)
    if where not in (fax.INBOX, fax.OUTBOX):
        target = [fax.INBOX, fax.OUTBOX]
        raise Invalid.field(
            "folder", "enum", "Value not found in enumerated list of values", target=target, value=where
        )
    data = _data(context)
    reference = _reference(context, "fax", where, data.get("timestamp"))
    stored = fax_store(context).keep(account.id, where, data, only_file(context), reference=reference)
    return await _kept(account, stored)


@ingest.post("/ingest/fax_results", options=ADDRESSED | {"id": "The job", "tx_result": "What became of it"})
async def fax_result(context: Context) -> Reply:
    """What became of a job: its `id`, and the `tx_result`. The job becomes a fax of the outbox."""
    account = await _account(context)
    job_id, result = context.object.get("id"), context.object.get("tx_result")
    job = await context.store.get(account.id, fax.TYPE, str(job_id))
    if job is None or fax.folder(job) != fax.OUTGOING:
        raise NotFound(job_id)
    valid = context.valid("faxes", {**job.public, "tx_result": result if isinstance(result, dict) else {}})
    return await _kept(account, fax_store(context).finish(job, valid["tx_result"]))


async def _account(context: Context) -> Account:
    account_id = await PostedAccounts(context).of(context.object)
    account = await context.directory.account(account_id)
    if account is None:
        raise NotFound(account_id)
    return account


async def _box(context: Context, account: Account) -> Document:
    """The box that a message is for. Raises 400 where there is none."""
    box_id, mailbox = context.object.get("vmbox_id"), context.object.get("mailbox")
    if box_id is None and mailbox:
        box_id = await context.store.claims.holder(account.id, mailbox_claim(str(mailbox)).key)
    box = await context.store.get(account.id, VMBOX, str(box_id)) if box_id else None
    if box is None:
        field = "mailbox" if mailbox else "vmbox_id"
        raise Invalid.field(field, "not_found", "There is no such box", cause=mailbox or box_id)
    return box


def _data(context: Context, *kept: str) -> dict[str, Any]:
    return {key: value for key, value in context.object.items() if key not in ADDRESSES or key in kept}


def _reference(context: Context, *known: JSON) -> str | None:
    """By what a record is known again; None if its call has no name."""
    call_id = context.object.get("call_id")
    return "/".join(map(str, (*known, call_id))) if call_id else None


async def _kept(account: Account, keeping: Awaitable[Document]) -> Reply:
    """The answer for a record that is being kept, or was before."""
    try:
        document = await keeping
    except Duplicate:
        return Reply({"account_id": account.id, "new": False})
    return Reply({"id": document.id, "account_id": account.id, "new": True})
