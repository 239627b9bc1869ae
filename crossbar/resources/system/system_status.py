# SPDX-License-Identifier: MPL-2.0
"""System status: the nodes of the installation and what they use.

Source: KAZOO `cb_system_status`. This server is one node, of the type that runs the API.
"""

from __future__ import annotations

import hashlib
import socket
from typing import Any

from crossbar import __version__
from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.resources.system.about import process_use
from crossbar.settings import ZONE

system_status = Endpoint("system_status", who=Who.SUPERDUPER)


@system_status.get("/system_status")
async def read(_: Context) -> Reply:
    """Zone → type of node → node → its state."""
    node = f"crossbar@{socket.gethostname()}"
    state: dict[str, Any] = {
        "node": node,
        "md5": hashlib.md5(__version__.encode(), usedforsecurity=False).hexdigest(),
        "version": __version__,
        **process_use(),
        "zone": ZONE,
        "kapps": ["crossbar"],
    }
    return Reply({ZONE: {"kazoo_apps": {node: state}}})
