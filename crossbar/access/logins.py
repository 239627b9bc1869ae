"""Logging in: from hashed credentials, or an API key, to a token.

Source: `cb_user_auth.erl` (`maybe_authenticate_user`), `cb_api_auth.erl`, `crossbar_auth.erl` (`create_auth_token`,
`log_success_auth`, `log_failed_auth`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from crossbar.access.costs import Costs
from crossbar.access.directory import Account, Directory, User
from crossbar.access.passwords import Method
from crossbar.access.pepper import Pepper
from crossbar.access.request import Asked
from crossbar.access.standing import refuse_disabled, refuse_expired
from crossbar.access.tokens import Tokens
from crossbar.errors import JSON, CrossbarError, InvalidCredentials, Plain

USER_AUTH = "cb_user_auth"
API_AUTH = "cb_api_auth"
NOWHERE = "nowhere"
"""The database in which credentials are looked for when the account is unknown."""


def api_key_fields(pepper: Pepper, key: str) -> dict[str, str]:
    """The private fields to store for an account's API key: sealed, to be shown again, and the digest that finds it."""
    return {"pvt_api_key": pepper.seal(key), "pvt_api_key_digest": api_key_digest(pepper, key)}


def api_key_digest(pepper: Pepper, key: str) -> str:
    """The keyed digest of an API key, as the account claims it."""
    return pepper.digest(f"api_key:{key}")


@dataclass(frozen=True, slots=True)
class ModuleSettings:
    """How an account wants one way to log in to work (`auth_modules.<method>`), all defaults filled in.

    `lifetime` is that of tokens, in seconds; 0 for tokens that never expire.
    """

    enabled: bool = True
    lifetime: int = 3600
    log_failed: bool = True
    log_successful: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a user logs in with: the hash of `username:password`, and an account by number, realm or name.

    `as_` is the identity to act as later (`{account_id, owner_id}`), `second_factor` the answer to a demand for one.
    """

    hash: str = field(repr=False)
    method: Method = "md5"
    phone_number: str | None = None
    realm: str | None = None
    account_name: str | None = None
    as_: JSON = None
    second_factor: JSON = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """A log-in that succeeded.

    `user` is who logged in; after a log-in by API key it is whom the answer shows, the token itself has no user.
    """

    account: Account
    user: User | None
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A log-in to record; `account_id` is None where no account was found."""

    account_id: str | None
    user_id: str | None
    auth_module: str
    auth_type: str
    status: Literal["success", "failed"]
    message: str


class SecondFactor(Protocol):
    """Asks for a second factor where the account wants one."""

    async def __call__(self, account: Account, user: User, response: JSON) -> JSON:
        """The claim `mfa_resp`, None where nothing is wanted; raises InvalidCredentials with the demand."""


SettingsOf = Callable[[Account | None, str], Awaitable[ModuleSettings]]
"""The settings of a log-in module for an account; None asks for the system's own."""
AccountOfNumber = Callable[[str], Awaitable[str | None]]
"""The id of the account to which a phone number is assigned."""
Record = Callable[[Attempt], Awaitable[None]]
"""Keeps a log-in attempt, with what it knows of the request."""


