"""What a switch hands in together with a file: voicemail, recordings, faxes; and what became of fax jobs.

The data come as JSON, with the file as a second part of a multipart body. A record whose `call_id` is given is kept
once however often it is sent. An endpoint of this server alone, beside `ingest`.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.documents.document import Document
from crossbar.documents.store import Duplicate
from crossbar.endpoint import Call, Reply
from crossbar.errors import JSON, Invalid, NotFound
from crossbar.resources.calls.fax.domain import fax
from crossbar.resources.calls.media.domain.media_file import only_file
from crossbar.resources.calls.media.recordings import create_recording
from crossbar.resources.calls.voicemail.domain.voicemail_message import create_message
from crossbar.resources.calls.voicemail.vmboxes import mailbox_claim
from crossbar.resources.ingest.ingest import Accounts, ingest

__all__ = ["ingest"]

ADDRESSES: Final = frozenset({"account_id", "account_realm", "vmbox_id", "mailbox", "folder"})
"""What says where a record belongs, and is no part of it."""


@ingest.post("/voicemails")
async def voicemail(call: Call) -> Reply:
    """A message for the box of an id (`vmbox_id`) or a number (`mailbox`); its data as `vm_message_metadata`."""
    account = await _account(call)
    box = await _box(call, account)
    data = call.valid("vm_message_metadata", _data(call, "folder"))
    reference = _reference(call, "voicemail", box.id, data.get("timestamp"))
    message = create_message(call, account, box, data, only_file(call), reference=reference)
    return await _kept(account, message)


@ingest.post("/recordings")
async def recording(call: Call) -> Reply:
    """A recording; its data as `call_recordings`."""
    account, data = await _account(call), _data(call)
    reference = _reference(call, "recording", data.get("start"), data.get("name"))
    return await _kept(account, create_recording(call, account.id, data, only_file(call), reference))


@ingest.post("/faxes")
async def received(call: Call) -> Reply:
    """A fax that was received (`folder` `inbox`, or none) or sent (`outbox`); its data as `faxes`."""
    account = await _account(call)
    where = call.object.get("folder", fax.INBOX)
    if where not in (fax.INBOX, fax.OUTBOX):
        target = [fax.INBOX, fax.OUTBOX]
        raise Invalid.field(
            "folder", "enum", "Value not found in enumerated list of values", target=target, value=where
        )
    data = _data(call)
    reference = _reference(call, "fax", where, data.get("timestamp"))
    stored = fax.store_fax(call, account.id, where, data, only_file(call), reference=reference)
    return await _kept(account, stored)


@ingest.post("/fax_results")
async def fax_result(call: Call) -> Reply:
    """What became of a job: its `id`, and the `tx_result`. The job becomes a fax of the outbox."""
    account = await _account(call)
    job_id, result = call.object.get("id"), call.object.get("tx_result")
    job = await call.store.get(account.id, fax.TYPE, str(job_id))
    if job is None or fax.folder(job) != fax.OUTGOING:
        raise NotFound(job_id)
    valid = call.valid("faxes", {**job.public, "tx_result": result if isinstance(result, dict) else {}})
    return await _kept(account, fax.finish_job(call, job, valid["tx_result"]))


async def _account(call: Call) -> Account:
    account_id = await Accounts(call).of(call.object)
    account = await call.directory.account(account_id)
    if account is None:
        raise NotFound(account_id)
    return account


async def _box(call: Call, account: Account) -> Document:
    """The box that a message is for. Raises 400 where there is none."""
    box_id, mailbox = call.object.get("vmbox_id"), call.object.get("mailbox")
    if box_id is None and mailbox:
        box_id = await call.store.holder(account.id, mailbox_claim(str(mailbox)).key)
    box = await call.store.get(account.id, "vmbox", str(box_id)) if box_id else None
    if box is None:
        field = "mailbox" if mailbox else "vmbox_id"
        raise Invalid.field(field, "not_found", "There is no such box", cause=mailbox or box_id)
    return box


def _data(call: Call, *kept: str) -> dict[str, Any]:
    return {key: value for key, value in call.object.items() if key not in ADDRESSES or key in kept}


def _reference(call: Call, *known: JSON) -> str | None:
    """By what a record is known again; None if its call has no name."""
    call_id = call.object.get("call_id")
    return "/".join(map(str, (*known, call_id))) if call_id else None


async def _kept(account: Account, keeping: Awaitable[Document]) -> Reply:
    """The answer for a record that is being kept, or was before."""
    try:
        document = await keeping
    except Duplicate:
        return Reply({"account_id": account.id, "new": False})
    return Reply({"id": document.id, "account_id": account.id, "new": True})
