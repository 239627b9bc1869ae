# SPDX-License-Identifier: MPL-2.0
"""Sounds: prompts, music, recordings."""
