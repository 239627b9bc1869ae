# SPDX-License-Identifier: MPL-2.0
"""Logging in."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from crossbar import clock
from crossbar.access.api_keys import api_key_fields
from crossbar.access.costs import Costs, CostSettings
from crossbar.access.directory import Account, Directory, User
from crossbar.access.login_types import (
    Credentials,
    LoginAttempt,
    ModuleSettings,
    SecondFactorResult,
    SecondFactorWanted,
)
from crossbar.access.logins import Logins
from crossbar.access.passwords import password_fields
from crossbar.errors import JSON
from crossbar.shared import BucketTable
from tests.access.installation import refusal

from .installation import PEPPER, Installation, Request, StartWorker, Worker
from .test_basic import CountingPepper

LOG_IN = Request.of("PUT", "/user_auth")
BY_KEY = Request.of("PUT", "/api_auth")
UNKNOWN = (401, "invalid_credentials", {"message": "invalid credentials"})
KEY = "0123456789abcdef" * 4
KEYED: dict[str, Any] = api_key_fields(PEPPER, KEY)


class CountingDirectory(Directory):
    """Counts how often users are looked for."""

    lookups = 0

    async def users_of_credential(self, account_id: str, method: str, digest: str) -> list[User]:
        self.lookups += 1
        return await super().users_of_credential(account_id, method, digest)


class LoginFixture:
    """Logs people in, in one worker, and keeps what would be recorded. Buckets hold ten tokens and never fill."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.settings: dict[str, ModuleSettings] = {}
        self.numbers: dict[str, str] = {}
        self.wanted_factor: str | None = None
        self.attempts: list[LoginAttempt] = []
        self.expired: list[Account] = []
        self.pepper = CountingPepper("a pepper for tests, and for nothing else")
        self.costs = Costs(BucketTable(1024), lambda: CostSettings(capacity=10, rate_per_second=0.0))
        self.directory = CountingDirectory(worker.store, worker.feed)
        self.logins = Logins(
            self.directory,
            worker.tokens,
            self.costs,
            self.pepper,
            settings_of=self._settings_of,
            account_of_number=self._account_of_number,
            second_factor=self._factor,
            on_expired=self.expired.append,
        )

    async def log_in(
        self, username: str, password: str = "secret", method: str = "md5", asked: Request = LOG_IN, **account: Any
    ) -> Any:
        function = hashlib.md5 if method == "md5" else hashlib.sha1
        hashed = function(f"{username}:{password}".encode()).hexdigest()
        credentials = Credentials(hashed, method, **account)  # type: ignore[arg-type]
        return await self.logins.by_credentials(credentials, asked, self._record)

    async def by_key(self, key: str) -> Any:
        return await self.logins.by_api_key(key, BY_KEY, self._record)

    async def _settings_of(self, account: Account | None, method: str) -> ModuleSettings:
        return self.settings.get(method, ModuleSettings(log_successful=method == "cb_user_auth"))

    async def _account_of_number(self, number: str) -> str | None:
        return self.numbers.get(number)

    async def _factor(
        self, account: Account, user: User, settings: Mapping[str, JSON], response: JSON
    ) -> SecondFactorResult | None:
        if self.wanted_factor is None:
            return None
        if response is None:
            raise SecondFactorWanted({"provider_name": "otp"})
        if response != self.wanted_factor:
            return SecondFactorResult(False, "failed", "unauthorized")
        return SecondFactorResult(True, "success", "multi factor authentication was successful")

    async def _record(self, attempt: LoginAttempt) -> None:
        self.attempts.append(attempt)


@pytest.fixture
def fixture(worker: Worker) -> LoginFixture:
    return LoginFixture(worker)


@pytest.mark.parametrize("method", ["md5", "sha"])
async def test_a_log_in_gives_a_token(
    worker: Worker, installation: Installation, fixture: LoginFixture, method: str
) -> None:
    acme = await installation.account("Acme", realm="Acme.Example.com")
    ann = await installation.user(acme, "ann")

    login = await fixture.log_in("ann", method=method, realm="acme.example.COM")

    assert (login.account.id, login.user.id) == (acme.id, ann.id)
    identity = await worker.tokens.verify(login.token)
    assert (identity.account_id, identity.owner_id, identity.method) == (acme.id, ann.id, "cb_user_auth")
    assert fixture.attempts == [
        LoginAttempt(
            acme.id,
            ann.id,
            "cb_user_auth",
            "credentials",
            "success",
            "authentication resulted in token creation",
        )
    ]
    assert login.token not in repr(login)


