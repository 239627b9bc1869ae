# SPDX-License-Identifier: MPL-2.0
"""What is said and done about a port request: its comments, which the endpoint `comments` serves, and its timeline.

Source: KAZOO `cb_comments`, `cb_port_requests:prepare_timeline`.
"""

from __future__ import annotations

from crossbar.documents.document import Document
from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import Invalid
from crossbar.resources.identity.comments import comments
from crossbar.resources.ports.domain.port_comment import timeline, visible
from crossbar.resources.ports.port_requests.port_answers import requests_of


async def told(context: Context) -> Reply:
    """Comments and moves, the oldest first."""
    request = await requests_of(context).find(context.path["port_request_id"])
    return Reply(timeline(context.identity, request), revision=request.revision)


def offer(port_requests: Endpoint) -> None:
    """The route of a request's timeline."""
    port_requests.get("/accounts/{account_id}/port_requests/{port_request_id}/timeline")(told)


@comments.get("/accounts/{account_id}/port_requests/{port_request_id}/comments")
async def read_all(context: Context) -> Reply:
    """The comments that the caller may read."""
    return _visible(context, await requests_of(context).find(_request_id(context)))


@comments.put("/accounts/{account_id}/port_requests/{port_request_id}/comments", checks_itself=True, schema="comments")
async def add(context: Context) -> Reply:
    """Add comments; those are told whom the request concerns."""
    change = await requests_of(context).comment(_request_id(context), context.object)
    return _visible(context, change.request)


def _request_id(context: Context) -> str:
    """The request before `comments` in the path."""
    return context.nouns[-2].args[0]


def _visible(context: Context, request: Document) -> Reply:
    return Reply({"comments": visible(context.identity, request)}, revision=request.revision)


@comments.delete("/accounts/{account_id}/port_requests/{port_request_id}/comments", checks_itself=True)
async def refuse_to_clear(context: Context) -> Reply:
    """Comments cannot be taken back: what was said stays."""
    await requests_of(context).find(_request_id(context))
    raise Invalid.field("comments", "forbidden", "delete operation on comments is not allowed", cause="comments")


@comments.get("/accounts/{account_id}/port_requests/{port_request_id}/comments/{comment_id}")
@comments.post("/accounts/{account_id}/port_requests/{port_request_id}/comments/{comment_id}", checks_itself=True)
@comments.delete("/accounts/{account_id}/port_requests/{port_request_id}/comments/{comment_id}", checks_itself=True)
async def refuse_single(context: Context) -> Reply:
    """Comments are read and made together."""
    await requests_of(context).find(_request_id(context))
    raise Invalid.field("comments", "forbidden", "operation on a single comment is not allowed", cause="comments")
