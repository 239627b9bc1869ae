# SPDX-License-Identifier: MPL-2.0
"""Phone numbers: an account's own, those it can have, and what is known of any.

Source: KAZOO `cb_phone_numbers`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from crossbar.dialing import NUMBER, NUMBERS, account_dial_plan, normalize
from crossbar.endpoint import Context, Endpoint, Lists, Reply, Who
from crossbar.endpoint.endpoint import OperationOptions
from crossbar.errors import JSON, CrossbarError, Invalid, SystemFault
from crossbar.resources.numbers.domain import area_codes, number_errors, number_features, port_numbers, port_request
from crossbar.resources.numbers.domain.carriers import MODULES, carriers_to_search
from crossbar.resources.numbers.domain.number import CARRIERS, FEATURES, State, carrier_of, owner_of, state_of
from crossbar.resources.numbers.domain.number_operations import FoundNumber, NumberOperations, Operation, check
from crossbar.resources.numbers.domain.number_rights import creation_states
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.resources.numbers.domain.number_steps import NumberSteps
from crossbar.resources.numbers.domain.number_usage import mobile_of
from crossbar.resources.numbers.phone_numbers.number_lists import (
    answer_availability,
    answer_numbers,
    answer_search,
    operations_of,
    reseller_of,
)
from crossbar.wire.list_options import PAGING
from crossbar.wire.request_values import is_false

SCHEMA: Final = "phone_numbers"
WITH_PORTS: Final = {"include_ports": "`false`: without numbers that are on their way"}
WANTED: Final = {
    "prefix": "How numbers begin that can be had",
    "country": "Two letters",
    "quantity": "How many",
    "offset": "How many to pass over",
    "blocks": "Only numbers that follow each other, so many",
}
CHARGED: Final = {"accept_charges": "`true` accepts what the number costs"}
HARD: Final = {"hard": "`true` removes the number for good"}
CHANGE: Final[OperationOptions] = {"checks_itself": True, "schema": SCHEMA, "options": CHARGED}
"""What routes declare that make or change one number."""
NUMBERED: Final = {"numbers": "The numbers", **CHARGED}
LONGEST_PREFIX: Final = 15
"""Digits by which numbers can be searched where no carrier knows fewer."""

Act = Callable[[NumberSteps, dict[str, JSON]], Operation]
"""An operation, with what the request says of the number."""

phone_numbers = Endpoint("phone_numbers")
CITY: Final = {"city": "How the name of the city begins"}


# Finding


@phone_numbers.get("/accounts/{account_id}/phone_numbers", lists=Lists.NAMED, options=WITH_PORTS | WANTED)
async def listed(context: Context) -> Reply:
    """The account's numbers; with a `prefix`, numbers that it can have."""
    return await (answer_search if context.query.get("prefix") else answer_numbers)(context)


@phone_numbers.get("/phone_numbers", who=Who.ANONYMOUS, options=WANTED | {"reseller_id": "Whose shop"}, refuses=(404,))
async def listed_for_anybody(context: Context) -> Reply:
    """Numbers that can be had, for visitors of a reseller's shop."""
    return await answer_search(context)


@phone_numbers.get("/phone_numbers/prefix", who=Who.ANONYMOUS, options=CITY, refuses=(404,))
@phone_numbers.get("/accounts/{account_id}/phone_numbers/prefix", options=CITY, refuses=(404,))
async def prefixes(context: Context) -> Reply:
    """The area codes of the cities whose name begins with `city`."""
    name = context.query.get("city")
    if not isinstance(name, str) or not name:
        raise SystemFault("bad_identifier")
    found = area_codes.beginning_with(name)
    return Reply({city.name: {"prefixes": list(city.prefixes), "state": city.state} for city in found})


@phone_numbers.post("/accounts/{account_id}/phone_numbers/locality", options=NUMBERED)
async def localities(context: Context) -> Reply:
    """The city of each number, as far as its area code tells."""
    found = {number: area_codes.city_of(number) for number in await _numbers(context)}
    return Reply({number: _locality(number, city) for number, city in found.items()})


def _locality(number: str, city: area_codes.City | None) -> dict[str, JSON]:
    if city is None:
        return {"e164_number": number, "status": "error", "message": "locality unknown"}
    place = {"locality": city.name, "province": city.state, "country": city.country}
    return {"e164_number": number, "status": "success", **place}


@phone_numbers.get("/accounts/{account_id}/phone_numbers/classifiers")
async def classifiers(context: Context) -> Reply:
    """All kinds of numbers, by name."""
    return Reply(NumberSettings(context.runtime).classifiers)


@phone_numbers.get("/accounts/{account_id}/phone_numbers/classifiers/{number}")
async def classified(context: Context) -> Reply:
    """Of which kind a number is."""
    number = await _number(context)
    return Reply(
        {**(NumberSettings(context.runtime).classify(number) or {}), "number": context.path["number"], "e164": number}
    )


