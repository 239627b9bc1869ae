# SPDX-License-Identifier: MPL-2.0
"""Token buckets: how many requests one address may send.

Source: `cb_modules_util.erl` (`bucket_name`, `token_cost`), `core/kazoo_token_buckets/src/kz_buckets.erl`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from crossbar import clock
from crossbar.access.failed_logins import Buckets, FailedLogins
from crossbar.access.request_facts import RequestFacts
from crossbar.errors import TooManyRequests

NO_ACCOUNT = "no_account"
HOUR: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSettings:
    """`token_costs` is a flat cost (0: none), or an object by account, endpoint and verb.

    `login_tokens` is what a log-in at an endpoint costs where that object has no entry for it. `failed_logins` may
    happen to one user in a minute (0: any number).
    """

    token_costs: int | Mapping[str, Any] = 1
    login_tokens: Mapping[str, int] = field(default_factory=lambda: {"user_auth": 35, "api_auth": 35})
    capacity: int = 100
    rate_per_second: float = 10.0
    failed_logins: int = 60


class Costs:
    """What requests cost, and who has tokens left. The settings are asked for at each use.

    `failed_logins` counts those of each user.
    """

    def __init__(self, buckets: Buckets, settings: Callable[[], CostSettings] = CostSettings) -> None:
        self._buckets = buckets
        self._settings = settings
        self.failed_logins = FailedLogins(buckets, lambda: self._settings().failed_logins)

    def cost(self, asked: RequestFacts, *, login: bool = False, suffix: str | None = None) -> int:
        """Tokens a request costs; `suffix` is one more level of `token_costs` (`quickcall`)."""
        settings = self._settings()
        costs = settings.token_costs
        if isinstance(costs, int):
            return costs
        named = _named_cost(costs, asked, suffix)
        if named is not None:
            return named
        return settings.login_tokens.get(_endpoint(asked), 1) if login else 1

    def charge(
        self, asked: RequestFacts, *, login: bool = False, suffix: str | None = None, bucket: str | None = None
    ) -> None:
        """Take what the request costs from its caller's bucket, or from `bucket`; raises TooManyRequests.

        A log-in is charged as such, after the request itself has been charged like any without a token.
        """
        self._take(asked, self.cost(asked, login=login, suffix=suffix), bucket)

    def charge_bearer(self, asked: RequestFacts) -> None:
        """As `charge`, for whoever has a good token: only what `token_costs` names costs them anything."""
        costs = self._settings().token_costs
        if not isinstance(costs, int):
            self._take(asked, _named_cost(costs, asked, None) or 0, None)

    def _take(self, asked: RequestFacts, cost: int, bucket: str | None) -> None:
        if cost == 0:
            return
        settings = self._settings()
        allowed, _ = self._buckets.consume(
            bucket or bucket_name(asked),
            cost,
            capacity=settings.capacity,
            rate_per_second=settings.rate_per_second,
            now=clock.unix_now(),
        )
        if not allowed:
            raise TooManyRequests

    def ration(self, bucket: str, per_hour: int) -> None:
        """Take one of what may happen `per_hour` times an hour (0: as often as you like); raises TooManyRequests."""
        if per_hour == 0:
            return
        allowed, _ = self._buckets.consume(
            bucket, 1, capacity=per_hour, rate_per_second=per_hour / HOUR, now=clock.unix_now()
        )
        if not allowed:
            raise TooManyRequests

    def remaining(self, asked: RequestFacts) -> int:
        """Tokens the caller has left, for the envelope's `tokens`."""
        settings = self._settings()
        return self._buckets.level(
            bucket_name(asked),
            capacity=settings.capacity,
            rate_per_second=settings.rate_per_second,
            now=clock.unix_now(),
        )

    def drain(self, asked: RequestFacts) -> None:
        """Empty the caller's bucket: a log-in failed."""
        self._buckets.drain(bucket_name(asked), now=clock.unix_now())


def bucket_name(asked: RequestFacts) -> str:
    """The bucket a request draws from: one for each address and account in the URL."""
    return f"{asked.client_ip}/{asked.named_account_id or NO_ACCOUNT}"


def _endpoint(asked: RequestFacts) -> str:
    return asked.nouns[-1][0] if asked.nouns else ""


def _named_cost(costs: Mapping[str, Any], asked: RequestFacts, suffix: str | None) -> int | None:
    """What an object of costs says of a request, the account's word first; None if nothing."""
    endpoint = _endpoint(asked)
    paths: list[tuple[str, ...]] = [(endpoint, asked.verb), (endpoint,)]
    if asked.named_account_id is not None:
        account = asked.named_account_id
        paths = [(account, endpoint, asked.verb), (account, endpoint), (account,), *paths]
    for path in paths:
        cost = _whole_number_at(costs, path if suffix is None else (*path, suffix))
        if cost is not None:
            return cost
    return None


def _whole_number_at(costs: Mapping[str, Any], path: tuple[str, ...]) -> int | None:
    value: Any = costs
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
