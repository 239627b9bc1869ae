"""The server's own secret, without which a stolen database opens nothing.

It lives in the configuration, else in a file of the data folder that the first start makes; never in the database.
What the database holds of passwords and API keys is a keyed digest or sealed with a key derived from it.
"""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64encode
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from crossbar.config import Config
from crossbar.ids import new_secret

FILE = "pepper"
SHORTEST = 16
"""Bytes below which a pepper could be guessed."""


class Unsealable(Exception):
    """A stored secret was sealed under another pepper."""


class Pepper:
    """Keyed digests and sealed values under one secret of at least 16 bytes."""

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()
        if len(self._key) < SHORTEST:
            raise ValueError(f"the pepper must have at least {SHORTEST} bytes")
        self._fernet = Fernet(urlsafe_b64encode(self._derive(b"sealed values")))

    def digest(self, value: str | bytes) -> str:
        """HMAC-SHA256 of `value`, 64 lower-case hex characters."""
        data = value.encode() if isinstance(value, str) else value
        return hmac.digest(self._key, data, "sha256").hex()

    def seal(self, value: str) -> str:
        """`value`, encrypted and authenticated (Fernet), as text to store."""
        return self._fernet.encrypt(value.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """What was sealed; raises Unsealable when it was under another pepper."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise Unsealable("sealed under another pepper") from error

    def _derive(self, purpose: bytes) -> bytes:
        return hmac.digest(self._key, b"crossbar:" + purpose, "sha256")


def pepper_secret(config: Config) -> str:
    """The secret under which passwords, API keys and private keys are kept."""
    return config.security.password_pepper or _from_file(config.server.data / FILE)


def _from_file(path: Path) -> str:
    """Read the file, or make it. Of several processes that make it at once, one wins and all read the same."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(new_secret())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
