# SPDX-License-Identifier: MPL-2.0
"""Passwords: what clients send of them, and what is kept.

Clients send, and KAZOO stores, the MD5 or SHA1 of `username:password`. Stored as they are, such hashes would be as
good as passwords to whoever steals the database; so what is kept are their digests under the server's pepper.

Source: `core/kazoo_documents/src/kzd_users.erl` (`rehash_creds`), `kzd_module_utils.erl` (`pass_hashes`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

from crossbar.access.directory import credential_tag
from crossbar.access.pepper import Pepper
from crossbar.documents.document import Document

Method = Literal["md5", "sha"]
"""How a client hashed `username:password`."""

MD5_FIELD = "pvt_md5_auth"
SHA1_FIELD = "pvt_sha1_auth"


def hashed(method: Method, username: str, password: str | bytes) -> str:
    """The lower-case hex hash of `username:password` that a client sends; the user name counts in lower case."""
    secret = password if isinstance(password, bytes) else password.encode()
    return hash_of(method, username.lower().encode() + b":" + secret)


def hash_of(method: Method, credentials: bytes) -> str:
    """The lower-case hex hash of credentials that are already `username:password`."""
    function = hashlib.md5 if method == "md5" else hashlib.sha1
    return function(credentials, usedforsecurity=False).hexdigest()


def password_fields(pepper: Pepper, username: str, password: str) -> dict[str, str]:
    """The private fields to store for a user name and password."""
    return {
        MD5_FIELD: pepper.digest(hashed("md5", username, password)),
        SHA1_FIELD: pepper.digest(hashed("sha", username, password)),
    }


def credential_fields(pepper: Pepper, md5: str) -> dict[str, str]:
    """The private fields to store where only the MD5 hash is known (`credentials` in a user's body).

    A SHA1 digest from before belongs to another password: remove it.
    """
    return {MD5_FIELD: pepper.digest(md5.lower())}


def credential_tags(user: Document) -> Iterable[str]:
    """The tags by which the directory finds a user who logs in: part of the user's shape."""
    digests: dict[Method, str | None] = {"md5": user.fields.get(MD5_FIELD), "sha": user.fields.get(SHA1_FIELD)}
    return [credential_tag(method, digest) for method, digest in digests.items() if digest]
