# SPDX-License-Identifier: MPL-2.0
"""Tokens of wazo-auth: random words that stand for a user and a list of accesses, until they expire or are revoked.

A token is kept by its digest alone, until the database forgets it some time after it has expired. It ends early when
its user is disabled or gone, or has another password.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from crossbar import clock
from crossbar.access.directory import Directory, User
from crossbar.access.identity import Identity
from crossbar.access.standing import is_switched_off
from crossbar.dialects.accesses import Accesses
from crossbar.dialects.callers import Caller
from crossbar.dialects.identifiers import dashed
from crossbar.dialects.named_logins import METHOD
from crossbar.documents.document import SYSTEM_AUTH, Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.errors import JSON
from crossbar.runtime import Runtime

TYPE: Final = "wazo_token"
REFRESH: Final = "wazo_refresh_token"
LENGTH: Final = 36


def _of_user(document: Document) -> Iterable[str]:
    return (
        f"account/{document.text('account_id')}",
        f"user/{document.text('user_id')}",
        f"session/{document.text('session_uuid')}",
    )


def _of_client(document: Document) -> Iterable[str]:
    user, client = document.text("user_id"), document.text("client_id")
    account = document.text("account_id")
    return (f"account/{account}", f"user/{user}", f"client/{user}/{client}", f"token/{document.text('digest')}")


def _end(token: Document) -> float | None:
    expires = token.fields.get("expires")
    return float(expires) if isinstance(expires, int | float) else None


TOKEN_SHAPE: Final = Shape(TYPE, summary=Summary("id"), tags=_of_user, expires=_end, moves=False)
REFRESH_SHAPE: Final = Shape(REFRESH, summary=Summary("id"), tags=_of_client, sealed=("refresh_token",), moves=False)


@dataclass(frozen=True, slots=True)
class Session:
    """A good token: what was kept of it, and who its user is now."""

    document: Document
    identity: Identity
    token: str

    @property
    def accesses(self) -> Accesses:
        """What it allows."""
        elements = [one for one in self.document.fields.get("acl") or [] if isinstance(one, str)]
        return Accesses(elements, dashed(self.identity.owner_id or ""), self.document.text("session_uuid"))


class Sessions:
    """Issues, finds and revokes tokens."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def issue(self, identity: Identity, acl: list[str], lifetime: int, facts: dict[str, JSON]) -> Session:
        """A new token for so many seconds; `facts` are kept with it."""
        user = identity.user
        assert user is not None  # noqa: S101 - who logs in by name is a user
        token, now = str(uuid.uuid4()), clock.unix_now()
        fields: dict[str, Any] = {
            "account_id": identity.account_id,
            "user_id": user.id,
            "acl": acl,
            "issued": now,
            "expires": now + lifetime,
            "session_uuid": str(uuid.uuid4()),
            "pvt_proof": proof_of(user),
            **facts,
        }
        saved = await self._runtime.store.insert(Document(SYSTEM_AUTH, TYPE, digest_of(token), fields))
        return Session(saved, identity, token)

    async def find(self, token: str) -> Session | None:
        """What a token stands for; None for one that is not good, or no longer."""
        if len(token) != LENGTH or not token.isascii():
            return None
        document = await self._runtime.store.get(SYSTEM_AUTH, TYPE, digest_of(token))
        if document is None or document.fields["expires"] <= clock.unix_now():
            return None
        identity = await identity_of_token(self._runtime.access.directory, document)
        return None if identity is None else Session(document, identity, token)

    async def caller(self, token: str) -> Caller | None:
        """Who calls with a token."""
        session = await self.find(token)
        return None if session is None else Caller(session.identity, session.accesses, "policies")

    async def revoke(self, token: str) -> None:
        """End a token; one that is not good is ended already."""
        document = await self._runtime.store.get(SYSTEM_AUTH, TYPE, digest_of(token))
        if document is not None:
            await self._runtime.store.remove(document)

    async def of(self, tag: str) -> list[Document]:
        """The tokens with a tag (`user/<id>`, `account/<id>`, `session/<uuid>`) that have not expired."""
        now = clock.unix_now()
        found = await self._runtime.store.all(Listing(SYSTEM_AUTH, TYPE, tag=tag))
        return [one for one in found if one.fields["expires"] > now]

    async def end(self, document: Document) -> None:
        """End a token that was found by its user or session."""
        await self._runtime.store.remove(document)


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def identity_of_token(directory: Directory, document: Document) -> Identity | None:
    """Who has a token, or a refresh token; None for who may not log in, or has had another password since."""
    account = await directory.account(document.text("account_id"))
    user = await directory.user(document.text("account_id"), document.text("user_id"))
    if account is None or user is None or is_switched_off(account, user) or account.expired:
        return None
    if document.fields.get("pvt_proof") != proof_of(user):
        return None
    return Identity.without_token(account, user, METHOD)


def proof_of(user: User) -> str:
    """What changes with a user's password, and with what else ends his tokens."""
    return hashlib.sha256(f"{user.md5}/{user.signature_secret}".encode()).hexdigest()
