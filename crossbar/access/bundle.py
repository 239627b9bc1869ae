# SPDX-License-Identifier: MPL-2.0
"""All parts of access control, put together once for each worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from crossbar.access import authenticators
from crossbar.access.access_changes import AccessChanges
from crossbar.access.authentication import Authentication
from crossbar.access.authenticators import Authenticators
from crossbar.access.basic import BasicCredentials
from crossbar.access.costs import Costs, CostSettings
from crossbar.access.directory import Directory
from crossbar.access.failed_logins import Buckets
from crossbar.access.ingest_token import INGEST_TOKEN_SHAPE, IngestTokens
from crossbar.access.keys import KEYS_SHAPE, Keys
from crossbar.access.login_types import API_AUTH, IP_AUTH, OTHERS_AUTH, USER_AUTH, AccountOfNumber
from crossbar.access.logins import Logins
from crossbar.access.named_tokens import NAMED_TOKEN_SHAPE, NamedTokens
from crossbar.access.pepper import Pepper
from crossbar.access.plain_users import PlainUsers
from crossbar.access.policies import Modules, Policies, laid_over
from crossbar.access.restrictions import TokenRestrictions
from crossbar.access.second_factor import SecondFactors
from crossbar.access.standing import Trials
from crossbar.access.token_uses import TOKEN_USE_SHAPE
from crossbar.access.tokens import Tokens
from crossbar.config import Config
from crossbar.documents.feed import Feed
from crossbar.documents.shape import Shape
from crossbar.documents.store import Store
from crossbar.settings import Settings

MODULES: Final = (API_AUTH, OTHERS_AUTH, IP_AUTH, USER_AUTH)
"""The ways to log in that accounts can set."""
DEFAULT_PROVIDER: Final = "duo"
"""The second factor of accounts that want one and do not say which."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who is calling, and may they."""

    SHAPES: ClassVar[tuple[Shape, ...]] = (
        INGEST_TOKEN_SHAPE,
        KEYS_SHAPE,
        authenticators.AUTHENTICATOR_SHAPE,
        NAMED_TOKEN_SHAPE,
        TOKEN_USE_SHAPE,
    )

    pepper: Pepper
    directory: Directory
    keys: Keys
    tokens: Tokens
    named_tokens: NamedTokens
    authentication: Authentication
    restrictions: TokenRestrictions
    plain_users: PlainUsers
    costs: Costs
    trials: Trials
    policies: Policies
    authenticators: Authenticators
    second_factors: SecondFactors
    logins: Logins
    changes: AccessChanges

    @classmethod
    def build(
        cls,
        settings: Settings,
        store: Store,
        feed: Feed,
        pepper: Pepper,
        buckets: Buckets,
        *,
        account_of_number: AccountOfNumber,
    ) -> Access:
        """Access control of one worker. To be called before the feed starts."""
        directory = Directory(store, feed, master=lambda: settings.get("accounts", "master_account_id"))
        keys = Keys(store, feed, pepper)
        named_tokens = NamedTokens(store, feed, directory, pepper)
        tokens = Tokens(store, feed, keys, directory, named=named_tokens)
        costs = Costs(buckets, settings.derived(_costs))
        plain_users = PlainUsers(lambda: settings.config.access.plain_users == "guarded")
        basic = BasicCredentials(
            directory, pepper, lambda: settings.config.security.basic_auth_type, failed_logins=costs.failed_logins
        )
        trials = Trials(store)
        authentication = Authentication(
            tokens,
            basic,
            directory,
            costs,
            IngestTokens(store, directory, pepper),
            by_address=lambda: IP_AUTH in settings.config.security.auth_modules,
            on_expired=trials.end,
            plain_users=plain_users,
        )
        restrictions = TokenRestrictions(store, feed, lambda: settings.section("crossbar.token_restrictions"))
        policies = Policies(
            store,
            feed,
            directory,
            system=lambda: _modules(settings),
            lifetime=lambda: settings.config.security.token_auth_expiry_s,
        )
        apps = Authenticators(store, pepper)
        factors = SecondFactors(
            store, directory, apps, lambda: settings.get("auth", "default_multi_factor_provider", DEFAULT_PROVIDER)
        )
        logins = Logins(
            directory,
            tokens,
            costs,
            pepper,
            settings_of=policies.settings_of,
            account_of_number=account_of_number,
            second_factor=factors,
            on_expired=trials.end,
        )
        return cls(
            pepper, directory, keys, tokens, named_tokens, authentication, restrictions, plain_users, costs,
            trials, policies, apps, factors, logins, AccessChanges(feed),
        )  # fmt: skip


def _modules(settings: Settings) -> Modules:
    """How each way to log in works for accounts that say nothing about it."""
    security = settings.config.security
    usual = {
        module: {
            # Who lists addresses wants them to log in; `auth_modules` only says whether they need no log-in at all.
            "enabled": module in security.auth_modules or module == IP_AUTH,
            "token_auth_expiry_s": security.token_auth_expiry_s,
            "log_failed_attempts": module in security.log_failed_attempts,
            "log_successful_attempts": module in security.log_successful_attempts,
        }
        for module in MODULES
    }
    stored = settings.get("crossbar.auth", "auth_modules")
    return laid_over(usual, stored) if isinstance(stored, dict) else usual


def _costs(config: Config) -> CostSettings:
    buckets = config.buckets
    return CostSettings(
        token_costs=buckets.token_costs,
        login_tokens={"user_auth": buckets.user_auth_tokens, "api_auth": buckets.api_auth_tokens},
        capacity=buckets.max_bucket_tokens,
        rate_per_second=buckets.rate_per_second,
        failed_logins=config.access.failed_logins_per_user,
    )