@phone_numbers.get("/accounts/{account_id}/phone_numbers/carriers_info")
async def carriers_info(context: Context) -> Reply:
    """What the caller can choose among when it adds numbers."""
    carriers = await carriers_to_search(context.runtime, await reseller_of(context))
    longest = min((carrier.longest_prefix for carrier in carriers), default=LONGEST_PREFIX)
    return Reply(
        {
            "maximal_prefix_length": longest,
            "usable_carriers": list(dict.fromkeys([*CARRIERS, *MODULES])),
            "usable_creation_states": list(map(str, await creation_states(context.store, context.identity))),
        }
    )


@phone_numbers.post("/accounts/{account_id}/phone_numbers/check", options=NUMBERED)
async def check_availability(context: Context) -> Reply:
    """Which of the numbers can be had."""
    return await answer_availability(context, await _numbers(context))


# One number


@phone_numbers.get("/accounts/{account_id}/phone_numbers/{number}", options=WITH_PORTS)
async def read(context: Context) -> Reply:
    """A number that the caller may know of."""
    operations = operations_of(context)
    return await _answer(
        operations, await operations.find(check(await _number(context)), with_ports=_with_ports(context))
    )


@phone_numbers.get("/accounts/{account_id}/phone_numbers/{number}/identify", options=WITH_PORTS)
async def identify(context: Context) -> Reply:
    """Whose number it is."""
    number = check(await _number(context))
    document = await context.store.get(NUMBERS, NUMBER, number) or await mobile_of(context.store, number)
    if (document is None or owner_of(document) is None) and _with_ports(context):
        request = await port_numbers.request_for(context.store, number)
        document = port_numbers.ported(request, number) if request else document
    if document is None:
        raise number_errors.NumberUnknown
    owner = owner_of(document)
    account = await context.directory.account(owner) if owner else None
    if account is None:
        raise number_errors.NumberWord("unassigned")
    answer = {"account_id": account.id, "number": number}
    if not account.enabled:
        raise number_errors.NumberWord({"cause": "account_disabled", **answer})
    return Reply(answer)


async def _one(context: Context, act: Act, *, schema: str | None = SCHEMA) -> Reply:
    """Act on the number in the path, when what is sent fits a schema."""
    operations, number = operations_of(context), await _number(context)
    data = context.valid(schema, context.object) if schema else context.object
    return await _answer(operations, await operations.do(number, act(_steps(context), data)))


def _steps(context: Context) -> NumberSteps:
    return NumberSteps(context.runtime, context.account_id, context.identity)


@phone_numbers.put("/accounts/{account_id}/phone_numbers/{number}", **CHANGE)
async def create(context: Context) -> Reply:
    """Bring a number into being."""
    return await _one(context, NumberSteps.creating)


@phone_numbers.put("/accounts/{account_id}/phone_numbers/{number}/reserve", **CHANGE)
async def reserve(context: Context) -> Reply:
    """Keep a number for the account."""
    return await _one(context, NumberSteps.reserving)


@phone_numbers.put("/accounts/{account_id}/phone_numbers/{number}/port", **CHANGE)
async def port_in(context: Context) -> Reply:
    """Note a number that is on its way to the account."""
    return await _one(context, partial(NumberSteps.creating, state=State.PORT_IN))


@phone_numbers.post("/accounts/{account_id}/phone_numbers/{number}", **CHANGE)
async def replace(context: Context) -> Reply:
    """Give a number other public fields."""
    return await _one(context, NumberSteps.replacing)


@phone_numbers.patch("/accounts/{account_id}/phone_numbers/{number}", **CHANGE)
async def merge(context: Context) -> Reply:
    """Change some fields of a number; what comes of it has to fit the schema."""
    return await _one(context, partial(NumberSteps.merging, schema=SCHEMA), schema=None)


@phone_numbers.delete("/accounts/{account_id}/phone_numbers/{number}", checks_itself=True, options=HARD)
async def release(context: Context) -> Reply:
    """Take a number from the account; with `hard=true` a superduper admin removes it for good."""
    return await _one(context, _release(context), schema=None)


def _release(context: Context) -> Act:
    for_good = context.values.is_true("hard")
    return lambda steps, _: steps.releasing(for_good=for_good)


@phone_numbers.put("/accounts/{account_id}/phone_numbers/{number}/activate", **CHANGE)
async def activate(context: Context) -> Reply:
    """Put a number into service; it costs tokens of the account's own bucket."""
    _charge(context)
    return await _one(context, NumberSteps.activating)


# Resynchronization: who uses a number follows from what uses it, so that nothing can have drifted apart.


@phone_numbers.post("/accounts/{account_id}/phone_numbers/fix", options=WITH_PORTS | PAGING)
async def fix(context: Context) -> Reply:
    """The account's numbers, as they are."""
    return await answer_numbers(context)


