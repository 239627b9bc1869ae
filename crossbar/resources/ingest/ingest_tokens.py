# SPDX-License-Identifier: MPL-2.0
"""Ingest tokens: what an account gives to its switch, so that it can hand in records and do nothing else.

An endpoint of this server alone.
"""

from __future__ import annotations

from crossbar.access.authorship import stamps
from crossbar.access.ingest_token import TYPE, IngestToken
from crossbar.access.secret_token import DIGEST_FIELD
from crossbar.documents.document import Document
from crossbar.endpoint import Context, Endpoint, Lists, Reply, Who, answer_listing
from crossbar.ids import new_id

ingest_tokens = Endpoint("ingest_tokens", who=Who.ADMIN)


@ingest_tokens.get("/accounts/{account_id}/ingest_tokens", lists=Lists.PAGES)
async def tokens(context: Context) -> Reply:
    """The account's tokens, without their secrets."""
    return await answer_listing(context, TYPE)


@ingest_tokens.put("/accounts/{account_id}/ingest_tokens", schema="ingest_tokens")
async def create(context: Context) -> Reply:
    """A new token: the one answer that shows it."""
    data = context.valid_data()
    document = Document(context.account_id, TYPE, new_id(), {"name": data["name"]})
    token = IngestToken.new(context.account_id, document.id)
    digest = context.runtime.access.pepper.digest(token.secret)
    document.fields |= stamps(context.author, document) | {DIGEST_FIELD: digest}
    saved = await context.store.insert(document)
    return Reply({**saved.public, "token": str(token)}, revision=saved.revision)


@ingest_tokens.delete("/accounts/{account_id}/ingest_tokens/{ingest_token_id}")
async def revoke(context: Context) -> Reply:
    """End a token; it is refused from the next request on."""
    token_id = context.path["ingest_token_id"]
    document = await context.document(TYPE, token_id)
    await context.store.remove(document)
    return Reply({**document.public, "_read_only": {"deleted": True}}, revision=document.revision)
