# SPDX-License-Identifier: MPL-2.0
"""Calls that are going on, and how one is begun from outside."""
