# SPDX-License-Identifier: MPL-2.0
"""URL paths and the nouns in them."""

from __future__ import annotations

import hmac
import re
import zlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.errors import CrossbarError
from crossbar.wire.magic_paths import conceal, reveal
from crossbar.wire.paths import Noun, Path, check_account_id, parse_path

ENDPOINTS = dict.fromkeys(("accounts", "users", "devices", "media", "about"), False) | dict.fromkeys(
    ("schemas", "configs", "sup", "services", "webhooks"), True
)
A = "a" * 32
U = "b" * 32


def nouns(raw_path: str) -> list[tuple[str, ...]]:
    path = parse_path(raw_path, ENDPOINTS)
    assert path is not None
    return [(noun.name, *noun.args) for noun in path.nouns]


def test_a_chain_of_nouns() -> None:
    assert parse_path(f"/v2/accounts/{A}/users/{U}/devices", ENDPOINTS) == Path(
        "v2", (Noun("accounts", (A,)), Noun("users", (U,)), Noun("devices", ()))
    )


@pytest.mark.parametrize(
    ("raw_path", "expected"),
    [
        ("/v2", []),
        ("/v2/", []),
        ("/v2/nosuch", []),
        ("/v2/nosuch/accounts", []),
        ("/v3/about", [("about",)]),
        ("/hooks/about/x", [("about", "x")]),
        ("/v2/about///", [("about",)]),
        (f"/v2/accounts/{A}/nosuch", [("accounts", A, "nosuch")]),
        ("/v2/accounts//users", [("accounts", ""), ("users",)]),
        ("/v2/accounts/x/devices/media", [("accounts", "x"), ("devices",), ("media",)]),
        ("/v2/schemas/users/devices", [("schemas", "users", "devices")]),
        ("/v2/accounts/x/configs/media", [("accounts", "x"), ("configs", "media")]),
        ("/v2/webhooks/samples/users", [("webhooks", "samples", "users")]),
        (
            f"/v2/accounts/{A}/services/audit/summary/users",
            [("accounts", A), ("services", "audit", "summary", "users")],
        ),
        ("/v2/sup/users/media/a/b", [("sup", "users", "media", "a", "b")]),
        ("/v2/users/a%2Fb%20c+d", [("users", "a/b c+d")]),
        ("/v2/users/%2B1555/%zz/%ff", [("users", "+1555", "%zz", "\ufffd")]),
        ("/v2/users/caf\udcc3\udca9/\udcff", [("users", "café", "\ufffd")]),
    ],
)
def test_nouns(raw_path: str, expected: list[tuple[str, ...]]) -> None:
    assert nouns(raw_path) == expected


@pytest.mark.parametrize(
    "raw_path", ["", "/", "/accounts", "/vX/accounts", "/v/accounts", "v2/accounts", "/v\u0662/about"]
)
def test_what_is_not_the_api_gets_the_banner(raw_path: str) -> None:
    assert parse_path(raw_path, ENDPOINTS) is None


def test_version_1_is_gone() -> None:
    with pytest.raises(CrossbarError) as raised:
        parse_path("/v1/accounts", ENDPOINTS)
    assert (raised.value.status, raised.value.message) == (410, "gone")
    assert raised.value.data == "API version 1 is not supported. Please upgrade your code to use version 2."


def test_the_alias_account_is_marked() -> None:
    assert parse_path("/v2/account/users", ENDPOINTS) == Path(
        "v2", (Noun("accounts", ()), Noun("users", ())), own_account=True
    )


@pytest.mark.parametrize(
    ("account_id", "text"), [("", "missing account_id"), ("xyz", "invalid account_id 'xyz'"), ("x" * 33, None)]
)
def test_account_ids_have_32_characters(account_id: str, text: str | None) -> None:
    with pytest.raises(CrossbarError) as raised:
        check_account_id(Noun("accounts", (account_id,)))
    assert (raised.value.status, raised.value.message) == (404, "bad identifier")
    assert raised.value.data == {"message": text or f"invalid account_id '{account_id}'"}


