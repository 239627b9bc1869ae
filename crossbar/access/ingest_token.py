# SPDX-License-Identifier: MPL-2.0
"""Ingest tokens: what a switch presents to hand in an account's records, and nothing else.

A token names its account and its document and carries a secret, of which only a keyed digest is stored. It stands
where a JWT may stand, and as the password of basic authentication, whatever the user name.
"""

from __future__ import annotations

import base64
import hmac
import re
from typing import Final, NamedTuple

from crossbar.access.directory import Directory
from crossbar.access.identity import Identity
from crossbar.access.pepper import Pepper
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.ids import new_secret

TYPE: Final = "ingest_token"
METHOD: Final = "ingest"
"""`Identity.method` of who presents such a token."""
DIGEST_FIELD: Final = "pvt_token_digest"

INGEST_TOKEN_SHAPE: Final = Shape(TYPE, summary=Summary("id", "name", created="pvt_created"))

_TOKEN: Final = re.compile(r"ingest-([^-]{32})-([0-9a-f]{32})-([0-9a-f]{48})", re.ASCII)


class IngestToken(NamedTuple):
    """A token in its parts."""

    account_id: str
    id: str
    secret: str

    @classmethod
    def new(cls, account_id: str, token_id: str) -> IngestToken:
        """A token with a new secret."""
        return cls(account_id, token_id, new_secret(24))

    @classmethod
    def read(cls, text: str) -> IngestToken | None:
        """The token that a text is, or None."""
        match = _TOKEN.fullmatch(text)
        return cls(*match.groups()) if match else None

    @classmethod
    def of_basic(cls, authorization: str) -> IngestToken | None:
        """The token that is the password of an `Authorization: Basic …` header, or None."""
        try:
            login = base64.b64decode(authorization.partition(" ")[2]).decode()
        except ValueError:
            return None
        return cls.read(login.partition(":")[2])

    def __str__(self) -> str:
        return f"ingest-{self.account_id}-{self.id}-{self.secret}"


class IngestTokens:
    """Judges ingest tokens."""

    def __init__(self, store: Store, directory: Directory, pepper: Pepper) -> None:
        self._store = store
        self._directory = directory
        self._pepper = pepper

    async def identity(self, token: IngestToken) -> Identity | None:
        """Whom a token stands for: its account, without a user; None if it is no good or the account is disabled."""
        document = await self._store.get(token.account_id, TYPE, token.id)
        account = await self._directory.account(token.account_id)
        if document is None or account is None or not account.enabled:
            return None
        if not hmac.compare_digest(document.fields[DIGEST_FIELD], self._pepper.digest(token.secret)):
            return None
        return Identity.without_token(account, None, METHOD)
