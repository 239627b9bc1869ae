# SPDX-License-Identifier: MPL-2.0
"""Tokens that are no longer good."""

from __future__ import annotations

from datetime import UTC, datetime

from crossbar.documents.document import SYSTEM_AUTH, document_key
from crossbar.documents.store.connection import Connection

REVOCATION = "revocation"
"""The type under which the change feed tells of a revoked token."""


class Revocations:
    """The digests of revoked tokens."""

    def __init__(self, connection: Connection) -> None:
        self._run = connection.run
        self._revocations = connection.database["revocations"]

    async def revoke(self, digest: str, expires: float | None) -> None:
        """Note that a token is no longer good. It is forgotten at `expires` (Unix seconds), if it ever expires."""
        fields = {"a": SYSTEM_AUTH} | ({} if expires is None else {"expires": datetime.fromtimestamp(expires, UTC)})
        key = {"_id": revocation_key(digest)}
        await self._run(lambda: self._revocations.update_one(key, {"$set": fields}, upsert=True))

    async def revoked(self, digest: str) -> bool:
        """Whether the token of this digest was revoked."""
        key = {"_id": revocation_key(digest)}
        return await self._run(lambda: self._revocations.find_one(key, {"_id": 1})) is not None


def revocation_key(digest: str) -> str:
    """The `_id` of a revocation, made like a document's, so that the change feed tells of it."""
    return document_key(SYSTEM_AUTH, REVOCATION, digest)
