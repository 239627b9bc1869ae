# SPDX-License-Identifier: MPL-2.0
"""Queues of callers, their agents, and statistics of both."""
