# SPDX-License-Identifier: MPL-2.0
"""Encrypting a file under a passphrase, in pieces, so that a file of any size passes through little memory.

The key is derived with scrypt. Each piece is encrypted and authenticated (AES-256-GCM) under a nonce that holds its
number and whether it is the last one; so pieces cannot be changed, exchanged, left out or cut off.
"""

from __future__ import annotations

import io
import os
from typing import IO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from crossbar.moving.trouble import CannotMove

MAGIC: Final = b"crossbar encrypted 1\n"
SALT_BYTES: Final = 16
PREFIX_BYTES: Final = 7
PIECE_BYTES: Final = 64 * 1024
TAG_BYTES: Final = 16
LENGTH_BYTES: Final = 4
WORK: Final = 2**15
"""scrypt's `n`: 32 MB and a tenth of a second for each guess at the passphrase."""


class _Pieces(io.RawIOBase):
    """The pieces of an encrypted file: their key, and the number of the next one."""

    def __init__(self, file: IO[bytes], passphrase: str, salt: bytes, prefix: bytes) -> None:
        self._file = file
        self._cipher = AESGCM(Scrypt(salt=salt, length=32, n=WORK, r=8, p=1).derive(passphrase.encode()))
        self._prefix = prefix
        self._number = 0

    def _nonce(self, *, is_last: bool) -> bytes:
        return self._prefix + self._number.to_bytes(4) + bytes([is_last])


class Encrypting(_Pieces):
    """What is written goes encrypted to a file; the file is whole once this is closed."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        salt, prefix = os.urandom(SALT_BYTES), os.urandom(PREFIX_BYTES)
        super().__init__(file, passphrase, salt, prefix)
        self._gathered = bytearray()
        file.write(MAGIC + salt + prefix)

    def writable(self) -> bool:
        """It is written to."""
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Take bytes in; pieces that are full go to the file."""
        self._gathered += data
        while len(self._gathered) > PIECE_BYTES:
            self._put(bytes(self._gathered[:PIECE_BYTES]), is_last=False)
            del self._gathered[:PIECE_BYTES]
        return len(data)

    def finish(self) -> None:
        """Write the last piece."""
        self._put(bytes(self._gathered), is_last=True)
        self._gathered.clear()

    def _put(self, piece: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.encrypt(self._nonce(is_last=is_last), piece, None)
        self._file.write(len(sealed).to_bytes(LENGTH_BYTES) + sealed)
        self._number += 1


class Decrypting(_Pieces):
    """The bytes of an encrypted file, which stands behind `MAGIC`. Raises CannotMove where they are not as written."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        super().__init__(file, passphrase, file.read(SALT_BYTES), file.read(PREFIX_BYTES))
        self._ended = False
        self._rest = b""

    def readable(self) -> bool:
        """It is read from."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill a buffer as far as a piece goes."""
        while not self._rest and not self._ended:
            self._rest = self._next()
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)

    def _next(self) -> bytes:
        size = int.from_bytes(self._file.read(LENGTH_BYTES))
        sealed = self._file.read(size) if 0 < size <= PIECE_BYTES + TAG_BYTES else b""
        for is_last in (False, True):
            try:
                piece = self._cipher.decrypt(self._nonce(is_last=is_last), sealed, None)
            except (InvalidTag, ValueError):
                continue
            self._number += 1
            self._ended = is_last
            return piece
        if self._number == 0 and len(sealed) == size > 0:
            raise CannotMove("the passphrase is another one, or the file was changed; nothing was written")
        raise CannotMove("the file is cut short or was changed; nothing was written")
