# SPDX-License-Identifier: MPL-2.0
"""A KAZOO Crossbar-compatible API server on aiohttp and MongoDB."""

__version__ = "5.0.0"
