# SPDX-License-Identifier: MPL-2.0
"""A token counts as long as its keys, its user and its account do, in every worker."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from crossbar import clock
from crossbar.access.bad_token import BadToken
from crossbar.access.identity import Identity
from crossbar.access.tokens import Tokens
from crossbar.documents.document import Document
from crossbar.errors import InvalidCredentials

from .installation import Installation, StartWorker, Worker


async def refused(worker: Worker, token: str) -> str:
    """The reason why a worker does not take a token."""
    with pytest.raises(BadToken) as refusal:
        await worker.tokens.verify(token)
    return refusal.value.reason


async def log_in(worker: Worker, account: Document, user: Document | None, **options: Any) -> str:
    owner_id = user.id if user else None
    return await worker.tokens.issue(account.id, owner_id, "cb_user_auth", **{"lifetime": 3600, **options})


async def test_a_token_says_what_kazoo_says(worker: Worker, acme: Document, ann: Document) -> None:
    with clock.frozen(1_700_000_000):
        token = await log_in(worker, acme, ann, extra={"mfa_resp": {"a": 1}, "original_account_id": None})

    header, claims, signature = token.split(".")
    ring = await worker.keys.ring()
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": ring.signing}
    said = json.loads(urlsafe_b64decode(claims + "=="))
    identity_signature, token_id = said.pop("identity_sig"), said.pop("jti")
    assert said == {
        "iss": "kazoo",
        "account_id": acme.id,
        "owner_id": ann.id,
        "method": "cb_user_auth",
        "exp": 1_700_003_600,
        "mfa_resp": {"a": 1},
    }
    assert len(urlsafe_b64decode(identity_signature + "=")) == 32
    assert "=" not in header + claims + signature + identity_signature
    assert len(token_id) == 32
    assert "jti" not in (await worker.tokens.verify(await log_in(worker, acme, ann))).claims  # as clients see them


async def test_tokens_of_one_second_end_apart(worker: Worker, acme: Document, ann: Document) -> None:
    with clock.frozen(clock.unix_now()):
        token, second = await log_in(worker, acme, ann), await log_in(worker, acme, ann)

    await worker.tokens.revoke(await worker.tokens.verify(token))

    assert await refused(worker, token) == "invalid_identity_signature"
    assert (await worker.tokens.verify(second)).owner_id == ann.id


async def test_it_stands_for_its_user(worker: Worker, acme: Document, installation: Installation) -> None:
    ann = await installation.user(acme, "ann", priv_level="admin")

    token = await log_in(worker, acme, ann)
    identity = await worker.tokens.verify(token)

    assert (identity.account_id, identity.owner_id, identity.method) == (acme.id, ann.id, "cb_user_auth")
    assert identity.is_account_admin
    assert identity.token == token
    assert await worker.tokens.verify(token) is identity


async def test_a_token_without_user_stands_for_its_account(worker: Worker, acme: Document) -> None:
    identity = await worker.tokens.verify(await log_in(worker, acme, None))

    assert (identity.account_id, identity.owner_id, identity.priv_level) == (acme.id, None, None)
    assert not identity.is_account_admin
    assert "owner_id" not in identity.claims


async def test_the_secrets_of_a_token_show_in_no_representation(
    worker: Worker, acme: Document, installation: Installation
) -> None:
    token = await log_in(worker, acme, await installation.user(acme, "ann"))
    identity = await worker.tokens.verify(token)
    user = identity.user
    assert user is not None
    ring = await worker.keys.ring()

    shown = repr(identity) + repr(ring)

    for secret in (token, user.signature_secret, user.md5, user.sha1, identity.claims["identity_sig"], ring.secret):
        assert str(secret) not in shown


async def test_it_ends_at_its_time(worker: Worker, acme: Document, ann: Document) -> None:
    with clock.frozen(1_700_000_000):
        short = await log_in(worker, acme, ann, lifetime=10)
        endless = await log_in(worker, acme, ann, lifetime=0)
    with clock.frozen(1_700_000_009):
        await worker.tokens.verify(short)
    with clock.frozen(1_700_000_010):
        assert await refused(worker, short) == "token_expired"
        assert "exp" not in (await worker.tokens.verify(endless)).claims


@pytest.mark.parametrize("garbage", ["", "undefined", "a.b.c", "üüü", "x" * 100_000, "\udcff"])
async def test_garbage_is_no_token(worker: Worker, garbage: str) -> None:
    assert await refused(worker, garbage) == "invalid_jwt"


async def test_signatures_are_checked(worker: Worker, acme: Document, installation: Installation) -> None:
    token = await log_in(worker, acme, await installation.user(acme, "ann"))
    header, claims, signature = token.split(".")
    said = json.loads(urlsafe_b64decode(claims + "=="))
    forged = urlsafe_b64encode(json.dumps({**said, "owner_id": "other"}).encode()).rstrip(b"=").decode()
    ring = await worker.keys.ring()
    stranger = generate_private_key(65537, 2048)

    def signed(key: Any, algorithm: str, kid: str) -> str:
        return jwt.encode(said, key, algorithm, headers={"kid": kid})

    assert await refused(worker, f"{header}.{forged}.{signature}") == "invalid_jwt_signature"
    assert await refused(worker, signed(stranger, "RS256", ring.signing)) == "invalid_jwt_signature"
    assert await refused(worker, signed(stranger, "RS256", "f" * 32)) == "invalid_jwt_signature"
    assert await refused(worker, signed("s" * 64, "HS256", ring.signing)) == "algorithm_not_supported"
    assert await refused(worker, signed(None, "none", ring.signing)) == "algorithm_not_supported"
    for algorithm in ("RS384", "RS512"):
        assert (await worker.tokens.verify(signed(ring.private, algorithm, ring.signing))).account_id == acme.id


async def test_a_well_signed_token_must_have_our_claims(worker: Worker) -> None:
    ring = await worker.keys.ring()

    def signed(**claims: Any) -> str:
        return jwt.encode(claims, ring.private, "RS256", headers={"kid": ring.signing})

    assert await refused(worker, signed(iss="somebody", account_id="a")) == "invalid_jwt"
    assert await refused(worker, signed(iss="kazoo", account_id=5)) == "invalid_jwt"
    assert await refused(worker, signed(iss="kazoo")) == "no associated account_id"
    assert await refused(worker, await worker.tokens.vouch({"email": "ann@example.com"}, lifetime=60)) == (
        "no associated account_id"
    )
    assert await refused(worker, signed(iss="kazoo", account_id="a", exp="later")) == "invalid_jwt"
    assert await refused(worker, signed(iss="kazoo", account_id="a")) == "not_found"


async def test_no_token_for_who_is_not_there(worker: Worker, acme: Document) -> None:
    with pytest.raises(InvalidCredentials):
        await worker.tokens.issue(acme.id, "f" * 32, "cb_user_auth", lifetime=60)
    with pytest.raises(InvalidCredentials):
        await worker.tokens.issue("f" * 32, None, "cb_api_auth", lifetime=60)


async def test_a_revoked_token_ends_in_every_worker(
    worker: Worker, start_worker: StartWorker, other: Worker, acme: Document, ann: Document
) -> None:
    token, second = await log_in(worker, acme, ann), await log_in(worker, acme, ann, lifetime=7200)
    identity = await worker.tokens.verify(token)
    await other.tokens.verify(token)

    await worker.tokens.revoke(identity)

    assert await refused(worker, token) == "invalid_identity_signature"
    await other.hears("revocation", hashlib.sha256(token.encode()).hexdigest())
    assert await refused(other, token) == "invalid_identity_signature"
    assert (await other.tokens.verify(second)).owner_id == ann.id
    newcomer = await start_worker()
    assert await refused(newcomer, token) == "invalid_identity_signature"


async def test_who_came_without_token_has_none_to_revoke(worker: Worker, acme: Document) -> None:
    token = await log_in(worker, acme, None)
    account = (await worker.tokens.verify(token)).account
    await worker.tokens.revoke(Identity.without_token(account, None, "cb_basic_auth"))
    await worker.tokens.verify(token)


async def test_forgotten_tokens_are_verified_anew(worker: Worker, acme: Document) -> None:
    one, two = await log_in(worker, acme, None), await log_in(worker, acme, None, lifetime=7200)
    tokens = Tokens(worker.store, worker.feed, worker.keys, worker.directory, limit=1)
    first = await tokens.verify(one)
    await tokens.verify(two)
    again = await tokens.verify(one)
    assert again is not first
    assert again.account_id == acme.id


async def test_a_new_secret_ends_the_tokens_of_a_user(  # noqa: PLR0917 - fixtures
    worker: Worker, other: Worker, acme: Document, ann: Document, bob: Document, installation: Installation
) -> None:
    of_ann, of_bob = await log_in(worker, acme, ann), await log_in(worker, acme, bob)
    await other.tokens.verify(of_ann)

    await worker.tokens.reset_secret(acme.id, ann.id)

    assert await refused(worker, of_ann) == "invalid_identity_signature"
    await other.hears_everything(ann)
    assert await refused(other, of_ann) == "invalid_identity_signature"
    assert (await other.tokens.verify(of_bob)).owner_id == bob.id
    assert (await other.tokens.verify(await log_in(worker, acme, ann))).owner_id == ann.id


async def test_an_accounts_own_tokens_end_with_its_secret(
    worker: Worker, acme: Document, installation: Installation
) -> None:
    token, of_ann = await log_in(worker, acme, None), await log_in(worker, acme, await installation.user(acme, "ann"))
    await worker.tokens.verify(token)

    await worker.tokens.reset_secret(acme.id, None)

    assert await refused(worker, token) == "invalid_identity_signature"
    await worker.tokens.verify(of_ann)


async def test_tokens_end_with_their_user(  # noqa: PLR0917 - fixtures
    worker: Worker, other: Worker, acme: Document, ann: Document, bob: Document, installation: Installation
) -> None:
    of_ann, of_bob = await log_in(worker, acme, ann), await log_in(worker, acme, bob)
    await other.tokens.verify(of_ann)
    await other.tokens.verify(of_bob)

    await installation.delete(ann)
    await worker.store.remove(bob)

    await other.hears_everything(ann)
    assert await refused(other, of_ann) == "not_found"
    assert await refused(other, of_bob) == "not_found"


async def test_tokens_end_with_their_account(
    worker: Worker, other: Worker, acme: Document, installation: Installation
) -> None:
    token = await log_in(worker, acme, await installation.user(acme, "ann"))
    await other.tokens.verify(token)

    await worker.store.remove(acme)

    await other.hears_everything(await installation.account("Other"))
    assert await refused(other, token) == "not_found"


async def test_tokens_rest_while_their_user_or_account_is_disabled(
    worker: Worker, other: Worker, acme: Document, ann: Document, installation: Installation
) -> None:
    of_ann, of_acme = await log_in(worker, acme, ann), await log_in(worker, acme, None)
    for document, field, ended in ((ann, "enabled", [of_ann]), (acme, "pvt_enabled", [of_ann, of_acme])):
        for token in (of_ann, of_acme):
            await other.tokens.verify(token)
        await installation.edit(document, **{field: False})
        await other.hears_everything(document)
        assert [await refused(other, token) for token in ended] == ["invalid_identity_signature"] * len(ended)
        await installation.edit(document, **{field: True})
        await other.hears_everything(document)
    assert (await other.tokens.verify(of_ann)).owner_id == ann.id


async def test_a_token_newer_than_what_a_worker_remembers_counts(
    worker: Worker, start_worker: StartWorker, acme: Document, ann: Document
) -> None:
    deaf = await start_worker()
    await deaf.tokens.verify(await log_in(worker, acme, ann))
    await deaf.feed.stop()  # it hears nothing more, and does not know yet

    await worker.tokens.reset_secret(acme.id, ann.id)

    assert (await deaf.tokens.verify(await log_in(worker, acme, ann))).owner_id == ann.id


async def test_without_feed_memory_is_believed_for_a_second(
    worker: Worker, start_worker: StartWorker, acme: Document, ann: Document
) -> None:
    deaf = await start_worker(listening=False)
    with clock.frozen(1_700_000_000):
        first, second = await log_in(worker, acme, ann), await log_in(worker, acme, ann, lifetime=7200)
        await worker.tokens.revoke(await deaf.tokens.verify(first))
    with clock.frozen(1_700_000_001.5):
        assert await refused(deaf, first) == "invalid_identity_signature"
        await deaf.tokens.verify(second)
        await worker.tokens.reset_secret(acme.id, ann.id)
    with clock.frozen(1_700_000_003):
        assert await refused(deaf, second) == "invalid_identity_signature"
