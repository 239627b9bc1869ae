# SPDX-License-Identifier: MPL-2.0
"""Settings that are credentials: of the mail relay, of second factors, of services that are called."""

from __future__ import annotations

from typing import Final

CREDENTIALS: Final = ("password", "secret", "secret_key", "application_secret_key", "api_key", "auth_token", "token")
"""The names under which categories of settings keep them."""
