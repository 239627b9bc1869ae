# SPDX-License-Identifier: MPL-2.0
"""Files that lie in memory."""

from __future__ import annotations

import os
import tempfile
from typing import IO


def memory_file(size: int) -> IO[bytes]:
    """A file of `size` zero bytes, in memory where the system allows; no folder lists it.

    Workers inherit its descriptor; the file is gone with the last process that has it.
    """
    memory = "/dev/shm"  # noqa: S108 - the file loses its name as soon as it is made
    file = tempfile.TemporaryFile(dir=memory if os.access(memory, os.W_OK) else None)  # noqa: SIM115 - the caller's
    file.truncate(size)
    return file
