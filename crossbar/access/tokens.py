# SPDX-License-Identifier: MPL-2.0
"""Tokens: what a log-in hands out and every later request presents.

A token is a JWT signed by the system. It also carries a signature of the identity, made with the user's (or
account's) own secret, so that a new password, or the end of the user, ends its tokens.

Source: `core/kazoo_auth/src/kz_auth_jwt.erl`, `kz_auth_identity.erl`, `crossbar_auth.erl` (`create_auth_token`).
"""

from __future__ import annotations

import hashlib
import hmac
import math
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jwt
from jwt.types import Options

from crossbar import clock
from crossbar.access.bad_token import (
    BAD_ALGORITHM,
    BAD_IDENTITY,
    BAD_SIGNATURE,
    EXPIRED,
    INVALID,
    NO_ACCOUNT,
    NOT_FOUND,
    BadToken,
)
from crossbar.access.directory import Account, Bearer, Directory, User
from crossbar.access.feed_cache import FeedCache
from crossbar.access.identity import Identity
from crossbar.access.keys import Keyring, Keys, UnknownKey
from crossbar.access.named_tokens import NamedToken, NamedTokens
from crossbar.access.standing import is_switched_off
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT, USER
from crossbar.documents.dry_run import refuse_dry
from crossbar.documents.feed import Change, Feed
from crossbar.documents.store import REVOCATION, Store
from crossbar.errors import JSON, InvalidCredentials
from crossbar.ids import new_id

ISSUER = "kazoo"
ALGORITHM = "RS256"
ALGORITHMS = ["RS256", "RS384", "RS512"]
ID_CLAIM = "jti"
"""The claim that tells tokens of one user and second apart; KAZOO's have none, and clients are not told of it."""
LONGEST = 16_384
"""Characters of a token that are looked at; the longest real ones have a tenth of it."""

_DECODE: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
"""The time is told by our own clock; the rest are claims that our tokens do not make."""


@dataclass(slots=True)
class _Checked:
    """A token whose signature was found good, and whom it was last found to stand for."""

    token: str
    claims: Mapping[str, JSON]
    expires: float
    ring: Keyring
    identity: Identity | None = None


