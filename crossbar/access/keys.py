# SPDX-License-Identifier: MPL-2.0
"""The system's keys: what signs tokens, and the secret that goes into every identity signature.

All keys lie in one document, so that hosts which start at the same moment end with the same ones: the first to
insert it wins. Private keys are encrypted under the pepper.

Source: `core/kazoo_auth/src/kz_auth_keys.erl`, `kz_auth_identity.erl`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from crossbar import clock
from crossbar.access.feed_cache import BELIEVED_SECONDS, FeedCache
from crossbar.access.pepper import Pepper
from crossbar.documents.document import SYSTEM_AUTH, Document
from crossbar.documents.feed import Feed
from crossbar.documents.shape import Shape
from crossbar.documents.store import Duplicate, Store
from crossbar.errors import NotFound
from crossbar.ids import new_id, new_secret

TYPE = "auth_keys"
RING = "system"
KEY_BITS = 2048

KEYS_SHAPE = Shape(TYPE)


class UnknownKey(Exception):
    """No key of the system has this id."""


@dataclass(frozen=True, slots=True, eq=False)
class Keyring:
    """The keys at one moment. `signing` names the one that signs; all of `public` verify.

    `cluster_id` is the installation's own name, 32 hex characters.
    """

    revision: str
    cluster_id: str
    signing: str
    private: RSAPrivateKey = field(repr=False)
    public: Mapping[str, RSAPublicKey]
    secret: bytes = field(repr=False)

    def public_pem(self, key_id: str) -> str:
        """A public key in PEM (SubjectPublicKeyInfo); raises NotFound."""
        if key_id not in self.public:
            raise NotFound(key_id)
        return self.public[key_id].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Keys:
    """The system's keyring, the same in every worker of every host."""

    def __init__(self, store: Store, feed: Feed, pepper: Pepper) -> None:
        self._store = store
        self._pepper = pepper
        self._latest: Keyring | None = None
        self._looked = 0.0
        self._memory: FeedCache[str, Keyring] = FeedCache(feed, self._load, limit=1)
        feed.subscribe(TYPE, lambda change: self._memory.forget(change.id))

    async def ring(self) -> Keyring:
        """The keys; made if this is the first start of the installation."""
        known = self._memory.known(RING)
        ring = await self._memory.read(RING) if known is None else known[0]
        return ring if ring is not None else await self._create()

    async def ring_with(self, key_id: str) -> Keyring:
        """The keys, `key_id` among them; raises UnknownKey.

        A key that another worker has just made is looked for in the store, but not more than once a second, since
        anybody can make up names of keys.
        """
        ring = await self.ring()
        if key_id not in ring.public and self._looked < clock.unix_now() - BELIEVED_SECONDS:
            self._looked = clock.unix_now()
            ring = await self._memory.read(RING) or ring
        if key_id not in ring.public:
            raise UnknownKey
        return ring

    async def rotate(self) -> str:
        """Make a new key, which signs from now on, and return its id. The old ones still verify."""
        key = await self._new_key()
        await self._change(lambda fields: fields["pvt_keys"].insert(0, key))
        return str(key["id"])

    async def retire(self, key_id: str) -> None:
        """End a key and every token it signed. If it is the one that signs, a new one takes its place."""
        successor = await self._new_key()

        def take_away(fields: dict[str, Any]) -> None:
            keys = fields["pvt_keys"]
            kept = [key for key in keys if key["id"] != key_id]
            if len(kept) == len(keys):
                raise NotFound(key_id)
            fields["pvt_keys"] = kept if kept and kept[0] is keys[0] else [successor, *kept]

        await self._change(take_away)

    async def reset_secret(self) -> None:
        """Change the system's part of every identity signature, which ends all tokens."""
        sealed = self._pepper.seal(new_secret())

        def exchange(fields: dict[str, Any]) -> None:
            fields["pvt_secret"] = sealed

        await self._change(exchange)

    async def _create(self) -> Keyring:
        fields = {
            "pvt_type": TYPE,
            "pvt_created": clock.now(),
            "pvt_cluster_id": new_id(),
            "pvt_keys": [await self._new_key()],
            "pvt_secret": self._pepper.seal(new_secret()),
        }
        with suppress(Duplicate):  # another worker was faster; its keys are the keys
            await self._store.insert(Document(SYSTEM_AUTH, TYPE, RING, fields))
        ring = await self._memory.read(RING)
        if ring is None:
            raise RuntimeError("the system's keys vanished while they were made")
        return ring

    async def _change(self, change: Callable[[dict[str, Any]], None]) -> None:
        def apply(document: Document) -> None:
            document.fields["pvt_keys"] = list(document.fields["pvt_keys"])
            change(document.fields)

        await self.ring()
        await self._store.update(SYSTEM_AUTH, TYPE, RING, apply)
        self._memory.forget(RING)

    async def _new_key(self) -> dict[str, Any]:
        pem = await asyncio.to_thread(_generate)
        return {"id": new_id(), "created": clock.now(), "pem": self._pepper.seal(pem)}

    async def _load(self, key_id: str) -> Keyring | None:
        document = await self._store.get(SYSTEM_AUTH, TYPE, key_id)
        if document is None:
            return None
        if self._latest is None or self._latest.revision != document.revision:
            self._latest = self._open(document)
        return self._latest

    def _open(self, document: Document) -> Keyring:
        private = {key["id"]: _read(self._pepper.unseal(key["pem"])) for key in document.fields["pvt_keys"]}
        signing = next(iter(private))
        return Keyring(
            revision=document.revision or "",
            cluster_id=document.fields["pvt_cluster_id"],
            signing=signing,
            private=private[signing],
            public={key_id: key.public_key() for key_id, key in private.items()},
            secret=self._pepper.unseal(document.fields["pvt_secret"]).encode(),
        )


def _generate() -> str:
    key = generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _read(pem: str) -> RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("a system key is an RSA key")
    return key
