# SPDX-License-Identifier: MPL-2.0
"""The form of tokens that are documents of an account: `<kind>-<account>-<document>-<secret>`.

A token names its account and its document and carries a secret, of which only a keyed digest is stored
(`DIGEST_FIELD`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from crossbar.ids import new_secret

DIGEST_FIELD: Final = "pvt_token_digest"

_PARTS: Final = re.compile(r"([^-]{32})-([0-9a-f]{32})-([0-9a-f]{48})", re.ASCII)


@dataclass(frozen=True, slots=True)
class SecretToken:
    """A token in its parts; `PREFIX` is what tokens of a kind begin with."""

    PREFIX: ClassVar[str]

    account_id: str
    id: str
    secret: str = field(repr=False)

    @classmethod
    def new(cls, account_id: str, token_id: str) -> Self:
        """A token with a new secret."""
        return cls(account_id, token_id, new_secret(24))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The token that a text is, or None."""
        match = _PARTS.fullmatch(text, len(cls.PREFIX)) if text.startswith(cls.PREFIX) else None
        return cls(*match.groups()) if match else None

    def __str__(self) -> str:
        return f"{self.PREFIX}{self.account_id}-{self.id}-{self.secret}"
