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
from tempfile import SpooledTemporaryFile
from typing import IO, Final, TypeVar, cast

import orjson
from aiohttp import ClientConnectorCertificateError, ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from crossbar.errors import JSON
from crossbar.logs import scrubbed
from crossbar.moving.trouble import CannotMove

Result = TypeVar("Result")
Taken = Callable[[ClientResponse], Awaitable[Result]]
"""Reads an answer to its end."""

log = logging.getLogger(__name__)

TRIES: Final = 8
FEW_TRIES: Final = 3
"""Of what is likelier to be no Crossbar API, or a mistake of it, than to pass."""
LONGEST_PAUSE_S: Final = 30.0
PATIENCE: Final = ClientTimeout(total=None, connect=30, sock_read=120)
PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may do better in a moment."""
JSON_TYPE: Final = "application/json"
AT_A_TIME: Final = 8
"""Requests that are on their way at once."""
PIECE_BYTES: Final = 64 * 1024
IN_MEMORY: Final = 4 * 2**20
"""Bytes of a file that is not on the disk."""
LONGEST_ANSWER: Final = 256 * 2**20
LARGEST_FILE: Final = 4 * 2**30
LONGEST_MESSAGE: Final = 500
"""Characters of what a refusal says."""


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


class _Passing(Exception):
    """An answer that may be another one in a moment; `pause` in seconds, where it says how long that is."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


class _NoJson(_Passing):
    """An answer that was cut short, or comes from something else than a Crossbar API."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A request."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes | None
    accept: str


class RemoteApi:
    """One API, below `url` (with or without `/v2`), at most `rate` requests a second."""

    def __init__(self, session: ClientSession, url: str, credentials: ApiLogin, rate: float | None) -> None:
        if not _is_address(url):
            raise CannotMove(f"{scrubbed(url)} is no address of an API, such as https://host:8443")
        self._session = session
        self.url = url.rstrip("/").removesuffix("/v2")
        self._credentials = credentials
        self._token = credentials.token
        self._interval = 1 / rate if rate else 0.0
        self._next = 0.0
        self._at_a_time = asyncio.Semaphore(AT_A_TIME)
        self._login = asyncio.Lock()
        self._has_answered = False

    @property
    def shown(self) -> str:
        """Its address as people may read it."""
        return scrubbed(self.url)

    async def log_in(self) -> None:
        """Get a token. Raises CannotMove."""
        given = self._credentials
        if given.api_key:
            path, data = "/api_auth", {"api_key": given.api_key}
        elif given.user and given.password is not None:
            hashed = hashlib.md5(f"{given.user.lower()}:{given.password}".encode(), usedforsecurity=False).hexdigest()
            path, data = "/user_auth", {"credentials": hashed, "account_realm": given.realm or ""}
        elif given.token:
            raise CannotMove(f"{self.shown} does not take the token, or takes it no more; give another one")
        else:
            raise CannotMove("say how to log in: --api-key, --user and --user-realm, or --token")
        try:
            answer = await self._answer("PUT", path, {}, orjson.dumps({"data": data}))
        except RequestRefused as error:
            raise CannotMove(f"cannot log in at {self.shown}: {error}") from error
        token = answer.get("auth_token")
        if not isinstance(token, str):
            raise CannotMove(f"cannot log in at {self.shown}: it answers without a token; is it a Crossbar API?")
        self._token = token

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, JSON]:
        """The envelope of a GET. Raises RequestRefused, and CannotMove where nobody answers."""
        return await self._logged_in(lambda: self._answer("GET", path, query or {}))

    async def pages(
        self, path: str, query: Mapping[str, str], size: int, start: JSON = None
    ) -> AsyncIterator[tuple[JSON, JSON]]:
        """The `data` of each page of a list, with the key of the next page. Raises as `get`."""
        key, seen = start, {str(start)}
        while True:
            asked = {**query, "page_size": str(size), **({"start_key": str(key)} if key is not None else {})}
            envelope = await self.get(path, asked)
            key = envelope.get("next_start_key")
            yield envelope.get("data"), key
            if key is None:
                return
            if str(key) in seen:
                raise RequestRefused(path, 200, "its pages go in a circle; what else it lists is not known")
            seen.add(str(key))

    async def download(self, path: str, accept: str) -> Download | None:
        """A file, which whoever gets it closes; None where there is none. Raises as `get`."""

        async def taken(response: ClientResponse) -> Download | None:
            if response.status == 404:
                return None
            if response.status != 200:
                raise await _refusal(path, response)
            return await Download.of(path, response)

        return await self._logged_in(lambda: self._exchange(_Wanted("GET", path, {}, None, accept), taken))

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
        async def taken(response: ClientResponse) -> dict[str, JSON]:
            if response.status not in (200, 201):
                raise await _refusal(path, response)
            try:
                envelope = orjson.loads(await _read(path, response))
            except orjson.JSONDecodeError:
                envelope = None
            if not isinstance(envelope, dict):
                raise _NoJson("it answers no JSON")
            return envelope

        return await self._exchange(_Wanted(method, path, query, body, JSON_TYPE), taken)

    async def _exchange(self, wanted: _Wanted, taken: Taken[Result]) -> Result:
        """What is `taken` of an answer, which is read to its end, and is asked for again after a moment's trouble."""
        reason, pause = "", 0.0
        for tried in range(TRIES):
            if tried:
                log.info("%s %s: %s; again in %.1f s", wanted.method, wanted.path, reason, pause)
                await asyncio.sleep(pause)
            pause = min(0.5 * 2**tried, LONGEST_PAUSE_S)
            is_doubtful = tried >= FEW_TRIES - 1
            try:
                async with self._at_a_time:
                    await self._wait_for_turn()
                    return await self._once(wanted, taken, refused={500} if is_doubtful else set())
            except ClientConnectorCertificateError as error:
                raise CannotMove(f"the certificate of {self.shown} is not valid here: {error}") from error
            except _Passing as error:
                reason, pause = str(error), max(pause, error.pause)
                if isinstance(error, _NoJson) and is_doubtful and not self._has_answered:
                    raise CannotMove(f"{self.shown} answers no JSON ({wanted.path}); is it a Crossbar API?") from error
            except (ClientError, TimeoutError, ConnectionError) as error:
                reason = str(error) or type(error).__name__
        raise CannotMove(
            f"{self.shown} does not answer, or not to the end ({wanted.path}: {reason}); "
            "run the command again to go on from here"
        )

    async def _once(self, wanted: _Wanted, taken: Taken[Result], *, refused: set[int]) -> Result:
        """What is taken of one answer. Raises _Passing where the next may be a better one, but for `refused`."""
        async with self._session.request(
            wanted.method,
            URL(f"{self.url}/v2{wanted.path}", encoded=True).with_query(wanted.query),
            data=wanted.body,
            headers=self._headers(wanted),
            allow_redirects=False,  # the token would go along, to whatever server
        ) as response:
            if response.status in PASSING - refused:
                raise _Passing(
                    f"{response.status} {response.reason}", _retry_after(response) if response.status == 429 else 0.0
                )
            result = await taken(response)
        self._has_answered = True
        return result

    async def _wait_for_turn(self) -> None:
        now = time.monotonic()
        self._next = max(self._next, now) + self._interval
        if self._interval:
            await asyncio.sleep(self._next - self._interval - now)

    def _headers(self, wanted: _Wanted) -> dict[str, str]:
        headers = {"Accept": wanted.accept}
        if wanted.body is not None:
            headers["Content-Type"] = JSON_TYPE
        elif self._token is not None:  # not with a log-in, which one that has ended would spoil
            headers["X-Auth-Token"] = self._token
        return headers


