# SPDX-License-Identifier: MPL-2.0
"""Who calls a dialect, and with which accesses.

A token of Crossbar's gives an administrator everything, and anybody else what concerns himself; further accesses come
from policies. A token of wazo-auth has the accesses that were noted when it was issued.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from aiohttp import BasicAuth, hdrs

from crossbar.access.authentication import Credential
from crossbar.access.identity import Identity
from crossbar.access.ingest_token import METHOD as INGEST
from crossbar.dialects import digest_logins
from crossbar.dialects.accesses import EVERYTHING, Accesses
from crossbar.dialects.granted import accesses_of
from crossbar.dialects.identifiers import dashed
from crossbar.dialects.named_logins import identity_of
from crossbar.errors import CrossbarError
from crossbar.wire.text import clean

if TYPE_CHECKING:
    from crossbar.endpoint import Context

TOKEN_HEADER: Final = "X-Auth-Token"  # noqa: S105 - the name of a header
Rights = Literal["crossbar", "policies"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `rights` says whether Crossbar's own rules bind the caller beside the accesses."""

    identity: Identity
    accesses: Accesses
    rights: Rights = "crossbar"

    @property
    def auth_id(self) -> str:
        """The user's UUID; empty for who calls without being a user."""
        return dashed(self.identity.owner_id or "")


class DialectTokens(Protocol):
    """Tokens that only dialects know."""

    async def caller(self, token: str) -> Caller | None:
        """Whom a token stands for; None for one that is not good."""


class Callers:
    """Tells who calls by what a request presents."""

    def __init__(self, tokens: DialectTokens | None = None) -> None:
        self._tokens = tokens

    async def of_token(self, token: str, asked: Context) -> Caller | None:
        """Whom a token stands for, Crossbar's or a dialect's own; None for one that is not good."""
        if self._tokens is not None and (known := await self._tokens.caller(token)) is not None:
            return known
        try:
            identity = await asked.runtime.access.authentication.early(Credential("jwt", token), asked)
        except CrossbarError as error:
            if error.status in (401, 423):
                return None
            raise
        if identity is None or identity.method == INGEST:
            return None
        return await self.of_identity(identity, asked)

    async def of_identity(self, identity: Identity, asked: Context) -> Caller:
        """Somebody whom Crossbar knows."""
        if identity.user is None or identity.is_account_admin:
            return Caller(identity, Accesses(EVERYTHING, dashed(identity.owner_id or "")))
        elements = await accesses_of(asked.store, identity.account_id, identity.user.id)
        return Caller(identity, Accesses(elements, dashed(identity.user.id)))

    async def of_basic(self, authorization: str, asked: Context) -> Caller | None:
        """The administrator whose name and password were sent; None for anybody else."""
        try:
            named = BasicAuth.decode(authorization, encoding="latin-1")
        except ValueError:
            return None
        identity = await identity_of(asked.runtime, named.login, named.password, asked.client_ip)
        if identity is None or not identity.is_account_admin:
            return None
        return await self.of_identity(identity, asked)

    async def of_digest(self, asked: Context) -> Caller | None:
        """Who answered a challenge, with the accesses that a token of wazo-auth would give."""
        identity = await digest_logins.identity_of(asked.runtime, asked.request, asked.client_ip)
        if identity is None or identity.user is None:
            return None
        elements = await accesses_of(asked.store, identity.account_id, identity.user.id)
        return Caller(identity, Accesses(elements, dashed(identity.user.id)), "policies")

    async def of_request(self, asked: Context, *, basic: bool, digest: bool) -> Caller | None:
        """Who calls; `basic` and `digest` say what will do in place of a token."""
        headers = asked.request.headers
        if token := headers.get(TOKEN_HEADER):
            return await self.of_token(clean(token), asked)
        authorization = headers.get(hdrs.AUTHORIZATION, "")
        if basic and authorization.lower().startswith("basic "):
            return await self.of_basic(authorization, asked)
        if digest and authorization.lower().startswith(digest_logins.SCHEME):
            return await self.of_digest(asked)
        return None
