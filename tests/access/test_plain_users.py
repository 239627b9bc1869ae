# SPDX-License-Identifier: MPL-2.0
"""The table of what is not for plain users, and whom it concerns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossbar.access.directory import Account, User
from crossbar.access.identity import Identity
from crossbar.access.plain_users import CHANGES, GUARDED, PlainUsers
from crossbar.app import ENDPOINTS
from crossbar.documents.document import Document

from .installation import Request

A, OWN, OTHER = "a" * 32, "b" * 32, "c" * 32
PAGE = Path(__file__).parents[2] / "docs" / "compatibility" / "auth.md"


def caller(priv_level: str | None) -> Identity:
    account = Account.of(Document("accounts", "account", A, {}))
    user = User.of(Document(A, "user", OWN, {"priv_level": priv_level})) if priv_level else None
    return Identity.without_token(account, user, "cb_user_auth")


def asked(verb: str, *nouns: tuple[str, ...]) -> Request:
    everything = [(name, arguments) for name, *arguments in nouns]
    return Request(verb, tuple((name, tuple(arguments)) for name, arguments in everything), A)


def refused(verb: str, *nouns: tuple[str, ...], priv_level: str | None = "user", guarded: bool = True) -> bool:
    return PlainUsers(lambda: guarded).refuses(caller(priv_level), asked(verb, ("accounts", A), *nouns))


@pytest.mark.parametrize(
    ("verb", "noun", "expected"),
    [
        ("PUT", ("users",), True),
        ("DELETE", ("users", OTHER), True),
        ("DELETE", ("users", OWN), False),
        ("PATCH", ("users", OTHER), False),  # it depends on the fields
        ("GET", ("users",), False),
        ("PATCH", ("security",), True),
        ("GET", ("security",), False),
        ("PUT", ("multi_factor",), True),
        ("PUT", ("multi_factor", "qrcode"), False),
        ("DELETE", ("multi_factor", OTHER), True),
        ("DELETE", ("token_restrictions",), True),
        ("PATCH", ("configs", "crossbar.auth"), True),
        ("POST", ("whitelabel", "logo"), True),
        ("POST", ("system_configs", "crossbar", "default"), True),
        ("PUT", ("vmboxes",), False),
    ],
)
def test_the_table_is_read_by_endpoint_arguments_and_verb(verb: str, noun: tuple[str, ...], expected: bool) -> None:
    assert refused(verb, noun) is expected


@pytest.mark.parametrize(
    ("verb", "arguments", "expected"),
    [
        ("PUT", (), True),
        ("PUT", (A,), True),
        ("POST", (A,), True),
        ("DELETE", (A,), True),
        ("GET", (A,), False),
        ("GET", (A, "api_key"), True),
        ("PUT", (A, "api_key"), True),
        ("GET", (A, "descendants"), False),
        ("POST", (A, "move"), True),
    ],
)
def test_accounts_are_for_administrators(verb: str, arguments: tuple[str, ...], expected: bool) -> None:
    assert PlainUsers(lambda: True).refuses(caller("user"), asked(verb, ("accounts", *arguments))) is expected


@pytest.mark.parametrize(
    "whom",
    [{"priv_level": "admin"}, {"priv_level": None}, {"priv_level": "user", "guarded": False}],
)
def test_others_are_not_concerned(whom: dict[str, Any]) -> None:
    assert not refused("PUT", ("users",), **whom)
    assert not refused("DELETE", ("security",), **whom)


def test_each_row_of_the_table_is_about_a_route() -> None:
    """A misspelt row would guard nothing."""
    words = {endpoint.name: endpoint for endpoint in ENDPOINTS}
    for name, rules in GUARDED.items():
        for rule in rules:
            found = [
                route
                for route in words[name].routes
                if route.verb in rule.verbs and refusal(name, route.pattern, route.verb)
            ]
            assert found, (name, rule)


def refusal(name: str, pattern: tuple[str, ...], verb: str) -> bool:
    arguments = [OTHER if part.startswith("{") else part for part in pattern]
    return PlainUsers(lambda: True).refuses(caller("user"), asked(verb, (name, *arguments)))


def test_the_page_for_people_has_every_endpoint_of_the_table() -> None:
    section = PAGE.read_text().split("## Plain users", 1)[1]
    for name in GUARDED:
        assert f"`{name}" in section or f"/{name}" in section, name
    assert {verb for rules in GUARDED.values() for rule in rules for verb in rule.verbs} == CHANGES | {"GET"}
