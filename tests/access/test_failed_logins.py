# SPDX-License-Identifier: MPL-2.0
"""How often log-ins may fail for one user."""

from __future__ import annotations

import itertools

import pytest

from crossbar import clock
from crossbar.access.failed_logins import FailedLogins, LoginTry
from crossbar.errors import TooManyRequests
from crossbar.shared import BucketTable

LIMIT = 6
HOME = "192.0.2.1"
STRANGERS = (f"203.0.113.{number}" for number in itertools.cycle(range(256)))


def tried(address: str, username: str = "ann") -> LoginTry:
    return LoginTry(address, "acme", username)


class Failing:
    """Fails to log in, and counts how often it is let."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.logins = FailedLogins(BucketTable(1024), lambda: limit)

    def attempts(self, count: int, username: str = "ann") -> int:
        """How many of so many attempts, each from another address, are looked at."""
        return sum(self.is_let(tried(next(STRANGERS), username)) for _ in range(count))

    def is_let(self, attempt: LoginTry) -> bool:
        try:
            self.logins.begin(attempt)
        except TooManyRequests:
            return False
        self.logins.failed(attempt)
        return True

    def log_in(self, attempt: LoginTry) -> None:
        self.logins.begin(attempt)
        self.logins.succeeded(attempt)


def test_many_addresses_share_what_one_user_has() -> None:
    failing = Failing()
    with clock.frozen(1_700_000_000):
        assert failing.attempts(100) == LIMIT
        assert failing.attempts(100, "ANN") == 0
        assert failing.attempts(100, "bob") == LIMIT
    with clock.frozen(1_700_000_000 + 20):  # a third of a minute
        assert failing.attempts(100) == LIMIT / 3


def test_success_costs_nothing() -> None:
    failing = Failing()
    with clock.frozen(1_700_000_000):
        for _ in range(LIMIT * 3):
            failing.log_in(tried(HOME))
        assert failing.attempts(100) == LIMIT


def test_a_stranger_locks_nobody_out_of_a_known_address() -> None:
    failing = Failing()
    with clock.frozen(1_700_000_000):
        failing.log_in(tried(HOME))
        failing.attempts(100)
        with pytest.raises(TooManyRequests):
            failing.log_in(tried("198.51.100.1"))
        failing.log_in(tried(HOME))
        failing.attempts(100, "bob")
        assert not failing.is_let(tried(HOME, "bob"))
    with clock.frozen(1_700_000_000 + 29 * clock.DAY):
        failing.attempts(100)
        assert failing.is_let(tried(HOME))
    with clock.frozen(1_700_000_000 + 31 * clock.DAY):
        failing.attempts(100)
        assert not failing.is_let(tried(HOME))


def test_one_stranger_alone_does_not_use_up_what_all_have() -> None:
    failing = Failing()
    with clock.frozen(1_700_000_000):
        assert sum(failing.is_let(tried("198.51.100.1")) for _ in range(100)) == LIMIT / 3
        failing.log_in(tried("198.51.100.2"))
        assert failing.attempts(100) == LIMIT - LIMIT / 3


def test_a_known_address_has_its_own_limit() -> None:
    failing = Failing()
    with clock.frozen(1_700_000_000):
        failing.log_in(tried(HOME))
        assert sum(failing.is_let(tried(HOME)) for _ in range(100)) == LIMIT
        assert failing.attempts(100) == LIMIT


def test_many_at_once_from_a_known_address_are_let() -> None:
    failing = Failing()
    with clock.frozen(1_700_000_000):
        failing.log_in(tried(HOME))
        for _ in range(LIMIT * 3):
            failing.logins.begin(tried(HOME))


def test_guesses_at_once_are_counted_before_any_is_answered() -> None:
    failing = Failing()
    with clock.frozen(1_700_000_000):
        for number in range(LIMIT):
            failing.logins.begin(tried(f"198.51.100.{number}"))
        with pytest.raises(TooManyRequests):
            failing.logins.begin(tried("198.51.100.200"))


def test_without_a_limit_nothing_is_counted() -> None:
    assert Failing(0).attempts(100) == 100
