# SPDX-License-Identifier: MPL-2.0
"""What a person can mend, told in a line."""

from __future__ import annotations


class CannotMove(Exception):
    """Nothing, or nothing more, can be taken out or in; the text tells a person why and what to do."""
