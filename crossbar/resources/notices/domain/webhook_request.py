# SPDX-License-Identifier: MPL-2.0
"""The request that tells a webhook's server of an event: verb, form, headers, signature.

Source: KAZOO `applications/webhooks/src/webhooks_util.erl` (`do_fire`); the signature's headers are those of the
Standard Webhooks specification (`webhook-id`, `webhook-timestamp`, `webhook-signature`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from crossbar.errors import JSON
from crossbar.ids import new_secret
from crossbar.resources.notices.domain.webhook_hook import Webhook
from crossbar.wire.form_pairs import form_text

FORM: Final = "application/x-www-form-urlencoded"
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what secrets begin with
SECRET_BYTES: Final = range(24, 65)
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\x80-\xff]{0,4000}")
_OWN_HEADERS: Final = frozenset(
    {
        "host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te", "trailer",
        "expect", "keep-alive", "x-hook-id", "x-account-id", "webhook-id", "webhook-timestamp", "webhook-signature",
    }
)  # fmt: skip
"""Headers that are the server's to set."""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """What is sent, each time it is tried; `signed_part` is what a signature covers beside id and time."""

    verb: str
    url: str
    headers: Mapping[str, str]
    body: str
    signed_part: str

    @classmethod
    def of(cls, hook: Webhook, payload: Mapping[str, JSON]) -> WebhookRequest:
        """The request of a hook for a payload."""
        headers = {**own_headers(hook), "X-Hook-ID": hook.id, "X-Account-ID": hook.account_id}
        if hook.verb == "GET":
            query = form_text(dict(payload))
            return cls(hook.verb, f"{hook.uri}?{query}", headers, "", query)
        if hook.is_json:
            body, headers["Content-Type"] = (
                orjson.dumps(payload, option=orjson.OPT_INDENT_2).decode(),
                "application/json",
            )
        else:
            body, headers["Content-Type"] = form_text(dict(payload)), FORM
        return cls(hook.verb, hook.uri, headers, body, body)

    def signed(self, secret: str, message_id: str, unix_time: int) -> dict[str, str]:
        """The headers of one try, with a signature where there is a secret."""
        if not secret:
            return dict(self.headers)
        signature = sign(secret, message_id, unix_time, self.signed_part)
        about = {"webhook-id": message_id, "webhook-timestamp": str(unix_time), "webhook-signature": signature}
        return {**self.headers, **about}


def own_headers(hook: Webhook) -> dict[str, str]:
    """The headers that the hook's owner wants to be sent, as far as they can be."""
    return {
        name: value
        for name, value in hook.headers.items()
        if name.lower() not in _OWN_HEADERS and _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)
    }


def sign(secret: str, message_id: str, unix_time: int, signed_part: str) -> str:
    """The signature of a message under a secret (`whsec_…`): `v1,` and the HMAC-SHA256 in base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    message = f"{message_id}.{unix_time}.{signed_part}".encode()
    return "v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def new_signing_secret() -> str:
    """A secret of the server's making."""
    return SECRET_PREFIX + base64.b64encode(bytes.fromhex(new_secret(32))).decode()


def is_signing_secret(text: str) -> bool:
    """Whether a text is a secret that messages can be signed with: `whsec_` and 24 to 64 bytes in base64."""
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith(SECRET_PREFIX) and len(key) in SECRET_BYTES
