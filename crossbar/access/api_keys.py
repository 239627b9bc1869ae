# SPDX-License-Identifier: MPL-2.0
"""API keys of accounts, as they are stored and found."""

from __future__ import annotations

from crossbar.access.pepper import Pepper


def api_key_fields(pepper: Pepper, key: str) -> dict[str, str]:
    """The private fields to store for an account's API key: sealed, to be shown again, and the digest that finds it."""
    return {"pvt_api_key": pepper.seal(key), "pvt_api_key_digest": api_key_digest(pepper, key)}


def api_key_digest(pepper: Pepper, key: str) -> str:
    """The keyed digest of an API key, as the account claims it."""
    return pepper.digest(f"api_key:{key}")
