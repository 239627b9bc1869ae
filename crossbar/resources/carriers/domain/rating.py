# SPDX-License-Identifier: MPL-2.0
"""Rating: which rate a number has, and what a call to it costs.

Source: KAZOO `hon_util.erl`, `hon_rater.erl`, `hotornot_config.erl`, `kapps_call_util:base_call_cost`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from crossbar.dialing import normalize
from crossbar.documents.document import as_list
from crossbar.documents.schemas.patterns import matches
from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.resources.carriers.domain.ratedeck import DECK, of_leading_digits
from crossbar.settings import Settings

CATEGORY: Final = "hotornot"
UNITS_PER_DOLLAR: Final = 10_000
USUAL_FILTERS: Final = ("direction", "route_options", "routes")
HEAVIEST: Final = 100
"""The weight of a rate that has none."""
MINUTE: Final = 60

Rate = Mapping[str, Any]
"""The public fields of a rate."""


@dataclass(frozen=True, slots=True)
class RatedCall:
    """What is asked: the number in E.164 form, and what else is known of the call."""

    number: str
    direction: str | None = None
    caller_id_number: str = ""
    options: tuple[str, ...] = ()

    @property
    def digits(self) -> str:
        """The digits of the number."""
        return "".join(filter(str.isdigit, self.number))


async def rate_of(store: Store, settings: Settings, deck: str, call: RatedCall) -> dict[str, JSON] | None:
    """The answer about a call: its rate and what it costs; None where no rate is for it.

    Of the rates that pass the configured filters the longest prefix wins, then the lowest weight (or, where the
    setting `sort_by_weight` is false, the highest cost).
    """
    wanted = settings.get(CATEGORY, "filter_list", list(USUAL_FILTERS))
    filters = [_FILTERS.get(name, _never) if isinstance(name, str) else _never for name in as_list(wanted)]
    version = settings.get(CATEGORY, "rate_version")
    found = [
        rate
        for rate in await of_leading_digits(store, deck, call.digits)
        if all(passes(rate, call, version) for passes in filters)
    ]
    if not found:
        return None
    by_weight = settings.get(CATEGORY, "sort_by_weight", default=True) is not False
    return _answer(min(found, key=_by_weight if by_weight else _by_cost), settings, deck, call)


def _never(_rate: Rate, _call: RatedCall, _version: JSON) -> bool:
    """A filter that needs an account, which a rating has not, or that nobody knows."""
    return False


def _direction(rate: Rate, call: RatedCall, _: JSON) -> bool:
    """A rate without direction is for both."""
    given = rate.get("direction")
    return call.direction is None or given is None or call.direction in as_list(given)


def _options(rate: Rate, call: RatedCall, _: JSON) -> bool:
    offered = as_list(rate.get("options"))
    return not offered or all(option in offered for option in call.options)


def _routes(rate: Rate, call: RatedCall, _: JSON) -> bool:
    return any(matches(pattern, call.number) for pattern in as_list(rate.get("routes")) if isinstance(pattern, str))


def _caller(rate: Rate, call: RatedCall, _: JSON) -> bool:
    patterns = rate.get("caller_id_numbers")
    if not isinstance(patterns, str) or not patterns:
        return True
    caller = normalize(call.caller_id_number)
    return any(matches(pattern, caller) for pattern in patterns.split(":"))


def _version(rate: Rate, _: RatedCall, version: JSON) -> bool:
    return bool(rate.get("rate_version") == version)


_FILTERS: Final[dict[str, Callable[[Rate, RatedCall, JSON], bool]]] = {
    "direction": _direction,
    "route_options": _options,
    "routes": _routes,
    "caller_id_numbers": _caller,
    "version": _version,
}


def _by_weight(rate: Rate) -> tuple[int, float, str]:
    return -len(str(rate["prefix"])), _number(rate.get("weight"), HEAVIEST), str(rate["id"])


def _by_cost(rate: Rate) -> tuple[int, float, str]:
    return -len(str(rate["prefix"])), -_number(rate.get("rate_cost"), 0), str(rate["id"])


def _answer(rate: Rate, settings: Settings, deck: str, call: RatedCall) -> dict[str, JSON]:
    """What clients are told, under the names of the message that KAZOO's rater sends."""
    cost, surcharge = units(rate.get("rate_cost", 0)), units(rate.get("rate_surcharge", 0))
    minimum = int(_number(rate.get("rate_minimum"), settings.get(CATEGORY, "default_rate_minimum", MINUTE)))
    base = cost * ((minimum or MINUTE) // MINUTE) + surcharge
    told: dict[str, JSON] = {
        "Base-Cost": float(Decimal(base) / UNITS_PER_DOLLAR),
        "E164-Number": call.number,
        "Prefix": rate["prefix"],
        "Rate": str(cost),
        "Rate-ID": rate["id"],
        "Rate-Description": rate.get("description"),
        "Rate-Increment": rate.get("rate_increment", settings.get(CATEGORY, "default_rate_increment", MINUTE)),
        "Rate-Minimum": str(minimum),
        "Rate-Name": rate.get("rate_name"),
        "Ratedeck-ID": deck,
        "Surcharge": str(surcharge),
    }
    return {key: value for key, value in told.items() if value is not None}


def units(dollars: JSON) -> int:
    """Dollars as whole units, of which 10,000 make one; halves go up. What is no number is nothing."""
    try:
        return int((Decimal(str(dollars)) * UNITS_PER_DOLLAR).quantize(Decimal(1), ROUND_HALF_UP))
    except (InvalidOperation, ValueError, OverflowError):
        return 0


def _number(value: JSON, default: JSON) -> float:
    """A number, or another one where there is none."""
    for candidate in (value, default):
        if isinstance(candidate, int | float) and not isinstance(candidate, bool):
            return candidate
    return 0


def usual_deck(settings: Settings) -> str:
    """The deck by which numbers are rated unless a request names one."""
    deck = settings.get(CATEGORY, "default_ratedeck", DECK)
    return deck.removeprefix(f"{DECK}-") if isinstance(deck, str) and deck else DECK
