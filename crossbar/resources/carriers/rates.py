# SPDX-License-Identifier: MPL-2.0
"""Rates: what calls cost, and the rate of a number.

Source: KAZOO `cb_rates`. They are the installation's; an account asks for the rate of a number.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from crossbar.dialing import is_reconcilable, normalize
from crossbar.documents.document import Document, public_fields
from crossbar.endpoint import Collection, Context, Draft, Lists, Reply, Who, answer_computed, answer_listing, chosen_id
from crossbar.errors import Invalid, NotFound, SystemFault
from crossbar.ids import new_id
from crossbar.resources.carriers.domain import rate, ratedeck, rating
from crossbar.resources.carriers.domain.rating import RatedCall

DECK: Final = {"ratedeck_id": "The deck; the usual one without"}


def named_deck(context: Context) -> str:
    """The deck of the request."""
    return ratedeck.checked_deck(context.values.get("ratedeck_id"))


rates = Collection(
    "rates",
    "/rates/{rate_id}",
    rate.RATE_SHAPE,
    schema="rates",
    who=Who.SUPERDUPER,
    operations=("read", "replace", "merge"),
    partition=lambda context: ratedeck.partition_of(named_deck(context)),
    partition_options=DECK,
)


@rates.get("/rates", lists=Lists.PAGES, options=DECK | {"prefix": "Digits: only rates whose prefix they begin with"})
async def index(context: Context) -> Reply:
    """The rates of a deck; with a `prefix`, whole rates: those whose prefix is a leading part of it."""
    prefix = context.values.get("prefix")
    if prefix is None:
        return await answer_listing(context, rate.TYPE, ratedeck.partition_of(named_deck(context)))
    digits = "".join(filter(str.isdecimal, str(prefix)))
    found = await ratedeck.of_leading_digits(context.store, named_deck(context), digits)
    return answer_computed(
        context, ((f"{len(str(entry['prefix'])):03}/{entry['id']}", _document(entry), entry) for entry in found)
    )


def _document(public: dict[str, object]) -> Document:
    return Document("", rate.TYPE, str(public["id"]), public)


@rates.put("/rates", **rates.about("create"))
async def create(context: Context) -> Reply:
    """A new rate; its id follows from country and prefix unless one is given."""
    data = context.object
    given = chosen_id(data.get("id") or data.get("ID"))
    rate_id = given or (chosen_id(rate.default_id(data)) if data.get("prefix") else new_id())
    saved = await rates.life.save_new(context, rate_id or new_id(), data)
    reply = await rates.life.answer(context, saved)
    reply.location = f"/v2/rates/{quote(saved.id, safe='')}"
    return reply


@rates.normalize
async def list_direction(_: Context, draft: Draft) -> None:
    """One direction may be given as a text."""
    if "direction" in draft.data:
        draft.data["direction"] = rate.directions(draft.data["direction"])


@rates.check
async def set_routes(_: Context, draft: Draft) -> None:
    """The numbers of the prefix, unless the rate has patterns of its own."""
    rate.route_by_prefix(draft.data, public_fields(draft.previous.fields) if draft.previous else {})


@rates.save
async def save(context: Context, document: Document, previous: Document | None) -> Document:
    """A deck is there from its first rate on, and its rates are found by their prefix."""
    await ratedeck.note_deck(context.store, named_deck(context))
    return await context.store.transact(lambda transaction: ratedeck.put(transaction, document, previous))


@rates.delete("/rates/{rate_id}", checks_itself=True, shows=rates.life.schema, options=DECK)
async def delete(context: Context) -> Reply:
    """Remove a rate for good, so that its id is free for the next one."""
    found = await rates.life.load(context, context.path["rate_id"])
    context.ready_to_write(found.revision)
    taken = await context.store.transact(
        lambda transaction: ratedeck.take(transaction, found.partition, found.id, context.author)
    )
    if taken is None:
        raise NotFound(found.id)
    return Reply({**taken.public, "_read_only": {"deleted": True}}, revision=taken.revision)


@rates.get("/rates/ratedecks")
async def ratedecks(context: Context) -> Reply:
    """All decks, and the one by which numbers are rated."""
    usual = rating.usual_deck(context.runtime.settings)
    return Reply({"default_ratedeck": usual, "ratedecks": await ratedeck.decks(context.store)})


@rates.get(
    "/rates/number/{number}",
    who=Who.AUTHENTICATED,
    options=DECK | {"direction": "`inbound` or `outbound`", "caller_id_number": "Who calls"},
    refuses=(500,),
)
async def rate_number(context: Context) -> Reply:
    """What a call to a number costs."""
    number = context.path["number"]
    if not is_reconcilable(number):
        raise Invalid.field("number format", "error", "Number is un-rateable")
    settings, named = context.runtime.settings, context.values.get("ratedeck_id")
    deck = ratedeck.checked_deck(named) if named else rating.usual_deck(settings)
    call = RatedCall(normalize(number), context.values.text("direction"), context.values.text("caller_id_number") or "")
    found = await rating.rate_of(context.store, settings, deck, call)
    if found is None:
        raise SystemFault("No rate found for this number")
    return Reply(found)
