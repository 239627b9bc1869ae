# SPDX-License-Identifier: MPL-2.0
"""How often log-ins may fail for one user, from wherever they are tried.

Buckets by address alone do not stop who has many addresses. So every attempt takes a token from a bucket of the user,
which one that succeeds gives back; with the bucket empty even the right password is refused, else the answer would tell
it. That a stranger does not lock the user out with it, no address takes more than its share of that bucket; and one
from which the user (or somebody else of the account, where the credential does not name the user) has logged in draws
from a bucket of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from crossbar import clock
from crossbar.errors import TooManyRequests

KNOWN_DAYS: Final = 30
"""How long an address is known that was logged in from."""
STRANGERS: Final = 3
"""How many unknown addresses it takes at least to use up what they have together."""


class Buckets(Protocol):
    """Token buckets by key, shared by all workers of a host. `now` in seconds."""

    def consume(self, key: str, cost: int, *, capacity: int, rate_per_second: float, now: float) -> tuple[bool, int]:
        """Take `cost` tokens if they are there, or give some back: (whether, tokens left)."""

    def level(self, key: str, *, capacity: int, rate_per_second: float, now: float) -> int:
        """Tokens left."""

    def drain(self, key: str, *, now: float) -> None:
        """Take all tokens."""


@dataclass(frozen=True, slots=True)
class LoginTry:
    """From which address somebody tries to log in to what: an account, and a user where the credential names one."""

    address: str
    account: str
    username: str = ""

    def bucket(self, kind: str, address: str = "") -> str:
        """The name of a bucket for who is meant, or for that and an address. No user name can look like another one."""
        return repr((kind, self.account, self.username.lower(), address))


class FailedLogins:
    """Counts log-ins that failed; `per_minute` is asked for at each use, 0 for no limit."""

    def __init__(self, buckets: Buckets, per_minute: Callable[[], int]) -> None:
        self._buckets = buckets
        self._per_minute = per_minute

    def begin(self, attempt: LoginTry) -> None:
        """To be called before a credential is looked at. Raises TooManyRequests where too many have failed."""
        limit = self._per_minute()
        if limit == 0:
            return
        if self._is_known(attempt):
            # Whoever is at home here may log in many times at once, so only what fails is taken.
            let = self._left(attempt, limit) > 0
        else:
            let = all(self._take(bucket, tokens, 1) for bucket, tokens in _strangers(attempt, limit))
        if not let:
            raise TooManyRequests

    def failed(self, attempt: LoginTry) -> None:
        """The credential was wrong."""
        limit = self._per_minute()
        if limit and self._is_known(attempt):
            self._take(_known(attempt), limit, 1)

    def succeeded(self, attempt: LoginTry) -> None:
        """The credential was right: it did not count, and the address is known from now on."""
        limit = self._per_minute()
        if limit and not self._is_known(attempt):
            for bucket, tokens in _strangers(attempt, limit):
                self._take(bucket, tokens, -1)
        self._buckets.drain(_mark(attempt), now=clock.unix_now())

    def _take(self, bucket: str, limit: int, tokens: int) -> bool:
        taken, _ = self._buckets.consume(
            bucket, tokens, capacity=limit, rate_per_second=limit / 60, now=clock.unix_now()
        )
        return taken

    def _left(self, attempt: LoginTry, limit: int) -> int:
        return self._buckets.level(_known(attempt), capacity=limit, rate_per_second=limit / 60, now=clock.unix_now())

    def _is_known(self, attempt: LoginTry) -> bool:
        """Whether the address's own bucket, which a log-in empties and days fill, is not full again."""
        level = self._buckets.level(
            _mark(attempt), capacity=KNOWN_DAYS, rate_per_second=1 / clock.DAY, now=clock.unix_now()
        )
        return level < KNOWN_DAYS


def _mark(attempt: LoginTry) -> str:
    """The bucket that is not full while the address is known."""
    return attempt.bucket("known", attempt.address)


def _known(attempt: LoginTry) -> str:
    """The bucket of a known address."""
    return attempt.bucket("login from known", attempt.address)


def _strangers(attempt: LoginTry, limit: int) -> tuple[tuple[str, int], ...]:
    """What an unknown address draws from, and how much that holds: its share, then what all of them have together."""
    return (
        (attempt.bucket("login", attempt.address), max(1, limit // STRANGERS)),
        (attempt.bucket("login"), limit),
    )
