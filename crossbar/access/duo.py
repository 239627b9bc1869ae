# SPDX-License-Identifier: MPL-2.0
"""Duo as a second factor: signed requests for its web client, and the signed answers.

Source: `kz_mfa_duo.erl`, which speaks version 2 of Duo's web protocol.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from crossbar import clock
from crossbar.errors import JSON

DUO_PREFIX: Final = "TX"
APP_PREFIX: Final = "APP"
AUTH_PREFIX: Final = "AUTH"
IKEY_LENGTH: Final = 20
SHORTEST_KEY: Final = 40


class BadConfiguration(ValueError):
    """Settings with which nobody can be asked for a second factor."""


@dataclass(frozen=True, slots=True)
class Duo:
    """An integration with Duo; times in seconds."""

    integration_key: str
    secret_key: str = field(repr=False)
    application_secret_key: str = field(repr=False)
    api_hostname: str
    duo_expire: int = 300
    app_expire: int = 3600

    @classmethod
    def of(cls, settings: Mapping[str, JSON]) -> Self:
        """The integration that a provider's `settings` describe. Raises BadConfiguration."""
        duo = cls(
            _text(settings, "integration_key"),
            _text(settings, "secret_key"),
            _text(settings, "application_secret_key"),
            _text(settings, "api_hostname"),
            **{name: settings[name] for name in ("duo_expire", "app_expire") if isinstance(settings.get(name), int)},
        )
        secrets = (duo.secret_key, duo.application_secret_key)
        if len(duo.integration_key) != IKEY_LENGTH or min(map(len, secrets)) < SHORTEST_KEY:
            raise BadConfiguration("invalid duo configuration, a key is of the wrong length")
        return duo

    def request(self, user_id: str) -> dict[str, JSON]:
        """What the client needs to ask the user (`multi_factor_request`)."""
        value = f"{user_id}|{self.integration_key}"
        signed = ":".join(
            (
                _sign(self.secret_key, DUO_PREFIX, value, self.duo_expire),
                _sign(self.application_secret_key, APP_PREFIX, value, self.app_expire),
            )
        )
        return {
            "provider_name": "duo",
            "settings": {"duo_sig_request": signed, "duo_api_hostname": self.api_hostname},
        }

    def verify(self, user_id: str, response: str) -> bool:
        """Whether the client's answer says, signed by Duo and by us, that this user was asked and agreed."""
        duo, _, own = response.partition(":")
        asked = _signed_user(self.secret_key, AUTH_PREFIX, duo, self.integration_key)
        ours = _signed_user(self.application_secret_key, APP_PREFIX, own, self.integration_key)
        return asked == ours == user_id


def _text(settings: Mapping[str, JSON], name: str) -> str:
    value = settings.get(name)
    if not isinstance(value, str) or not value:
        raise BadConfiguration(f"invalid duo configuration, duo {name} config key is missing")
    return value


def _sign(key: str, prefix: str, value: str, lifetime: int) -> str:
    whole = f"{value}|{int(clock.unix_now()) + lifetime}"
    cookie = f"{prefix}|{b64encode(whole.encode()).decode()}"
    return f"{cookie}|{_signature(key, cookie)}"


def _signature(key: str, cookie: str) -> str:
    return hmac.digest(key.encode(), cookie.encode(), "sha1").hex()


def _signed_user(key: str, prefix: str, text: str, integration_key: str) -> str | None:
    """The user in a signed value, if signature, prefix, integration and time are right."""
    cookie, _, signature = text.rpartition("|")
    if not hmac.compare_digest(_signature(key, cookie).encode(), signature.encode()):
        return None
    signed_prefix, _, encoded = cookie.partition("|")
    try:
        user_id, signed_for, expires = b64decode(encoded, validate=True).decode().split("|")
        alive = int(expires) >= int(clock.unix_now())
    except (NotBase64, ValueError):
        return None
    return user_id if alive and signed_prefix == prefix and signed_for == integration_key else None
