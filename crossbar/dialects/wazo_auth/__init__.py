# SPDX-License-Identifier: MPL-2.0
"""wazo-auth: tokens, users, policies, groups, tenants."""

from crossbar.dialects.wazo_auth import wazo_groups, wazo_policies, wazo_sessions, wazo_tenants, wazo_tokens, wazo_users
from crossbar.dialects.wazo_auth.wazo_protocol import DIALECT

__all__ = ["DIALECT", "wazo_groups", "wazo_policies", "wazo_sessions", "wazo_tenants", "wazo_tokens", "wazo_users"]
