"""Ingest tokens: what an account gives to its switch, so that it can hand in records and do nothing else.

An endpoint of this server alone.
"""

from __future__ import annotations

from crossbar.access.ingest_token import DIGEST_FIELD, TYPE, IngestToken
from crossbar.documents.document import Document
from crossbar.endpoint import Call, Reply, Resource, Who, answer_listing, stamps
from crossbar.errors import NotFound
from crossbar.ids import new_id

ingest_tokens = Resource("ingest_tokens", who=Who.ADMIN)


@ingest_tokens.get()
async def tokens(call: Call) -> Reply:
    """The account's tokens, without their secrets."""
    return await answer_listing(call, TYPE)


@ingest_tokens.put()
async def create(call: Call) -> Reply:
    """A new token: the one answer that shows it."""
    data = call.valid("ingest_tokens", call.object)
    document = Document(call.account_id, TYPE, new_id(), {"name": data["name"]})
    token = IngestToken.new(call.account_id, document.id)
    digest = call.services.access.pepper.digest(token.secret)
    document.fields |= stamps(call, document) | {DIGEST_FIELD: digest}
    saved = await call.store.insert(document)
    return Reply({**saved.public, "token": str(token)}, revision=saved.revision)


@ingest_tokens.delete("/{ingest_token_id}")
async def revoke(call: Call) -> Reply:
    """End a token; it is refused from the next request on."""
    token_id = call.path["ingest_token_id"]
    document = await call.store.get(call.account_id, TYPE, token_id)
    if document is None:
        raise NotFound(token_id)
    await call.store.remove(document)
    return Reply({**document.public, "_read_only": {"deleted": True}}, revision=document.revision)
