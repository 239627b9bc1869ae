"""How often log-ins may fail for one user, from wherever they are tried.

Buckets by address alone do not stop who has many addresses. So every attempt takes a token from a bucket of the user,
which one that succeeds gives back; with the bucket empty even the right password is refused, else the answer would tell
it. That a stranger does not lock the user out with it, an address from which the user (or somebody else of the account,
where the credential does not name the user) has logged in draws from a bucket of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from crossbar import clock
from crossbar.errors import TooManyRequests

KNOWN_DAYS: Final = 30
"""How long an address is known that was logged in from."""


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

    @property
    def target(self) -> str:
        """The account and the user, as buckets are named."""
        return f"{self.account}/{self.username.lower()}"


class FailedLogins:
    """Counts log-ins that failed; `per_minute` is asked for at each use, 0 for no limit."""

    def __init__(self, buckets: Buckets, per_minute: Callable[[], int]) -> None:
        self._buckets = buckets
        self._per_minute = per_minute

    def begin(self, attempt: LoginTry) -> None:
        """To be called before a credential is looked at. Raises TooManyRequests where too many have failed."""
        if not self._take(attempt, 1):
            raise TooManyRequests

    def succeeded(self, attempt: LoginTry) -> None:
        """The credential was right: it did not count, and the address is known from now on."""
        self._take(attempt, -1)
        self._buckets.drain(_known(attempt), now=clock.unix_now())

    def _take(self, attempt: LoginTry, tokens: int) -> bool:
        limit = self._per_minute()
        if limit == 0:
            return True
        bucket = f"login/{attempt.target}/{attempt.address if self._is_known(attempt) else ''}"
        taken, _ = self._buckets.consume(
            bucket, tokens, capacity=limit, rate_per_second=limit / 60, now=clock.unix_now()
        )
        return taken

    def _is_known(self, attempt: LoginTry) -> bool:
        """Whether the address's own bucket, which a log-in empties and days fill, is not full again."""
        level = self._buckets.level(
            _known(attempt), capacity=KNOWN_DAYS, rate_per_second=1 / clock.DAY, now=clock.unix_now()
        )
        return level < KNOWN_DAYS


def _known(attempt: LoginTry) -> str:
    return f"known/{attempt.target}/{attempt.address}"