class Logins:
    """Checks credentials and hands out tokens.

    A wrong account, user or password is refused alike and after the same steps: one digest, then a look-up in each
    account the client may mean, or in none that exists.
    """

    def __init__(
        self,
        directory: Directory,
        tokens: Tokens,
        costs: Costs,
        pepper: Pepper,
        *,
        settings_of: SettingsOf,
        account_of_number: AccountOfNumber,
        second_factor: SecondFactor,
    ) -> None:
        self._directory = directory
        self._tokens = tokens
        self._costs = costs
        self._pepper = pepper
        self._settings_of = settings_of
        self._account_of_number = account_of_number
        self._second_factor = second_factor

    async def by_credentials(self, credentials: Credentials, asked: Asked, record: Record) -> Login:
        """Log a user in.

        Raises 429 where the caller's bucket is empty, 401 where account, user or hash are wrong, a second factor is
        wanted or the module is disabled, 423 where the account is disabled or expired.
        """
        self._costs.charge(asked, login=True)
        account, user = await self._find(credentials)
        attempt = _Attempted(account, user, USER_AUTH, "credentials", record)
        settings = await self._settings_of(account, USER_AUTH)
        try:
            if account is None or user is None:
                self._costs.drain(asked)
                raise InvalidCredentials
            _refuse_disabled_module(settings)
            refuse_expired(account)
            refuse_disabled(account)
            factor = await self._second_factor(account, user, credentials.second_factor)
            login = await self._issue(account, user, USER_AUTH, settings, {"as": credentials.as_, "mfa_resp": factor})
        except CrossbarError as refusal:
            await attempt.failed(settings, refusal)
            raise
        await attempt.succeeded(settings)
        return login

    async def by_api_key(self, key: str, asked: Asked, record: Record) -> Login:
        """Log an account in by its API key.

        Raises 429 where the caller's bucket is empty, 404 with the key where no account has it, 401 where the module
        is disabled, 423 where the account is expired.
        """
        self._costs.charge(asked, login=True)
        account = await self._directory.account_of_api_key(api_key_digest(self._pepper, key))
        attempt = _Attempted(account, None, API_AUTH, "account_api_token", record)
        settings = await self._settings_of(account, API_AUTH)
        try:
            if account is None:
                self._costs.drain(asked)
                raise Plain(404, "bad identifier", [key])
            _refuse_disabled_module(settings)
            refuse_expired(account)
            login = await self._issue(account, None, API_AUTH, settings, {})
        except CrossbarError as refusal:
            await attempt.failed(settings, refusal)
            raise
        await attempt.succeeded(settings)
        return Login(account, await self._directory.chief_of(account.id), login.token)

    async def grant(
        self, account: Account, user: User | None, method: str, extra: Mapping[str, JSON] | None = None
    ) -> Login:
        """A token without credentials, for who has proved otherwise to be entitled: refresh, recovery, impersonation.

        `extra` as in `Tokens.issue`. Raises 401 where the module is disabled for the account.
        """
        settings = await self._settings_of(account, method)
        _refuse_disabled_module(settings)
        return await self._issue(account, user, method, settings, extra or {})

    async def _issue(
        self, account: Account, user: User | None, method: str, settings: ModuleSettings, extra: Mapping[str, JSON]
    ) -> Login:
        owner_id = None if user is None else user.id
        token = await self._tokens.issue(account.id, owner_id, method, lifetime=settings.lifetime, extra=extra)
        return Login(account, user, token)

    async def _find(self, credentials: Credentials) -> tuple[Account | None, User | None]:
        """The account meant and its user with these credentials; without such a user the first account meant."""
        digest = self._pepper.digest(credentials.hash.lower())
        accounts = await self._accounts(credentials)
        if not accounts:
            await self._directory.users_of_credential(NOWHERE, credentials.method, digest)
            return None, None
        for account in accounts:
            users = await self._directory.users_of_credential(account.id, credentials.method, digest)
            if users:
                return account, users[0]
        return accounts[0], None

    async def _accounts(self, credentials: Credentials) -> list[Account]:
        """The accounts the client may mean: of its number, else of its realm, else of its name."""
        if credentials.phone_number:
            account_id = await self._account_of_number(credentials.phone_number)
            account = None if account_id is None else await self._directory.reread_account(account_id)
            if account is not None:
                return [account]
        if credentials.realm:
            account = await self._directory.account_of_realm(credentials.realm)
            if account is not None:
                return [account]
        return await self._directory.accounts_of_name(credentials.account_name) if credentials.account_name else []


@dataclass(frozen=True, slots=True)
class _Attempted:
    """A log-in whose outcome is recorded if the account wants that."""

    account: Account | None
    user: User | None
    module: str
    type: str
    record: Record

    async def failed(self, settings: ModuleSettings, refusal: CrossbarError) -> None:
        if settings.log_failed:
            await self._keep("failed", refusal.message)

    async def succeeded(self, settings: ModuleSettings) -> None:
        if settings.log_successful:
            await self._keep("success", "authentication resulted in token creation")

    async def _keep(self, status: Literal["success", "failed"], message: str) -> None:
        account_id = None if self.account is None else self.account.id
        user_id = None if self.user is None else self.user.id
        await self.record(Attempt(account_id, user_id, self.module, self.type, status, message))


def _refuse_disabled_module(settings: ModuleSettings) -> None:
    if not settings.enabled:
        raise Plain(401, "invalid credentials")
