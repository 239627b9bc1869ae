# SPDX-License-Identifier: MPL-2.0
"""The row that lists show of a CDR: its columns, in the order of the sheet.

Every column is there in every row; what a CDR lacks is an empty text.

Source: `cb_cdrs.erl` (`?COLUMNS`), `kzd_cdrs.erl` (`csv_headers`), `kapps_call_util:call_cost`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from crossbar import clock
from crossbar.documents.document import Document, as_object
from crossbar.errors import JSON

Column = Callable[[Document], JSON]

CCV: Final = "custom_channel_vars"
UNITS_PER_DOLLAR: Final = 10_000


_STORABLE: Final = range(-(2**63), 2**63)


def whole(value: JSON, default: int = 0) -> int:
    """A whole number of 64 bits given as a number or as text; `default` for anything else."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return number if number in _STORABLE else default


def start_of(cdr: Document) -> int:
    """When the leg began, in Gregorian seconds: a CDR's `timestamp` is its end."""
    return whole(cdr.at("timestamp")) - whole(cdr.at("duration_seconds"))


def before_at(address: JSON) -> str:
    """The user part of `user@realm`."""
    return str(address or "").partition("@")[0].removeprefix("sip:")


def datetime_text(gregorian_seconds: int) -> str:
    """`YYYY-MM-DD_HH:MM:SS` (UTC)."""
    return clock.moment(gregorian_seconds).replace(tzinfo=None).isoformat("_", "seconds")


class Moment(NamedTuple):
    """One time in the forms in which a row shows it."""

    datetime: str
    unix: str
    rfc_1036: str
    iso_8601: str
    iso_8601_combined: str


@lru_cache(maxsize=256)
def moment(gregorian_seconds: int) -> Moment:
    """The forms of a time."""
    at = clock.moment(gregorian_seconds)
    return Moment(
        datetime_text(gregorian_seconds),
        str(clock.unix(gregorian_seconds)),
        format_datetime(at, usegmt=True),
        at.date().isoformat(),
        f"{at.replace(tzinfo=None).isoformat(timespec='seconds')}Z",
    )


def call_cost(billing_seconds: int, rating: Mapping[str, Any]) -> int:
    """What a call costs, in units (a hundredth of a cent), by the rate its channel variables carry.

    `rate` is per minute; time counts in steps of `rate_increment` seconds after the first `rate_minimum`; calls no
    longer than `rate_nocharge_time` are free.
    """
    if billing_seconds <= max(0, whole(rating.get("rate_nocharge_time"))):
        return 0
    rate, minimum = whole(rating.get("rate")), whole(rating.get("rate_minimum"), 60)
    increment = whole(rating.get("rate_increment"), 60) or 60
    cost = whole(rating.get("surcharge")) + minimum / 60 * rate
    if billing_seconds > minimum:
        cost += math.ceil((billing_seconds - minimum) / increment) * (increment / 60) * rate
    return math.trunc(cost * (1 - whole(rating.get("discount_percentage")) / 100))


def _text(path: str) -> Column:
    def column(cdr: Document) -> str:
        value = cdr.at(path)
        return value if isinstance(value, str) else "" if value is None else str(value)

    return column


def _seconds(path: str) -> Column:
    return lambda cdr: whole(cdr.at(path))


def _moment(name: str) -> Column:
    return lambda cdr: getattr(moment(start_of(cdr)), name)


def _cost(billing: str) -> Column:
    def column(cdr: Document) -> str:
        variables = as_object(cdr.at(CCV))
        if variables.get(billing) != "per_minute":
            return "0"
        return str(call_cost(whole(cdr.at("billing_seconds")), variables))

    return column


def _authorizing_id(cdr: Document) -> str:
    """Who authorized the call, unless that is the account itself."""
    authorizing_id = _text(f"{CCV}.authorizing_id")(cdr)
    return "" if authorizing_id == cdr.at(f"{CCV}.account_id") else authorizing_id


def _dialed_number(cdr: Document) -> str:
    return before_at(cdr.at("to" if cdr.at("call_direction") == "outbound" else "request"))


def _calling_from(cdr: Document) -> str:
    if cdr.at("call_direction") == "outbound":
        return before_at(cdr.at("from_uri"))
    return str(_text("caller_id_number")(cdr))


def _unix_micro(cdr: Document) -> str:
    created = whole(cdr.at("channel_created_time"))
    return repr(created / 1_000_000 if created else float(clock.unix(start_of(cdr))))


def _rate(cdr: Document) -> str:
    return repr(whole(cdr.at(f"{CCV}.rate")) / UNITS_PER_DOLLAR)


def _media_recordings(cdr: Document) -> list[JSON]:
    recordings = cdr.at(f"{CCV}.media_recordings")
    return recordings if isinstance(recordings, list) else [recordings] if recordings else []


COLUMNS: Final[Mapping[str, Column]] = {
    "id": lambda cdr: cdr.id,
    "call_id": _text("call_id"),
    "caller_id_number": _text("caller_id_number"),
    "caller_id_name": _text("caller_id_name"),
    "callee_id_number": _text("callee_id_number"),
    "callee_id_name": _text("callee_id_name"),
    "duration_seconds": _seconds("duration_seconds"),
    "billing_seconds": _seconds("billing_seconds"),
    "timestamp": lambda cdr: str(start_of(cdr)),
    "hangup_cause": _text("hangup_cause"),
    "other_leg_call_id": _text("other_leg_call_id"),
    "owner_id": _text(f"{CCV}.owner_id"),
    "to": _text("to"),
    "from": _text("from"),
    "direction": _text("call_direction"),
    "request": _text("request"),
    "authorizing_id": _authorizing_id,
    "cost": _cost("account_billing"),
    "dialed_number": _dialed_number,
    "calling_from": _calling_from,
    "datetime": _moment("datetime"),
    "unix_timestamp": _moment("unix"),
    "unix_timestamp_micro": _unix_micro,
    "rfc_1036": _moment("rfc_1036"),
    "iso_8601": _moment("iso_8601"),
    "iso_8601_combined": _moment("iso_8601_combined"),
    "call_type": _text(f"{CCV}.account_billing"),
    "rate": _rate,
    "rate_name": _text(f"{CCV}.rate_name"),
    "bridge_id": _text(f"{CCV}.bridge_id"),
    "recording_url": _text("recording_url"),
    "media_recordings": _media_recordings,
    "media_server": _text("media_server"),
    "call_priority": _text(f"{CCV}.call_priority"),
    "interaction_id": _text("interaction_id"),
}
RESELLER_COLUMNS: Final[Mapping[str, Column]] = {
    "reseller_cost": _cost("reseller_billing"),
    "reseller_call_type": _text(f"{CCV}.reseller_billing"),
}
"""Further columns, for callers whose account is a reseller."""
