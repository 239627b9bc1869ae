# SPDX-License-Identifier: MPL-2.0
"""What log-ins, second factors and their settings speak of: credentials, methods, attempts, results."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from crossbar.access.directory import Account, User
from crossbar.access.passwords import Method
from crossbar.access.request_facts import RequestFacts
from crossbar.errors import JSON, InvalidCredentials

USER_AUTH = "cb_user_auth"
API_AUTH = "cb_api_auth"
IP_AUTH = "cb_ip_auth"
OTHERS_AUTH = "cb_auth"
"""Log-in by what others vouch for, and refreshed tokens."""
CREDENTIALS = "credentials"
MULTI_FACTOR = "multi_factor"
"""Kinds of attempts: by user name and password; and what became of a second factor."""


@dataclass(frozen=True, slots=True)
class ModuleSettings:
    """How an account wants one way to log in to work (`auth_modules.<method>`), all defaults filled in.

    `lifetime` is that of tokens, in seconds; 0 for tokens that never expire. `multi_factor` says which second factor is
    wanted: `enabled`, `configuration_id`, `account_id`, `include_subaccounts`.
    """

    enabled: bool = True
    lifetime: int = 3600
    log_failed: bool = True
    log_successful: bool = False
    multi_factor: Mapping[str, JSON] = field(default_factory=dict)


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

    @property
    def account_as_named(self) -> str:
        """What the client calls the account."""
        return self.phone_number or self.realm or self.account_name or ""


@dataclass(frozen=True, slots=True)
class Login:
    """A log-in that succeeded.

    `user` is who logged in; after a log-in by API key it is whom the answer shows, the token itself has no user.
    """

    account: Account
    user: User | None
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """A log-in to record; `account_id` is None where no account was found."""

    account_id: str | None
    user_id: str | None
    auth_module: str
    auth_type: str
    status: Literal["success", "failed"]
    message: str


@dataclass(frozen=True, slots=True)
class LoginMethod:
    """How somebody logs in: the module, what the record calls it, the request, and who keeps the record."""

    module: str
    kind: str
    asked: RequestFacts
    record: Record


class SecondFactorWanted(InvalidCredentials):
    """401: the first factor was right, and the client has to come back with the second (`multi_factor_request`)."""

    def __init__(self, request: JSON) -> None:
        super().__init__("client needs to preform second-factor authentication", multi_factor_request=request)


@dataclass(frozen=True, slots=True)
class SecondFactorResult:
    """What became of a second factor: whether the user may pass, and what the record of it says."""

    admits: bool
    status: Literal["success", "failed"]
    message: str


class SecondFactor(Protocol):
    """Asks for a second factor where the account wants one."""

    async def __call__(
        self, account: Account, user: User, settings: Mapping[str, JSON], response: JSON
    ) -> SecondFactorResult | None:
        """None where nothing is wanted; raises SecondFactorWanted where the client has not sent it yet.

        `settings` are the `multi_factor` of the log-in module.
        """


SettingsOf = Callable[[Account | None, str], Awaitable[ModuleSettings]]
"""The settings of a log-in module for an account; None asks for the system's own."""
AccountOfNumber = Callable[[str], Awaitable[str | None]]
"""The id of the account to which a phone number is assigned."""
Record = Callable[[LoginAttempt], Awaitable[None]]
"""Keeps a log-in attempt, with what it knows of the request."""
Expired = Callable[[Account], None]
"""Told of an enabled account that was used after its trial."""
