# SPDX-License-Identifier: MPL-2.0
"""Which of FreeSWITCH's channel variables name the realm of an account."""

from __future__ import annotations

from typing import Final

REALMS: Final = ("domain_name", "sip_auth_realm", "sip_to_host", "sip_req_host", "sip_from_host")
"""Variables that may hold the realm of an account, the surest first."""
