# SPDX-License-Identifier: MPL-2.0
"""The files of a port request (bills, signed letters), and the letter that is to be signed.

Files are kept as they come: what clients upload as the text of a `data:` URL they read back as that.
"""

from __future__ import annotations

import asyncio
from typing import Final

from crossbar.conversion.media_types import attachment_name
from crossbar.documents.attachments import Attachment
from crossbar.documents.document import Document
from crossbar.endpoint import Binary, Context, Endpoint, Reply
from crossbar.endpoint.files import download, only_file
from crossbar.errors import Invalid, NotFound
from crossbar.resources.numbers.domain.port_request import OWNER
from crossbar.resources.ports.domain import letter_of_authorization
from crossbar.resources.ports.domain.port_changes import check_deletable
from crossbar.resources.ports.port_requests.port_answers import requests_of, shown_uploads
from crossbar.wire.body import UploadedFile
from crossbar.wire.negotiation import PDF_TYPES

UPLOADS: Final = (*PDF_TYPES, "application/octet-stream", "text/plain")


async def listed(context: Context) -> Reply:
    """The files of a request."""
    request = await _request(context)
    return Reply(shown_uploads(await context.runtime.attachments.all(request)), revision=request.revision)


async def add(context: Context) -> Reply:
    """A further file, or another one in place of that of its name."""
    request, file = await _request(context), _file(context)
    await context.runtime.attachments.put(
        request, attachment_name(file.name, file.content_type), file.content_type, file.contents
    )
    return Reply({})


async def read(context: Context) -> Binary:
    """A file as it was uploaded."""
    return await download(context, await _named(context, await _request(context)))


async def replace(context: Context) -> Reply:
    """Another file in place of one."""
    request = await _request(context)
    known, file = await _named(context, request), _file(context)
    await context.runtime.attachments.put(request, known.name, file.content_type, file.contents)
    return Reply({})


async def remove(context: Context) -> Reply:
    """Take a file away from a request that is with no carrier."""
    request = await _request(context)
    known = await _named(context, request)
    check_deletable(request)
    context.ready_to_write(request.revision)
    await context.runtime.attachments.delete(request, known.name)
    return Reply({})


async def letter(context: Context) -> Binary:
    """The letter of authorization, to be printed and signed."""
    request = await _request(context)
    account = await context.directory.account(request.text(OWNER))
    reseller_id = await context.directory.reseller_of(account) if account else None
    reseller = await context.directory.account(reseller_id) if reseller_id else None
    content = letter_of_authorization.letter_for(
        request, carrier=reseller.name if reseller else "", account_name=account.name if account else ""
    )
    body = await asyncio.to_thread(letter_of_authorization.render, content)
    return Binary(body, PDF_TYPES[0], f"loa-{request.id}.pdf", revision=request.revision)


def offer(port_requests: Endpoint) -> None:
    """The routes of a request's files."""
    whole = "/accounts/{account_id}/port_requests/{port_request_id}/attachments"
    port_requests.get(whole)(listed)
    port_requests.put(whole, accepts=UPLOADS)(add)
    one = "/accounts/{account_id}/port_requests/{port_request_id}/attachments/{attachment_id}"
    port_requests.get(one, provides=UPLOADS)(read)
    port_requests.post(one, accepts=UPLOADS)(replace)
    port_requests.delete(one, checks_itself=True)(remove)
    port_requests.get("/accounts/{account_id}/port_requests/{port_request_id}/loa", provides=PDF_TYPES)(letter)


async def _request(context: Context) -> Document:
    return await requests_of(context).find(context.path["port_request_id"])


async def _named(context: Context, request: Document) -> Attachment:
    """The file in the path. Raises 404."""
    name = context.path["attachment_id"]
    attachment = await context.runtime.attachments.find(request, name)
    if attachment is None:
        raise NotFound(name)
    return attachment


def _file(context: Context) -> UploadedFile:
    """The file that came with the request. Raises 400 without one."""
    file = only_file(context)
    if file is None:
        raise Invalid.field("file", "required", "Please provide a file")
    return file
