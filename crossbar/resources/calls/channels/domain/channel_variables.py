# SPDX-License-Identifier: MPL-2.0
"""Variables of calls that are begun from here."""

from __future__ import annotations

from typing import Final

AUTHORIZATION: Final = ("Account-ID", "Authorizing-ID", "Authorizing-Type")
"""Say for whom a call is made; the second leg gets them from the first."""
