# SPDX-License-Identifier: MPL-2.0
"""Processes: how many share the port, and what happens when one of them dies."""
