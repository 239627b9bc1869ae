# SPDX-License-Identifier: MPL-2.0
"""From what a request presents to who it comes from."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from crossbar import clock
from crossbar.access.authentication import Authentication, Credential
from crossbar.access.costs import Costs, CostSettings
from crossbar.access.directory import Account
from crossbar.access.identity import Identity
from crossbar.access.ingest_token import IngestTokens
from crossbar.access.plain_users import PlainUsers
from crossbar.documents.document import Document
from crossbar.shared import BucketTable
from tests.access.installation import refusal

from .installation import PEPPER, Installation, Request, Worker

REQUEST = Request.of("GET", "/accounts/A/devices")


class Door:
    """Authentication in one worker, with buckets that hold three tokens and never fill."""

    def __init__(self, worker: Worker, *, by_address: bool = False, guarded: bool = False) -> None:
        self.expired: list[str] = []
        self.costs = Costs(BucketTable(64), lambda: CostSettings(capacity=3, rate_per_second=0.0))
        self.authentication = Authentication(
            worker.tokens,
            worker.basic,
            worker.directory,
            self.costs,
            IngestTokens(worker.store, worker.directory, PEPPER),
            by_address=lambda: by_address,
            on_expired=self._note,
            plain_users=PlainUsers(lambda: guarded),
        )

    async def early(self, credential: Credential | None) -> Identity | None:
        return await self.authentication.early(credential, REQUEST)

    async def required(self, credential: Credential | None) -> Identity:
        return await self.authentication.required(credential, REQUEST)

    @property
    def spent(self) -> int:
        return 3 - self.costs.remaining(REQUEST)

    def _note(self, account: Account) -> None:
        self.expired.append(account.id)


@pytest.fixture
def door(worker: Worker) -> Door:
    return Door(worker)


UNKNOWN = (401, "invalid_credentials", {"message": "invalid credentials"})


def basic(account: Document, secret: str) -> Credential:
    return Credential("basic", "Basic " + b64encode(f"{account.id}:{secret}".encode()).decode())


async def jwt(worker: Worker, account: Document, user: Document | None, **extra: Any) -> Credential:
    owner_id = user.id if user else None
    token = await worker.tokens.issue(account.id, owner_id, "cb_user_auth", lifetime=3600, extra=extra)
    return Credential("jwt", token)


async def test_a_good_token_costs_nothing(worker: Worker, installation: Installation, door: Door) -> None:
    acme = await installation.account("Acme")
    ann = await installation.user(acme, "ann")
    credential = await jwt(worker, acme, ann)
    identity = await door.early(credential)
    assert identity is not None
    assert (identity.account_id, identity.owner_id, identity.token) == (acme.id, ann.id, credential.value)
    assert door.spent == 0


@pytest.mark.parametrize(
    "credential", [None, Credential("jwt", "undefined"), Credential("unusable", "Digest x"), Credential("basic", "x")]
)
async def test_a_bad_credential_is_an_error_only_where_one_is_required(
    door: Door, credential: Credential | None
) -> None:
    assert await door.early(credential) is None
    assert await refusal(door.required(credential)) == UNKNOWN
    assert door.spent == 1


async def test_who_knocks_too_often_has_to_wait(door: Door) -> None:
    for _ in range(3):
        assert await refusal(door.required(None)) == UNKNOWN
    assert await refusal(door.required(None)) == (429, "too_many_requests", {"message": "too many requests"})


async def test_an_expired_token_is_refused_at_once(worker: Worker, installation: Installation, door: Door) -> None:
    acme = await installation.account("Acme")
    with clock.frozen(1_700_000_000):
        credential = await jwt(worker, acme, None)
    assert await refusal(door.early(credential)) == (401, "invalid credentials", {})


async def test_the_account_a_client_names_must_be_that_of_its_token(
    worker: Worker, installation: Installation, door: Door
) -> None:
    acme, other = await installation.account("Acme"), await installation.account("Other")
    token = (await jwt(worker, acme, None)).value
    assert await door.early(Credential("jwt", token, acme.id)) is not None
    assert await door.early(Credential("jwt", token, other.id)) is None


async def test_after_a_trial_nothing_goes(worker: Worker, installation: Installation, door: Door) -> None:
    with clock.frozen(1_700_000_000):
        acme = await installation.account("Acme", pvt_trial_expires=clock.now() + 10)
        await installation.user(acme, "ann")
        credential = await jwt(worker, acme, None)
        assert await door.early(credential) is not None
    locked = {"account": {"expired": {"message": "account expired", "cause": 63_867_219_210}}}
    with clock.frozen(1_700_000_011):
        assert await refusal(door.early(credential)) == (423, "locked", locked)
        assert await refusal(door.early(basic(acme, "secret"))) == (423, "locked", locked)
        assert door.expired == [acme.id, acme.id]
        await installation.edit(acme, pvt_enabled=False)
        await worker.hears_everything(acme)
        assert await refusal(door.early(credential)) == (423, "locked", locked)
    assert door.expired == [acme.id, acme.id]


async def test_nobody_comes_from_a_disabled_account(worker: Worker, installation: Installation) -> None:
    acme = await installation.account("Acme", pvt_enabled=False, ips={"a": {"ip": REQUEST.client_ip}})
    ann = await installation.user(acme, "ann")
    door = Door(worker, by_address=True)
    for credential in (await jwt(worker, acme, None), await jwt(worker, acme, ann), basic(acme, "ann:secret")):
        assert await door.early(credential) is None
        assert await refusal(door.required(credential)) == UNKNOWN
    assert await door.authentication.known_by_address(REQUEST) is None


async def test_nobody_acts_as_who_is_disabled(worker: Worker, installation: Installation, door: Door) -> None:
    parent = await installation.account("Parent")
    ann = await installation.user(parent, "ann", priv_level="admin")
    for account_fields, user_fields in (({"pvt_enabled": False}, {}), ({}, {"enabled": False})):
        child = await installation.account("Child", parent, **account_fields)
        bob = await installation.user(child, "bob", **user_fields)
        as_bob = {"as": {"account_id": child.id, "owner_id": bob.id}}
        assert await door.early(await jwt(worker, parent, ann, **as_bob)) is None


@pytest.mark.parametrize(
    ("guarded", "priv_level", "acts"),
    [
        (True, "admin", True),
        (True, "user", False),
        (False, "user", True),
    ],
)
async def test_a_guarded_plain_user_acts_as_nobody(
    worker: Worker, installation: Installation, guarded: bool, priv_level: str, acts: bool
) -> None:
    parent = await installation.account("Parent")
    child = await installation.account("Child", parent)
    ann = await installation.user(parent, "ann", priv_level=priv_level)
    bob = await installation.user(child, "bob", priv_level="admin")
    door = Door(worker, guarded=guarded)
    identity = await door.early(await jwt(worker, parent, ann, **{"as": {"account_id": child.id, "owner_id": bob.id}}))
    assert (identity is not None) is acts


async def test_basic_authentication_has_an_identity_but_no_token(
    worker: Worker, installation: Installation, door: Door
) -> None:
    acme = await installation.account("Acme")
    ann = await installation.user(acme, "ann", priv_level="admin")
    identity = await door.early(basic(acme, "secret"))
    assert identity is not None
    assert (identity.account_id, identity.owner_id, identity.method) == (acme.id, ann.id, "cb_basic_auth")
    assert identity.claims == {"account_id": acme.id, "owner_id": ann.id, "method": "cb_basic_auth"}
    assert identity.token is None
    assert identity.is_account_admin


async def test_every_basic_request_is_paid_once(worker: Worker, installation: Installation, door: Door) -> None:
    acme = await installation.account("Acme")
    await installation.user(acme, "ann")
    wrong = basic(acme, "wrong")
    assert await door.early(wrong) is None
    assert await refusal(door.required(wrong)) == UNKNOWN
    assert door.spent == 1
    await door.early(basic(acme, "secret"))
    await door.early(basic(acme, "secret"))
    assert door.spent == 3
    assert (await refusal(door.early(basic(acme, "secret"))))[0] == 429


async def test_a_token_may_act_as_a_user_further_down(worker: Worker, installation: Installation, door: Door) -> None:
    parent = await installation.account("Parent", pvt_superduper_admin=True)
    child = await installation.account("Child", parent)
    grandchild = await installation.account("Grandchild", child)
    ann, bob = await installation.user(parent, "ann", priv_level="admin"), await installation.user(grandchild, "bob")

    credential = await jwt(worker, parent, ann, **{"as": {"account_id": grandchild.id, "owner_id": bob.id}})
    identity = await door.early(credential)

    assert identity is not None
    assert (identity.account_id, identity.owner_id) == (grandchild.id, bob.id)
    assert not identity.superduper and not identity.is_account_admin
    assert (identity.original_account_id, identity.original_owner_id) == (parent.id, ann.id)
    assert identity.token == credential.value


async def test_a_token_may_not_act_as_anybody_else(worker: Worker, installation: Installation, door: Door) -> None:
    parent = await installation.account("Parent")
    child, sibling = await installation.account("Child", parent), await installation.account("Sibling", parent)
    ann, bob, cid = (
        await installation.user(parent, "ann"),
        await installation.user(child, "bob"),
        await installation.user(sibling, "cid"),
    )

    async def acting(account_id: object, owner_id: object) -> Identity | None:
        return await door.early(
            await jwt(worker, child, bob, **{"as": {"account_id": account_id, "owner_id": owner_id}})
        )

    assert await acting(parent.id, ann.id) is None
    assert await acting(sibling.id, cid.id) is None
    assert await acting(child.id, bob.id) is None
    above = await jwt(worker, parent, ann, **{"as": {"account_id": child.id, "owner_id": cid.id}})
    assert await door.early(above) is None  # no user of that account


@pytest.mark.parametrize("claim", [{}, {"account_id": "a"}, {"account_id": 1, "owner_id": []}, "x", None, []])
async def test_half_a_masquerade_is_none(worker: Worker, installation: Installation, door: Door, claim: object) -> None:
    acme = await installation.account("Acme")
    ann = await installation.user(acme, "ann")
    identity = await door.early(await jwt(worker, acme, ann, **{"as": claim}))
    assert identity is not None
    assert (identity.account_id, identity.original_account_id) == (acme.id, None)


async def test_an_impersonating_token_names_who_really_acts(
    worker: Worker, installation: Installation, door: Door
) -> None:
    master, acme = await installation.account("Master"), await installation.account("Acme")
    root, ann = await installation.user(master, "root"), await installation.user(acme, "ann")
    original = {"original_account_id": master.id, "original_owner_id": root.id}
    credential = await jwt(worker, acme, ann, **original)
    identity = await door.early(credential)
    assert identity is not None
    assert (identity.original_account_id, identity.original_owner_id) == (master.id, root.id)

    for document, field in ((root, "enabled"), (master, "pvt_enabled")):
        await installation.edit(document, **{field: False})
        await worker.hears_everything(document)
        assert await door.early(credential) is None
        await installation.edit(document, **{field: True})
        await worker.hears_everything(document)
        assert await door.early(credential) is not None
    await installation.delete(root)
    await worker.hears_everything(root)
    assert await door.early(credential) is None


async def test_a_known_address_needs_no_credential(worker: Worker, installation: Installation) -> None:
    acme = await installation.account("Acme", ips={"a": {"ip": REQUEST.client_ip}})
    door = Door(worker, by_address=True)
    identity = await door.required(None)
    assert (identity.account_id, identity.owner_id, identity.method) == (acme.id, None, "cb_ip_auth")
    assert door.spent == 1
    assert await refusal(door.required(Credential("jwt", "undefined"))) == UNKNOWN
    assert await refusal(Door(worker).required(None)) == UNKNOWN


async def test_an_address_of_two_accounts_stands_for_neither(worker: Worker, installation: Installation) -> None:
    await installation.account("Acme", ips={"a": {"ip": REQUEST.client_ip}})
    await installation.account("Other", ips={"a": {"ip": REQUEST.client_ip}})
    assert await refusal(Door(worker, by_address=True).required(None)) == UNKNOWN


async def test_an_expired_account_is_not_known_by_address(worker: Worker, installation: Installation) -> None:
    await installation.account("Acme", ips={"a": {"ip": REQUEST.client_ip}}, pvt_trial_expires=1)
    assert (await refusal(Door(worker, by_address=True).required(None)))[:2] == (423, "locked")