async def test_the_hash_must_be_of_the_method_it_claims(installation: Installation, fixture: LoginFixture) -> None:
    acme = await installation.account("Acme")
    await installation.user(acme, "ann")
    sha = hashlib.sha1(b"ann:secret").hexdigest()
    credentials = Credentials(sha, "md5", realm=acme.fields["realm"])
    assert await refusal(fixture.logins.by_credentials(credentials, LOG_IN, fixture._record)) == UNKNOWN


async def test_number_goes_before_realm_and_realm_before_name(
    installation: Installation, fixture: LoginFixture
) -> None:
    accounts = {name: await installation.account(name, realm=f"{name}.example.com") for name in ("one", "two", "three")}
    for account in accounts.values():
        await installation.user(account, "ann")
    fixture.numbers["+15551234"] = accounts["one"].id
    fixture.numbers["+15550000"] = "f" * 32

    async def reached(**given: Any) -> str:
        login = await fixture.log_in("ann", **given)
        return str(login.account.name)

    assert await reached(phone_number="+15551234", realm="two.example.com", account_name="three") == "one"
    assert await reached(phone_number="+15559999", realm="two.example.com", account_name="three") == "two"
    assert await reached(phone_number="+15550000", realm="nowhere.example.com", account_name="T.H.R.E.E") == "three"


async def test_of_accounts_with_one_name_each_is_tried(installation: Installation, fixture: LoginFixture) -> None:
    await installation.user(await installation.account("Acme"), "ann")
    second = await installation.account("acme!")
    bob = await installation.user(second, "bob")
    login = await fixture.log_in("bob", account_name="ACME")
    assert (login.account.id, login.user.id) == (second.id, bob.id)


async def test_whatever_is_wrong_looks_and_costs_the_same(installation: Installation, fixture: LoginFixture) -> None:
    acme = await installation.account("Acme", realm="acme.example.com")
    await installation.user(acme, "ann")
    await installation.user(acme, "off", enabled=False)
    await installation.delete(await installation.user(acme, "gone"))
    wrong: list[dict[str, Any]] = [
        {"username": "ann", "password": "wrong", "realm": "acme.example.com"},
        {"username": "nobody", "realm": "acme.example.com"},
        {"username": "off", "realm": "acme.example.com"},
        {"username": "gone", "realm": "acme.example.com"},
        {"username": "ann", "realm": "other.example.com"},
        {"username": "ann", "account_name": "other"},
        {"username": "ann", "phone_number": "+15559999"},
        {"username": "ann"},
    ]
    steps = set()
    for given in wrong:
        each = LoginFixture(fixture.worker)
        assert await refusal(each.log_in(**given)) == UNKNOWN
        assert each.costs.remaining(LOG_IN) == 0
        steps.add((each.pepper.digests, each.directory.lookups))
    assert steps == {(1, 1)}


async def test_after_a_failure_the_next_attempt_has_to_wait(installation: Installation, fixture: LoginFixture) -> None:
    acme = await installation.account("Acme", realm="acme.example.com")
    await installation.user(acme, "ann")
    await fixture.log_in("ann", realm="acme.example.com")
    assert fixture.costs.remaining(LOG_IN) == 9
    assert await refusal(fixture.log_in("ann", "wrong", realm="acme.example.com")) == UNKNOWN
    assert (await refusal(fixture.log_in("ann", realm="acme.example.com")))[0] == 429
    assert [(attempt.account_id, attempt.status) for attempt in fixture.attempts] == [
        (acme.id, "success"),
        (acme.id, "failed"),
    ]


async def test_a_new_password_counts_at_once_in_every_worker(
    installation: Installation, fixture: LoginFixture, start_worker: StartWorker
) -> None:
    acme = await installation.account("Acme", realm="acme.example.com")
    ann = await installation.user(acme, "ann")
    await fixture.log_in("ann", realm="acme.example.com")
    await fixture.worker.feed.stop()
    await Installation((await start_worker()).store).edit(ann, **password_fields(PEPPER, "ann", "new"))
    assert (await fixture.log_in("ann", "new", realm="acme.example.com")).user.id == ann.id
    assert await refusal(fixture.log_in("ann", "secret", realm="acme.example.com")) == UNKNOWN


