# SPDX-License-Identifier: MPL-2.0
"""Basic authentication: `<account id>:<secret>`."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest

from crossbar import clock
from crossbar.access.basic import BasicCredentials
from crossbar.access.failed_logins import FailedLogins
from crossbar.access.passwords import password_fields
from crossbar.access.pepper import Pepper
from crossbar.documents.document import Document
from crossbar.errors import TooManyRequests
from crossbar.shared import BucketTable

from .installation import PEPPER, Installation, StartWorker, Worker

LIMIT = 6


def header(account_id: str, secret: str) -> str:
    return "Basic " + b64encode(f"{account_id}:{secret}".encode()).decode()


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def sha(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


async def who(worker: Worker, account_id: str, secret: str) -> str | None:
    user = await worker.basic.user_of(header(account_id, secret))
    return user.id if user else None


SECRETS = {"md5": md5("ann:pass:wörd"), "sha": sha("ann:pass:wörd"), "plain": "ann:pass:wörd"}


@pytest.mark.parametrize("secret", [*SECRETS.values(), SECRETS["md5"].upper(), "Ann:pass:wörd", "pass:wörd"])
async def test_each_form_of_the_secret_names_the_user(worker: Worker, installation: Installation, secret: str) -> None:
    acme, other = await installation.account("Acme"), await installation.account("Other")
    ann = await installation.user(acme, "ann", "pass:wörd")
    await installation.user(other, "ann", "something else")
    assert await who(worker, acme.id, secret) == ann.id
    assert await who(worker, other.id, secret) is None


@pytest.mark.parametrize("form", SECRETS)
async def test_a_set_form_is_the_only_one(start_worker: StartWorker, form: str) -> None:
    worker = await start_worker(form=form)
    installation = Installation(worker.store)
    acme = await installation.account("Acme")
    await installation.user(acme, "ann", "pass:wörd")
    taken = [name for name, secret in SECRETS.items() if await who(worker, acme.id, secret)]
    assert taken == [form]
    assert await who(worker, acme.id, "pass:wörd") is None


async def test_of_several_with_the_password_the_oldest_administrator(
    worker: Worker, acme: Document, installation: Installation
) -> None:
    ann = await installation.user(acme, "ann", "shared")
    await installation.user(acme, None)
    await installation.user(acme, "bob", "other", priv_level="admin")
    assert await who(worker, acme.id, "shared") == ann.id
    newer = BasicCredentials(worker.directory, PEPPER)
    cid = await installation.user(acme, "cid", "shared", priv_level="admin")
    await installation.user(acme, "dan", "shared", priv_level="admin")
    user = await newer.user_of(header(acme.id, "shared"))
    assert user is not None and user.id == cid.id


@pytest.mark.parametrize(
    "value", ["Basic", "Basic ", "Basic ä", "Basic !!", "Basic YWJj", "Bearer YTpi", "YTpi", "", "Basic " + "Og=="]
)
async def test_what_cannot_be_read_names_nobody(worker: Worker, value: str) -> None:
    assert await worker.basic.user_of(value) is None


async def test_it_ends_with_the_password_and_with_the_user(
    worker: Worker, other: Worker, acme: Document, installation: Installation
) -> None:
    ann, bob = await installation.user(acme, "ann", "first"), await installation.user(acme, "bob", "second")
    for each in (worker, other):
        assert await who(each, acme.id, "first") == ann.id
        assert await who(each, acme.id, md5("bob:second")) == bob.id

    ann = await installation.edit(ann, **password_fields(PEPPER, "ann", "third"))
    await installation.edit(bob, enabled=False)

    assert await who(other, acme.id, "third") == ann.id
    for each in (worker, other):
        await each.hears_everything(ann)
        assert await who(each, acme.id, "first") is None
        assert await who(each, acme.id, md5("bob:second")) is None


class CountingPepper(Pepper):
    """Counts the digests it makes."""

    digests = 0

    def digest(self, value: str | bytes) -> str:
        self.digests += 1
        return super().digest(value)


@pytest.mark.parametrize("secret", ["a" * 32, "a" * 40, "ann:wrong"])
async def test_a_refusal_costs_the_same_whoever_was_meant(
    worker: Worker, acme: Document, installation: Installation, secret: str
) -> None:
    await installation.user(acme, "ann")
    empty = await installation.account("Empty")

    async def digests(account_id: str, form: str) -> int:
        pepper = CountingPepper("a pepper for tests, and for nothing else")
        assert (
            await BasicCredentials(worker.directory, pepper, lambda: form).user_of(header(account_id, secret)) is None
        )
        return pepper.digests

    for form in SECRETS:
        assert len({await digests(account_id, form) for account_id in (acme.id, empty.id, "f" * 32)}) == 1


async def test_a_known_credential_is_not_looked_for_again(worker: Worker, acme: Document, ann: Document) -> None:
    pepper = CountingPepper("a pepper for tests, and for nothing else")
    basic = BasicCredentials(worker.directory, pepper)
    await basic.user_of(header(acme.id, "secret"))
    before = pepper.digests
    user = await basic.user_of(header(acme.id, "secret"))
    assert user is not None and user.id == ann.id
    assert pepper.digests == before + 1


async def test_forgotten_credentials_are_looked_for_anew(
    worker: Worker, acme: Document, installation: Installation
) -> None:
    ann, bob = await installation.user(acme, "ann", "first"), await installation.user(acme, "bob", "second")
    basic = BasicCredentials(worker.directory, PEPPER, limit=1)
    found = [await basic.user_of(header(acme.id, secret)) for secret in ("first", "second", "first")]
    assert [user.id if user else None for user in found] == [ann.id, bob.id, ann.id]
    assert found[2] is not found[0]


async def test_many_addresses_do_not_guess_more_of_one_user(
    worker: Worker, acme: Document, installation: Installation
) -> None:
    for name in ("ann", "bob"):
        await installation.user(acme, name, f"the word of {name}")
    basic = BasicCredentials(worker.directory, PEPPER, failed_logins=FailedLogins(BucketTable(1024), lambda: LIMIT))

    async def let(address: str, secret: str) -> bool:
        try:
            await basic.user_of(header(acme.id, secret), address)
        except TooManyRequests:
            return False
        return True

    with clock.frozen(clock.unix_now()):
        assert await let("192.0.2.1", "ann:the word of ann")
        tried = [await let(f"203.0.113.{number}", f"ann:{number}") for number in range(LIMIT * 2)]
        assert tried == [True] * LIMIT + [False] * LIMIT
        assert await let("192.0.2.2", "bob:the word of bob")
        assert await let("192.0.2.1", "ann:the word of ann")
        assert await let("192.0.2.1", "ann:another")  # the address is known
        hashes = [await let(f"203.0.113.{number}", md5(str(number))) for number in range(LIMIT * 2)]
        assert hashes == [True] * LIMIT + [False] * LIMIT  # of a hash nobody knows whose it is
