# SPDX-License-Identifier: MPL-2.0
"""The tree: down, never up or across."""

from __future__ import annotations

import pytest

from crossbar.access.authorization import tree_allows
from crossbar.access.directory import Account
from crossbar.access.identity import Identity

from .installation import Request


def _account(name: str, *tree: str, superduper: bool = False) -> Account:
    return Account(
        id=name,
        name=name,
        realm=f"{name}.example.com",
        tree=tree,
        enabled=True,
        superduper_admin=superduper,
        is_reseller=False,
        created=0,
    )


ACCOUNTS = {
    account.id: account
    for account in (
        _account("M", superduper=True),
        _account("R", "M"),
        _account("A", "M", "R"),
        _account("A2", "M", "R", "A"),
        _account("B", "M", "R"),
        _account("S", "M"),
    )
}

MAY = {
    "M": {"M", "R", "A", "A2", "B", "S"},
    "R": {"R", "A", "A2", "B"},
    "A": {"A", "A2"},
    "A2": {"A2"},
    "B": {"B"},
    "S": {"S"},
}


def allowed(caller: str, verb: str, path: str) -> bool:
    request = Request.of(verb, path)
    identity = Identity.without_token(ACCOUNTS[caller], None, "cb_api_auth")
    return tree_allows(identity, request, ACCOUNTS.get(request.named_account_id or ""))


@pytest.mark.parametrize("path", ["/accounts/{}", "/accounts/{}/devices", "/accounts/{}/users/U1/devices/D1"])
@pytest.mark.parametrize("verb", ["GET", "PUT", "POST", "PATCH", "DELETE"])
def test_who_reaches_whom(verb: str, path: str) -> None:
    reached = {
        caller: {target for target in ACCOUNTS if allowed(caller, verb, path.format(target))} for caller in ACCOUNTS
    }
    assert reached == MAY


@pytest.mark.parametrize("caller", ACCOUNTS)
@pytest.mark.parametrize("noun", ["acls", "rates", "sup"])
def test_what_is_the_systems(caller: str, noun: str) -> None:
    assert allowed(caller, "GET", f"/accounts/{caller}/{noun}") is (caller == "M")
    assert allowed(caller, "GET", f"/{noun}") is (caller == "M")


@pytest.mark.parametrize("caller", ACCOUNTS)
def test_the_bare_collection_of_accounts(caller: str) -> None:
    assert allowed(caller, "PUT", "/accounts")
    assert allowed(caller, "GET", "/accounts") is (caller == "M")
    assert allowed(caller, "POST", "/accounts") is (caller == "M")


@pytest.mark.parametrize("caller", ACCOUNTS)
def test_paths_without_account(caller: str) -> None:
    assert allowed(caller, "GET", "/phone_numbers") is (caller == "M")
