# SPDX-License-Identifier: MPL-2.0
"""Which fields a plain user may not change: the log-ins of others, and restrictions on the user.

See `crossbar.access.plain_users`. A plain user may tighten restrictions, but not loosen them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crossbar.documents.document import Document
from crossbar.errors import JSON

LOGIN_OF_OTHERS: Final[Mapping[str, JSON]] = {
    "username": None,
    "email": None,
    "priv_level": "user",
    "enabled": True,
    "require_password_update": False,
    "hotdesk": {},
}
"""What others are known by and may log in with, each with what a missing one means."""
NEW_LOGIN: Final = ("password", "credentials")
"""What a request sets and nobody can read."""
DENY: Final = "deny"


def oversteps(data: Mapping[str, JSON], previous: Document, *, own: bool) -> bool:
    """Whether a plain user goes too far who puts `data` in the place of a user, the own one or another's."""
    if loosens(data, previous):
        return True
    if own:
        return _changed(data, previous, "priv_level")
    return any(data.get(field) for field in NEW_LOGIN) or any(
        _changed(data, previous, field) for field in LOGIN_OF_OTHERS
    )


def loosens(data: Mapping[str, JSON], previous: Document | None) -> bool:
    """Whether calls that are denied to a user or device before (None: a new one) are no longer denied."""
    before = _actions(previous.at("call_restriction") if previous else None)
    after = _actions(data.get("call_restriction"))
    return any(action == DENY and after.get(classifier) != DENY for classifier, action in before.items())


def _actions(restrictions: JSON) -> dict[str, JSON]:
    """Classifier → what becomes of calls to such numbers."""
    return {
        classifier: restriction.get("action")
        for classifier, restriction in (restrictions.items() if isinstance(restrictions, dict) else ())
        if isinstance(restriction, dict)
    }


def _changed(data: Mapping[str, JSON], previous: Document, field: str) -> bool:
    return bool(_meaning(data.get(field), field) != _meaning(previous.at(field), field))


def _meaning(value: JSON, field: str) -> JSON:
    """A field's value, the same whether what is not set is missing or spelt out, as schemas do."""
    if value is None:
        return LOGIN_OF_OTHERS[field]
    return {key: part for key, part in value.items() if part} if isinstance(value, dict) else value
