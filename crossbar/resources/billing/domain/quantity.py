# SPDX-License-Identifier: MPL-2.0
"""How many of everything an account has, as service plans count it.

Source: KAZOO `kz_services_quantities.erl`, `kzd_services`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

from crossbar.access.directory import Account
from crossbar.dialing import NUMBER
from crossbar.documents.document import ACCOUNTS, Document, as_list, as_object
from crossbar.documents.document_types import (
    ACCOUNT,
    APPS_STORE,
    CONFERENCE,
    DEVICE,
    FAXBOX,
    LIMITS,
    USER,
    VMBOX,
    WHITELABEL,
)
from crossbar.documents.listing import Listing
from crossbar.errors import JSON
from crossbar.resources.carriers.domain import dedicated_ip
from crossbar.resources.numbers.domain import number_features
from crossbar.resources.numbers.domain.number import LOCAL, carrier_of, owner_of
from crossbar.resources.numbers.domain.number_count import counted_items
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.resources.numbers.domain.port_request import DATABASE, OWNER, TRANSITIONS, numbers_of, state_of
from crossbar.resources.numbers.domain.port_request import TYPE as PORT_REQUEST
from crossbar.resources.numbers.domain.port_request import owned as requested_by
from crossbar.runtime import Runtime

ACCOUNTS_BELOW: Final = "accounts"
"""The category of the accounts below an account, at any depth."""

Quantities = dict[str, dict[str, float]]
"""Category → item → how many."""

Items = Iterator[tuple[str, str, float]]
"""Category, item and quantity."""


def _user(document: Document) -> Items:
    yield "users", str(document.at("priv_level") or "user"), 1


def _device(document: Document) -> Items:
    yield "devices", str(document.at("device_type") or "sip_device"), 1


def _vmbox(document: Document) -> Items:
    yield "voicemails", "mailbox", 1
    if document.at("transcribe") is True:
        yield "voicemails", "transcription", 1


def _limits(document: Document) -> Items:
    for item in ("twoway_trunks", "inbound_trunks", "outbound_trunks"):
        yield "limits", item, _number(document.at(item))


def _apps(document: Document) -> Items:
    closed = as_list(document.at("blacklist"))
    for app_id, entry in as_object(document.at("apps")).items():
        if app_id not in closed and isinstance(entry, dict) and isinstance(name := entry.get("name"), str):
            yield "account_apps", name, 1
            yield "user_apps", name, len(as_list(entry.get("users")))


def charged_as(request: Document) -> Quantities:
    """What a port request counts as where it stands: its numbers, under `first_` when it came there once."""
    state = str(state_of(request))
    moves = [as_object(as_object(move).get("transition")).get("new") for move in request.fields.get(TRANSITIONS, ())]
    numbers = numbers_of(request)
    item = f"first_{state}" if moves.count(state) <= 1 else state
    return {"port_request": {item: len(numbers)}} if numbers else {}


def _items_of(quantities: Quantities) -> Items:
    yield from ((category, item, number) for category, items in quantities.items() for item, number in items.items())


def _id_of(user: JSON) -> JSON:
    """The id in an entry of an app's users; interfaces write it as text or as an object with an `id`."""
    user_id = user.get("id") if isinstance(user, dict) else user
    return user_id if isinstance(user_id, str) else None


def with_known_users(document: Document, users: Iterable[Document]) -> Document:
    """An account's apps, each with those of its users who may open it; any other document as it is.

    `allowed_users` opens an app to `all` who are enabled, or to the `admins` among them; else its `users` may open it,
    as far as they still exist.
    """
    if document.type != APPS_STORE:
        return document
    known = {user.id for user in users}
    counted: dict[JSON, list[JSON]] = {
        "all": [user.id for user in users if user.at("enabled") is not False],
        "admins": [user.id for user in users if user.at("enabled") is not False and user.at("priv_level") == "admin"],
    }

    def opened_to(entry: dict[str, JSON]) -> list[JSON]:
        named = [user for user in as_list(entry.get("users")) if _id_of(user) in known]
        allowed = entry.get("allowed_users")
        return counted.get(allowed, named) if isinstance(allowed, str) else named

    apps = {
        app_id: {**entry, "users": opened_to(entry)}
        for app_id, entry in as_object(document.at("apps")).items()
        if isinstance(entry, dict)
    }
    return replace(document, fields={**document.fields, "apps": apps})


