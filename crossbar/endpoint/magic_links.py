# SPDX-License-Identifier: MPL-2.0
"""Links that need no token: how the server makes them, and which of those that come in count.

They are signed under the server's own secret (the pepper), which all hosts of an installation share.
"""

from __future__ import annotations

from crossbar import clock
from crossbar.runtime import Runtime
from crossbar.wire.magic_paths import Sign, conceal, reveal


def magic_link(runtime: Runtime, path: str) -> str:
    """The path, without a version, under which anyone who has it may GET `path` for `api.magic_link_lifetime_s`."""
    return conceal(path, int(clock.unix_now()) + runtime.config.api.magic_link_lifetime_s, _signature(runtime))


def hidden_path(runtime: Runtime, raw_path: str) -> str | None:
    """The path that a link leads to; None where it is no link, is forged, or is over."""
    unsigned = runtime.config.api.unsigned_magic_links
    return reveal(raw_path, _signature(runtime), now=clock.unix_now(), unsigned=unsigned)


def _signature(runtime: Runtime) -> Sign:
    return lambda text: runtime.access.pepper.digest(f"magic_link:{text}")