async def test_a_lock_counts_at_once_in_every_worker(
    installation: Installation, fixture: LoginFixture, start_worker: StartWorker
) -> None:
    acme = await installation.account("Acme", realm="acme.example.com")
    await installation.user(acme, "ann")
    await fixture.log_in("ann", realm="acme.example.com")
    await fixture.worker.feed.stop()
    await Installation((await start_worker()).store).edit(acme, pvt_enabled=False)
    assert (await refusal(fixture.log_in("ann", realm="acme.example.com")))[:2] == (423, "locked")


async def test_locked_accounts(installation: Installation, fixture: LoginFixture) -> None:
    off = await installation.account("Off", pvt_enabled=False)
    over = await installation.account("Over", pvt_trial_expires=60_000_000_000, pvt_enabled=False)
    for account in (off, over):
        await installation.user(account, "ann")

    disabled = {"account": {"disabled": {"message": "account disabled"}}}
    expired = {"account": {"expired": {"message": "account expired", "cause": 60_000_000_000}}}
    assert await refusal(fixture.log_in("ann", account_name="off")) == (423, "locked", disabled)
    assert await refusal(fixture.log_in("ann", account_name="over")) == (423, "locked", expired)
    assert fixture.costs.remaining(LOG_IN) == 8  # the credentials were right
    assert await refusal(fixture.log_in("ann", "wrong", account_name="off")) == UNKNOWN


async def test_a_disabled_module_logs_nobody_in(installation: Installation, fixture: LoginFixture) -> None:
    acme = await installation.account("Acme", **KEYED)
    await installation.user(acme, "ann")
    fixture.settings = {
        name: ModuleSettings(enabled=False, log_failed=False) for name in ("cb_user_auth", "cb_api_auth")
    }
    assert await refusal(fixture.log_in("ann", account_name="acme")) == (401, "invalid credentials", {})
    assert await refusal(fixture.by_key(KEY)) == (401, "invalid credentials", {})
    assert fixture.attempts == []


async def test_a_second_factor(worker: Worker, installation: Installation, fixture: LoginFixture) -> None:
    acme = await installation.account("Acme")
    await installation.user(acme, "ann")
    fixture.wanted_factor = "123456"
    wanted = {
        "message": "client needs to preform second-factor authentication",
        "multi_factor_request": {"provider_name": "otp"},
    }
    assert await refusal(fixture.log_in("ann", account_name="acme")) == (401, "invalid_credentials", wanted)
    assert fixture.attempts == []
    login = await fixture.log_in("ann", account_name="acme", second_factor="123456", as_={"account_id": "x"})
    claims = (await worker.tokens.verify(login.token)).claims
    assert (claims["mfa_resp"], claims["as"]) == ("123456", {"account_id": "x"})
    assert [(attempt.auth_type, attempt.status) for attempt in fixture.attempts] == [
        ("multi_factor", "success"),
        ("credentials", "success"),
    ]


async def test_a_wrong_second_factor_costs_like_a_wrong_password(
    installation: Installation, fixture: LoginFixture
) -> None:
    await installation.user(await installation.account("Acme"), "ann")
    fixture.wanted_factor = "123456"
    assert await refusal(fixture.log_in("ann", account_name="acme", second_factor="000000")) == UNKNOWN
    assert fixture.costs.remaining(LOG_IN) == 0
    assert [(attempt.auth_type, attempt.status) for attempt in fixture.attempts] == [
        ("multi_factor", "failed"),
        ("credentials", "failed"),
    ]


async def test_who_uses_an_account_after_its_trial_is_told_of(
    installation: Installation, fixture: LoginFixture
) -> None:
    over = await installation.account("Over", pvt_trial_expires=60_000_000_000)
    await installation.user(over, "ann")
    assert (await refusal(fixture.log_in("ann", account_name="over")))[:2] == (423, "locked")
    assert [account.id for account in fixture.expired] == [over.id]


async def test_an_address_logs_in_the_one_account_that_lists_it(
    worker: Worker, installation: Installation, fixture: LoginFixture
) -> None:
    acme = await installation.account("Acme", ips={"office": {"ip": LOG_IN.client_ip}})
    login = await fixture.logins.by_address(LOG_IN, fixture._record)
    identity = await worker.tokens.verify(login.token)
    assert (login.user, identity.account_id, identity.owner_id) == (None, acme.id, None)
    assert identity.method == "cb_ip_auth"
    await installation.account("Other", ips={"office": {"ip": LOG_IN.client_ip}})
    assert await refusal(fixture.logins.by_address(LOG_IN, fixture._record)) == UNKNOWN
    assert fixture.costs.remaining(LOG_IN) == 0


