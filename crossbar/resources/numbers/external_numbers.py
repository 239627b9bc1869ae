# SPDX-License-Identifier: MPL-2.0
"""External numbers: numbers that an account has elsewhere and wants to show as its caller id.

MonsterUI asks for them; the module that serves them is no part of KAZOO's public source. That a number is the account's
is shown by a code that a call to the number tells. Without a switch nobody calls, so that only the operator can verify.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crossbar.access.authorship import stamps
from crossbar.dialing import is_reconcilable, normalize_at
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.endpoint import Collection, Context, Draft, Reply
from crossbar.errors import Invalid, NotFound, SystemFault

TAKEN: Final = "Number is an external number of the account already"


def claims(document: Document) -> Iterator[Unique]:
    """The number, which an account names once."""
    if number := document.text("number"):
        yield Unique("external_number", number, "number", TAKEN, cause=number)


external_numbers = Collection(
    "external_numbers",
    "/accounts/{account_id}/external_numbers/{external_number_id}",
    Shape("external_number", summary=Summary("id", "name", "number", "verified"), sort="number", unique=claims),
    schema="external_numbers",
    operations=("list", "create", "read", "delete"),
    hard_delete=True,
)


@external_numbers.normalize
async def normalize_number(_: Context, draft: Draft) -> None:
    """Numbers are kept in E.164 form; that one is verified is not the client's to say."""
    normalize_at(draft.data, "number")
    draft.data["verified"] = False


@external_numbers.check
async def check_number(_: Context, draft: Draft) -> None:
    """Only a number of the public network can be called back."""
    number = draft.data.get("number")
    if isinstance(number, str) and number and not is_reconcilable(number):
        draft.errors.add("number", "invalid", "Number is non reconcilable", cause=number)


@external_numbers.put("/accounts/{account_id}/external_numbers/{external_number_id}/verify", refuses=(500,))
async def call(context: Context) -> Reply:
    """Have the number called and told its code. Nobody does, without a switch."""
    await external_numbers.life.load(context, context.path["external_number_id"])
    raise SystemFault("timeout", cause="the number could not be called")


@external_numbers.post(
    "/accounts/{account_id}/external_numbers/{external_number_id}/verify",
    shows=external_numbers.life.schema,
    options={"code": "What the call told"},
)
async def verify(context: Context) -> Reply:
    """Take the number as verified: by the operator's word, since no call tells a code."""
    document = await external_numbers.life.load(context, context.path["external_number_id"])
    if not context.identity.superduper:
        raise Invalid.field("code", "invalid", "Invalid verification code", cause=context.object.get("code"))

    def change(stored: Document) -> None:
        stored.fields["verified"] = True
        stored.fields.update(stamps(context.author, stored))

    saved = await context.store.update(document.partition, document.type, document.id, change)
    if saved is None:
        raise NotFound(document.id)
    return await external_numbers.life.answer(context, saved)