def _one(category: str, item: str) -> Callable[[Document], Items]:
    def one(_: Document) -> Items:
        yield category, item, 1

    return one


COUNTED: Final[dict[str, Callable[[Document], Items]]] = {
    USER: _user,
    DEVICE: _device,
    VMBOX: _vmbox,
    FAXBOX: _one("faxes", "mailbox"),
    CONFERENCE: _one("conferences", "conference"),
    LIMITS: _limits,
    WHITELABEL: _one("branding", "whitelabel"),
    APPS_STORE: _apps,
}
"""Type of document → what one of them counts as."""


def items_of(document: Document) -> Items:
    """Everything a document counts as; one that is disabled counts nothing."""
    if document.at("enabled") is False:
        return
    if (count := COUNTED.get(document.type)) is not None:
        yield from count(document)
    billing = document.at("billing")
    for key, quantity in billing.items() if isinstance(billing, dict) else ():
        yield "billing", key, _number(quantity)


def _items_of_number(document: Document, rules: NumberSettings) -> Items:
    """A number counts by its kind, by its carrier and by each of its features; a local one costs nothing by itself."""
    if carrier_of(document) != LOCAL and (classifier := rules.classify(document.id)) is not None:
        yield "phone_numbers", classifier["name"], 1
    yield "number_carriers", carrier_of(document), 1
    yield from (("number_services", feature, 1) for feature in number_features.names(document))


def things_of(account_id: str, documents: Iterable[Document], rules: NumberSettings) -> Items:
    """Everything that documents count as for an account; of numbers, addresses and port requests only its own."""
    for document in documents:
        if document.type == NUMBER:
            if owner_of(document) == account_id:
                yield from _items_of_number(document, rules)
        elif document.type == dedicated_ip.TYPE:
            if document.text(dedicated_ip.ASSIGNED_TO) == account_id:
                yield "ips", "dedicated", 1
        elif document.type == PORT_REQUEST:
            if document.text(OWNER) == account_id:
                yield from _items_of(charged_as(document))
        else:
            yield from items_of(document)


def plus(quantities: Quantities, difference: Quantities) -> Quantities:
    """Quantities with others added to them, of which some may be negative."""
    return total(chain(_items_of(quantities), _items_of(difference)))


def _number(value: object) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def total(items: Iterable[tuple[str, str, float]]) -> Quantities:
    """Items added up."""
    quantities: Quantities = {}
    for category, item, quantity in items:
        if quantity:
            counted = quantities.setdefault(category, {})
            counted[item] = counted.get(item, 0) + quantity
    return quantities


async def own_quantities(runtime: Runtime, account_id: str) -> Quantities:
    """What an account itself has, and how many accounts are below it."""
    store = runtime.store
    documents = [
        document
        for document_type in COUNTED
        if document_type in store.shapes
        for document in await store.all(Listing(account_id, document_type))
    ]
    users = [document for document in documents if document.type == USER]
    numbers = await counted_items(runtime, account_id)
    requests = await store.all(Listing(DATABASE, PORT_REQUEST, tag=requested_by(account_id)))
    quantities = total(
        chain(
            (item for document in documents for item in items_of(with_known_users(document, users))),
            numbers,
            (item for request in requests for item in _items_of(charged_as(request))),
        )
    )
    if addresses := await dedicated_ip.count_of(store, account_id):
        quantities["ips"] = {"dedicated": addresses}
    account = await store.get(ACCOUNTS, ACCOUNT, account_id)
    if account is not None and (below := _number(account.at("descendants_count"))):
        quantities[ACCOUNTS_BELOW] = {"account": below}
    return quantities


async def cascading_quantities(runtime: Runtime, account: Account) -> Quantities:
    """What all accounts below an account have together. Accounts are not among it: each counts all below itself."""
    below = Listing(ACCOUNTS, ACCOUNT, tag=f"descendant/{account.id}")
    each = [await own_quantities(runtime, descendant.id) for descendant in await runtime.store.all(below)]
    return total(one for quantities in each for one in _items_of(quantities) if one[0] != ACCOUNTS_BELOW)
