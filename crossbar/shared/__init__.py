# SPDX-License-Identifier: MPL-2.0
"""What the worker processes of one server share: memory, in files that they inherit."""

from __future__ import annotations

from dataclasses import dataclass

from crossbar.shared.buckets import BucketTable
from crossbar.shared.memory_file import memory_file
from crossbar.shared.write_marks import WriteMarks

__all__ = ["BucketTable", "Shared", "WriteMarks", "memory_file"]


@dataclass(frozen=True, slots=True)
class Shared:
    """Of one worker: the token buckets of all, and the marks of what they write. `server_id` names them together."""

    buckets: BucketTable
    marks: WriteMarks
    server_id: str
