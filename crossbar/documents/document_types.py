# SPDX-License-Identifier: MPL-2.0
"""Types of documents that more than one subject speaks of; any other stands beside its `Shape`."""

from __future__ import annotations

from typing import Final

ACCOUNT: Final = "account"
ACCOUNT_CONFIG: Final = "account_config"
"""What an account sets otherwise than the system."""
APPS_STORE: Final = "apps_store"
CALLFLOW: Final = "callflow"
CLICK2CALL: Final = "click2call"
CONFERENCE: Final = "conference"
DEVICE: Final = "device"
DIRECTORY: Final = "directory"
FAXBOX: Final = "faxbox"
GROUP: Final = "group"
LIMITS: Final = "limits"
LIST: Final = "list"
MEDIA: Final = "media"
MENU: Final = "menu"
NOTICE: Final = "notice"
"""Something happened that people may have to be told of: its insertion is a notification."""
QUEUE: Final = "queue"
USER: Final = "user"
VMBOX: Final = "vmbox"
WHITELABEL: Final = "whitelabel"
