# SPDX-License-Identifier: MPL-2.0
"""Basic authentication: `<account id>:<secret>`, the secret in one of four forms.

Source: `cb_basic_auth.erl`; the plain forms follow the documentation's own first example.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from aiohttp import hdrs
from aiohttp_basicauth import BasicAuthMiddleware

from crossbar.access.directory import Directory, User, chief
from crossbar.access.failed_logins import FailedLogins, LoginTry
from crossbar.access.passwords import Method, hashed
from crossbar.access.pepper import Pepper

_MD5 = re.compile(rb"[0-9a-fA-F]{32}")
_SHA1 = re.compile(rb"[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class _Presented:
    """What the library reads of a request: the credential may also have come in a body or query string."""

    headers: Mapping[str, str]
    address: str


def _any_form() -> str | None:
    return None


class BasicCredentials(BasicAuthMiddleware):  # type: ignore[misc] # the library has no types
    """Finds the user whom `Authorization: Basic …` names.

    `form` gives the one form of secret to accept: `md5` or `sha` (hex hash of `username:password`), any other word
    for `username:password` itself. None tries all of these, then the bare password of any user of the account: of
    several the oldest administrator, else the oldest. What was found is remembered, by keyed digest, until the
    user's credentials change. `failed_logins` counts what was tried in vain.
    """

    def __init__(
        self,
        directory: Directory,
        pepper: Pepper,
        form: Callable[[], str | None] = _any_form,
        *,
        failed_logins: FailedLogins | None = None,
        limit: int = 10_000,
    ) -> None:
        super().__init__(force=False)
        self._directory = directory
        self._pepper = pepper
        self._form = form
        self._failed_logins = failed_logins
        self._limit = limit
        self._verified: dict[str, User] = {}

    async def user_of(self, authorization: str, address: str = "") -> User | None:
        """The enabled user whom the value of an `Authorization` header from `address` names, or None.

        Raises TooManyRequests where too many have been tried in vain.
        """
        presented = _Presented({hdrs.AUTHORIZATION: authorization}, address)
        user: User | None = await self.authenticate(presented) or None
        return user

    async def check_credentials(self, username: str, password: str, request: _Presented) -> User | None:
        """The user of account `username` whose secret is `password`; called by `authenticate`."""
        secret = password.encode("latin-1")  # the bytes as they were sent; the library reads them as Latin-1
        form = self._form()
        key = self._pepper.digest(f"{form}/{username}/".encode() + secret)
        known = self._verified.get(key)
        if known is not None:
            user = await self._directory.user(known.account_id, known.id)
            if user is not None and user.enabled and (user.md5, user.sha1) == (known.md5, known.sha1):
                return user
            self._verified.pop(key, None)
        user = await self._counted(username, secret, form, request.address)
        if user is not None:
            self._remember(key, user)
        return user

    async def _counted(self, account_id: str, secret: bytes, form: str | None, address: str) -> User | None:
        if self._failed_logins is None:
            return await self._find(account_id, secret, form)
        named = secret.partition(b":")
        attempt = LoginTry(address, account_id, named[0].decode(errors="replace") if named[1] else "")
        self._failed_logins.begin(attempt)
        user = await self._find(account_id, secret, form)
        if user is None:
            self._failed_logins.failed(attempt)
        else:
            self._failed_logins.succeeded(attempt)
        return user

    def _remember(self, key: str, user: User) -> None:
        if len(self._verified) >= self._limit:
            del self._verified[next(iter(self._verified))]
        self._verified[key] = user

    async def _find(self, account_id: str, secret: bytes, form: str | None) -> User | None:
        for method, value in _hashes(secret, form):
            users = await self._directory.users_of_credential(account_id, method, self._pepper.digest(value))
            if users:
                return chief(users)
        return await self._find_by_password(account_id, secret) if form is None else None

    async def _find_by_password(self, account_id: str, password: bytes) -> User | None:
        users = [user for user in await self._directory.enabled_users(account_id) if user.username and user.md5]
        return chief([user for user in users if self._has_password(user, password)])

    def _has_password(self, user: User, password: bytes) -> bool:
        digest = self._pepper.digest(hashed("md5", user.username or "", password))
        return hmac.compare_digest(digest, user.md5 or "")


def _hashes(secret: bytes, form: str | None) -> Iterator[tuple[Method, str]]:
    """The hashes of `username:password` that a secret can stand for, in the order in which they are tried."""
    if form in (None, "md5") and _MD5.fullmatch(secret):
        yield "md5", secret.decode().lower()
    if form in (None, "sha") and _SHA1.fullmatch(secret):
        yield "sha", secret.decode().lower()
    if form not in ("md5", "sha"):
        username, colon, password = secret.partition(b":")
        if colon:
            yield "md5", hashed("md5", username.decode(errors="replace"), password)
