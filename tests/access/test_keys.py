# SPDX-License-Identifier: MPL-2.0
"""One keyring for all workers of an installation."""

from __future__ import annotations

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from crossbar import clock
from crossbar.access.bad_token import BadToken
from crossbar.access.keys import Keys, UnknownKey
from crossbar.access.pepper import Pepper, Unsealable
from crossbar.documents.document import Document
from crossbar.errors import NotFound

from .installation import StartWorker, Worker


async def test_workers_that_start_together_end_with_one_keyring(start_worker: StartWorker) -> None:
    workers = await asyncio.gather(*(start_worker() for _ in range(4)))
    rings = await asyncio.gather(*(worker.keys.ring() for worker in workers))
    assert len({ring.signing for ring in rings}) == 1
    assert len({ring.secret for ring in rings}) == 1
    assert {ring.private.key_size for ring in rings} == {2048}


async def test_the_keyring_outlives_its_workers(worker: Worker, start_worker: StartWorker) -> None:
    first = await worker.keys.ring()
    second = await (await start_worker()).keys.ring()
    assert (second.signing, second.secret) == (first.signing, first.secret)
    assert await worker.keys.ring() is first


async def test_what_is_stored_is_of_no_use_without_the_pepper(worker: Worker) -> None:
    ring = await worker.keys.ring()
    stored = await worker.store.get("system_auth", "auth_keys", "system")
    assert stored is not None
    assert stored.public == {"id": "system"}
    assert "PRIVATE KEY" not in str(stored.fields)
    assert ring.secret.decode() not in str(stored.fields)
    with pytest.raises(Unsealable):
        await Keys(worker.store, worker.feed, Pepper("another pepper than before")).ring()


async def test_a_new_key_signs_and_the_old_one_still_verifies(worker: Worker, other: Worker, acme: Document) -> None:
    old = await worker.tokens.issue(acme.id, None, "cb_api_auth", lifetime=60)
    before = await other.keys.ring()

    key_id = await worker.keys.rotate()

    assert (await worker.keys.ring()).signing == key_id != before.signing
    new = await worker.tokens.issue(acme.id, None, "cb_api_auth", lifetime=60)
    for each in (worker, other):
        assert (await each.tokens.verify(new)).account_id == acme.id  # though `other` may not have heard of the key
        assert (await each.tokens.verify(old)).account_id == acme.id


async def test_a_retired_key_takes_its_tokens_with_it(worker: Worker, other: Worker, acme: Document) -> None:
    token = await worker.tokens.issue(acme.id, None, "cb_api_auth", lifetime=60)
    await other.tokens.verify(token)
    retired = (await worker.keys.ring()).signing

    await worker.keys.retire(retired)

    await other.hears("auth_keys", "system")
    while retired in (await other.keys.ring()).public:
        await other.hears("auth_keys", "system")
    for each in (worker, other):
        with pytest.raises(BadToken, match="invalid_jwt_signature"):
            await each.tokens.verify(token)
    fresh = await worker.tokens.issue(acme.id, None, "cb_api_auth", lifetime=60)
    await other.tokens.verify(fresh)


async def test_only_the_key_that_signs_is_replaced_when_it_retires(worker: Worker, acme: Document) -> None:
    old = (await worker.keys.ring()).signing
    new = await worker.keys.rotate()
    token = await worker.tokens.issue(acme.id, None, "cb_api_auth", lifetime=60)

    await worker.keys.retire(old)

    ring = await worker.keys.ring()
    assert (ring.signing, set(ring.public)) == (new, {new})
    await worker.tokens.verify(token)


async def test_made_up_keys_are_looked_for_once_a_second(start_worker: StartWorker) -> None:
    deaf = await start_worker()
    with clock.frozen(1_700_000_000):
        await deaf.keys.ring()
        await deaf.feed.stop()
        with pytest.raises(UnknownKey):
            await deaf.keys.ring_with("f" * 32)
        other = await start_worker()
        key_id = await other.keys.rotate()
        with pytest.raises(UnknownKey):
            await deaf.keys.ring_with(key_id)
    with clock.frozen(1_700_000_001.5):
        assert key_id in (await deaf.keys.ring_with(key_id)).public


async def test_a_new_system_secret_ends_all_tokens(worker: Worker, acme: Document) -> None:
    token = await worker.tokens.issue(acme.id, None, "cb_api_auth", lifetime=60)
    await worker.tokens.verify(token)

    await worker.keys.reset_secret()

    with pytest.raises(BadToken, match="invalid_identity_signature"):
        await worker.tokens.verify(token)
    await worker.tokens.verify(await worker.tokens.issue(acme.id, None, "cb_api_auth", lifetime=60))


async def test_the_public_part_of_a_key_is_public(worker: Worker) -> None:
    ring = await worker.keys.ring()
    key = load_pem_public_key(ring.public_pem(ring.signing).encode())
    assert isinstance(key, RSAPublicKey)
    assert key.public_numbers() == ring.private.public_key().public_numbers()
    with pytest.raises(NotFound):
        ring.public_pem("f" * 32)
    with pytest.raises(NotFound):
        await worker.keys.retire("f" * 32)
