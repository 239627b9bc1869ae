# SPDX-License-Identifier: MPL-2.0
"""Which documents are being written, and how often any was: told between the workers of one server.

Memory of one worker can be trusted only if no worker may have changed the database since. So whoever writes says so
before the write is sent, and again when it is certain, in memory that all workers see. A document's key decides its
slot; each worker has cells of its own in every slot, so that no lock is needed.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from typing import Final
from zlib import crc32

SLOTS: Final = 8192
_CELLS: Final = 2
"""Of a worker in a slot: how many writes it began, how many it ended. Each is eight bytes, written in one piece."""


class WriteMarks:
    """The marks of `workers` workers, as their worker number `worker` sees and makes them.

    With the descriptor of a `memory_file` of `size(workers)` bytes they are shared; without, they are this process's
    own. What a worker that died had begun stays begun: its slots are no longer quiet as long as the server runs.
    """

    def __init__(self, workers: int = 1, worker: int = 0, fileno: int | None = None) -> None:
        self._row = workers * _CELLS * 8
        self._memory = mmap.mmap(-1 if fileno is None else fileno, self.size(workers))
        self._cells = memoryview(self._memory).cast("Q")
        self._width = workers * _CELLS
        self._own = worker * _CELLS

    @staticmethod
    def size(workers: int) -> int:
        """Bytes of the memory that so many workers need."""
        return SLOTS * workers * _CELLS * 8

    @staticmethod
    def slot(key: str) -> int:
        """The slot of a key, the same in every process."""
        return crc32(key.encode("utf-8", "surrogatepass")) % SLOTS

    def begin(self, slots: Iterable[int]) -> None:
        """Say that what has these slots may change from now on."""
        for slot in slots:
            self._cells[slot * self._width + self._own] += 1

    def end(self, slots: Iterable[int]) -> None:
        """Say that the changes of an earlier `begin` are made, or will never be."""
        for slot in slots:
            self._cells[slot * self._width + self._own + 1] += 1

    def row(self, slot: int) -> bytes:
        """The marks of all workers in a slot; another value whenever a write was begun or ended in between."""
        return self._memory[slot * self._row : (slot + 1) * self._row]

    def is_quiet(self, slot: int) -> bool:
        """Whether nothing that has the slot is being written."""
        start = slot * self._width
        return all(self._cells[cell] == self._cells[cell + 1] for cell in range(start, start + self._width, _CELLS))

    def after_own(self, slot: int) -> bytes | None:
        """The marks there will be when the one write under way in a slot, one of this worker's, has ended.

        That is if nobody begins another meanwhile. None where it is not the only one.
        """
        row = bytearray(self.row(slot))
        cells = memoryview(row).cast("Q")
        cells[self._own + 1] += 1
        is_last = all(cells[cell] == cells[cell + 1] for cell in range(0, self._width, _CELLS))
        return bytes(row) if is_last else None
