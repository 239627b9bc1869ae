# SPDX-License-Identifier: MPL-2.0
"""A small client for tests: requests as clients send them, answers as clients see them."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson
import pytest
from aiohttp import ClientSession, TCPConnector, web
from multidict import CIMultiDictProxy
from pymongo import MongoClient

from crossbar import administration, clock
from crossbar import app as application
from crossbar.config import Config
from crossbar.documents.document_types import NOTICE
from crossbar.documents.listing import Listing
from crossbar.events.notices import NOTICES
from crossbar.ids import new_id
from crossbar.process.serving import http_runner
from crossbar.resources.notices.domain.notice_mail import TRIES
from crossbar.runtime import Runtime
from crossbar.shared import BucketTable, Shared, WriteMarks
from tests.spooled import spooled

PATIENCE_S = 30
IDLE_S = 5
"""How long a client keeps a connection: less than the server's `server.request_timeout_ms`, or a request could meet the
server's closing of an idle one."""
ABSENT = object()
"""Stands for a value that a test does not compare (ids, times, revisions)."""
Got = TypeVar("Got")


@dataclass(frozen=True)
class RawAnswer:
    """One response as it came."""

    status: int
    headers: CIMultiDictProxy[str]
    raw: bytes


@dataclass(frozen=True)
class Answer(RawAnswer):
    """One response with its envelope, where the body is JSON."""

    envelope: dict[str, Any]

    @property
    def data(self) -> Any:
        """The envelope's `data`."""
        return self.envelope.get("data")

    @property
    def id(self) -> str:
        """The id of the document in `data`."""
        return str(self.data["id"])

    def invalid(self) -> dict[str, dict[str, Any]]:
        """What a validation error says: field → rule that it breaks → what is told of it."""
        status, code, message, found = self.error()
        assert (status, code, message) == (400, "400", "validation error")
        broken: dict[str, dict[str, Any]] = found
        return broken

    def refusals(self) -> dict[str, list[str]]:
        """The codes of a validation error, by field."""
        return {field: [*codes] for field, codes in self.invalid().items()}

    def error(self) -> tuple[int, str, str, Any]:
        """Status, `error`, `message` and `data` of an error envelope."""
        assert self.envelope["status"] == "error", self.envelope
        return self.status, self.envelope["error"], self.envelope["message"], self.data


class Verbs(Generic[Got]):
    """The verbs of a client that sends requests (`request`) and gets answers of one kind."""

    async def request(self, *sent: Any, **options: Any) -> Got:
        """Send a request: verb, path and, where there are some, data."""
        raise NotImplementedError

    async def get(self, path: str, **options: Any) -> Got:
        return await self.request("GET", path, **options)

    async def put(self, path: str, data: Any = ABSENT, **options: Any) -> Got:
        return await self.request("PUT", path, data, **options)

    async def post(self, path: str, data: Any = ABSENT, **options: Any) -> Got:
        return await self.request("POST", path, data, **options)

    async def patch(self, path: str, data: Any = ABSENT, **options: Any) -> Got:
        return await self.request("PATCH", path, data, **options)

    async def delete(self, path: str, data: Any = ABSENT, **options: Any) -> Got:
        return await self.request("DELETE", path, data, **options)


@dataclass
class Api(Verbs[Answer]):
    """The API as one caller sees it; `prefix` goes before every path."""

    session: ClientSession
    base: str
    token: str | None = None
    prefix: str = ""

    async def request(
        self,
        method: str,
        path: str,
        data: Any = ABSENT,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        **envelope: Any,
    ) -> Answer:
        """Send `data` in its envelope (or `body` as it is) and return the answer."""
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("X-Auth-Token", self.token)
        if body is None and (data is not ABSENT or envelope):
            body = orjson.dumps(({"data": data} if data is not ABSENT else {}) | envelope)
        if body is not None:
            sent.setdefault("Content-Type", content_type)
        hook = path.startswith("/hooks/")
        url = path if path.startswith("http") else f"{self.base.removesuffix('/v2')}{path}" if hook else None
        url = url or f"{self.base}{self.prefix}{path}"
        async with self.session.request(method, url, data=body, headers=sent, params=query) as response:
            raw = await response.read()
            is_json = response.headers.get("Content-Type") == "application/json" and raw
            parsed = orjson.loads(raw) if is_json else {}
            return Answer(response.status, response.headers, raw, parsed if isinstance(parsed, dict) else {})

    def acting(self, token: str | None, prefix: str | None = None) -> Api:
        """The same API as another caller, or with another prefix."""
        return Api(self.session, self.base, token, self.prefix if prefix is None else prefix)


