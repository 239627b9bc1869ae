# SPDX-License-Identifier: MPL-2.0
"""Why a token does not count."""

from __future__ import annotations

from typing import Final

EXPIRED: Final = "token_expired"
INVALID: Final = "invalid_jwt"
BAD_SIGNATURE: Final = "invalid_jwt_signature"
BAD_IDENTITY: Final = "invalid_identity_signature"
BAD_ALGORITHM: Final = "algorithm_not_supported"
NOT_FOUND: Final = "not_found"
NO_ACCOUNT: Final = "no associated account_id"
"""A token of ours that names somebody whom others vouch for, and who is no user here yet."""


class BadToken(Exception):
    """A token that does not count; `reason` is one of the words above, as `tokeninfo` answers it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