class Tokens:
    """Issues, verifies and revokes tokens.

    A token is verified once (`limit` are remembered, by digest). Whether it still counts is asked each time, of
    memory that the change feed keeps fresh: keys, revocation, account, user (both enabled), identity signature.
    """

    def __init__(
        self,
        store: Store,
        feed: Feed,
        keys: Keys,
        directory: Directory,
        *,
        limit: int = 20_000,
        named: NamedTokens | None = None,
    ) -> None:
        self._store = store
        self._named = named
        self._keys = keys
        self._directory = directory
        self._limit = limit
        self._checked: dict[bytes, _Checked] = {}
        self._revoked: FeedCache[bytes, bool] = FeedCache(feed, self._is_revoked, limit=limit, keep_absent=True)
        feed.subscribe(REVOCATION, lambda change: self._revoked.forget(bytes.fromhex(change.id)))

    async def issue(
        self,
        account_id: str,
        owner_id: str | None,
        method: str,
        *,
        lifetime: int,
        extra: Mapping[str, JSON] | None = None,
    ) -> str:
        """A new token.

        `lifetime` in seconds, 0 or less for a token that never expires. `extra` holds further claims: `as`,
        `mfa_resp`, `original_account_id`, `original_owner_id`; None values are left out. Raises InvalidCredentials
        when account or user are gone.
        """
        refuse_dry("hands out a token")
        ring = await self._keys.ring()
        secret = await self.ensure_secret(account_id, owner_id)
        claims: dict[str, JSON] = {
            "iss": ISSUER,
            "account_id": account_id,
            "owner_id": owner_id,
            "method": method,
            "exp": int(clock.unix_now()) + lifetime if lifetime > 0 else None,
            "identity_sig": _sign(secret, ring, owner_id or account_id),
            **(extra or {}),
        }
        return _encode(ring, claims)

    async def vouch(self, claims: Mapping[str, JSON], *, lifetime: int) -> str:
        """A token that says something of its bearer, but lets nobody in: it names no account. `lifetime` in seconds."""
        return _encode(await self._keys.ring(), {"iss": ISSUER, "exp": int(clock.unix_now()) + lifetime, **claims})

    async def verify(self, token: str) -> Identity:
        """Whom a token stands for now; raises BadToken."""
        if len(token) > LONGEST or not token.isascii():
            raise BadToken(INVALID)
        if self._named is not None and (named := NamedToken.read(token)) is not None:
            return await self._named.identity(named)
        digest = hashlib.sha256(token.encode()).digest()
        ring = await self._keys.ring()
        checked = self._checked.get(digest)
        if checked is None or checked.ring is not ring:
            checked = await self._check(token, ring)
            self._remember(digest, checked)
        if checked.expires <= clock.unix_now():
            self._checked.pop(digest, None)
            raise BadToken(EXPIRED)
        revoked = self._revoked.known(digest) or (await self._revoked.read(digest),)
        if revoked[0]:
            raise BadToken(BAD_IDENTITY)
        identity = await self._identify(checked)
        if is_switched_off(identity.account, identity.user) or await self._has_lost_its_bearer(identity):
            raise BadToken(BAD_IDENTITY)
        return identity

    async def revoke(self, identity: Identity) -> None:
        """End the token of `identity` before its time, in every worker. Without a token there is nothing to end."""
        if identity.token is None:
            return
        digest = hashlib.sha256(identity.token.encode()).digest()
        await self._store.revocations.revoke(digest.hex(), identity.claims.get("exp"))
        self._revoked.forget(digest)

    async def reset_secret(self, account_id: str, owner_id: str | None) -> None:
        """Give a user, or without `owner_id` the account, a new secret: all tokens signed with the old one end."""

        def exchange(document: Document) -> None:
            document.fields["pvt_signature_secret"] = new_id()

        await self._change_secret(account_id, owner_id, exchange)

    def _remember(self, digest: bytes, checked: _Checked) -> None:
        if len(self._checked) >= self._limit:
            del self._checked[next(iter(self._checked))]
        self._checked[digest] = checked

    async def _check(self, token: str, ring: Keyring) -> _Checked:
        """Algorithm, signature and form of the claims."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise BadToken(BAD_ALGORITHM)
            key_id = header.get("kid", "")
            if key_id not in ring.public:
                ring = await self._keys.ring_with(key_id)
            claims = jwt.decode(token, ring.public[key_id], ALGORITHMS, options=_DECODE, issuer=ISSUER)
        except (jwt.InvalidSignatureError, UnknownKey) as error:
            raise BadToken(BAD_SIGNATURE) from error
        except jwt.PyJWTError as error:
            raise BadToken(INVALID) from error
        claims.pop(ID_CLAIM, None)
        expires = claims.get("exp", math.inf)
        if not isinstance(expires, int | float) or not isinstance(claims.get("account_id", ""), str):
            raise BadToken(INVALID)
        if "account_id" not in claims:
            raise BadToken(NO_ACCOUNT)
        return _Checked(token, claims, expires, ring)

    async def _identify(self, checked: _Checked) -> Identity:
        """The identity behind a token, made anew when account or user are no longer the ones it was made of."""
        account_id, owner_id = checked.claims["account_id"], checked.claims.get("owner_id")
        account = await self._directory.account(account_id)
        user = await self._directory.user(account_id, owner_id) if owner_id else None
        known = checked.identity
        if known is not None and known.account is account and known.user is user:
            return known
        if not _signed_by(checked, account, user):
            # What we remember may be a moment older than the token.
            account = await self._directory.reread_account(account_id)
            user = await self._directory.reread_user(account_id, owner_id) if owner_id else None
        if account is None or (owner_id and user is None):
            raise BadToken(NOT_FOUND)
        if not _signed_by(checked, account, user):
            raise BadToken(BAD_IDENTITY)
        checked.identity = _identity(checked, account, user)
        return checked.identity

    async def _has_lost_its_bearer(self, identity: Identity) -> bool:
        """Whether who took on this identity is gone or disabled by now."""
        account_id, owner_id = identity.original_account_id, identity.original_owner_id
        if account_id is None:
            return False
        account = await self._directory.account(account_id)
        user = await self._directory.user(account_id, owner_id) if owner_id else None
        return account is None or (owner_id is not None and user is None) or is_switched_off(account, user)

    async def _is_revoked(self, digest: bytes) -> bool | None:
        return await self._store.revocations.revoked(digest.hex()) or None

    async def ensure_secret(self, account_id: str, owner_id: str | None) -> str:
        """The secret that signs the identity of a user or account, from the store; made with the first token."""
        holder: Bearer | None = (
            await self._directory.reread_user(account_id, owner_id)
            if owner_id
            else await self._directory.reread_account(account_id)
        )
        if holder is not None and holder.signature_secret:
            return holder.signature_secret

        def make(document: Document) -> None:
            document.fields.setdefault("pvt_signature_secret", new_id())

        return await self._change_secret(account_id, owner_id, make)

    async def _change_secret(self, account_id: str, owner_id: str | None, change: Callable[[Document], None]) -> str:
        partition, document_type = (account_id, USER) if owner_id else (ACCOUNTS, ACCOUNT)
        document = await self._store.update(partition, document_type, owner_id or account_id, change)
        if document is None:
            raise InvalidCredentials
        self._directory.forget(Change("edited", partition, document_type, document.id))
        return str(document.fields["pvt_signature_secret"])


def _encode(ring: Keyring, claims: Mapping[str, JSON]) -> str:
    payload = {name: claim for name, claim in claims.items() if claim is not None}
    # Without an id of its own a token equals the next one of the same second, and ends with it where it is revoked.
    return jwt.encode({**payload, ID_CLAIM: new_id()}, ring.private, ALGORITHM, headers={"kid": ring.signing})


def _sign(secret: str, ring: Keyring, identity: str) -> str:
    """The signature of an account's or user's id under its own and the system's secret."""
    signature = hmac.digest(secret.encode() + ring.secret, identity.encode(), "sha256")
    return urlsafe_b64encode(signature).rstrip(b"=").decode()


def _signed_by(checked: _Checked, account: Account | None, user: User | None) -> bool:
    """Whether the token's identity signature was made with the secret that account or user have now."""
    holder = user if checked.claims.get("owner_id") else account
    if account is None or holder is None or holder.signature_secret is None:
        return False
    signature = checked.claims.get("identity_sig")
    expected = _sign(holder.signature_secret, checked.ring, holder.id)
    return isinstance(signature, str) and hmac.compare_digest(signature, expected)


def _identity(checked: _Checked, account: Account, user: User | None) -> Identity:
    claims = checked.claims
    return Identity(
        account,
        user,
        method=str(claims.get("method", "")),
        claims=claims,
        token=checked.token,
        original_account_id=claims.get("original_account_id"),
        original_owner_id=claims.get("original_owner_id"),
    )
