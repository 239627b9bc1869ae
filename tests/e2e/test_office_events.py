# SPDX-License-Identifier: MPL-2.0
"""Who listens to an office hears of each change in order, by socket, webhook and feed, although workers die."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector

from tests.e2e.installed import Running
from tests.e2e.interface import Ui
from tests.e2e.office import Office
from tests.e2e.test_sockets import heard, two_workers
from tests.e2e.test_start import log_in
from tests.harness import ABSENT, Answer, Api, Tenant
from tests.receiver import Receiver, receiving

NAMES = {"PUT": "doc_created", "POST": "doc_edited", "PATCH": "doc_edited", "DELETE": "doc_deleted"}
KILLED_BEFORE = (12, 40)
"""Ahead of which changes a worker is killed: among the callflows, and among the people."""
LAST = "the last"


@dataclass
class Recorder(Api):
    """An API that keeps what it changed, and calls `before` ahead of each change with the number of those made."""

    changes: list[tuple[str, str, str]] = field(default_factory=list)
    """Event, id and revision of what was acknowledged."""
    before: Callable[[int], None] = lambda made: None

    async def request(self, method: str, path: str, data: Any = ABSENT, **options: Any) -> Answer:
        if method != "GET":
            self.before(len(self.changes))
        answer = await super().request(method, path, data, **options)
        revision = answer.envelope.get("revision")
        # The answer to a change of a queue's roster is the queue, which stays as it was.
        known = {None, *(known for _, _, known in self.changes)} if method != "DELETE" else {None}
        if method != "GET" and revision not in known:
            self.changes.append((NAMES[method], answer.id, str(revision)))
        return answer


class Workers:
    """The workers of a running server, of which one can be killed at a time."""

    def __init__(self, server: Running) -> None:
        self._server = server
        self._pids = [self._next(), self._next()]
        self.killed = 0

    def _next(self) -> int:
        return int(self._server.logged("worker ready")["pid"])

    def kill(self) -> None:
        """Kill the one that has been there for longest, and wait for the one in its place."""
        os.kill(self._pids.pop(0), signal.SIGKILL)
        self.killed += 1
        self._pids.append(self._next())


async def test_each_change_is_told_of_in_order(tmp_path: Path, mongo_uri: str, database_name: str) -> None:
    reaching = {"CROSSBAR_SECURITY__BLOCKED_HOSTS": "blocked.test"}  # the receiver lies on this machine
    with two_workers(tmp_path, mongo_uri, database_name, **reaching) as (server, port):
        workers = Workers(server)
        # A connection of its own for each request: one that is kept might lead to the worker that is killed next.
        async with ClientSession(connector=TCPConnector(force_close=True)) as session, receiving() as receiver:
            office = await opened_office(server, session)
            api, to_kill = office.ui.api, list(KILLED_BEFORE)
            socket, hook, since = await listening(f"ws://127.0.0.1:{port}/", office, receiver)
            recorder = Recorder(session, api.base, api.token, api.prefix)

            def kill_at_times(made: int) -> None:
                if to_kill and made >= to_kill[0]:
                    to_kill.pop(0)
                    workers.kill()

            recorder.before = kill_at_times
            office.ui = Ui(recorder)
            await office.build()
            in_turn = len(recorder.changes)
            await office.clear()
            last = await office.ui.put("/devices", {"name": LAST})
            assert workers.killed == len(KILLED_BEFORE)
            async with asyncio.timeout(60):
                by_socket = await socket
                await receiver.until(lambda: any(last["id"] in sent.body for sent in receiver.at(hook)))
            feed = await whole_feed(office.ui.api, since)
            check_acknowledged(recorder.changes, in_turn, feed)
            tokens = [event["token"] for event in feed]
            assert by_socket == tokens
            assert list(dict.fromkeys(sent.headers["webhook-id"] for sent in receiver.at(hook))) == tokens
        assert server.terminate() == 0


async def opened_office(server: Running, session: ClientSession) -> Office:
    """An empty office below the first account."""
    account, token = await asyncio.to_thread(log_in, server)
    account_id = account.rpartition("/")[2]
    api = Api(session, f"{server.url}/v2", token, f"/accounts/{account_id}")
    return await Office.opened(Tenant(account_id, "", "", token, api), f"office{uuid.uuid4().hex[:12]}")


async def listening(url: str, office: Office, receiver: Receiver) -> tuple[asyncio.Task[list[str]], str, str]:
    """Listen in each way: what a socket will have heard, the path of a webhook, and a token of the feed."""
    hook = "/office"
    about = {"name": "All", "hook": "object", "uri": f"{receiver.url}{hook}", "format": "json", "http_verb": "post"}
    made = await office.ui.api.put(
        "/webhooks", {**about, "secret": True, "custom_data": {"type": "all", "action": "all"}}
    )
    assert made.status == 201, made.envelope
    begun = asyncio.Event()

    async def until_the_last() -> list[str]:
        tokens: list[str] = []
        async for frame in heard(url, office.id, office.ui.api.token or "", begun, binding="object.*.*"):
            tokens.append(frame["token"])
            if is_last(frame["data"]):
                break
        return tokens

    socket = asyncio.create_task(until_the_last())
    await begun.wait()
    return socket, hook, (await office.ui.api.get("/events")).envelope["token"]


def is_last(data: Mapping[str, Any]) -> bool:
    return (data.get("doc") or {}).get("name") == LAST


async def whole_feed(api: Api, since: str) -> list[dict[str, Any]]:
    """The changes of documents after a token; there are notifications as well."""
    found: list[dict[str, Any]] = []
    while True:
        page = (await api.get("/events", query={"since": since, "page_size": "50"})).envelope
        found += [event for event in page["data"] if event["category"] == "configuration"]
        since = page["token"]
        if not page["more"]:
            assert is_last(found[-1]["data"])
            return found


def check_acknowledged(changes: list[tuple[str, str, str]], in_turn: int, feed: list[dict[str, Any]]) -> None:
    """Each acknowledged change is there once: in order, where one was made after the other; in any, where five at once.

    There are further ones in the feed: a request may change more than the document that it answers with.
    """
    told = [(event["name"], event["data"]["id"], event["data"]["rev"]) for event in feed]
    assert len(set(told)) == len(told)
    assert [one for one in told if one in changes[:in_turn]] == changes[:in_turn]
    # The answer to a deletion shows the document, and its revision, as it was.
    ended = {(name, document_id) for name, document_id, _ in changes if name == "doc_deleted"}
    assert {one for one in changes if one[:2] not in ended} <= set(told)
    assert sorted(ended) == sorted(one[:2] for one in told if one[0] == "doc_deleted")
    of_each: dict[str, list[int]] = {}
    for _, document_id, revision in told:
        of_each.setdefault(document_id, []).append(int(revision.partition("-")[0]))
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in of_each.values() if numbers[0] == 1)
