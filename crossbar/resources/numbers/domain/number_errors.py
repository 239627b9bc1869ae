# SPDX-License-Identifier: MPL-2.0
"""What can be wrong with a phone number.

Source: KAZOO `knm_errors.erl`, `cb_phone_numbers:set_response`.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.errors import JSON, CrossbarError, SystemFault

NOT_FOUND: Final = "not_found"


class NumberFault(CrossbarError):
    """A refused operation on a number; `data` is `{code, error, message, cause?}` and stands in collections, too."""

    def __init__(self, code: int, error: str, message: str, cause: JSON = None) -> None:
        details: dict[str, Any] = {"code": code, "error": error, "message": message}
        super().__init__(code, error, details if cause is None else {**details, "cause": cause})


class NumberUnknown(SystemFault):
    """404: no such number, or none that the caller may know of."""

    def __init__(self) -> None:
        super().__init__("bad_identifier", not_found="The number could not be found")


class NumberWord(CrossbarError):
    """400 `client error`: one word says it all, or an object does."""

    def __init__(self, reason: JSON) -> None:
        super().__init__(400, "client error", reason)


def reason_of(error: CrossbarError) -> JSON:
    """What an answer about many numbers says of one that failed."""
    return NOT_FOUND if isinstance(error, NumberUnknown) else error.data


def unauthorized(cause: str | None = None) -> NumberFault:
    """The caller may not do that to the number."""
    return NumberFault(403, "forbidden", "requestor is unauthorized to perform operation", cause)


def not_reconcilable(number: str) -> NumberFault:
    """An extension or a feature code, which nobody can own."""
    return NumberFault(404, "not_reconcilable", f"number {number} is not reconcilable", number)


def exists(number: str) -> NumberFault:
    """The number is taken."""
    return NumberFault(409, "number_exists", f"number {number} already exists", number)


def is_porting(number: str) -> NumberFault:
    """A port request brings the number in."""
    return NumberFault(400, "number_is_porting", f"number {number} is porting", number)


def no_change() -> NumberFault:
    """The number is there already."""
    return NumberFault(400, "no_change_required", "no change required")


def no_way(state: str, wanted: str) -> NumberFault:
    """No move leads from one state to the other."""
    return NumberFault(400, "invalid_state_transition", "invalid state transition", f"from {state} to {wanted}")


def by_carrier(number: str) -> NumberFault:
    """The carrier refused, or did not answer."""
    return NumberFault(500, "unspecified_fault", "fault by carrier", number)


def invalid(cause: str) -> NumberFault:
    """A provider does not take what was sent."""
    return NumberFault(400, "invalid", "invalid", cause)
