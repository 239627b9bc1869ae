# SPDX-License-Identifier: MPL-2.0
"""The file of an account: lines of JSON, compressed (gzip), and encrypted if there is a passphrase (`docs/moving.md`).

The first line is the header, the last one the trailer with the digest of all lines before it. What lies between is a
document, or an attachment: a line that names it, lines with its bytes, and a line that ends it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

import orjson

from crossbar.archive import written_whole
from crossbar.errors import JSON
from crossbar.moving.encryption import MAGIC, Decrypting, Encrypting
from crossbar.moving.trouble import CannotMove

FORMAT: Final = "crossbar account"
VERSION: Final = 1
COMPRESSION: Final = 6
"""gzip's level: half the speed of the quickest one, and two thirds of its size."""
LONGEST_LINE: Final = 128 * 2**20
"""Bytes; the largest document, of 16 MB in the database, has a line of less."""

Line = dict[str, Any]


class FileWriter:
    """Writes the lines of a file; see `writing`."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._digest = hashlib.sha256()

    def header(self, about: Line) -> None:
        """The first line."""
        self._put({"format": FORMAT, "version": VERSION, **about})

    def document(self, key: str, fields: dict[str, JSON]) -> None:
        """A document: its key (`Document.key`), and all fields."""
        self._put({"document": key, "fields": fields})

    def attachment(self, owner: str, about: Line) -> None:
        """An attachment of the document of this key: its name, type, size and time. Its bytes follow."""
        self._put({"attachment": owner, **about})

    def contents(self, data: bytes) -> None:
        """Some bytes of the attachment."""
        self._put({"data": base64.b64encode(data).decode()})

    def end_attachment(self, sha256: str | None) -> None:
        """The attachment is whole; without a digest it could not be read whole and does not count."""
        self._put({"end": sha256})

    def trailer(self, counts: Line) -> None:
        """The last line."""
        self._target.write(orjson.dumps({"trailer": counts, "sha256": self._digest.hexdigest()}) + b"\n")

    def _put(self, line: Line) -> None:
        data = orjson.dumps(line) + b"\n"
        self._digest.update(data)
        self._target.write(data)


@contextmanager
def writing(path: Path, passphrase: str | None) -> Iterator[FileWriter]:
    """A new file, for its owner alone to read, which has its name once it is whole. Raises CannotMove."""
    if path.exists():
        raise CannotMove(f"{path} exists already; name another file, or remove it")
    try:
        with written_whole(path) as file:
            sealing = Encrypting(file, passphrase) if passphrase else None
            target = cast(IO[bytes], sealing or file)
            with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=COMPRESSION, filename="", mtime=0) as packed:
                yield FileWriter(cast(IO[bytes], packed))
            if sealing is not None:
                sealing.finish()
    except OSError as error:
        raise CannotMove(f"cannot write {path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class AccountFile:
    """A file that was read to its end and is whole: its header, and the counts of its trailer."""

    path: Path
    passphrase: str | None
    header: Line
    counts: Line

    @classmethod
    def checked(cls, path: Path, passphrase: str | None) -> AccountFile:
        """Read a file to its end. Raises CannotMove for one that is cut short, damaged, or of another format."""
        digest, header, trailer = hashlib.sha256(), None, None
        for raw in _raw_lines(path, passphrase):
            if trailer is not None:
                raise _damaged()
            if header is None:
                header = _header(raw)
            if raw.startswith(b'{"trailer":'):
                trailer = _parsed(raw)
            else:
                digest.update(raw)
        if header is None or trailer is None or trailer.get("sha256") != digest.hexdigest():
            raise _damaged()
        return cls(path, passphrase, header, trailer["trailer"])

    def lines(self) -> Iterator[tuple[Line, int]]:
        """The lines between header and trailer, each with its size in bytes."""
        lines = _raw_lines(self.path, self.passphrase)
        next(lines)
        for raw in lines:
            if not raw.startswith(b'{"trailer":'):
                yield _parsed(raw), len(raw)


def _raw_lines(path: Path, passphrase: str | None) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            source = _opened(file, passphrase)
            with gzip.GzipFile(fileobj=source, mode="rb") as packed:
                while line := packed.readline(LONGEST_LINE):
                    if len(line) == LONGEST_LINE:
                        raise _damaged()
                    yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged() from error
    except OSError as error:
        raise CannotMove(f"cannot read {path}: {error.strerror}") from error


def _opened(file: IO[bytes], passphrase: str | None) -> IO[bytes]:
    """The compressed bytes of a file that may be encrypted."""
    if file.read(len(MAGIC)) != MAGIC:
        file.seek(0)
        return file
    if passphrase is None:
        raise CannotMove("the file is encrypted; give its passphrase (--passphrase, or $CROSSBAR_PASSPHRASE)")
    return cast(IO[bytes], Decrypting(file, passphrase))


def _header(raw: bytes) -> Line:
    header = _parsed(raw)
    if header.get("format") != FORMAT:
        raise _damaged()
    if header.get("version") != VERSION:
        raise CannotMove(f"the file has version {header.get('version')}, this server reads {VERSION}; update it first")
    return header


def _parsed(raw: bytes) -> Line:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _damaged() from error
    if not isinstance(line, dict):
        raise _damaged()
    return line


def _damaged() -> CannotMove:
    return CannotMove("the file is no export of an account, or is cut short or damaged; nothing was written")