@dataclass(frozen=True, slots=True)
class Download:
    """A file that was read to its end: its type, its name if it has one, its size in bytes, SHA-256, and its bytes."""

    content_type: str
    name: str | None
    size: int
    digest: bytes
    _file: IO[bytes] = field(repr=False)

    @classmethod
    async def of(cls, path: str, response: ClientResponse) -> Download:
        """What an answer brings; it lies on the disk if it is large. Raises RequestRefused for one without end."""
        digest, size = hashlib.sha256(), 0
        file = cast(IO[bytes], SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - its taker closes it
        try:
            async for piece in response.content.iter_chunked(PIECE_BYTES):
                digest.update(piece)
                size += len(piece)
                if size > LARGEST_FILE:
                    raise RequestRefused(path, response.status, f"the file has more than {LARGEST_FILE} bytes")
                file.write(piece)
        except BaseException:
            file.close()
            raise
        disposition = response.content_disposition
        return cls(response.content_type, disposition.filename if disposition else None, size, digest.digest(), file)

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it."""
        self._file.seek(0)
        while piece := self._file.read(PIECE_BYTES):
            yield piece

    def close(self) -> None:
        """Be done with it."""
        self._file.close()


async def _read(path: str, response: ClientResponse) -> bytes:
    """The body of an answer. Raises RequestRefused for one without end."""
    gathered = bytearray()
    async for piece in response.content.iter_chunked(PIECE_BYTES):
        gathered += piece
        if len(gathered) > LONGEST_ANSWER:
            raise RequestRefused(path, response.status, f"the answer has more than {LONGEST_ANSWER} bytes")
    return bytes(gathered)


async def _refusal(path: str, response: ClientResponse) -> RequestRefused:
    if 300 <= response.status < 400:
        place = response.headers.get("Location", "").partition("?")[0]
        return RequestRefused(path, response.status, f"it sends on to {place}; give the address of that API")
    try:
        envelope = orjson.loads(await _read(path, response))
    except (orjson.JSONDecodeError, ClientError, RequestRefused):
        envelope = None
    message = envelope.get("message") if isinstance(envelope, dict) else None
    return RequestRefused(path, response.status, str(message or response.reason or "")[:LONGEST_MESSAGE])


def _is_address(url: str) -> bool:
    try:
        parsed = URL(url)
    except ValueError:
        return False
    return parsed.scheme in ("http", "https") and bool(parsed.host)


def _retry_after(response: ClientResponse) -> float:
    given = response.headers.get("Retry-After", "")
    return min(float(given), LONGEST_PAUSE_S) if given.isdigit() else 1.0


@asynccontextmanager
async def remote_api(url: str, credentials: ApiLogin, rate: float | None) -> AsyncIterator[RemoteApi]:
    """An API to read from while the block runs; a proxy of the environment is used."""
    async with ClientSession(timeout=PATIENCE, trust_env=True) as session:
        yield RemoteApi(session, url, credentials, rate)
