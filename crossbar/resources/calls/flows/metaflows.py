# SPDX-License-Identifier: MPL-2.0
"""Metaflows: what people can do by key press during a call, for an account or whatever else a call runs through.

Kept as `metaflows` of the document in the path. Source: KAZOO `cb_metaflows`.
"""

from __future__ import annotations

from crossbar.documents.document import Document
from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.endpoint.subject import change_subject, subject

metaflows = Endpoint("metaflows")


@metaflows.get("/accounts/{account_id}/metaflows", "/accounts/{account_id}/{collection}/{document_id}/metaflows")
async def read(context: Context) -> Reply:
    """The metaflows; an empty object if there are none."""
    document = await subject(context)
    return Reply(document.at("metaflows", {}), revision=document.revision)


@metaflows.post(
    "/accounts/{account_id}/metaflows",
    "/accounts/{account_id}/{collection}/{document_id}/metaflows",
    checks_itself=True,
    schema="metaflows",
)
async def replace(context: Context) -> Reply:
    """Put these metaflows in the place of what was there."""
    data = context.valid_data({key: value for key, value in context.object.items() if key != "id"})

    def put(document: Document) -> None:
        document.fields["metaflows"] = data

    return Reply(data, revision=(await change_subject(context, put)).revision)


@metaflows.delete(
    "/accounts/{account_id}/metaflows",
    "/accounts/{account_id}/{collection}/{document_id}/metaflows",
    checks_itself=True,
)
async def delete(context: Context) -> Reply:
    """Take the metaflows away."""

    def take(document: Document) -> None:
        document.fields.pop("metaflows", None)

    return Reply({}, revision=(await change_subject(context, take)).revision)
