# SPDX-License-Identifier: MPL-2.0
"""The file of a backup: an archive of the kind `backup`.

| frame | says |
| --- | --- |
| header | `format`, `server` (version), `database`, `began`, `left_out`; `pepper` and `sealing_keys`: fingerprints; `keys`: the secrets themselves, where they were asked for |
| record | `of` (MongoDB collection), `count`, with its documents as BSON one after another; `later` and `gone` as in `CopiedBatch` |
| trailer | `counts` by collection of all records' documents, `ended` |
"""  # noqa: E501 - a table

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from crossbar import __version__, clock
from crossbar.access.pepper import fingerprint, known_pepper
from crossbar.archive import ArchiveReader, ArchiveWriter, Damaged
from crossbar.config import Config
from crossbar.documents.consistent_copy import CopiedBatch, document_count
from crossbar.documents.indexes import INDEXES, NOT_COPIED
from crossbar.errors import JSON

KIND: Final = "backup"
FORMAT: Final = 1
"""Of what the records say; a release reads all up to its own."""

Told = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is done, and how much there is."""


class BackupWriter:
    """Writes the batches of a copy into a file."""

    def __init__(self, file: BinaryIO, config: Config, *, with_keys: bool) -> None:
        self._archive = ArchiveWriter(file, KIND, _header(config, with_keys=with_keys))
        self._counts: Counter[str] = Counter()
        self.copied = 0
        """Bytes of documents taken so far."""

    def add(self, batch: CopiedBatch) -> None:
        """One batch more."""
        about: dict[str, JSON] = {"of": batch.collection, "count": batch.documents}
        about |= {name: True for name in ("later", "gone") if getattr(batch, name)}
        self._archive.add(about, batch.data)
        self._counts[batch.collection] += batch.documents
        self.copied += len(batch.data)

    def finish(self) -> int:
        """End the file; its size in bytes."""
        self._archive.finish({"counts": dict(self._counts), "ended": clock.iso_timestamp()})
        return self._archive.size


def _header(config: Config, *, with_keys: bool) -> dict[str, JSON]:
    pepper, sealing_keys = known_pepper(config), list(config.security.sealing_keys)
    keys: dict[str, JSON] = {"keys": {"pepper": pepper, "sealing_keys": sealing_keys}} if with_keys else {}
    return {
        "format": FORMAT,
        "server": __version__,
        "database": config.database.name,
        "began": clock.iso_timestamp(),
        "left_out": sorted(NOT_COPIED),
        "pepper": fingerprint(pepper) if pepper else None,
        "sealing_keys": [fingerprint(key) for key in sealing_keys],
        **keys,
    }


class BackupReader:
    """Reads a backup; `header` is there at once. Raises Damaged wherever it is found not to be whole."""

    def __init__(self, file: BinaryIO) -> None:
        self._archive = ArchiveReader(file, KIND)
        self.header: dict[str, Any] = self._archive.header
        found = self.header.get("format")
        if not isinstance(found, int) or found > FORMAT:
            made_by = self.header.get("server")
            raise Damaged(
                f"it was made by a newer release ({made_by}), in a format that this one cannot read ({found})"
            )

    def batches(
        self, told: Told = lambda *_: None, doing: str = "", size: int = 0
    ) -> Iterator[tuple[int, CopiedBatch]]:
        """All batches with their numbers; after the last the counts are compared with the trailer's."""
        counts: Counter[str] = Counter()
        for number, frame in enumerate(self._archive.frames()):
            batch = _batch(frame.about, frame.body)
            counts[batch.collection] += batch.documents
            told(doing, self._archive.read, size)
            yield number, batch
        if (self._archive.trailer or {}).get("counts") != dict(counts):
            raise Damaged("it was changed: its counts are other ones")


def _batch(about: dict[str, Any], body: bytes) -> CopiedBatch:
    name, count = about.get("of"), about.get("count")
    if name not in INDEXES or name in NOT_COPIED or document_count(body) != count:
        raise Damaged("it was changed: a record is none that this program wrote")
    return CopiedBatch(name, count, body, later=bool(about.get("later")), gone=bool(about.get("gone")))


def batches_of(path: Path, told: Told, doing: str) -> Iterator[tuple[int, CopiedBatch]]:
    """The batches of a file with their numbers. Raises Damaged, OSError."""
    with path.open("rb") as file:
        yield from BackupReader(file).batches(told, doing, path.stat().st_size)


def verify(path: Path, told: Told, note: Callable[[int, CopiedBatch], None] = lambda *_: None) -> dict[str, Any]:
    """Read a backup through; its header. `note` gets each batch with its number. Raises Damaged, OSError."""
    with path.open("rb") as file:
        reader = BackupReader(file)
        for number, batch in reader.batches(told, "Verifying", path.stat().st_size):
            note(number, batch)
        return reader.header
