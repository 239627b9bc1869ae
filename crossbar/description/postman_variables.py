# SPDX-License-Identifier: MPL-2.0
"""Which variable of a Postman collection stands for which part of a path, and who gives it its value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from crossbar.description.operations import ApiOperation

ACCOUNT_ID: Final = "account_id"
ACCOUNT: Final = f"/v2/accounts/{{{ACCOUNT_ID}}}"
TOKEN: Final = "auth_token"  # noqa: S105 - the name of a variable


class Variables:
    """The variables of all operations.

    A part of a path has the name that the template gives it. Where several things would share a name, what stands
    before it in the path distinguishes them, and `system` those of the installation from those of an account.
    """

    def __init__(self, listed: Iterable[ApiOperation]) -> None:
        listed = list(listed)
        self._nouns: dict[str, set[str]] = {}
        self._in_accounts: set[str] = set()
        for operation in listed:
            for noun, name in _arguments(operation.path):
                self._nouns.setdefault(name, set()).add(noun)
        for operation in listed:
            if operation.path.startswith(ACCOUNT):
                self._in_accounts.update(self._name(noun, name) for noun, name in _arguments(operation.path))
        self.made_by: Mapping[str, ApiOperation] = dict(self._makers(listed))
        """Variable → the operation that makes what has this id."""

    def of(self, path: str) -> dict[str, str]:
        """Argument → variable, for a path as templates have it."""
        named = {name: self._name(noun, name) for noun, name in _arguments(path)}
        if path.startswith(ACCOUNT):
            return named
        return {
            name: f"system_{variable}" if variable in self._in_accounts and name != ACCOUNT_ID else variable
            for name, variable in named.items()
        }

    def last(self, path: str) -> str | None:
        """The variable that a path ends with."""
        name = path.rpartition("/")[2]
        return self.of(path)[name.strip("{}")] if name.startswith("{") else None

    def _name(self, noun: str, name: str) -> str:
        if name == f"{noun.removesuffix('s')}_id":
            return name
        return name if len(self._nouns[name]) == 1 else f"{noun}_{name}"

    def _makers(self, listed: list[ApiOperation]) -> Iterator[tuple[str, ApiOperation]]:
        """The shortest path first: what is made below something else is made below the account where that may be."""
        by_path = {operation.path: operation for operation in listed if operation.verb == "PUT"}
        documents = {operation.path for operation in listed if operation.path.endswith("}")}
        for path in sorted(documents, key=len, reverse=True):
            maker = by_path.get(path.rpartition("/")[0])
            if maker is not None and (variable := self.last(path)) is not None:
                yield variable, maker


def _arguments(path: str) -> Iterator[tuple[str, str]]:
    """The arguments of a path, each with the fixed word before it."""
    noun = ""
    for step in path.strip("/").split("/"):
        if step.startswith("{"):
            yield noun, step.strip("{}")
        else:
            noun = step


def named_in(text: str) -> set[str]:
    """The variables that a text asks for, without those that Postman makes up."""
    return set(re.findall(r"\{\{(\w+)\}\}", text))
