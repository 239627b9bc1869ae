# SPDX-License-Identifier: MPL-2.0
"""URLs of clients the server may or may not call."""

from ipaddress import ip_address

import pytest

from crossbar.documents.schemas import ClientUrls


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "HTTPS://example.com:8443/path?query#fragment",
        "https://user:secret@example.com/",
        "http://10.0.0.1/",
        "http://[2001:db8::1]/",
        "http://bücher.example/",
        "http://localhost.example.com/",
    ],
)
def test_allowed(url):
    assert ClientUrls().allows(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com",
        "http://",
        "http:///path",
        "ftp://example.com",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://localhost",
        "http://LocalHost:80/",
        "http://localhost./",
        "http://user@localhost/",
        "http://127.0.0.1/",
        "http://127.0.0.2/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::]/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://0/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
        "http://127。0。0。1/",
        "https://ignore@me:0.0.0.0",
        "http://example.com:port/",
        "http://example.com:99999/",
        "http://exa mple.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/\n",
        "http://[::1/",
    ],
)
def test_refused(url):
    assert not ClientUrls().allows(url)


def test_empty_lists_refuse_no_host():
    anywhere = ClientUrls((), ())
    assert anywhere.allows("http://localhost/")
    assert anywhere.allows("http://127.0.0.1/")
    assert not anywhere.allows("ftp://example.com/")


def test_networks_of_ones_own():
    inside = ClientUrls(networks=("10.0.0.0/8", "fd00::/8"))
    assert not inside.allows("http://10.255.0.1/")
    assert not inside.allows("http://[fd00::1]/")
    assert inside.allows("http://11.0.0.1/")


def test_addresses_a_name_resolved_to():
    assert not ClientUrls().allows_address(ip_address("127.0.0.1"))
    assert not ClientUrls().allows_address(ip_address("::ffff:127.0.0.1"))
    assert ClientUrls().allows_address(ip_address("192.0.2.1"))
