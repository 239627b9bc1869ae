# SPDX-License-Identifier: MPL-2.0
"""The second factor of a log-in: which provider an account wants, and what it makes of the client's answer.

Source: `kz_mfa_auth.erl`, `crossbar_auth.erl` (`is_multi_factor_enabled`, `maybe_create_token`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crossbar.access.authenticators import Authenticators
from crossbar.access.directory import Account, Directory, User
from crossbar.access.duo import BadConfiguration, Duo
from crossbar.access.login_types import SecondFactorResult, SecondFactorWanted
from crossbar.documents.document import SYSTEM_AUTH, Document
from crossbar.documents.store import Store
from crossbar.errors import JSON

PROVIDER: Final = "provider"
"""Type of the documents that describe providers, of second factors and of log-ins by others."""
OTP: Final = frozenset({"otp", "totp"})
"""Names under which our own provider, the authenticator app, is configured."""

PASSED: Final = SecondFactorResult(True, "success", "multi factor authentication was successful")
NO_PROVIDER: Final = SecondFactorResult(True, "failed", "no multi factor authentication provider is configured")
UNAUTHORIZED: Final = SecondFactorResult(False, "failed", "unauthorized")


class SecondFactors:
    """Asks users of an account for a second factor. `default` names the provider of those who choose none."""

    def __init__(
        self, store: Store, directory: Directory, authenticators: Authenticators, default: Callable[[], str]
    ) -> None:
        self._store = store
        self._directory = directory
        self._authenticators = authenticators
        self._default = default

    async def __call__(
        self, account: Account, user: User, settings: Mapping[str, JSON], response: JSON
    ) -> SecondFactorResult | None:
        """As `logins.SecondFactor`. Where no usable provider is configured the log-in goes on without."""
        if settings.get("enabled") is not True or not await self._concerns(account, settings):
            return None
        provider = await self.provider(settings)
        name = provider.at("provider_name") if provider else None
        if provider is None or not isinstance(name, str):
            return NO_PROVIDER
        if provider.at("enabled") is False:
            return SecondFactorResult(False, "failed", f"provider {name} is disabled")
        if name in OTP:
            return await self._by_app(user, response)
        return self._by_duo(user, provider.at("settings") or {}, response) if name == "duo" else NO_PROVIDER

    async def provider(self, settings: Mapping[str, JSON]) -> Document | None:
        """The provider that a module's `multi_factor` names: the account's, the system's, else the default one."""
        account_id, configuration_id = settings.get("account_id"), settings.get("configuration_id")
        if not isinstance(configuration_id, str) or not isinstance(account_id, str):
            return await self._store.get(SYSTEM_AUTH, PROVIDER, self._default())
        own = await self._store.get(account_id, PROVIDER, configuration_id)
        return own or await self._store.get(SYSTEM_AUTH, PROVIDER, configuration_id)

    async def _concerns(self, account: Account, settings: Mapping[str, JSON]) -> bool:
        """Whether the wish is for this account, and not only for the one above that says so."""
        wanted_by = settings.get("account_id")
        return (
            wanted_by in (None, account.id)
            or settings.get("include_subaccounts") is True
            or account.id == await self._directory.master_id()
        )

    async def _by_app(self, user: User, response: JSON) -> SecondFactorResult:
        if not isinstance(response, str | int) or isinstance(response, bool) or response == "":
            raise SecondFactorWanted({"provider_name": "otp", "key_type": "totp", "settings": {}})
        code = f"{response:06d}" if isinstance(response, int) else response
        return PASSED if await self._authenticators.check(user, code) else UNAUTHORIZED

    @staticmethod
    def _by_duo(user: User, settings: Mapping[str, JSON], response: JSON) -> SecondFactorResult:
        try:
            duo = Duo.of(settings)
        except BadConfiguration as error:
            return SecondFactorResult(True, "failed", str(error))
        if not isinstance(response, str) or not response:
            raise SecondFactorWanted(duo.request(user.id))
        return PASSED if duo.verify(user.id, response) else UNAUTHORIZED
