# SPDX-License-Identifier: MPL-2.0
"""Archives: one compressed file that tells whether it is whole.

    crossbar archive 1 <kind>\n        the first line
    H <about>                          one header
    D <about> <bytes>                  any number of records, in their order
    T <about>                          one trailer: what was counted, and the digest of all that stands before it

Each of these but the line is a frame: a letter, the length of what follows (4 bytes, big-endian), and that, compressed
by zlib: `about` as a line of JSON, then the bytes. The digest is SHA-256 over the file up to the trailer. A file that
was cut, changed or not finished is noticed; frames are small, so that neither side holds more than one.
"""

from __future__ import annotations

import errno
import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import orjson

from crossbar.errors import JSON

FIRST_LINE: Final = b"crossbar archive "
FORMAT: Final = 1
"""The form of the frames; what is in them the kinds version for themselves, in their headers."""
LEVEL: Final = 3
"""Of zlib's: beyond it a quarter more time saves a twentieth."""
LONGEST_LINE: Final = 100
LARGEST_FRAME: Final = 256 * 2**20
"""Bytes, compressed or not; a length beyond is none of ours."""
_FRAME: Final = struct.Struct(">cI")


class Damaged(Exception):
    """The file is no archive, or not the whole of one; the message tells a person, in a line, what is wrong."""


class Frame(NamedTuple):
    """A record of an archive: what it is, and its bytes."""

    about: dict[str, JSON]
    body: bytes


class ArchiveWriter:
    """Writes an archive of a kind into a file; whole after `finish`."""

    def __init__(self, file: BinaryIO, kind: str, header: dict[str, JSON]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0
        """Bytes written so far."""
        self._frames = 0
        self._put(FIRST_LINE + f"{FORMAT} {kind}\n".encode())
        self._put_frame(b"H", header, b"")

    def add(self, about: dict[str, JSON], body: bytes = b"") -> None:
        """One record more."""
        self._put_frame(b"D", about, body)
        self._frames += 1

    def finish(self, about: dict[str, JSON]) -> None:
        """The trailer, after which nothing comes."""
        trailer = {**about, "frames": self._frames, "sha256": self._digest.hexdigest()}
        self._put_frame(b"T", trailer, b"")
        self._file.flush()

    def _put_frame(self, letter: bytes, about: dict[str, JSON], body: bytes) -> None:
        packed = zlib.compress(b"%s\n%s" % (orjson.dumps(about), body), LEVEL)
        self._put(_FRAME.pack(letter, len(packed)) + packed)

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)


class ArchiveReader:
    """Reads an archive of a kind; `header` is there at once, `trailer` after all `frames` were read.

    Raises Damaged for what is no such archive, and while it reads wherever it is found not to be whole.
    """

    def __init__(self, file: BinaryIO, kind: str) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.read = 0
        """Bytes read so far."""
        self._check_first_line(kind)
        letter, header, _ = self._frame()
        if letter != b"H":
            raise Damaged("it has no header")
        self.header = header
        self.trailer: dict[str, JSON] | None = None

    def frames(self) -> Iterator[Frame]:
        """All records in their order; the last is followed by the comparison with the trailer."""
        count = 0
        while True:
            before = self._digest.hexdigest()
            letter, about, body = self._frame()
            if letter == b"T":
                break
            if letter != b"D":
                raise Damaged("it has a frame that is none")
            count += 1
            yield Frame(about, body)
        if about.get("sha256") != before or about.get("frames") != count:
            raise Damaged("it was changed: its digest is another one")
        if self._file.read(1):
            raise Damaged("something follows behind its end")
        self.trailer = about

    def _check_first_line(self, kind: str) -> None:
        line = self._file.readline(LONGEST_LINE)
        self._take(line)
        match line.removeprefix(FIRST_LINE).split():
            case [number, found] if line.startswith(FIRST_LINE) and line.endswith(b"\n") and number.isdigit():
                if int(number) > FORMAT:
                    raise Damaged(f"its form ({int(number)}) is newer than this release can read ({FORMAT})")
                if found != kind.encode():
                    raise Damaged(f"it is of the kind {found.decode(errors='replace')}, not {kind}")
            case _:
                raise Damaged("it is no file that this program wrote")

    def _frame(self) -> tuple[bytes, dict[str, JSON], bytes]:
        letter, length = _FRAME.unpack(self._exactly(_FRAME.size))
        if length > LARGEST_FRAME:
            raise Damaged("it was changed: it has a frame of an impossible length")
        packed = self._exactly(length)
        try:
            unpacking = zlib.decompressobj()
            line, _, body = unpacking.decompress(packed, LARGEST_FRAME).partition(b"\n")
            about = orjson.loads(line)
        except (zlib.error, ValueError) as error:
            raise Damaged("it was changed: a frame of it cannot be read") from error
        if not unpacking.eof or not isinstance(about, dict):
            raise Damaged("it was changed: a frame of it cannot be read")
        return letter, about, body

    def _exactly(self, length: int) -> bytes:
        data = self._file.read(length)
        if len(data) < length:
            raise Damaged("it ends before its end: it was cut, or never finished")
        self._take(data)
        return data

    def _take(self, data: bytes) -> None:
        self._digest.update(data)
        self.read += len(data)


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file for its owner alone (0600) that has its name only once the block has ended well, and is on the disk then.

    A file that was there under the name is replaced; after a failure it is untouched, and nothing is left of the new
    one. Raises FileExistsError for what is there and no file: a folder, a device.
    """
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "is there, and no file", str(path))
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(draft, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            os.fchmod(file.fileno(), 0o600)
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            draft.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
