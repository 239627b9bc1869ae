# SPDX-License-Identifier: MPL-2.0
"""Reading from a Crossbar API: logged in, no faster than is wanted, and again where it fails for a moment.

Source: KAZOO `cb_api_auth`, `cb_user_auth`, `api_util.erl` (envelopes).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import urlsplit

import orjson
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from crossbar.errors import JSON
from crossbar.moving.trouble import CannotMove

Result = TypeVar("Result")

log = logging.getLogger(__name__)

TRIES: Final = 8
LONGEST_PAUSE_S: Final = 30.0
PATIENCE: Final = ClientTimeout(total=None, connect=30, sock_read=120)
PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may do better in a moment."""
JSON_TYPE: Final = "application/json"
AT_A_TIME: Final = 8
"""Requests that are on their way at once."""


@dataclass(frozen=True, slots=True)
class ApiLogin:
    """How to log in: by a token that is known, else by an API key, else as a user of the account of a realm."""

    token: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    user: str | None = None
    realm: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAccount:
    """An account that the API at `url` shows, with or without those below it, and how it is read from there.

    `rate` is how many requests a second are made at most; None for as many as can be.
    """

    url: str
    credentials: ApiLogin
    account_id: str
    descendants: bool = True
    rate: float | None = None


class RequestRefused(Exception):
    """The API answers a request with an error, and would again."""

    def __init__(self, path: str, status: int, message: str) -> None:
        super().__init__(f"{path}: {status} {message}".rstrip())
        self.status = status


class RemoteApi:
    """One API, below `url` (with or without `/v2`), at most `rate` requests a second."""

    def __init__(self, session: ClientSession, url: str, credentials: ApiLogin, rate: float | None) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise CannotMove(f"{url} is no address of an API, such as https://host:8443")
        self._session = session
        self.url = url.rstrip("/").removesuffix("/v2")
        self._credentials = credentials
        self._token = credentials.token
        self._interval = 1 / rate if rate else 0.0
        self._next = 0.0
        self._at_a_time = asyncio.Semaphore(AT_A_TIME)
        self._login = asyncio.Lock()

    async def log_in(self) -> None:
        """Get a token. Raises CannotMove."""
        given = self._credentials
        if given.api_key:
            path, data = "/api_auth", {"api_key": given.api_key}
        elif given.user and given.password is not None:
            hashed = hashlib.md5(f"{given.user.lower()}:{given.password}".encode(), usedforsecurity=False).hexdigest()
            path, data = "/user_auth", {"credentials": hashed, "account_realm": given.realm or ""}
        elif given.token:
            raise CannotMove(f"{self.url} does not take the token, or takes it no more; give another one")
        else:
            raise CannotMove("say how to log in: --api-key, --user and --user-realm, or --token")
        try:
            answer = await self._answer("PUT", path, {}, orjson.dumps({"data": data}))
        except RequestRefused as error:
            raise CannotMove(f"cannot log in at {self.url}: {error}") from error
        self._token = str(answer.get("auth_token"))

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, JSON]:
        """The envelope of a GET. Raises RequestRefused, and CannotMove where nobody answers."""
        return await self._logged_in(lambda: self._answer("GET", path, query or {}))

    async def download(self, path: str, accept: str) -> Download | None:
        """A file, read to its end by whoever gets it; None where there is none. Raises as `get`."""

        async def begin() -> Download | None:
            opened = await self._open("GET", path, {}, None, accept)
            if opened.status == 404:
                opened.release()
                return None
            if opened.status != 200:
                raise await _refusal(path, opened)
            return Download(opened)

        return await self._logged_in(begin)

    async def _logged_in(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """What the work returns, after another log-in where the token has ended."""
        if self._token is None:
            await self._renew(None)
        used = self._token
        try:
            return await work()
        except RequestRefused as error:
            if error.status != 401:
                raise
        await self._renew(used)
        return await work()

    async def _renew(self, used: str | None) -> None:
        async with self._login:
            if self._token == used:
                await self.log_in()

    async def _answer(
        self, method: str, path: str, query: Mapping[str, str], body: bytes | None = None
    ) -> dict[str, JSON]:
        response = await self._open(method, path, query, body, JSON_TYPE)
        async with response:
            if response.status not in (200, 201):
                raise await _refusal(path, response)
            try:
                envelope = orjson.loads(await response.read())
            except orjson.JSONDecodeError as error:
                raise CannotMove(f"{self.url} answers no JSON; is it a Crossbar API?") from error
        return envelope if isinstance(envelope, dict) else {}

    async def _open(
        self, method: str, path: str, query: Mapping[str, str], body: bytes | None, accept: str
    ) -> ClientResponse:
        """An answer that is not one of a moment's trouble."""
        reason = ""
        for tried in range(TRIES):
            pause = min(0.5 * 2**tried, LONGEST_PAUSE_S)
            async with self._at_a_time:
                await self._wait_for_turn()
                try:
                    response = await self._session.request(
                        method, self._address(path, query), data=body, headers=self._headers(accept, body)
                    )
                except (ClientError, TimeoutError, OSError) as error:
                    reason = str(error) or type(error).__name__
                else:
                    if response.status not in PASSING:
                        return response
                    if response.status == 500 and tried >= 2:  # it says so of what it will never do, too
                        return response
                    pause = max(pause, _retry_after(response)) if response.status == 429 else pause
                    reason = f"{response.status} {response.reason}"
                    response.release()
            log.info("%s %s: %s; again in %.1f s", method, path, reason, pause)
            await asyncio.sleep(pause)
        raise CannotMove(f"{self.url} does not answer ({path}: {reason}); run the command again to go on from here")

    async def _wait_for_turn(self) -> None:
        now = time.monotonic()
        self._next = max(self._next, now) + self._interval
        if self._interval:
            await asyncio.sleep(self._next - self._interval - now)

    def _address(self, path: str, query: Mapping[str, str]) -> URL:
        return URL(f"{self.url}/v2{path}", encoded=True).with_query(query)

    def _headers(self, accept: str, body: bytes | None) -> dict[str, str]:
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = JSON_TYPE
        if self._token is not None:
            headers["X-Auth-Token"] = self._token
        return headers


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way: its type, its name if it has one, and its bytes."""

    _response: ClientResponse

    @property
    def content_type(self) -> str:
        """What the server says it is."""
        return self._response.content_type

    @property
    def name(self) -> str | None:
        """The name that the server gives it."""
        disposition = self._response.content_disposition
        return disposition.filename if disposition else None

    async def read(self) -> bytes:
        """All of it."""
        async with self._response:
            return await self._response.read()


async def _refusal(path: str, response: ClientResponse) -> RequestRefused:
    async with response:
        try:
            envelope = orjson.loads(await response.read())
        except (orjson.JSONDecodeError, ClientError):
            envelope = {}
    message = envelope.get("message") if isinstance(envelope, dict) else None
    return RequestRefused(path, response.status, str(message or response.reason or ""))


def _retry_after(response: ClientResponse) -> float:
    given = response.headers.get("Retry-After", "")
    return min(float(given), LONGEST_PAUSE_S) if given.isdigit() else 1.0


@asynccontextmanager
async def remote_api(url: str, credentials: ApiLogin, rate: float | None) -> AsyncIterator[RemoteApi]:
    """An API to read from while the block runs; a proxy of the environment is used."""
    async with ClientSession(timeout=PATIENCE, trust_env=True) as session:
        yield RemoteApi(session, url, credentials, rate)
