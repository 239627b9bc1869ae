# SPDX-License-Identifier: MPL-2.0
"""The rows of the table: what is asked of each server, spread over all accounts, their users and documents."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from benchmarks import samples
from benchmarks.seed import Account, credentials
from benchmarks.wrk import Load, Request
from crossbar.documents.shape import SEPARATOR
from crossbar.wire.list_options import encode_start_key


@dataclass(frozen=True)
class Operation:
    """One row: what to send to each server that has the operation."""

    name: str
    loads: dict[str, Load]


def operations(accounts: Sequence[Account], names: Sequence[str], folder: Path, *, pages: int = 1) -> list[Operation]:
    """What to measure, in files below the folder: no request of a file is like another, and the order is by chance.

    A list begins at so many different places of an account's devices in turn, where it is asked for at this server.
    """
    chance = random.Random(2)
    accounts = chance.sample(accounts, len(accounts))
    places = [
        (f"/accounts/{one.id}/devices", chance.choice(one.tokens), f"/{device['id']}")
        for one in accounts
        for device in one.devices
    ]
    chance.shuffle(places)
    bodies = [_body(samples.unnamed_device(number, chance)) for number in range(len(places))]
    each = [Request(root + end, token) for root, token, end in places]
    # All accounts one after another, so that those who ask at the same time ask for unlike pages.
    users = [(one, number) for number in range(max(len(one.users) for one in accounts)) for one in accounts]
    lists = [Request(_page(one, page), one.tokens[number]) for page in range(pages) for one, number in users]
    creates = [Request(root, token, body) for (root, token, _), body in zip(places, bodies, strict=True)]
    updates = [replace(one, body=body) for one, body in zip(each, bodies, strict=True)]
    renames = [replace(one, body=_body({"name": f"Renamed {number}"})) for number, one in enumerate(each)]
    log_ins = [Request("/user_auth", "", _body(credentials(one.realm, one.users[number]))) for one, number in users]
    everywhere = {
        "GET one": ("GET", each),
        "list of 50": ("GET", lists),
        "create": ("PUT", creates),
        "update": ("POST", updates),
        "PATCH": ("PATCH", renames),
    }
    made = [_operation(name, method, requests, names, folder) for name, (method, requests) in everywhere.items()]
    own = [name for name in names if name == "crossbar"]
    made.append(_operation("log-in", "PUT", log_ins, own, folder))
    strangers = [replace(one, token="") for one in each]
    made.append(_operation("refused (401)", "GET", strangers, own, folder, refused=True))
    return made


def _operation(
    name: str, method: str, requests: list[Request], servers: Sequence[str], folder: Path, *, refused: bool = False
) -> Operation:
    """The requests for each of the servers: those to compare with have neither tokens nor a version in the path."""
    ours = [replace(one, path=f"/v2{one.path}") for one in requests]
    bare = [replace(one, token="") for one in requests]
    files = {server: folder / f"{name.split(maxsplit=1)[0]}-{server}.txt" for server in servers}
    return Operation(
        name,
        {
            server: Load.of(method, ours if server == "crossbar" else bare, file, refused=refused)
            for server, file in files.items()
        },
    )


def hello(folder: Path) -> Operation:
    """The floor under everything."""
    return Operation("hello", {"hello": Load.of("GET", [Request("/")], folder / "hello.txt")})


def _page(account: Account, number: int) -> str:
    """The path of a page of 50 that begins at the device of this number, in the listing's order."""
    path = f"/accounts/{account.id}/devices"
    if number == 0:
        return path
    start = sorted((device["id"] for device in account.devices), reverse=True)[number]
    return f"{path}?start_key={encode_start_key([SEPARATOR + start])}"


def _body(data: object) -> str:
    return orjson.dumps({"data": data}).decode()
