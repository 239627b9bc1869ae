# SPDX-License-Identifier: MPL-2.0
"""Faxes of an account, of a fax box or of a user: to send, received, sent, and letters that were to become faxes.

Source: KAZOO `cb_faxes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Final

from crossbar.access.authorship import stamps
from crossbar.conversion.media_types import PAPER
from crossbar.documents.document import Document
from crossbar.documents.document_types import USER
from crossbar.documents.shape import Shape, Source, Summary
from crossbar.endpoint import Binary, Context, Endpoint, Handler, Lists, Reply, answer_listing
from crossbar.endpoint.files import download, only_file
from crossbar.errors import JSON, NotFound, SystemFault
from crossbar.resources.calls.fax.domain.fax import INBOX, OUTBOX, OUTGOING, PDF_NAME, STATUS, TYPE, FaxStore, folder
from crossbar.resources.calls.media.domain.local_time import file_time, local_time
from crossbar.resources.calls.media.domain.media_file import MEDIA_CONVERTER

LETTER: Final = "fax_smtp_log"
FROM_FAXBOX: Final = (
    ("from_name", "caller_name"),
    ("fax_identity_name", "fax_header"),
    ("from_number", "caller_id"),
    ("fax_identity_number", "fax_identity"),
    ("fax_timezone", "fax_timezone"),
    ("retries", "retries"),
)
"""Field of a fax → field of the fax box that stands in for it."""
ACTIONS: Final = {
    (INBOX, "forward"): ("tx_result", "rx_result", "retry_after"),
    (OUTBOX, "resubmit"): ("tx_result", "retry_after"),
}
"""What can be done with a fax in a folder, and which fields the new job does not take over."""
FAILURES: Final = {"forward": "error when forwarding fax", "resubmit": "error when resubmitting fax"}

faxes = Endpoint("faxes")


def fax_store(context: Context) -> FaxStore:
    """Where the faxes of this request are kept."""
    return FaxStore(context.runtime, context.service(MEDIA_CONVERTER), context.author)


def letter_error(letter: Document) -> JSON:
    """The first thing that went wrong with a letter."""
    errors = letter.at("errors")
    return errors[0] if isinstance(errors, list) and errors else None


LETTER_ROW: Final[dict[str, Source]] = {
    **{name: name for name in ("id", "from", "to")},
    "error": letter_error,
    "created": "pvt_created",
}
FAX_SMTP_LOG_SHAPE: Final = Shape(
    LETTER,
    summary=Summary(**LETTER_ROW),
    sort="pvt_created",
    tags=lambda letter: [f"faxbox/{letter.at('faxbox_id')}"],
    stored_in="records",
)


# To send


@faxes.put(
    "/accounts/{account_id}/faxes",
    "/accounts/{account_id}/faxboxes/{faxbox_id}/faxes",
    "/accounts/{account_id}/users/{user_id}/faxes",
    "/accounts/{account_id}/faxes/outgoing",
    "/accounts/{account_id}/faxboxes/{faxbox_id}/faxes/outgoing",
    "/accounts/{account_id}/users/{user_id}/faxes/outgoing",
    accepts=PAPER,
    checks_itself=True,
    options={"timezone": "The fax's time zone"},
    schema="faxes",
    refuses=(500,),
)
async def queue(context: Context) -> Reply:
    """A fax to send: as JSON with the URL of its paper, or the paper with or without JSON."""
    store, data, file = fax_store(context), await _completed(context), only_file(context)
    fields = await store.checked_job(context.account_id, data, has_file=file is not None)
    context.ready_to_write()
    job = await store.queue(context.account_id, fields, file)
    reply = Reply.document(job)
    reply.location = f"{context.request.rel_url.raw_path.rstrip('/')}/{job.id}"
    return reply


async def _completed(context: Context) -> dict[str, JSON]:
    """The data of the request with what its fax box, user and account say where it says nothing."""
    data = dict(context.object)
    faxbox, user = context.parents.get("faxboxes"), context.parents.get("users")
    if faxbox is not None:
        for name, source in FROM_FAXBOX:
            if data.get(name) is None and (value := faxbox.at(source)) is not None:
                data[name] = value
        data["faxbox_id"] = faxbox.id
    if user is not None:
        data["owner_id"] = user.id
    data.setdefault("fax_timezone", context.values.text("timezone") or await _timezone(context))
    return data


@faxes.get(
    "/accounts/{account_id}/faxes/outgoing",
    "/accounts/{account_id}/faxboxes/{faxbox_id}/faxes/outgoing",
    "/accounts/{account_id}/users/{user_id}/faxes/outgoing",
    lists=Lists.PAGES,
)
async def list_jobs(context: Context) -> Reply:
    """The jobs, the newest first."""
    return await answer_listing(context, TYPE, tag=_tag(context, OUTGOING))


@faxes.get(
    "/accounts/{account_id}/faxes/outgoing/{fax_job_id}",
    "/accounts/{account_id}/faxboxes/{faxbox_id}/faxes/outgoing/{fax_job_id}",
    "/accounts/{account_id}/users/{user_id}/faxes/outgoing/{fax_job_id}",
)
async def read_job(context: Context) -> Reply:
    """A job, and how far it is."""
    job = await _fax(context, context.path["fax_job_id"])
    status = job.at(STATUS)
    if status is None:
        raise NotFound(job.id)
    delivered = job.at("pvt_delivered_date") or (job.at("pvt_modified") if status == "completed" else None)
    progress = {
        "created": job.at("pvt_created"),
        "delivered": delivered,
        "status": "not available" if status == "processing" else status,
    }
    public = {**job.public, **{key: value for key, value in progress.items() if value is not None}}
    return Reply(public, revision=job.revision)


# Received and sent


def _lists(paths: Iterable[str], where: str) -> None:
    @faxes.get(*paths, lists=Lists.TIMES)
    async def list_faxes(context: Context) -> Reply:
        """The faxes of a folder, the newest first."""
        return await answer_listing(
            context, TYPE, tag=_tag(context, where), time_range=context.config.api.maximum_range
        )


def _in_folder(where: str, work: Callable[[Context, Document, str], Any]) -> Handler:
    """A handler that does something with a fax of a folder."""

    @wraps(work, assigned=("__doc__", "__name__"))
    async def handle(context: Context) -> Reply | Binary:
        fax = await _fax(context, context.path["fax_id"])
        if folder(fax) != where:
            raise SystemFault(f"document is not in folder {where}")
        answer: Reply | Binary = await work(context, fax, where)
        return answer

    return handle


async def read(context: Context, fax: Document, where: str) -> Reply:
    """One fax of the folder."""
    return Reply.document(fax)


async def delete(context: Context, fax: Document, where: str) -> Reply:
    """Take a fax out of the list."""

    def mark(stored: Document) -> None:
        stored.fields |= stamps(context.author, stored) | {"pvt_deleted": True}

    context.ready_to_write(fax.revision)
    await context.store.update(fax.partition, TYPE, fax.id, mark)
    return Reply({**fax.public, "_read_only": {"deleted": True}}, revision=fax.revision)


async def act(context: Context, fax: Document, where: str) -> Reply:
    """Send a fax on, or once more."""
    action = context.values.envelope_first("action")
    if not action:
        raise SystemFault("action required")
    dropped = ACTIONS.get((where, str(action)))
    if dropped is None:
        raise SystemFault("invalid action")
    if not fax.at("document.url") and not await context.runtime.attachments.all(fax):
        raise SystemFault(FAILURES[str(action)])
    changes = {key: value for key, value in context.object.items() if key not in ("id", "action")}
    return Reply.document(await fax_store(context).requeue(fax, changes, dropped, ready=context.ready_to_write))


async def paper(context: Context, fax: Document, where: str) -> Binary:
    """The fax as a PDF."""
    attachment = await context.runtime.attachments.find(fax, PDF_NAME)
    if attachment is None:
        raise NotFound(fax.id)
    moment = local_time(fax.at("pvt_created"), await _timezone(context))
    kind = "inline" if context.values.text("disposition") == "inline" else "attachment"
    return await download(context, attachment, name=f"fax_document_{file_time(moment)}.pdf", kind=kind)


async def delete_paper(context: Context, fax: Document, where: str) -> Reply:
    """Delete the paper of a fax, and keep what is known of it."""
    context.ready_to_write(fax.revision)
    await context.runtime.attachments.delete(fax)
    return Reply({})


IN_FOLDERS: Final = (
    (
        INBOX,
        "/accounts/{account_id}/faxes/inbox/{fax_id}",
        "/accounts/{account_id}/faxboxes/{faxbox_id}/faxes/inbox/{fax_id}",
        "/accounts/{account_id}/users/{user_id}/faxes/inbox/{fax_id}",
    ),
    (
        OUTBOX,
        "/accounts/{account_id}/faxes/outbox/{fax_id}",
        "/accounts/{account_id}/faxboxes/{faxbox_id}/faxes/outbox/{fax_id}",
        "/accounts/{account_id}/users/{user_id}/faxes/outbox/{fax_id}",
    ),
)
"""A folder, and the paths of a fax in it."""
INCOMING: Final = (
    "/accounts/{account_id}/faxes/incoming/{fax_id}",
    "/accounts/{account_id}/faxboxes/{faxbox_id}/faxes/incoming/{fax_id}",
    "/accounts/{account_id}/users/{user_id}/faxes/incoming/{fax_id}",
)
"""Further paths of a fax in the inbox, only to read."""

for _where, *_items in (*IN_FOLDERS, (INBOX, *INCOMING)):
    _lists([_item.rpartition("/")[0] for _item in _items], _where)
    faxes.get(*_items, refuses=(500,))(_in_folder(_where, read))
for _where, *_items in IN_FOLDERS:
    _papers = [f"{_item}/attachment" for _item in _items]
    faxes.put(*_items, checks_itself=True, refuses=(500,), options={"action": "`forward` or `resubmit`"})(
        _in_folder(_where, act)
    )
    faxes.delete(*_items, checks_itself=True, refuses=(500,))(_in_folder(_where, delete))
    faxes.get(*_papers, provides=PAPER, refuses=(500,), options={"disposition": "`inline` to be shown"})(
        _in_folder(_where, paper)
    )
    faxes.delete(*_papers, checks_itself=True, refuses=(500,))(_in_folder(_where, delete_paper))


# Letters


@faxes.get(
    "/accounts/{account_id}/faxes/smtplog",
    "/accounts/{account_id}/faxboxes/{faxbox_id}/faxes/smtplog",
    "/accounts/{account_id}/users/{user_id}/faxes/smtplog",
    lists=Lists.TIMES,
)
async def list_letters(context: Context) -> Reply:
    """The letters that were to become faxes, the newest first."""
    faxbox = context.parents.get("faxboxes")
    tag = f"faxbox/{faxbox.id}" if faxbox else None
    return await answer_listing(context, LETTER, tag=tag, time_range=context.config.api.maximum_range)


@faxes.get(
    "/accounts/{account_id}/faxes/smtplog/{attempt_id}",
    "/accounts/{account_id}/faxboxes/{faxbox_id}/faxes/smtplog/{attempt_id}",
    "/accounts/{account_id}/users/{user_id}/faxes/smtplog/{attempt_id}",
)
async def read_letter(context: Context) -> Reply:
    """A letter, and what became of it."""
    letter = await context.document(LETTER, context.path["attempt_id"])
    return Reply.document(letter)


# What a request names


def _tag(context: Context, where: str) -> str:
    if (faxbox := context.parents.get("faxboxes")) is not None:
        return f"{where}/faxbox/{faxbox.id}"
    if (user := context.parents.get("users")) is not None:
        return f"{where}/owner/{user.id}"
    return where


async def _fax(context: Context, fax_id: str) -> Document:
    """A fax of the account, and of the fax box or user in the path. Raises 404."""
    fax = await context.document(TYPE, fax_id)
    owners = (("faxboxes", "faxbox_id"), ("users", "owner_id"))
    if any(
        parent is not None and fax.at(field) != parent.id
        for parent, field in ((context.parents.get(noun), field) for noun, field in owners)
    ):
        raise NotFound(fax_id)
    return fax


async def _timezone(context: Context) -> str:
    """That of the user in the path or of the caller, of the account, or the configured one."""
    user = context.parents.get("users")
    if user is None and context.caller is not None and context.caller.owner_id:
        user = await context.store.get(context.caller.account_id, USER, context.caller.owner_id)
    own = user.at("timezone") if user else None
    return str(own or context.account.timezone or context.config.accounts.default_timezone)
