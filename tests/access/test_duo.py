# SPDX-License-Identifier: MPL-2.0
"""Duo's signed requests and answers."""

from __future__ import annotations

import hmac
from base64 import b64encode
from typing import Any

import pytest

from crossbar import clock
from crossbar.access.duo import BadConfiguration, Duo

SETTINGS: dict[str, Any] = {
    "integration_key": "DIXXXXXXXXXXXXXXXXXX",
    "secret_key": "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    "application_secret_key": "useacustomerprovidedapplicationsecretkey",
    "api_hostname": "api-1.duosecurity.test",
}
NOW = 1_486_768_575.0
USER = "testuser"


def signed(key: str, prefix: str, value: str) -> str:
    cookie = f"{prefix}|{b64encode(value.encode()).decode()}"
    return f"{cookie}|{hmac.digest(key.encode(), cookie.encode(), 'sha1').hex()}"


def answer(
    user: str = USER, *, prefix: str = "AUTH", until: float = NOW + 300, key: str = SETTINGS["secret_key"]
) -> str:
    """What Duo's frame gives the client, with our own half of the request."""
    own = request().partition(":")[2]
    return signed(key, prefix, f"{user}|{SETTINGS['integration_key']}|{int(until)}") + f":{own}"


def request() -> str:
    with clock.frozen(NOW):
        return str(Duo.of(SETTINGS).request(USER)["settings"]["duo_sig_request"])


def test_the_request_is_signed_for_duo_and_for_us() -> None:
    duo, _, own = request().partition(":")
    value = f"{USER}|{SETTINGS['integration_key']}"
    assert duo == signed(SETTINGS["secret_key"], "TX", f"{value}|{int(NOW) + 300}")
    assert own == signed(SETTINGS["application_secret_key"], "APP", f"{value}|{int(NOW) + 3600}")


@pytest.mark.parametrize(
    ("response", "right"),
    [
        (answer(), True),
        (answer("somebody else"), False),
        (answer(prefix="TX"), False),
        (answer(until=NOW - 1), False),
        (answer(key="x" * 40), False),
        (answer().partition(":")[0], False),
        (request(), False),
        ("", False),
        ("a|b|c:d|e|f", False),
        (signed(SETTINGS["secret_key"], "AUTH", "no parts") + ":" + request().partition(":")[2], False),
        ("ü:ü", False),
    ],
)
def test_an_answer_counts_with_both_signatures(response: str, right: bool) -> None:
    with clock.frozen(NOW):
        assert Duo.of(SETTINGS).verify(USER, response) is right


@pytest.mark.parametrize(
    "change", [{"integration_key": "short"}, {"secret_key": "short"}, {"api_hostname": ""}, {"secret_key": 5}]
)
def test_settings_that_cannot_be_used(change: dict[str, Any]) -> None:
    with pytest.raises(BadConfiguration):
        Duo.of(SETTINGS | change)
