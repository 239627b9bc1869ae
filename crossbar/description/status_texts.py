# SPDX-License-Identifier: MPL-2.0
"""What the statuses of errors say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REFUSALS: Final[Mapping[int, str]] = {
    400: "The request is malformed, or its data are not valid: `data` has each field with what is wrong with it",
    401: "There is no credential, or it is no longer good",
    402: "It costs something, which the request has to accept (`accept_charges`), or nobody can pay for it",
    403: "The caller may not do that",
    404: "Nothing has this path, or what it names is not there",
    405: "The verb is not offered there",
    406: "The answer has none of the types that `Accept` names",
    408: "The body did not arrive in time",
    409: "The id is taken, or somebody else changed the document at the same time",
    410: "What was asked for is not kept any more",
    412: "The document has another revision than `If-Match` or `If-None-Match` says",
    415: "The body has a type or coding that is not taken there",
    416: "The list is larger than one answer may be; ask for pages",
    423: "The account is locked",
    429: "Too much was asked in too short a time",
    500: "It cannot be done here, as `message` says",
    503: "The database is away, or the server is busy; `Retry-After` says when to ask again",
}
"""Status → what it says."""
CODED: Final = "The status again, as text"
NOT_MODIFIED: Final = "The caller has this version already"
NO_ROWS: Final = "The list has no rows, which a sheet cannot say"
PART: Final = "The part of the file that `Range` names"
