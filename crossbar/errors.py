# SPDX-License-Identifier: MPL-2.0
"""The protocol's errors as values.

A resource raises one of these; only `crossbar.wire` knows how they look as JSON. Two families exist in KAZOO:
*system errors* (`cb_context:add_system_error`), whose envelope `message` is a machine word and whose `data` holds
`message` and sometimes `cause`, and *response helpers* (`crossbar_util:response_*`), whose `message` is prose and
whose `data` is `{}` or what the helper was given. Validation errors are a third shape of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

JSON = Any
"""A decoded JSON value."""

FieldErrors = dict[str, dict[str, dict[str, JSON]]]
"""Field (path joined by dots) → code → detail object."""


class CrossbarError(Exception):
    """An answer with `"status": "error"`.

    `status` is the HTTP status, `message` the envelope's `message`, `data` the envelope's `data`
    (None leaves the key out).
    """

    def __init__(self, status: int, message: str, data: JSON = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.data: JSON = {} if data is None else data


class SystemFault(CrossbarError):
    """A word of `cb_context:build_system_error` with the status and text that go with it."""

    WORDS: Mapping[str, tuple[int, str]] = {
        "too_many_requests": (429, "too many requests"),
        "no_payment_token": (402, "no payment method available"),
        "no_credit": (402, "not enough credit to perform action"),
        "billing_issue": (402, "billing issue"),
        "unspecified_fault": (500, "unspecified fault"),
        "account_cant_create_tree": (500, "account creation fault"),
        "account_has_descendants": (500, "account has descendants"),
        "account_has_active_port": (500, "Account has active port request"),
        "not_implemented": (501, "not implemented"),
        "faulty_request": (404, "faulty request"),
        "bad_identifier": (404, "bad identifier"),
        "forbidden": (403, "forbidden"),
        "invalid_credentials": (401, "invalid credentials"),
        "datastore_missing": (503, "data collection missing: database not found"),
        "datastore_missing_view": (503, "datastore missing view"),
        "datastore_conflict": (409, "conflicting documents"),
        "datastore_unreachable": (503, "datastore timeout"),
        "datastore_fault": (503, "datastore fatal error"),
        "empty_tree_accounts_exist": (400, "unable to create account tree"),
        "parse_error": (400, "failed to parse request body"),
        "invalid_method": (405, "method not allowed"),
        "not_found": (404, "not found"),
        "disabled": (400, "entity disabled"),
        "invalid_bulk_type": (400, "bulk operations do not support documents of this type"),
        "timeout": (500, "timeout"),
        "bad_gateway": (502, "bad gateway"),
        "multiple_choice": (400, "multiple choice"),
    }

    def __init__(self, word: str, text: str | None = None, **details: JSON) -> None:
        """`text` replaces the word's own text; `details` (`cause=…`) stand beside it in `data`."""
        status, usual = self.WORDS.get(word, (500, word))
        super().__init__(status, word, {"message": text or usual, **details})
        self.word = word


class NotFound(SystemFault):
    """404 `bad_identifier`: no such document (absent, deleted, or of another type)."""

    def __init__(self, cause: JSON) -> None:
        super().__init__("bad_identifier", cause=cause)


class UnknownPath(SystemFault):
    """404 `not_found`: no endpoint has this path."""

    def __init__(self) -> None:
        super().__init__("not_found")


class MethodNotAllowed(SystemFault):
    """405 `invalid_method`: the path exists, the verb is not offered there."""

    def __init__(self) -> None:
        super().__init__("invalid_method")


class InvalidCredentials(SystemFault):
    """401 `invalid_credentials`."""

    def __init__(self, text: str | None = None, **details: JSON) -> None:
        super().__init__("invalid_credentials", text, **details)


class Forbidden(SystemFault):
    """403 `forbidden`, with a `cause` where KAZOO gives one."""

    def __init__(self, text: str | None = None, **details: JSON) -> None:
        super().__init__("forbidden", text, **details)


class Conflict(SystemFault):
    """409 `datastore_conflict`: the id is taken, or the document changed under the writer."""

    def __init__(self) -> None:
        super().__init__("datastore_conflict")


class FaultyRequest(SystemFault):
    """404 `faulty_request`."""

    def __init__(self, text: str | None = None) -> None:
        super().__init__("faulty_request", text)


class TooManyRequests(SystemFault):
    """429 `too_many_requests`: the caller's token bucket is empty."""

    def __init__(self) -> None:
        super().__init__("too_many_requests")


class Plain(CrossbarError):
    """A response helper's answer: `message` is prose, `data` is `{}` unless given."""


class Empty(CrossbarError):
    """A refusal that KAZOO answers with an empty body (406, 412, 415, 501)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)


class Invalid(CrossbarError):
    """400 `validation error`: field → code → detail (`message`, mostly `cause`, sometimes `target`, `value`).

    Several errors on one field keep only the last, as in KAZOO; errors on different fields accumulate.
    """

    def __init__(self, fields: FieldErrors | None = None, status: int = 400, message: str = "validation error") -> None:
        self.fields: FieldErrors = fields if fields is not None else {}
        super().__init__(status, message, self.fields)

    @classmethod
    def field(cls, field: str, code: str, message: str, **details: JSON) -> Self:
        """One error on one field."""
        return cls().add(field, code, message, **details)

    def add(self, field: str, code: str, message: str, **details: JSON) -> Self:
        """Note an error; the last one on a field stays."""
        self.fields[field] = {code: {"message": message, **details}}
        return self
