# SPDX-License-Identifier: MPL-2.0
"""Port requests as clients see them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crossbar.documents.attachments import Attachment
from crossbar.documents.document import Document
from crossbar.endpoint import Context, Reply
from crossbar.errors import JSON
from crossbar.resources.numbers.domain.port_request import (
    AUTHORITY,
    AUTHORITY_NAME,
    DATABASE,
    OWNER,
    OWNER_NAME,
    PORTED,
    SENT,
    TYPE,
    state_of,
)
from crossbar.resources.numbers.phone_numbers.number_lists import caller_of
from crossbar.resources.ports.domain.port_changes import PortRequests
from crossbar.resources.ports.domain.port_comment import visible


def requests_of(context: Context) -> PortRequests:
    """The requests that the caller gets at."""
    return PortRequests(caller_of(context))


async def answer(context: Context, request: Document) -> Reply:
    """A request, as the caller may see it."""
    uploads = await context.runtime.attachments.all(request)
    return Reply(shown(context, request, uploads), revision=request.revision)


async def shown_all(context: Context, requests: Iterable[Document]) -> list[dict[str, Any]]:
    """Requests of a list, each with the account that it belongs to."""
    found = list(requests)
    files = await context.runtime.attachments.of_many(DATABASE, TYPE, [request.id for request in found])
    return [
        {**shown(context, request, files.get(request.id, ())), "account_id": request.text(OWNER)} for request in found
    ]


def shown(context: Context, request: Document, uploads: Iterable[Attachment]) -> dict[str, Any]:
    """The public part of a request with what the server knows of it."""
    known = {
        "account_id": request.text(OWNER),
        "account_name": request.at(OWNER_NAME),
        "port_authority": request.at(AUTHORITY),
        "port_authority_name": request.at(AUTHORITY_NAME),
        "ported_numbers": request.at(PORTED),
    }
    return {
        **request.public,
        "comments": visible(context.identity, request),
        "created": request.at("pvt_created"),
        "updated": request.at("pvt_modified"),
        "port_state": str(state_of(request)),
        "sent": request.at(SENT) is True,
        "uploads": shown_uploads(uploads),
        "_read_only": {key: value for key, value in known.items() if value is not None},
    }


def shown_uploads(uploads: Iterable[Attachment]) -> dict[str, JSON]:
    """The files of a request by name."""
    return {upload.name: {"content_type": upload.content_type, "length": upload.size} for upload in uploads}
