# SPDX-License-Identifier: MPL-2.0
"""What `python -m benchmarks` asks for: accounts with users who have logged in, and devices, in all databases alike."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
from pymongo import AsyncMongoClient
from rich.progress import Progress

from benchmarks import samples
from benchmarks.servers import Server
from trials.installation import log_in

ACCOUNTS = 100
USERS = 2
DEVICES = 100
"""In each account."""
AT_ONCE = 32
PASSWORD = "benchmark password"
Item = TypeVar("Item")


@dataclass
class Account:
    """An account with the tokens and names of its users, and its devices as the server answers them."""

    id: str
    realm: str
    tokens: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    devices: list[dict[str, Any]] = field(default_factory=list)


class Seeder:
    """Makes accounts through the server's API."""

    def __init__(self, session: aiohttp.ClientSession, server: Server, progress: Progress) -> None:
        self._session = session
        self._url = f"{server.url}/v2"
        self._chance = random.Random(1)
        self._progress = progress
        self._task = progress.add_task("seeding", total=ACCOUNTS * (1 + USERS + DEVICES))

    async def accounts(self) -> list[Account]:
        """All accounts, with users and devices."""
        token, master = await log_in(self._session, self._url.removesuffix("/v2"))
        made: list[Account] = []

        async def account(number: int) -> None:
            body = {"name": f"Account {number}", "realm": f"a{number}.bench.test"}
            answer = await self._put(f"/accounts/{master}", token, body)
            made.append(Account(answer["data"]["id"], body["realm"]))

        async def user(place: tuple[Account, int]) -> None:
            of, number = place
            name = f"user{number}"
            body = {"first_name": "Ada", "last_name": f"Admin {number}", "username": name, "password": PASSWORD}
            await self._put(f"/accounts/{of.id}/users", token, {**body, "priv_level": "admin"})
            answer = await self._put("/user_auth", "", credentials(of.realm, name))
            of.users.append(name)
            of.tokens.append(answer["auth_token"])

        async def device(place: tuple[Account, int]) -> None:
            of, number = place
            body = samples.device(number, self._chance)
            answer = await self._put(f"/accounts/{of.id}/devices", of.tokens[number % USERS], body)
            of.devices.append(answer["data"])

        await _each(range(ACCOUNTS), account)
        await _each([(one, number) for one in made for number in range(USERS)], user)
        await _each([(one, number) for number in range(DEVICES) for one in made], device)
        self._progress.remove_task(self._task)
        return made

    async def _put(self, path: str, token: str, data: Any) -> Any:
        headers = {"X-Auth-Token": token} if token else {}
        query = {"send_email_on_creation": "false"}
        async with self._session.put(self._url + path, json={"data": data}, headers=headers, params=query) as answer:
            envelope = await answer.json()
            if answer.status != 201:
                raise RuntimeError(f"PUT {path} was answered with {answer.status}: {envelope}")
            self._progress.advance(self._task)
            return envelope


def credentials(realm: str, name: str) -> dict[str, str]:
    """The data of a log-in."""
    digest = hashlib.md5(f"{name}:{PASSWORD}".encode(), usedforsecurity=False).hexdigest()
    return {"credentials": digest, "account_realm": realm}


async def _each(items: Iterable[Item], job: Callable[[Item], Awaitable[None]]) -> None:
    """The job for each item, some at once."""
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await job(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


async def seed(server: Server, uri: str, databases: Sequence[str], progress: Progress) -> list[Account]:
    """The accounts in a server that has none yet; and the same devices, in one collection, in other databases."""
    async with aiohttp.ClientSession() as session:
        accounts = await Seeder(session, server, progress).accounts()
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        for name in databases:
            devices = client[name].devices
            await devices.delete_many({})
            for one in accounts:
                stored = [{**device, "_id": device["id"], "account": one.id} for device in one.devices]
                await devices.insert_many(stored, ordered=False)
    return accounts