async def test_tokens_live_as_long_as_the_account_wants(
    worker: Worker, installation: Installation, fixture: LoginFixture
) -> None:
    await installation.user(await installation.account("Acme"), "ann")
    fixture.settings["cb_user_auth"] = ModuleSettings(lifetime=0)
    login = await fixture.log_in("ann", account_name="acme")
    assert "exp" not in (await worker.tokens.verify(login.token)).claims


async def test_an_api_key_logs_its_account_in(
    worker: Worker, installation: Installation, fixture: LoginFixture
) -> None:
    acme = await installation.account("Acme", **KEYED)
    ann = await installation.user(acme, "ann")

    login = await fixture.by_key(KEY)

    assert (login.account.id, login.user.id) == (acme.id, ann.id)
    identity = await worker.tokens.verify(login.token)
    assert (identity.account_id, identity.owner_id, identity.method) == (acme.id, None, "cb_api_auth")
    stored = await worker.store.get("accounts", "account", acme.id)
    assert stored is not None
    assert KEY not in str(stored.fields)
    assert PEPPER.unseal(stored.fields["pvt_api_key"]) == KEY


async def test_an_unknown_api_key(installation: Installation, fixture: LoginFixture) -> None:
    await installation.account("Acme", **KEYED)
    assert await refusal(fixture.by_key("f" * 64)) == (404, "bad identifier", ["f" * 64])
    assert fixture.attempts == [
        LoginAttempt(None, None, "cb_api_auth", "account_api_token", "failed", "bad identifier")
    ]
    assert (await refusal(fixture.by_key(KEY)))[0] == 429


@pytest.mark.parametrize("off", [{"pvt_trial_expires": 1}, {"pvt_enabled": False}])
async def test_an_api_key_of_an_expired_or_disabled_account(
    installation: Installation, fixture: LoginFixture, off: dict[str, Any]
) -> None:
    await installation.account("Acme", **off, **KEYED)
    assert (await refusal(fixture.by_key(KEY)))[:2] == (423, "locked")


async def test_a_grant_needs_no_credentials(worker: Worker, installation: Installation, fixture: LoginFixture) -> None:
    acme = await installation.account("Acme")
    ann = await installation.user(acme, "ann")
    account, user = await worker.directory.account(acme.id), await worker.directory.user(acme.id, ann.id)
    assert account is not None
    login = await fixture.logins.grant(account, user, "cb_auth", {"original_account_id": acme.id})
    identity = await worker.tokens.verify(login.token)
    assert (identity.owner_id, identity.method, identity.original_account_id) == (ann.id, "cb_auth", acme.id)
    fixture.settings["cb_auth"] = ModuleSettings(enabled=False)
    assert await refusal(fixture.logins.grant(account, user, "cb_auth")) == (401, "invalid credentials", {})


@pytest.mark.parametrize("given", [{"realm": "acme.example.com"}, {"account_name": "Acme"}, {"realm": "no.where"}])
async def test_many_addresses_do_not_guess_more(
    installation: Installation, fixture: LoginFixture, given: dict[str, str]
) -> None:
    """An account that is not there is counted like one that is; a realm and a name of one account are one."""
    await installation.user(await installation.account("Acme", realm="acme.example.com"), "ann")
    asked = [dataclasses.replace(LOG_IN, client_ip=f"203.0.113.{number}") for number in range(61)]
    with clock.frozen(clock.unix_now()):
        for request in asked[:-1]:
            assert await refusal(fixture.log_in("ann", "wrong", asked=request, **given)) == UNKNOWN
        for right in ("wrong", "secret"):
            assert (await refusal(fixture.log_in("ann", right, asked=asked[-1], **given)))[0] == 429
        if given != {"realm": "no.where"}:
            other = {"account_name": "acme"} if "realm" in given else {"realm": "acme.example.com"}
            assert (await refusal(fixture.log_in("ann", asked=asked[-1], **other)))[0] == 429


async def test_who_logged_in_before_is_not_locked_out(installation: Installation, fixture: LoginFixture) -> None:
    await installation.user(await installation.account("Acme", realm="acme.example.com"), "ann")
    home = dataclasses.replace(LOG_IN, client_ip="192.0.2.77")
    with clock.frozen(clock.unix_now()):
        await fixture.log_in("ann", realm="acme.example.com", asked=home)
        for number in range(80):
            stranger = dataclasses.replace(LOG_IN, client_ip=f"203.0.113.{number}")
            await refusal(fixture.log_in("ann", "wrong", realm="acme.example.com", asked=stranger))
        await fixture.log_in("ann", realm="acme.example.com", asked=home)
