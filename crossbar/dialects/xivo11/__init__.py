# SPDX-License-Identifier: MPL-2.0
"""XiVO REST 1.1 and what wazo-confd kept of it: users, voicemails, lines, endpoints, extensions, devices."""

from crossbar.dialects.xivo11 import (
    xivo11_associations,
    xivo11_devices,
    xivo11_equipment,
    xivo11_extensions,
    xivo11_lines,
    xivo11_services,
    xivo11_user_boxes,
    xivo11_users,
    xivo11_voicemails,
)
from crossbar.dialects.xivo11.xivo11_protocol import DIALECT

__all__ = [
    "DIALECT",
    "xivo11_associations",
    "xivo11_devices",
    "xivo11_equipment",
    "xivo11_extensions",
    "xivo11_lines",
    "xivo11_services",
    "xivo11_user_boxes",
    "xivo11_users",
    "xivo11_voicemails",
]