def test_any_32_characters_pass() -> None:
    assert check_account_id(Noun("accounts", ("Ä" * 32,))) == "Ä" * 32


TOKENS = st.text(min_size=1, max_size=8).filter(lambda token: token not in ENDPOINTS)


@given(st.lists(st.tuples(st.sampled_from(["accounts", "users", "devices"]), st.lists(TOKENS, max_size=3)), min_size=1))
def test_every_chain_comes_back(chain: list[tuple[str, list[str]]]) -> None:
    tokens = [token for name, arguments in chain for token in (name, *arguments)]
    raw_path = "/v2/" + "/".join(quote(token, safe="", errors="surrogatepass") for token in tokens)
    path = parse_path(raw_path, ENDPOINTS)
    assert path is not None
    assert [(noun.name, list(noun.args)) for noun in path.nouns] == chain


@given(st.text(st.characters(codec="latin-1")))
def test_no_path_crashes(raw_path: str) -> None:
    parse_path("/v2/" + raw_path, ENDPOINTS)
    reveal(raw_path, sign, now=NOW, unsigned=True)


MESSAGE = f"/v2/accounts/{A}/vmboxes/box/messages/202401-m/raw"
NOW = 1_700_000_000


def sign(text: str, key: bytes = b"the server's own") -> str:
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def link(path: str, expires: int = NOW + 1) -> str:
    return conceal(path, expires, sign)


def kazoos(path: str) -> str:
    """A link as KAZOO makes it."""
    return "/" + zlib.compress(path.encode()).hex()


def test_a_magic_path_hides_a_path() -> None:
    concealed = link(MESSAGE)
    assert re.fullmatch("/[0-9a-f]+", concealed)
    assert parse_path(concealed, ENDPOINTS) is None
    for unsigned in (False, True):
        assert reveal(concealed, sign, now=NOW, unsigned=unsigned) == MESSAGE
        assert reveal(concealed, sign, now=NOW + 1, unsigned=unsigned) is None


@pytest.mark.parametrize("unsigned", [False, True])
def test_a_link_that_was_tampered_with_leads_nowhere(unsigned: bool) -> None:
    hidden = zlib.decompress(bytes.fromhex(link(MESSAGE)[1:])).decode()
    other = MESSAGE.replace("box", "another")
    forged = [
        conceal(MESSAGE, NOW + 1, lambda text: sign(text, b"somebody else's")),
        kazoos(hidden.replace(MESSAGE, other)),
        kazoos(hidden.replace(f"expires={NOW + 1}", f"expires={NOW + 9_000}")),
        kazoos(hidden[:-1]),
        kazoos(hidden + "0"),
        kazoos(hidden.partition("&")[0]),
        kazoos(f"{other}?{hidden}"),
        kazoos(hidden + hidden),
        kazoos(hidden.replace("=", "=\u0661", 1)),
    ]
    for concealed in forged:
        revealed = reveal(concealed, sign, now=NOW, unsigned=unsigned)
        # What is no signed link at all is one of KAZOO's where those count, and leads to no other file than it names.
        assert revealed is None or (unsigned and revealed != MESSAGE)


def test_unsigned_links_count_only_where_they_are_wanted() -> None:
    assert reveal(kazoos(MESSAGE), sign, now=NOW) is None
    assert reveal(kazoos(MESSAGE), sign, now=NOW, unsigned=True) == MESSAGE


@pytest.mark.parametrize(
    "path",
    [f"/v2/accounts/{A}", MESSAGE + "/", MESSAGE.replace("box/", "/"), "/v2" + "/" * 100_000],
)
def test_only_listed_paths_can_be_revealed(path: str) -> None:
    for raw_path in (link(path), kazoos(path)):
        assert reveal(raw_path, sign, now=NOW, unsigned=True) is None


@pytest.mark.parametrize("raw_path", ["/", "/abc", "/zz", "/" + "00" * 20])
def test_what_hides_nothing_reveals_nothing(raw_path: str) -> None:
    assert reveal(raw_path, sign, now=NOW, unsigned=True) is None
