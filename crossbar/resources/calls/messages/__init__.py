# SPDX-License-Identifier: MPL-2.0
"""Text and multimedia messages."""
