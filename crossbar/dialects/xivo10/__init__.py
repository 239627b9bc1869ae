# SPDX-License-Identifier: MPL-2.0
"""XiVO REST 1.0: users and voicemails, as integrators of 2013 know them."""

from crossbar.dialects.xivo10 import xivo10_users, xivo10_voicemails
from crossbar.dialects.xivo10.xivo10_protocol import DIALECT

__all__ = ["DIALECT", "xivo10_users", "xivo10_voicemails"]