def client_session() -> ClientSession:
    """A client that leaves no connection idle for longer than the server does."""
    return ClientSession(connector=TCPConnector(keepalive_timeout=IDLE_S))


@dataclass
class RunningServer:
    """The running server of a test process."""

    url: str
    """`http://127.0.0.1:<port>`"""
    runtime: Runtime
    runner: web.AppRunner | None = None
    """What serves it, where a test wants another listener for it."""
    master: Tenant = field(init=False)


async def bootstrapped(config: Config, uri: str) -> administration.Bootstrap:
    """The first account of an installation, and its first user."""
    return await administration.bootstrap(
        config, database_uri=uri, account="Master", realm="master.test", user="root", password="a master's word"
    )


@asynccontextmanager
async def running_server(config: Config, mongo_uri: str) -> AsyncIterator[RunningServer]:
    """A server of its own for whoever cannot use the common one; `master` is its first account."""
    made = await bootstrapped(config, mongo_uri)
    app = await application.build_app(
        config, database_uri=mongo_uri, shared=Shared(BucketTable(1024), WriteMarks(), new_id())
    )
    runner = http_runner(app, config)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = RunningServer(f"http://127.0.0.1:{runner.addresses[0][1]}", app[application.RUNTIME], runner)
    try:
        async with client_session() as session:
            token = await issue_token(server, made.account_id, made.user_id)
            api = Api(session, f"{server.url}/v2", token, f"/accounts/{made.account_id}")
            server.master = Tenant(made.account_id, "master.test", made.user_id, token, api)
            yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def worker(
    config: Config, uri: str, session: ClientSession, made: administration.Bootstrap
) -> AsyncIterator[RunningServer]:
    """One worker's application, on a port of its own."""
    app = await application.build_app(
        config, database_uri=uri, shared=Shared(BucketTable(1024), WriteMarks(), new_id())
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    server = RunningServer(url, app[application.RUNTIME], runner)
    token = await issue_token(server, made.account_id, made.user_id)
    api = Api(session, f"{url}/v2", token, f"/accounts/{made.account_id}")
    server.master = Tenant(made.account_id, "master.test", made.user_id, token, api)
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def own_server(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], data: Path, options: Mapping[str, str]
) -> AsyncIterator[RunningServer]:
    """A running server with options of its own, in a database that is dropped in the end."""
    name = f"test-{uuid.uuid4().hex}"
    usual = {"server.data": str(data), "database.name": name, "buckets.token_costs": "0", "log.level": "warning"}
    async with running_server(Config.load(None, {}, {**usual, **options}), mongo_uri) as server:
        yield server
    mongo_client.drop_database(name)


Workers = tuple[RunningServer, RunningServer]
ServerWith = Callable[..., AbstractAsyncContextManager[RunningServer]]
"""Makes a running server with options: `server_with(log__level="error")`."""


