"""The rows of the table: what is asked of each server, spread over all accounts, their users and documents."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from benchmarks import samples
from benchmarks.seed import Account, credentials
from benchmarks.wrk import Load, Request


@dataclass(frozen=True)
class Operation:
    """One row: what to send to each server that has the operation."""

    name: str
    loads: dict[str, Load]


def operations(accounts: Sequence[Account], names: Sequence[str], folder: Path) -> list[Operation]:
    """What to measure, in files below the folder. No two requests of a file are the same, the order is by chance."""
    chance = random.Random(2)
    places = [
        (f"/accounts/{one.id}/devices", chance.choice(one.tokens), f"/{device['id']}")
        for one in accounts
        for device in one.devices
    ]
    bodies = [_body(_unnamed(number, chance)) for number in range(len(places))]
    each = [Request(root + end, token) for root, token, end in places]
    lists = [Request(f"/accounts/{one.id}/devices", token) for one in accounts for token in one.tokens]
    creates = [Request(root, token, body) for (root, token, _), body in zip(places, bodies, strict=True)]
    updates = [replace(one, body=body) for one, body in zip(each, bodies, strict=True)]
    renames = [replace(one, body=_body({"name": f"Renamed {number}"})) for number, one in enumerate(each)]
    log_ins = [Request("/user_auth", "", _body(credentials(one.realm, name))) for one in accounts for name in one.users]
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
    random.Random(3).shuffle(requests)
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


def _unnamed(number: int, chance: random.Random) -> dict[str, Any]:
    """A device that no other is in conflict with, however often it is sent."""
    device = samples.device(number, chance)
    del device["mac_address"], device["sip"]["username"]
    return device


def _body(data: Any) -> str:
    return orjson.dumps({"data": data}).decode()
