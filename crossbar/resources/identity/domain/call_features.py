# SPDX-License-Identifier: MPL-2.0
"""Features of users and groups, as their lists name them.

Source: KAZOO views `users/crossbar_listing`, `users/list_by_id`, `groups/crossbar_listing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crossbar.documents.document import Document

Feature = tuple[str, str]
"""A feature's name, and the path at which a document says that it is on."""

FAILOVER: Final = "call_forward_failover"
FEATURES: Final[Sequence[Feature]] = (
    ("hotdesk", "hotdesk.enabled"),
    ("call_forward", "call_forward.enabled"),
    (FAILOVER, "call_forward.failover"),
    ("caller_id", "caller_id.external.number"),
    ("vm_to_email", "vm_to_email_enabled"),
    ("music_on_hold", "music_on_hold.media_id"),
    ("do_not_disturb", "do_not_disturb.enabled"),
    ("ctu", "ctu.enabled"),
    ("desktop", "desktop.enabled"),
)
"""In the order in which the list of users shows them."""
OF_HOTDESKED: Final = FEATURES[:6]
"""The shorter list for users that are hotdesked to a device."""


def smartpbx_features(document: Document) -> list[str]:
    """The names under `smartpbx` that are on."""
    smartpbx = document.at("smartpbx")
    if not isinstance(smartpbx, dict):
        return []
    return [name for name, setting in smartpbx.items() if isinstance(setting, dict) and setting.get("enabled")]


def switched_on(document: Document, features: Sequence[Feature] = FEATURES) -> list[str]:
    """The names of those features that are on; forwarding on failure counts where calls are not forwarded anyway."""
    return [
        name
        for name, path in features
        if document.at(path) and not (name == FAILOVER and document.at("call_forward.enabled"))
    ]
