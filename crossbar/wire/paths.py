# SPDX-License-Identifier: MPL-2.0
"""URL path → chain of nouns: `/v2/accounts/A/users/U/devices` → accounts[A], users[U], devices[].

Source: `api_util:parse_path_tokens`, `crossbar_init:api_version_constraint`, `cb_accounts:validate_resource`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from crossbar.errors import Plain
from crossbar.wire.text import decode_token

ACCOUNT_ID_LENGTH: Final = 32
HOOKS: Final = "hooks"
"""The version in paths that other programs post to, in their own words."""

Words = Mapping[str, bool]
"""Names of endpoints → whether all tokens after the name are its arguments, even those that are names of endpoints."""


class Noun(NamedTuple):
    """An endpoint name and the path tokens that follow it."""

    name: str
    args: tuple[str, ...]


class Path(NamedTuple):
    """What a URL path says.

    `version` is `v2`, `v3`, … or `hooks`. `nouns` are outermost first and empty when the first token names no
    endpoint. `own_account` tells that the path began with the alias `account`: its first noun is `accounts` without
    an argument, which the caller completes with the account of the token.
    """

    version: str
    nouns: tuple[Noun, ...]
    own_account: bool = False


def parse_path(raw_path: str, endpoints: Words) -> Path | None:
    """Split a raw (still percent-encoded) path, without its query string, into nouns.

    `endpoints` has every known endpoint name. None means that the path is not the API's (`/`, `/vX/accounts`):
    it is answered with a banner. Raises 410 for `/v1`.
    """
    tokens = raw_path.split("/")
    while tokens and not tokens[-1]:
        tokens.pop()
    if len(tokens) < 2 or tokens[0] or not _is_version(tokens[1]):
        return None
    version = tokens[1]
    if version == "v1":
        raise Plain(410, "gone", "API version 1 is not supported. Please upgrade your code to use version 2.")
    tokens = tokens[2:]
    if "%" in raw_path or not raw_path.isascii():
        tokens = [decode_token(token) for token in tokens]
    if tokens and tokens[0] == "account":
        return Path(version, _nouns(["accounts", *tokens[1:]], endpoints), own_account=True)
    return Path(version, _nouns(tokens, endpoints))


def check_account_id(noun: Noun) -> str:
    """The account id of an `accounts` noun with an argument.

    The shape is judged early, before authentication; any 32 characters pass. Raises 404 `bad identifier`.
    """
    account_id = noun.args[0]
    if len(account_id) == ACCOUNT_ID_LENGTH:
        return account_id
    text = f"invalid account_id '{account_id}'" if account_id else "missing account_id"
    raise Plain(404, "bad identifier", {"message": text})


def _is_version(token: str) -> bool:
    digits = token[1:]
    return token == HOOKS or (token[:1] == "v" and digits.isascii() and digits.isdigit())


def _nouns(tokens: list[str], endpoints: Words) -> tuple[Noun, ...]:
    if not tokens or tokens[0] not in endpoints:
        return ()
    nouns: list[Noun] = []
    start, end = 0, len(tokens)
    while start < end:
        name = tokens[start]
        stop = start + 1
        takes_all = endpoints[name]
        while stop < end and (takes_all or tokens[stop] not in endpoints):
            stop += 1
        nouns.append(Noun(name, tuple(tokens[start + 1 : stop])))
        start = stop
    return tuple(nouns)
