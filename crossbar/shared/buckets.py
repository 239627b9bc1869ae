# SPDX-License-Identifier: MPL-2.0
"""Token buckets that all worker processes share.

The table lies in a memory-mapped file and is divided into sets of eight buckets; the digest of a key decides its set,
so a look-up reads 256 bytes however large the table is. A full set gives up the bucket refilled longest ago, which
loses least by being forgotten. One record lock a set keeps processes apart; the system drops it when its holder dies.
"""

from __future__ import annotations

import fcntl
import mmap
import struct
from functools import lru_cache
from hashlib import blake2b

_WAYS = 8
_DIGEST_SIZE = 16
_DIGESTS = _WAYS * _DIGEST_SIZE
"""A set begins with the digests of its keys …"""
_STATE = struct.Struct("=dd")
"""… followed, in the same order, by (tokens, time of the last refill) of each."""
_TIMES = struct.Struct("=" + "8xd" * _WAYS)
_UNUSED = bytes(_DIGEST_SIZE)
_REMEMBERED = 4096
"""Keys whose digests are remembered."""
_SET_SIZE = _DIGESTS + _WAYS * _STATE.size


@lru_cache(_REMEMBERED)
def _digest(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=_DIGEST_SIZE).digest()


def _sets(slots: int) -> int:
    return -(-slots // _WAYS)


class BucketTable:
    """Token buckets by key, at most `slots` (rounded up to eights) at a time.

    With the descriptor of a `memory_file` of `size(slots)` bytes the table is shared by all processes that have it;
    without, it is this process's own. Within a process it belongs to one thread, as record locks do not keep threads
    apart. Times are seconds of any clock the processes agree on.
    """

    def __init__(self, slots: int, fileno: int | None = None) -> None:
        self._sets = _sets(slots)
        self._fileno = fileno
        self._memory = mmap.mmap(-1 if fileno is None else fileno, self._sets * _SET_SIZE)

    @staticmethod
    def size(slots: int) -> int:
        """Bytes of the memory that so many buckets need."""
        return _sets(slots) * _SET_SIZE

    def consume(self, key: str, cost: int, *, capacity: int, rate_per_second: float, now: float) -> tuple[bool, int]:
        """Take `cost` tokens if the bucket of `key` holds them: (whether it did, whole tokens left).

        A bucket is full when first seen and refills steadily up to `capacity`.
        """
        digest, start = self._locate(key)
        self._lock(start)
        try:
            place = self._find(digest, start)
            tokens = self._tokens(start, place, capacity, rate_per_second, now)
            allowed = tokens >= cost
            if allowed:
                tokens -= cost
            self._store(start, place, digest, tokens, now)
        finally:
            self._unlock(start)
        return allowed, int(tokens)

    def level(self, key: str, *, capacity: int, rate_per_second: float, now: float) -> int:
        """Whole tokens in the bucket of `key`; `capacity` when there is none. Changes nothing."""
        digest, start = self._locate(key)
        # Without the lock: what is shown may be from between two changes, and nothing is decided by it.
        return int(self._tokens(start, self._find(digest, start), capacity, rate_per_second, now))

    def drain(self, key: str, *, now: float) -> None:
        """Empty the bucket of `key`."""
        digest, start = self._locate(key)
        self._lock(start)
        try:
            self._store(start, self._find(digest, start), digest, 0.0, now)
        finally:
            self._unlock(start)

    def _locate(self, key: str) -> tuple[bytes, int]:
        """The digest of a key, and where its set starts."""
        digest = _digest(key)
        return digest, int.from_bytes(digest[:8], "little") % self._sets * _SET_SIZE

    def _lock(self, start: int) -> None:
        if self._fileno is not None:
            fcntl.lockf(self._fileno, fcntl.LOCK_EX, _SET_SIZE, start)

    def _unlock(self, start: int) -> None:
        if self._fileno is not None:
            fcntl.lockf(self._fileno, fcntl.LOCK_UN, _SET_SIZE, start)

    def _find(self, digest: bytes, start: int) -> int | None:
        """Which of the eight buckets of its set has this digest."""
        found = self._memory.find(digest, start, start + _DIGESTS)
        while found >= 0 and (found - start) % _DIGEST_SIZE:  # the end of one digest and the beginning of the next
            found = self._memory.find(digest, found + 1, start + _DIGESTS)
        return None if found < 0 else (found - start) // _DIGEST_SIZE

    def _tokens(self, start: int, place: int | None, capacity: int, rate_per_second: float, now: float) -> float:
        if place is None:
            return capacity
        state: tuple[float, float] = _STATE.unpack_from(self._memory, start + _DIGESTS + place * _STATE.size)
        tokens, refilled = state
        elapsed = max(0.0, now - refilled)  # a clock that was set back takes nothing away
        return min(float(capacity), tokens + elapsed * rate_per_second)

    def _store(self, start: int, place: int | None, digest: bytes, tokens: float, now: float) -> None:
        if place is None:
            place = self._free(start)
            at = start + place * _DIGEST_SIZE
            self._memory[at : at + _DIGEST_SIZE] = digest
        _STATE.pack_into(self._memory, start + _DIGESTS + place * _STATE.size, tokens, now)

    def _free(self, start: int) -> int:
        """Which bucket of a set takes a new key: one never used, else the one refilled longest ago."""
        unused = self._find(_UNUSED, start)
        if unused is not None:
            return unused
        times = _TIMES.unpack_from(self._memory, start + _DIGESTS)
        return times.index(min(times))
