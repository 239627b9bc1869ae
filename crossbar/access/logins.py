# SPDX-License-Identifier: MPL-2.0
"""Logging in: from hashed credentials, or an API key, to a token.

Source: `cb_user_auth.erl` (`maybe_authenticate_user`), `cb_api_auth.erl`, `crossbar_auth.erl` (`create_auth_token`,
`log_success_auth`, `log_failed_auth`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal

from crossbar.access.api_keys import api_key_digest
from crossbar.access.costs import Costs
from crossbar.access.directory import Account, Directory, User
from crossbar.access.failed_logins import LoginTry
from crossbar.access.login_types import (
    API_AUTH,
    CREDENTIALS,
    IP_AUTH,
    MULTI_FACTOR,
    USER_AUTH,
    AccountOfNumber,
    Credentials,
    Expired,
    Login,
    LoginAttempt,
    LoginMethod,
    ModuleSettings,
    Record,
    SecondFactor,
    SecondFactorResult,
    SecondFactorWanted,
    SettingsOf,
)
from crossbar.access.pepper import Pepper
from crossbar.access.request_facts import RequestFacts
from crossbar.access.standing import refuse_disabled, refuse_expired
from crossbar.access.tokens import Tokens
from crossbar.errors import JSON, CrossbarError, InvalidCredentials, Plain

NOWHERE = "nowhere"
"""The partition in which credentials are looked for when the account is unknown."""


@dataclass(eq=False, repr=False)
class Logins:
    """Checks credentials and hands out tokens.

    A wrong account, user or password is refused alike and after the same steps: one digest, then a look-up in each
    account the client may mean, or in none that exists.
    """

    directory: Directory
    tokens: Tokens
    costs: Costs
    pepper: Pepper
    _: KW_ONLY
    settings_of: SettingsOf
    account_of_number: AccountOfNumber
    second_factor: SecondFactor
    on_expired: Expired = lambda _: None

    async def by_credentials(self, credentials: Credentials, asked: RequestFacts, record: Record) -> Login:
        """Log a user in; raises as `identify` and `admit` do."""
        account, user = await self.identify(credentials, asked, record)
        method = LoginMethod(USER_AUTH, CREDENTIALS, asked, record)
        return await self.admit(account, user, method, credentials.second_factor, {"as": credentials.as_})

    async def identify(self, credentials: Credentials, asked: RequestFacts, record: Record) -> tuple[Account, User]:
        """Whose credentials these are; the first factor alone.

        Raises 429 where the caller's bucket is empty or too many log-ins to the account have failed, 401 where account,
        user or hash are wrong or the module is disabled, 423 where the account is disabled or expired.
        """
        self.costs.charge(asked, login=True)
        account, user = await self._counted(credentials, asked)
        settings = await self.settings_of(account, USER_AUTH)
        try:
            if account is None or user is None:
                self.costs.drain(asked)
                raise InvalidCredentials
            self._check(account, settings)
            refuse_disabled(account)
        except CrossbarError as refusal:
            attempt = _AttemptRecorder(account, user, LoginMethod(USER_AUTH, CREDENTIALS, asked, record))
            await attempt.failed(settings, refusal)
            raise
        return account, user

    async def admit(
        self,
        account: Account,
        user: User,
        method: LoginMethod,
        response: JSON = None,
        extra: Mapping[str, JSON] | None = None,
    ) -> Login:
        """A token for who has passed the first factor, once the second is passed, too, where one is wanted.

        `response` is the client's answer to a demand for a second factor, `extra` as in `Tokens.issue`. Raises 401, and
        drains the caller's bucket if that answer is wrong; 423 where the account is disabled or expired.
        """
        settings = await self.settings_of(account, method.module)
        attempt = _AttemptRecorder(account, user, method)
        try:
            self._check(account, settings)
            refuse_disabled(account)
            passed = await self._pass_second_factor(attempt, settings, response)
            claims = {**(extra or {}), "mfa_resp": response if passed else None}
            login = await self._issue(account, user, method.module, settings, claims)
        except SecondFactorWanted:
            raise
        except CrossbarError as refusal:
            await attempt.failed(settings, refusal)
            raise
        await attempt.succeeded(settings)
        return login

    async def by_api_key(self, key: str, asked: RequestFacts, record: Record) -> Login:
        """Log an account in by its API key.

        Raises 429 where the caller's bucket is empty, 404 with the key where no account has it, 401 where the module
        is disabled, 423 where the account is disabled or expired.
        """
        self.costs.charge(asked, login=True)
        account = await self.directory.account_of_api_key(api_key_digest(self.pepper, key))
        unknown = Plain(404, "bad identifier", [key])
        login = await self._of_account(account, LoginMethod(API_AUTH, "account_api_token", asked, record), unknown)
        return Login(login.account, await self.directory.chief_of(login.account.id), login.token)

    async def by_address(self, asked: RequestFacts, record: Record) -> Login:
        """Log an account in by the client's address, if one account alone lists it.

        Raises 429 where the caller's bucket is empty, 401 where no account lists the address or the module is disabled,
        423 where the account is disabled or expired.
        """
        self.costs.charge(asked, login=True)
        accounts = await self.directory.accounts_of_ip(asked.client_ip)
        account = accounts[0] if len(accounts) == 1 else None
        return await self._of_account(account, LoginMethod(IP_AUTH, "ip_auth", asked, record), InvalidCredentials())

    async def grant(
        self, account: Account, user: User | None, method: str, extra: Mapping[str, JSON] | None = None
    ) -> Login:
        """A token without credentials, for who has proved otherwise to be entitled: refresh, recovery, impersonation.

        `extra` as in `Tokens.issue`. Raises 401 where the module is disabled for the account.
        """
        settings = await self.settings_of(account, method)
        _refuse_disabled_module(settings)
        return await self._issue(account, user, method, settings, extra or {})

    async def _issue(
        self, account: Account, user: User | None, method: str, settings: ModuleSettings, extra: Mapping[str, JSON]
    ) -> Login:
        owner_id = None if user is None else user.id
        token = await self.tokens.issue(account.id, owner_id, method, lifetime=settings.lifetime, extra=extra)
        return Login(account, user, token)

    async def _of_account(self, account: Account | None, method: LoginMethod, unknown: CrossbarError) -> Login:
        """A token without user, for an account that was found by something that is its own."""
        settings = await self.settings_of(account, method.module)
        attempt = _AttemptRecorder(account, None, method)
        try:
            if account is None:
                self.costs.drain(method.asked)
                raise unknown
            self._check(account, settings)
            refuse_disabled(account)
            login = await self._issue(account, None, method.module, settings, {})
        except CrossbarError as refusal:
            await attempt.failed(settings, refusal)
            raise
        await attempt.succeeded(settings)
        return login

    def _check(self, account: Account, settings: ModuleSettings) -> None:
        """Refuse an account that has no use of this module, or whose trial is over."""
        _refuse_disabled_module(settings)
        refuse_expired(account, self.on_expired)

    async def _pass_second_factor(self, attempt: _AttemptRecorder, settings: ModuleSettings, response: JSON) -> bool:
        """Whether a second factor was asked for and passed; raises where it was not passed."""
        if attempt.account is None or attempt.user is None:
            return False
        verdict = await self.second_factor(attempt.account, attempt.user, settings.multi_factor, response)
        if verdict is None:
            return False
        await replace(attempt, method=replace(attempt.method, kind=MULTI_FACTOR)).told(settings, verdict)
        if not verdict.admits:
            self.costs.drain(attempt.method.asked)
            raise InvalidCredentials
        return verdict.status == "success"

    async def _counted(self, credentials: Credentials, asked: RequestFacts) -> tuple[Account | None, User | None]:
        """As `_find`. A hash does not name its user, so what fails counts for the account."""
        accounts = await self._accounts(credentials)
        attempt = LoginTry(asked.client_ip, accounts[0].id if accounts else credentials.account_as_named)
        self.costs.failed_logins.begin(attempt)
        account, user = await self._find(credentials, accounts)
        if user is None:
            self.costs.failed_logins.failed(attempt)
        else:
            self.costs.failed_logins.succeeded(attempt)
        return account, user

    async def _find(self, credentials: Credentials, accounts: list[Account]) -> tuple[Account | None, User | None]:
        """The account meant and its user with these credentials; without such a user the first account meant."""
        digest = self.pepper.digest(credentials.hash.lower())
        if not accounts:
            await self.directory.users_of_credential(NOWHERE, credentials.method, digest)
            return None, None
        for account in accounts:
            users = await self.directory.users_of_credential(account.id, credentials.method, digest)
            if users:
                return account, users[0]
        return accounts[0], None

    async def _accounts(self, credentials: Credentials) -> list[Account]:
        """The accounts the client may mean: of its number, else of its realm, else of its name."""
        if credentials.phone_number:
            account_id = await self.account_of_number(credentials.phone_number)
            account = None if account_id is None else await self.directory.reread_account(account_id)
            if account is not None:
                return [account]
        if credentials.realm:
            account = await self.directory.account_of_realm(credentials.realm)
            if account is not None:
                return [account]
        return await self.directory.accounts_of_name(credentials.account_name) if credentials.account_name else []


@dataclass(frozen=True, slots=True)
class _AttemptRecorder:
    """A log-in whose outcome is recorded if the account wants that."""

    account: Account | None
    user: User | None
    method: LoginMethod

    async def failed(self, settings: ModuleSettings, refusal: CrossbarError) -> None:
        if settings.log_failed:
            await self._keep("failed", refusal.message)

    async def succeeded(self, settings: ModuleSettings) -> None:
        if settings.log_successful:
            await self._keep("success", "authentication resulted in token creation")

    async def told(self, settings: ModuleSettings, verdict: SecondFactorResult) -> None:
        if settings.log_failed if verdict.status == "failed" else settings.log_successful:
            await self._keep(verdict.status, verdict.message)

    async def _keep(self, status: Literal["success", "failed"], message: str) -> None:
        account_id = None if self.account is None else self.account.id
        user_id = None if self.user is None else self.user.id
        await self.method.record(
            LoginAttempt(account_id, user_id, self.method.module, self.method.kind, status, message)
        )


def _refuse_disabled_module(settings: ModuleSettings) -> None:
    if not settings.enabled:
        raise Plain(401, "invalid credentials")
