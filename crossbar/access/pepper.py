# SPDX-License-Identifier: MPL-2.0
"""The server's own secret, without which a stolen database opens nothing.

It lives in the configuration, else in a file of the data folder that the first start makes; never in the database.
What the database holds of passwords and API keys is a keyed digest or sealed with a key derived from it.
"""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from crossbar.config import Config, ConfigError
from crossbar.documents.sealing import Unsealable
from crossbar.ids import new_secret

FILE = "pepper"
SHORTEST = 16
"""Bytes below which a pepper could be guessed."""


class Pepper:
    """Keyed digests under one secret, and values sealed under it or under keys of their own, of at least 16 bytes each.

    The first of `sealing_keys` seals, each of them opens, and so does the key that is derived from the pepper.
    """

    def __init__(self, secret: str, sealing_keys: Sequence[str] = ()) -> None:
        self._key = secret.encode()
        keys = [key.encode() for key in sealing_keys]
        if min(map(len, (self._key, *keys))) < SHORTEST:
            raise ValueError(f"the pepper and each sealing key must have at least {SHORTEST} bytes")
        self._fernets = [Fernet(urlsafe_b64encode(_derived(key, b"sealed values"))) for key in (*keys, self._key)]
        self._all = MultiFernet(self._fernets)

    def digest(self, value: str | bytes) -> str:
        """HMAC-SHA256 of `value`, 64 lower-case hex characters."""
        data = value.encode() if isinstance(value, str) else value
        return hmac.digest(self._key, data, "sha256").hex()

    def seal(self, value: str) -> str:
        """`value`, encrypted and authenticated (Fernet), as text to store."""
        return self._all.encrypt(value.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """What was sealed; raises Unsealable when it was under a key that is not known."""
        try:
            return self._all.decrypt(sealed).decode()
        except InvalidToken as error:
            raise Unsealable("sealed under another key") from error

    def is_current(self, sealed: str) -> bool:
        """Whether something was sealed under the key that seals now."""
        try:
            self._fernets[0].decrypt(sealed)
        except InvalidToken:
            return False
        return True


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, b"crossbar:" + purpose, "sha256")


def fingerprint(secret: str) -> str:
    """What tells one secret from another and gives nothing of it away, 16 hex characters."""
    return _derived(secret.encode(), b"fingerprint").hex()[:16]


def known_pepper(config: Config) -> str | None:
    """The secret of the configuration or the data folder, None where there is none yet."""
    path = config.server.data / FILE
    return config.security.password_pepper or (path.read_text().strip() if path.exists() else None)


def keep_pepper(config: Config, secret: str) -> Path:
    """Make a secret from elsewhere that of the data folder, which has none; its file."""
    return _make(config.server.data / FILE, secret)


def configured_pepper(config: Config) -> Pepper:
    """The pepper and the sealing keys of the configuration. Raises ConfigError."""
    try:
        return Pepper(pepper_secret(config), config.security.sealing_keys)
    except ValueError as error:
        raise ConfigError([f"{error} (security.password_pepper, security.sealing_keys)"]) from error


def pepper_secret(config: Config) -> str:
    """The secret under which passwords, API keys and private keys are kept."""
    return config.security.password_pepper or _from_file(config.server.data / FILE)


def _from_file(path: Path) -> str:
    """Read the file, or make it. Of several processes that make it at once, one wins and all read the same."""
    return _make(path, new_secret()).read_text().strip()


def _make(path: Path, secret: str) -> Path:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path
