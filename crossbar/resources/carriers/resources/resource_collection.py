# SPDX-License-Identifier: MPL-2.0
"""Many carriers at a time: all of them are saved, or none.

Source: KAZOO `cb_resources.erl` (`validate_collection`, `collection_process`).
"""

from __future__ import annotations

from typing import Any

from crossbar.access.authorship import stamps
from crossbar.documents.document import Document, merge, private_fields, public_fields
from crossbar.documents.store import Duplicate, Stale, Transaction
from crossbar.endpoint import Context, Draft, Reply, chosen_id
from crossbar.errors import JSON, Conflict, Invalid
from crossbar.ids import new_id
from crossbar.resources.carriers.domain.resource_job import RESOURCE
from crossbar.resources.carriers.resources import claims, resources

MISSING = "resource does not exist"


@resources.put("/accounts/{account_id}/resources/collection", "/resources/collection", checks_itself=True)
@resources.post("/accounts/{account_id}/resources/collection", "/resources/collection", checks_itself=True)
async def save_many(context: Context) -> Reply:
    """New carriers; or changes of carriers (POST), each named by its `id`."""
    drafts: list[Draft] = []
    errors: dict[str, JSON] = {}
    for index, item in enumerate(_items(context)):
        try:
            drafts.append(await _draft(context, item, drafts))
        except Invalid as invalid:
            errors[_key(item, index)] = invalid.fields
        except LookupError:
            errors[_key(item, index)] = MISSING
    if errors:
        return Reply({"errors": errors})
    context.ready_to_write()
    saved = await _keep(context, drafts)
    return Reply([resources.shape.summary.of(document) for document in saved])


def _items(context: Context) -> list[Any]:
    if not isinstance(context.data, list):
        raise Invalid.field("", "type", "Value did not match type(s): array", target="array")
    return context.data


def _key(item: Any, index: int) -> str:
    """By what the errors of an item are found: its id, or its place."""
    given = item.get("id") if isinstance(item, dict) else None
    return given if isinstance(given, str) and given else str(index)


async def _draft(context: Context, item: Any, before: list[Draft]) -> Draft:
    """One item, checked. Raises Invalid, or LookupError for the change of what is not there."""
    if not isinstance(item, dict):
        raise Invalid.field("", "type", "Value did not match type(s): object", target="object", value=item)
    data = public_fields(item)
    wanted = chosen_id(data.pop("id", None))
    if any(draft.id == wanted for draft in before):
        raise Invalid.field("id", "unique", "Value is given twice", cause=wanted)
    if context.verb == "PUT":
        draft = Draft(wanted or new_id(), data, None)
    else:
        partition = resources.life.partition(context)
        previous = await context.store.get(partition, RESOURCE, wanted) if wanted else None
        if previous is None:
            raise LookupError(wanted)
        draft = Draft(previous.id, merge(public_fields(previous.fields), data), previous)
    await resources.life.validate(context, draft)
    await _check_claims(context, draft, before)
    return draft


async def _check_claims(context: Context, draft: Draft, before: list[Draft]) -> None:
    """Refuse addresses that others have, stored or of the same request."""
    document = _document(context, draft)
    errors = Invalid()
    earlier = {claim.key for other in before for claim in claims(_document(context, other))}
    holders = await context.store.claims.holders(document.partition, claims(document))
    for claim in claims(document):
        holder = holders.get(claim.key)
        if claim.key in earlier or (holder is not None and holder.id != document.id):
            errors.add(claim.field, "unique", str(claim.message), cause=claim.cause)
    if errors.fields:
        raise errors


def _document(context: Context, draft: Draft) -> Document:
    previous = draft.previous
    kept = private_fields(previous.fields) if previous else {}
    partition, revision = resources.life.partition(context), previous.revision if previous else None
    document = Document(partition, RESOURCE, draft.id, {**draft.data, **kept}, revision)
    document.fields.update(stamps(context.author, document))
    return document


async def _keep(context: Context, drafts: list[Draft]) -> list[Document]:
    """Save all or none. Raises Conflict where somebody else was faster, or has the id."""

    async def keep(transaction: Transaction) -> list[Document]:
        return [
            await (
                transaction.replace(_document(context, draft), draft.previous)
                if draft.previous
                else transaction.insert(_document(context, draft))
            )
            for draft in drafts
        ]

    try:
        return await context.store.transact(keep)
    except (Duplicate, Stale) as outrun:
        raise Conflict from outrun
