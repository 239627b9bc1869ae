# SPDX-License-Identifier: MPL-2.0
"""Who is calling? From a credential to an identity.

Source: `api_util.erl` (`get_auth_token`, `is_early_authentic`), `cb_token_auth.erl`, `cb_basic_auth.erl`,
`cb_ip_auth.erl`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from crossbar.access.bad_token import BAD_IDENTITY, EXPIRED, BadToken
from crossbar.access.basic import BasicCredentials
from crossbar.access.costs import Costs
from crossbar.access.directory import Account, Directory
from crossbar.access.identity import Identity
from crossbar.access.ingest_token import IngestToken, IngestTokens
from crossbar.access.login_types import IP_AUTH, Expired
from crossbar.access.plain_users import PlainUsers
from crossbar.access.request_facts import RequestFacts
from crossbar.access.standing import is_switched_off, refuse_expired
from crossbar.access.tokens import Tokens
from crossbar.errors import InvalidCredentials, Plain

BASIC_AUTH = "cb_basic_auth"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request presents. `account_id` is what it says its account is (`X-Auth-Account-ID`), if it says so.

    `value` is the JWT (after `Bearer`, too) or, for `basic`, the whole value of the `Authorization` header; `unusable`
    is a scheme nobody knows.
    """

    kind: Literal["jwt", "basic", "unusable"]
    value: str = field(repr=False)
    account_id: str | None = None


def _never() -> bool:
    return False


def _nothing(_: Account) -> None:
    return None


@dataclass(eq=False, repr=False)
class Authentication:
    """Turns credentials into identities, early or when one is required.

    `by_address` says whether callers without credential are known by their address. `on_expired` is told of an
    enabled account that was used after its trial, `plain_users` which users act as nobody else.
    """

    tokens: Tokens
    basic: BasicCredentials
    directory: Directory
    costs: Costs
    ingest: IngestTokens
    _: KW_ONLY
    by_address: Callable[[], bool] = _never
    on_expired: Expired = _nothing
    plain_users: PlainUsers = field(default_factory=lambda: PlainUsers(_never))

    async def early(self, credential: Credential | None, asked: RequestFacts) -> Identity | None:
        """Judge a presented credential before the path is looked at; None if there is none, or it is no good.

        Raises 401 for an expired token, 423 for an account whose trial is over, 429 where basic authentication, or a
        request that `token_costs` names, finds an empty bucket.
        """
        if credential is None or credential.kind == "unusable":
            return None
        if ingest := _ingest_token(credential):
            identity = await self.ingest.identity(ingest)
            if identity is None and credential.kind == "basic":
                self.costs.charge(asked)
        elif credential.kind == "jwt":
            identity = await self._of_token(credential)
            if identity is not None:
                self.costs.charge_bearer(asked)
        else:
            self.costs.charge(asked)
            identity = await self._of_user(credential, asked)
        if identity is None:
            return None
        refuse_expired(identity.account, self.on_expired)
        return await self._acting(identity) if "as" in identity.claims else identity

    async def bearer(self, token: str) -> Identity:
        """Whom a token stands for at this moment; nobody is charged, for whoever keeps a connection open.

        Raises BadToken, and 423 for an account whose trial is over.
        """
        identity = await self.tokens.verify(token)
        refuse_expired(identity.account, self.on_expired)
        acting = await self._acting(identity) if "as" in identity.claims else identity
        if acting is None:
            raise BadToken(BAD_IDENTITY)
        return acting

    async def required(self, credential: Credential | None, asked: RequestFacts) -> Identity:
        """The last word when `early` found nobody: who calls from a known address, else 401.

        What has not paid yet pays now: raises 429 where the bucket is empty.
        """
        if credential is None or credential.kind != "basic":
            self.costs.charge(asked)
        identity = await self.known_by_address(asked) if credential is None and self.by_address() else None
        if identity is None:
            raise InvalidCredentials
        return identity

    async def known_by_address(self, asked: RequestFacts) -> Identity | None:
        """Whom the client's address stands for, if one account alone lists it; 423 if its trial is over."""
        accounts = await self.directory.accounts_of_ip(asked.client_ip)
        if len(accounts) != 1 or is_switched_off(accounts[0], None):
            return None
        refuse_expired(accounts[0], self.on_expired)
        return Identity.without_token(accounts[0], None, IP_AUTH)

    async def _of_token(self, credential: Credential) -> Identity | None:
        try:
            identity = await self.tokens.verify(credential.value)
        except BadToken as error:
            if error.reason == EXPIRED:
                raise Plain(401, "invalid credentials") from error
            return None
        if credential.account_id is not None and credential.account_id != identity.account.id:
            return None
        return identity

    async def _of_user(self, credential: Credential, asked: RequestFacts) -> Identity | None:
        user = await self.basic.user_of(credential.value, asked.client_ip)
        account = None if user is None else await self.directory.account(user.account_id)
        if account is None or is_switched_off(account, user):
            return None
        return Identity.without_token(account, user, BASIC_AUTH)

    async def _acting(self, identity: Identity) -> Identity | None:
        """As whom a token with the claim `as` acts; None if that is no user of a descendant account.

        Nor does a guarded plain user act as anybody, who might be an administrator.
        """
        match identity.claims["as"]:
            case {"account_id": str(account_id), "owner_id": str(owner_id)}:
                account = await self.directory.account(account_id)
                user = await self.directory.user(account_id, owner_id)
            case _:
                return identity
        if account is None or user is None or identity.account.id not in account.tree:
            return None
        if is_switched_off(account, user) or self.plain_users.guards(identity):
            return None
        refuse_expired(account, self.on_expired)
        return Identity(
            account,
            user,
            identity.method,
            identity.claims,
            identity.token,
            original_account_id=identity.account.id,
            original_owner_id=identity.owner_id,
        )


def _ingest_token(credential: Credential) -> IngestToken | None:
    if credential.kind == "jwt":
        return IngestToken.read(credential.value)
    return IngestToken.of_basic(credential.value)
