# SPDX-License-Identifier: MPL-2.0
"""Where a request comes from, behind proxies that are trusted and before them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from crossbar.config import ServerOptions
from crossbar.endpoint.client_address import ClientAddress

PROXIES = ("10.0.0.0/8", "127.0.0.1", "2001:db8:f::/48")
CLIENT = "203.0.113.7"


def asked(headers: tuple[tuple[str, str], ...], peer: str) -> web.Request:
    transport = SimpleNamespace(get_extra_info=lambda name, default=None: (peer, 1) if name == "peername" else default)
    return make_mocked_request("GET", "/", CIMultiDict(headers), transport=transport)


def addresses(**options: Any) -> ClientAddress:
    server = ServerOptions(**{"reverse_proxies": PROXIES, **options})
    return ClientAddress(lambda: server)


def address(*headers: tuple[str, str], peer: str = "127.0.0.1", **options: Any) -> str:
    return addresses(**options).address(asked(headers, peer))


def origin(*headers: tuple[str, str], peer: str = "127.0.0.1", **options: Any) -> str:
    return addresses(**options).origin(asked((("Host", "inside:8000"), *headers), peer))


def x_forwarded_for(*values: str, **options: Any) -> str:
    return address(*(("X-Forwarded-For", value) for value in values), **options)


def forwarded(*values: str, **options: Any) -> str:
    return address(*(("Forwarded", value) for value in values), forwarded_header="forwarded", **options)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "127.0.0.1"),
        (["203.0.113.7"], CLIENT),
        (["203.0.113.7, 10.1.2.3"], CLIENT),
        (["203.0.113.7", "10.1.2.3, 10.1.2.4"], CLIENT),
        (["1.1.1.1, 203.0.113.7"], CLIENT),  # the client's invention stands before what the proxy added
        (["1.1.1.1", "203.0.113.7"], CLIENT),
        (["10.9.9.9, 1.1.1.1, 203.0.113.7,10.1.2.3"], CLIENT),
        (["nonsense, 203.0.113.7"], CLIENT),
        ([f"{'1' * 5000}, 203.0.113.7"], CLIENT),
        (["203.0.113.7:4711"], CLIENT),
        (["::ffff:203.0.113.7"], CLIENT),
        (["2001:DB8::0007"], "2001:db8::7"),
        (["[2001:db8::7]:443"], "2001:db8::7"),
        (["[2001:db8::7], 2001:db8:f::1"], "2001:db8::7"),
        (["203.0.113.7, unknown"], "127.0.0.1"),  # the proxy did not say whom it was called by
        (["203.0.113.7, unknown, 10.1.2.3"], "10.1.2.3"),
        (["203.0.113.7, "], "127.0.0.1"),
        (["10.1.2.5, 10.1.2.3"], "10.1.2.5"),  # nobody but proxies: the one furthest away
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxys(values: list[str], expected: str) -> None:
    assert x_forwarded_for(*values) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["for=203.0.113.7"], CLIENT),
        (['For="203.0.113.7:80";proto=https;by=10.1.2.3'], CLIENT),
        (["proto=https; for=203.0.113.7 , for=10.1.2.3"], CLIENT),
        (['for="[2001:db8::7]:443"'], "2001:db8::7"),
        (["for=1.1.1.1", "for=203.0.113.7"], CLIENT),
        (["for=1.1.1.1, for=203.0.113.7"], CLIENT),
        (['for="1.1.1.1, for=203.0.113.7'], CLIENT),  # an open quotation mark swallows nothing
        (['host="for=1.1.1.1;";for=203.0.113.7'], CLIENT),
        (["for=_hidden"], "127.0.0.1"),
        (["for=203.0.113.7, by=10.1.2.3"], "127.0.0.1"),
        (["203.0.113.7"], "127.0.0.1"),
    ],
)
def test_the_standard_header_is_read_alike(values: list[str], expected: str) -> None:
    assert forwarded(*values) == expected


def test_the_header_that_no_proxy_writes_is_not_looked_at() -> None:
    both = (("X-Forwarded-For", CLIENT), ("Forwarded", "for=203.0.113.8"))
    assert address(*both) == CLIENT
    assert address(*both, forwarded_header="forwarded") == "203.0.113.8"
    assert address(both[1]) == "127.0.0.1"


def test_who_is_no_proxy_speaks_for_nobody() -> None:
    assert x_forwarded_for("1.1.1.1", peer=CLIENT) == CLIENT
    assert x_forwarded_for("1.1.1.1", peer=f"::ffff:{CLIENT}") == CLIENT
    assert x_forwarded_for(CLIENT, peer="::ffff:127.0.0.1") == CLIENT
    assert x_forwarded_for("1.1.1.1, 203.0.113.8", peer=CLIENT, check_reverse_proxies=False) == "203.0.113.8"
    assert x_forwarded_for("1.1.1.1", peer="127.0.0.1", reverse_proxies=()) == "127.0.0.1"


FROM_CLIENT = ("X-Forwarded-For", CLIENT)
AS_CLIENTS_WROTE = (("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "api.example.com"))


def test_a_proxy_tells_what_its_client_wrote() -> None:
    assert origin() == "http://inside:8000"
    assert origin(FROM_CLIENT) == "http://inside:8000"
    assert origin(FROM_CLIENT, *AS_CLIENTS_WROTE) == "https://api.example.com"
    assert origin(("X-Forwarded-For", "127.0.0.1"), *AS_CLIENTS_WROTE) == "https://api.example.com"
    assert origin(FROM_CLIENT, AS_CLIENTS_WROTE[0]) == "https://inside:8000"
    # What the client made up stands before what the proxy added.
    assert origin(FROM_CLIENT, ("X-Forwarded-Host", "evil.test, api.example.com:8443")) == "http://api.example.com:8443"
    standard = ("Forwarded", 'for=1.1.1.1;host=evil.test, for=203.0.113.7;Proto=HTTPS;host="[2001:db8::7]:8443"')
    assert origin(standard, forwarded_header="forwarded") == "https://[2001:db8::7]:8443"
    assert origin(standard, *AS_CLIENTS_WROTE) == "http://inside:8000"
    assert origin(*AS_CLIENTS_WROTE, forwarded_header="forwarded") == "http://inside:8000"


def test_whoever_is_no_proxy_tells_nothing_of_the_origin() -> None:
    assert origin(*AS_CLIENTS_WROTE) == "http://inside:8000"
    assert origin(FROM_CLIENT, *AS_CLIENTS_WROTE, peer=CLIENT) == "http://inside:8000"
    assert origin(FROM_CLIENT, *AS_CLIENTS_WROTE, peer=CLIENT, check_reverse_proxies=False) == "https://api.example.com"
    nonsense = (("X-Forwarded-Proto", "javascript"), ("X-Forwarded-Host", "a<b"), FROM_CLIENT)
    assert origin(*nonsense) == "http://inside:8000"
