# SPDX-License-Identifier: MPL-2.0
"""Ingest tokens: what a switch presents to hand in an account's records, and nothing else.

A token stands where a JWT may stand, and as the password of basic authentication, whatever the user name.
"""

from __future__ import annotations

import base64
import hmac
from typing import Final

from crossbar.access.directory import Directory
from crossbar.access.identity import Identity
from crossbar.access.pepper import Pepper
from crossbar.access.secret_token import DIGEST_FIELD, SecretToken
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store

TYPE: Final = "ingest_token"
METHOD: Final = "ingest"
"""`Identity.method` of who presents such a token."""

INGEST_TOKEN_SHAPE: Final = Shape(TYPE, summary=Summary("id", "name", created="pvt_created"))


class IngestToken(SecretToken):
    """An ingest token in its parts."""

    __slots__ = ()
    PREFIX = "ingest-"

    @classmethod
    def of_basic(cls, authorization: str) -> IngestToken | None:
        """The token that is the password of an `Authorization: Basic …` header, or None."""
        try:
            login = base64.b64decode(authorization.partition(" ")[2]).decode()
        except ValueError:
            return None
        return cls.read(login.partition(":")[2])


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