@asynccontextmanager
async def two_workers(mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], data: Path) -> AsyncIterator[Workers]:
    """Two workers with one database, which is dropped in the end."""
    name = f"test-{uuid.uuid4().hex}"
    usual = {"server.data": str(data), "database.name": name, "buckets.token_costs": "0", "log.level": "error"}
    config = Config.load(None, {}, usual)
    made = await bootstrapped(config, mongo_uri)
    async with (
        client_session() as session,
        worker(config, mongo_uri, session, made) as first,
        worker(config, mongo_uri, session, made) as second,
    ):
        yield first, second
    mongo_client.drop_database(name)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_S) -> None:
    """Ask every few milliseconds until it holds, which is not to take longer than so many seconds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.005)  # asking without a pause takes the time of what is waited for


@contextmanager
def kept_logging() -> Iterator[None]:
    """A root logger without handlers, and afterwards the one from before."""
    before = logging.root.handlers[:], logging.root.level
    logging.root.handlers.clear()
    try:
        yield
    finally:
        for handler in logging.root.handlers:
            handler.close()
        logging.root.handlers[:], logging.root.level = before
        logging.captureWarnings(False)


class Caller:
    """Who has a token; `api` speaks with it."""

    token: str
    api: Api

    @property
    def root(self) -> Api:
        """The same caller, with paths from `/v2` on."""
        return self.api.acting(self.token, "")


@dataclass
class Tenant(Caller):
    """An account with an administrator; `api` speaks as that user, with paths below the account."""

    id: str
    realm: str
    admin_id: str
    token: str
    api: Api


async def new_tenant(server: RunningServer, parent: Tenant, name: str) -> Tenant:
    """A new account below `parent`, with an administrator and a token. Nobody hears of it by mail."""
    quietly = {"send_email_on_creation": "false"}
    created = await parent.root.put(f"/accounts/{parent.id}", {"name": name, "realm": f"{name}.test"}, query=quietly)
    assert created.status == 201, created.envelope
    account_id = created.id
    admin = await parent.root.put(
        f"/accounts/{account_id}/users",
        {
            "first_name": "Ada",
            "last_name": "Admin",
            "username": "admin",
            "password": "correct horse",
            "priv_level": "admin",
            "email": f"admin@{name}.test",
        },
        query=quietly,
    )
    assert admin.status == 201, admin.envelope
    token = await issue_token(server, account_id, admin.id)
    api = parent.api.acting(token, f"/accounts/{account_id}")
    return Tenant(account_id, f"{name}.test", admin.id, token, api)


async def issue_token(server: RunningServer, account_id: str, user_id: str | None, *, lifetime: int = 3600) -> str:
    """A token as a log-in would hand it out."""
    return await server.runtime.access.tokens.issue(account_id, user_id, "cb_user_auth", lifetime=lifetime)


@dataclass
class Person(Caller):
    """A user of an account; `api` speaks as that user, with paths below the account."""

    id: str
    token: str
    api: Api


async def new_person(server: RunningServer, tenant: Tenant, name: str = "plain", **fields: Any) -> Person:
    """A user of the account, who is no administrator unless `fields` say so. Nobody hears of it by mail."""
    about = {"first_name": "P", "last_name": "U", "username": name, "password": f"{name} password", **fields}
    user = await tenant.api.put("/users", about, query={"send_email_on_creation": "false"})
    assert user.status == 201, user.envelope
    token = await issue_token(server, tenant.id, user.id)
    return Person(user.id, token, tenant.api.acting(token))


def set_options(monkeypatch: pytest.MonkeyPatch, server: RunningServer, section: str, **options: Any) -> None:
    """Give the server other options of a section until the test ends."""
    settings = server.runtime.settings
    for place in ("_base", "config"):  # what is in force is made anew of the base when a system setting changes
        config = getattr(settings, place)
        changed = dataclasses.replace(getattr(config, section), **options)
        monkeypatch.setattr(settings, place, dataclasses.replace(config, **{section: changed}))


async def letters(server: RunningServer) -> list[EmailMessage]:
    """What lies in the mail spool, the oldest first, once every notice has become its letters."""
    store = server.runtime.store

    async def none_left() -> bool:
        waiting = await store.all(Listing(NOTICES, NOTICE))
        return all(notice.fields[TRIES] for notice in waiting)

    await until(none_left)
    return [letter for _, letter in spooled(server.runtime.config)]


async def letters_to(server: RunningServer, address: str) -> list[EmailMessage]:
    """What lies in the mail spool for an address alone, the oldest first."""
    return [letter for letter in await letters(server) if letter["To"] == address]


def text_of(letter: EmailMessage, kind: str = "plain") -> str:
    """The text of a letter, or (`html`) its page."""
    body = letter.get_body((kind,))
    assert body is not None
    return str(body.get_content())


async def expired_token(server: RunningServer, tenant: Tenant) -> str:
    """A token of the account's administrator that was good an hour ago."""
    with clock.frozen(clock.unix_now() - 7200):
        return await issue_token(server, tenant.id, tenant.admin_id)


async def send_parts(api: Api, method: str, path: str, data: Any, *files: tuple[bytes, str], **options: Any) -> Answer:
    """A multipart body: `data` in its envelope, then files with their types."""
    parts = [b"Content-Type: application/json\r\n\r\n" + orjson.dumps({"data": data})]
    for contents, content_type in files:
        extension = content_type.rpartition("/")[2]
        disposition = f'form-data; name="file"; filename="file.{extension}"'
        parts.append(f"Content-Disposition: {disposition}\r\nContent-Type: {content_type}\r\n\r\n".encode() + contents)
    body = b"--part\r\n" + b"\r\n--part\r\n".join(parts) + b"\r\n--part--\r\n"
    return await api.request(method, path, body=body, content_type="multipart/mixed; boundary=part", **options)
