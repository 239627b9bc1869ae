# SPDX-License-Identifier: MPL-2.0
"""Authenticator apps and recovery codes."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest

from crossbar import clock
from crossbar.access.authenticators import MOST_FAILURES, WAIT_SECONDS, AlreadyConfirmed, Authenticators
from crossbar.access.directory import User

from .installation import PEPPER, Installation, Worker

NOW = 1_700_000_010.0


@pytest.fixture
def apps(worker: Worker) -> Authenticators:
    return Authenticators(worker.store, PEPPER)


@pytest.fixture
async def ann(installation: Installation) -> User:
    return User.of(await installation.user(await installation.account("Acme"), "ann"))


async def secret_of(apps: Authenticators, user: User) -> str:
    uri = urlsplit(await apps.provision(user, "Acme & Sons"))
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/Acme & Sons:ann")
    return parse_qs(uri.query)["secret"][0]


def code(secret: str, offset: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(clock.unix_now()), counter_offset=offset)


async def test_the_secret_is_shown_until_its_first_code_was_accepted(apps: Authenticators, ann: User) -> None:
    secret = await secret_of(apps, ann)
    assert await secret_of(apps, ann) == secret
    assert await apps.check(ann, code(secret))
    with pytest.raises(AlreadyConfirmed):
        await apps.provision(ann, "Acme")
    await apps.reset(ann.account_id, ann.id)
    assert await secret_of(apps, ann) != secret


async def test_codes_of_the_periods_around_count_and_each_once(apps: Authenticators, ann: User) -> None:
    with clock.frozen(NOW):
        secret = await secret_of(apps, ann)
        assert not await apps.check(ann, code(secret, -2))
        assert not await apps.check(ann, code(secret, 2))
        assert await apps.check(ann, code(secret, -1))
        assert not await apps.check(ann, code(secret, -1))
        assert await apps.check(ann, f" {code(secret)} ")
        assert not await apps.check(ann, code(secret, -1))
        assert await apps.check(ann, code(secret, 1))


async def test_who_guesses_has_to_wait(apps: Authenticators, ann: User) -> None:
    with clock.frozen(NOW):
        secret = await secret_of(apps, ann)
        wrong = f"{(int(code(secret)) + 1) % 1_000_000:06d}"
        for _ in range(MOST_FAILURES):
            assert not await apps.check(ann, wrong)
        assert not await apps.check(ann, code(secret))
    with clock.frozen(NOW + WAIT_SECONDS + 1):
        assert await apps.check(ann, code(secret))


async def test_recovery_codes_stand_in_for_the_app_once_each(apps: Authenticators, ann: User) -> None:
    await secret_of(apps, ann)
    codes = await apps.renew_recovery_codes(ann)
    assert len(set(codes)) == 10
    assert await apps.check(ann, codes[0])
    assert not await apps.check(ann, codes[0])
    assert await apps.check(ann, codes[1].upper().replace("-", " "))
    renewed = await apps.renew_recovery_codes(ann)
    assert not await apps.check(ann, codes[2])
    assert await apps.check(ann, renewed[2])


async def test_nothing_readable_is_stored(apps: Authenticators, ann: User, worker: Worker) -> None:
    secret = await secret_of(apps, ann)
    codes = await apps.renew_recovery_codes(ann)
    stored = await worker.store.get(ann.account_id, "authenticator", ann.id)
    assert stored is not None
    assert not any(word in str(stored.fields) for word in (secret, *codes))
    assert stored.public == {"id": ann.id}


async def test_without_an_authenticator_no_code_is_right(apps: Authenticators, ann: User) -> None:
    assert not await apps.check(ann, "000000")
