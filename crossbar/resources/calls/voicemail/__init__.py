# SPDX-License-Identifier: MPL-2.0
"""Voicemail boxes and their messages."""
