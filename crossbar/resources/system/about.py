# SPDX-License-Identifier: MPL-2.0
"""About: the version and what the process uses.

Source: KAZOO `cb_about`.
"""

from __future__ import annotations

import platform
import resource as process
import sys
import threading
from pathlib import Path

from crossbar import __version__
from crossbar.endpoint import Context, Endpoint, Reply, Who

about = Endpoint("about")


@about.get("/accounts/{account_id}/about")
@about.get("/about", who=Who.SUPERDUPER)
async def read(_: Context) -> Reply:
    """The worker that answers: `used_memory` in bytes, `processes` (threads here) and `ports` (open files)."""
    return Reply(
        {
            "version": __version__,
            **process_use(),
            "erlang_version": f"none ({platform.python_implementation()} {platform.python_version()})",
        }
    )


def process_use() -> dict[str, int]:
    """What this process uses: bytes of memory, threads, open files."""
    usage = process.getrusage(process.RUSAGE_SELF)
    scale = 1 if sys.platform == "darwin" else 1024
    return {
        "used_memory": usage.ru_maxrss * scale,
        "processes": threading.active_count(),
        "ports": _open_files(),
    }


def _open_files() -> int:
    descriptors = Path("/proc/self/fd")
    return len(list(descriptors.iterdir())) if descriptors.is_dir() else 0