@phone_numbers.post("/accounts/{account_id}/phone_numbers/fix/{number}")
async def fix_one(context: Context) -> Reply:
    """Nothing, if the caller may know of the number."""
    await operations_of(context).find(check(await _number(context)), with_ports=False)
    return Reply({})


# Many numbers


async def _many(context: Context, act: Act) -> Reply:
    """Act on all numbers of `numbers`; one alone is answered like the number in a path."""
    numbers = await _numbers(context)
    operations = operations_of(context)
    operation = act(_steps(context), context.object)
    if len(numbers) == 1:
        return await _answer(operations, await operations.do(numbers[0], operation))
    success: dict[str, JSON] = {}
    error: dict[str, JSON] = {}
    for number, outcome in (await operations.do_all(dict.fromkeys(numbers, operation))).items():
        if isinstance(outcome, CrossbarError):
            error[number] = number_errors.reason_of(outcome)
        else:
            success[number] = await _shown(operations, outcome)
    return Reply({"success": success, "error": error or []})


@phone_numbers.put("/accounts/{account_id}/phone_numbers/collection", options=NUMBERED)
async def create_many(context: Context) -> Reply:
    """Bring numbers into being."""
    return await _many(context, NumberSteps.creating)


@phone_numbers.post("/accounts/{account_id}/phone_numbers/collection", options=NUMBERED)
async def replace_many(context: Context) -> Reply:
    """Give numbers other public fields."""
    return await _many(context, NumberSteps.replacing)


@phone_numbers.patch("/accounts/{account_id}/phone_numbers/collection", options=NUMBERED)
async def merge_many(context: Context) -> Reply:
    """Change some fields of numbers."""
    return await _many(context, NumberSteps.merging)


@phone_numbers.delete("/accounts/{account_id}/phone_numbers/collection", options=NUMBERED | HARD)
async def release_many(context: Context) -> Reply:
    """Take numbers from the account."""
    return await _many(context, _release(context))


@phone_numbers.put("/accounts/{account_id}/phone_numbers/collection/activate", options=NUMBERED)
async def activate_many(context: Context) -> Reply:
    """Put numbers into service: how they are bought, and how they move between accounts."""
    _charge(context)
    return await _many(context, NumberSteps.activating)


def _charge(context: Context) -> None:
    context.runtime.access.costs.charge(context, bucket=f"{context.account_id}/crossbar.phone_numbers")


# What the request names


async def _number(context: Context) -> str:
    """The number in the path, in E.164 form."""
    return normalize(context.path["number"], await account_dial_plan(context.store, context.account_id))


async def _numbers(context: Context) -> list[str]:
    """The numbers that the request's data names, in E.164 form. Raises 400 where they are not a list of some."""
    given = context.object.get("numbers")
    if given is None:
        raise Invalid.field("numbers", "required", "list of numbers missing")
    if not isinstance(given, list):
        raise Invalid.field("numbers", "type", "numbers must be a list")
    if not given:
        raise Invalid.field("numbers", "minimum", "minimum 1 number required")
    errors = Invalid()
    for index, number in enumerate(given):
        if not isinstance(number, str):
            text = "Value did not match type(s): string"
            errors.add(f"numbers.{index}", "type", text, target="string", value=number)
    if errors.fields:
        raise errors
    dial_plan = await account_dial_plan(context.store, context.account_id)
    numbers = [normalize(number, dial_plan) for number in given]
    if len(set(numbers)) < len(numbers):
        raise Invalid.field("numbers", "uniqueItems", "some numbers appear twice")
    return numbers


def _with_ports(context: Context) -> bool:
    return not is_false(context.values.get("include_ports"))


# What it is answered


async def _answer(operations: NumberOperations, found: FoundNumber) -> Reply:
    """A number; the part that clients only read stands in the envelope's `metadata` too, where MonsterUI looks."""
    shown = await _shown(operations, found)
    return Reply(shown, revision=found.document.revision, metadata=shown["_read_only"])


async def _shown(operations: NumberOperations, found: FoundNumber) -> dict[str, Any]:
    number = found.document
    active = number_features.names(number)
    read_only: dict[str, Any] = {
        "created": number.fields.get("pvt_created"),
        "modified": number.fields.get("pvt_modified"),
        "features": {
            "available": await operations.available_features(found),
            "settings": number.fields[FEATURES],
        },
        "carrier_module": carrier_of(number),
    }
    if state_of(number) is State.DELETED:
        read_only["is_deleted"] = True
    if found.request is not None:
        read_only |= {"port_id": found.request.id, "port_state": found.request.fields[port_request.PORT_STATE]}
    return {
        **number.public,
        "state": str(state_of(number)),
        **({"used_by": found.used_by} if found.used_by else {}),
        **({"features": active} if active else {}),
        "_read_only": read_only,
    }
