# SPDX-License-Identifier: MPL-2.0
"""Token restrictions, from the pattern of one rule to the whole decision."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.access.identity import Identity
from crossbar.access.restrictions import matches
from crossbar.documents.document import Document
from crossbar.errors import Forbidden

from .installation import Installation, Request, StartWorker, Worker


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("/", ["/"], ["/a", "/a/b"]),
        ("*", ["/a"], ["/", "/a/b"]),
        ("#", ["/", "/a", "/a/b"], []),
        ("*/quickcall/#", ["/a/quickcall", "/a/quickcall/1/2"], ["/", "/a", "/quickcall/1", "/a/b/quickcall"]),
        ("#/raw", ["/raw", "/a/raw", "/a/b/raw", "/raw/raw"], ["/", "/raw/a"]),
        ("#/*", ["/a", "/a/b"], ["/"]),
        ("status", ["/status"], ["/", "/other", "/status/a"]),
    ],
)
def test_patterns(pattern: str, fitting: list[str], others: list[str]) -> None:
    assert [path for path in fitting + others if matches(pattern, _arguments(path))] == fitting


def _arguments(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


@given(
    st.lists(st.sampled_from(["a", "b", "*", "#"]), max_size=6),
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=6),
)
def test_patterns_match_as_regular_expressions_would(words: list[str], arguments: list[str]) -> None:
    parts = {"*": "[abc]/", "#": "([abc]/)*"}
    expression = "".join(parts.get(word, f"{word}/") for word in words)
    expected = re.fullmatch(expression, "".join(f"{argument}/" for argument in arguments)) is not None
    assert matches("/".join(words), arguments) is expected


class Household:
    """A parent and a child account, each with an administrator and a user."""

    def __init__(self, worker: Worker, parent: Document, child: Document) -> None:
        self.worker = worker
        self.parent = parent
        self.child = child
        self.people: dict[str, Document | None] = {"nobody": None}

    async def may(self, who: str, verb: str, path: str, method: str = "cb_user_auth") -> bool:
        """Whether somebody of the parent account passes; `{parent}` and `{child}` in the path are filled in."""
        request = Request.of(verb, path.format(parent=self.parent.id, child=self.child.id))
        directory = self.worker.directory
        account, person = await directory.account(self.parent.id), self.people[who]
        assert account is not None
        user = await directory.user(self.parent.id, person.id) if person else None
        target = await directory.account(request.named_account_id) if request.named_account_id else None
        try:
            await self.worker.restrictions.check(Identity.without_token(account, user, method), request, target)
        except Forbidden as refusal:
            assert refusal.data == {"message": "forbidden", "cause": "access denied by token restrictions"}
            return False
        return True

    async def restrict(self, restrictions: dict[str, Any]) -> None:
        fields = {"restrictions": restrictions}
        await self.worker.store.upsert(Document(self.parent.id, "token_restrictions", "token_restrictions", fields))
        await self.worker.hears("token_restrictions", "token_restrictions")


async def household(worker: Worker, installation: Installation, **parent: Any) -> Household:
    above = await installation.account("Parent", **parent)
    home = Household(worker, above, await installation.account("Child", above))
    home.people["ann"] = await installation.user(above, "ann", priv_level="admin")
    home.people["bob"] = await installation.user(above, "bob")
    return home


async def test_without_restrictions_all_pass(worker: Worker, installation: Installation) -> None:
    home = await household(worker, installation)
    assert await home.may("bob", "DELETE", "/accounts/{child}/devices/D1")


async def test_method_then_level_then_endpoint(worker: Worker, installation: Installation) -> None:
    home = await household(worker, installation)
    every = [{"rules": {"#": ["_"]}}]
    await home.restrict(
        {
            "cb_user_auth": {"user": {"devices": every}},
            "_": {"admin": {"users": every}, "_": {"_": [{"rules": {"/": ["GET"]}}]}},
        }
    )
    path = "/accounts/{parent}/devices"

    assert await home.may("bob", "PUT", path)
    assert not await home.may("bob", "GET", "/accounts/{parent}/users")
    assert await home.may("ann", "DELETE", "/accounts/{parent}")  # the method has no entry for administrators
    assert await home.may("bob", "GET", path, "cb_api_auth")
    assert not await home.may("bob", "PUT", path, "cb_api_auth")
    assert not await home.may("ann", "GET", path, "cb_api_auth")
    assert await home.may("nobody", "GET", "/accounts/{parent}/users", "cb_api_auth")  # counts as administrator
    assert not await home.may("nobody", "GET", path, "cb_api_auth")


@pytest.mark.parametrize(
    ("allowed_accounts", "parent_child_none"),
    [
        (None, (True, True, True)),
        (["_"], (True, True, True)),
        (["{AUTH_ACCOUNT_ID}"], (True, False, False)),
        (["{DESCENDANT_ACCOUNT_ID}"], (False, True, False)),
        (["{AUTH_ACCOUNT_ID}", "{DESCENDANT_ACCOUNT_ID}"], (True, True, False)),
        (["<child>"], (False, True, False)),
        (["somebody"], (False, False, False)),
        ([], (False, False, False)),
    ],
)
async def test_accounts(
    worker: Worker,
    installation: Installation,
    allowed_accounts: list[str] | None,
    parent_child_none: tuple[bool, bool, bool],
) -> None:
    home = await household(worker, installation)
    entry: dict[str, Any] = {"rules": {"#": ["GET"]}}
    if allowed_accounts is not None:
        entry["allowed_accounts"] = [name.replace("<child>", home.child.id) for name in allowed_accounts]
    await home.restrict({"_": {"_": {"devices": [entry]}}})

    paths = ("/accounts/{parent}/devices", "/accounts/{child}/devices", "/devices")
    assert tuple([await home.may("bob", "GET", path) for path in paths]) == parent_child_none


async def test_the_first_entry_and_the_first_pattern_decide(worker: Worker, installation: Installation) -> None:
    home = await household(worker, installation)
    first = {"allowed_accounts": ["{AUTH_ACCOUNT_ID}"], "rules": {"D1": ["GET"], "*": ["GET", "POST"], "/": ["PUT"]}}
    await home.restrict({"_": {"_": {"devices": [first, {"rules": {"#": ["_"]}}]}}})

    assert await home.may("bob", "POST", "/accounts/{parent}/devices/D2")
    assert not await home.may("bob", "POST", "/accounts/{parent}/devices/D1")
    assert await home.may("bob", "PUT", "/accounts/{parent}/devices")
    assert not await home.may("bob", "GET", "/accounts/{parent}/devices")
    assert not await home.may("bob", "GET", "/accounts/{parent}/devices/D1/sync1")
    assert await home.may("bob", "DELETE", "/accounts/{child}/devices/D1")


async def test_the_system_speaks_where_the_account_is_silent(start_worker: StartWorker) -> None:
    system = {"_": {"admin": {"_": [{"rules": {"#": ["GET"]}}]}}, "default_priv_level": "user"}
    worker = await start_worker(restrictions=system)
    home = await household(worker, Installation(worker.store))
    path = "/accounts/{parent}/devices"

    assert await home.may("ann", "GET", path)
    assert not await home.may("ann", "PUT", path)
    assert await home.may("bob", "PUT", path)
    assert await home.may("nobody", "PUT", path)
    await home.restrict({"cb_api_auth": {}})
    assert not await home.may("ann", "PUT", path)
    assert await home.may("ann", "PUT", path, "cb_api_auth")


async def test_superduper_administrators_are_above_restrictions(worker: Worker, installation: Installation) -> None:
    home = await household(worker, installation, pvt_superduper_admin=True)
    await home.restrict({"_": {"_": {}}})
    assert await home.may("bob", "DELETE", "/accounts/{child}")


async def test_a_lifted_restriction_is_lifted_in_every_worker(
    worker: Worker, start_worker: StartWorker, installation: Installation
) -> None:
    home = await household(worker, installation)
    other = await start_worker()
    elsewhere = Household(other, home.parent, home.child)
    elsewhere.people = home.people
    await home.restrict({"_": {"_": {}}})
    await other.hears("token_restrictions", "token_restrictions")
    assert not await elsewhere.may("bob", "GET", "/accounts/{parent}")

    document = await worker.store.get(home.parent.id, "token_restrictions", "token_restrictions")
    assert document is not None
    await worker.store.remove(document)

    await other.hears("token_restrictions", "token_restrictions")
    assert await elsewhere.may("bob", "GET", "/accounts/{parent}")
