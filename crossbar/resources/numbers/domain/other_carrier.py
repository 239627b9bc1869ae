# SPDX-License-Identifier: MPL-2.0
"""The carrier `other`: any provider of numbers that speaks this protocol over HTTP.

Below the address, `number_manager.other.phonebook_url`, and with the country in the place of `US`:

| asked | request | what is read of the answer |
| --- | --- | --- |
| search | `GET /numbers/US/search?prefix=&limit=&offset=` | `{status: "success", data: {<number>: {…}}}` |
| blocks | `GET /blocks/US/search?prefix=&size=&offset=&limit=` | `{status, data: [{start_number, end_number}]}` |
| check | `POST /numbers/US/status`, `{data: [<number>]}` | `{status, data: [{number, status}]}` |
| order | `PUT /numbers/US/order`, `{data: {numbers, gateways}}` | `{data: {<number>: {status, opaque?, locality?}}}` |
| release | `DELETE /numbers/US/order`, `{data: {numbers}}` | 2xx; 404, 405, 410 and 501: nothing to take back |

All but the release is KAZOO's, whose module gives nothing back.

Source: KAZOO `knm_other.erl`.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    hdrs,
)
from yarl import URL

from crossbar.config import CarrierOptions
from crossbar.dialing import is_reconcilable, normalize
from crossbar.documents.document import as_list, as_object
from crossbar.documents.dry_run import refuse_dry
from crossbar.errors import JSON
from crossbar.resources.numbers.domain.carrier import (
    SUCCESS,
    Acquired,
    BuiltInCarrier,
    CarrierFault,
    Offer,
    Outcomes,
    Wanted,
    faults,
)
from crossbar.resources.numbers.domain.number import OTHER
from crossbar.resources.system.domain.outgoing_connections import OutgoingConnections
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

JSON_TYPE: Final = "application/json"
NOTHING_TO_RELEASE: Final = frozenset({404, 405, 410, 501})
LARGEST_ANSWER: Final = 8 * 2**20
"""Bytes; an answer about 500 numbers is some hundred kilobytes."""


def other_carrier(runtime: Runtime) -> OtherCarrier | None:
    """The carrier, where it has an address."""
    options = runtime.config.carrier
    return OtherCarrier(options, OutgoingConnections(runtime.settings)) if options.url else None


class OtherCarrier(BuiltInCarrier):
    """A carrier behind a URL. What it is not asked for is kept as it is sent, as a built-in carrier does."""

    takes_back = True

    def __init__(self, options: CarrierOptions, connections: OutgoingConnections) -> None:
        super().__init__(OTHER)
        self._options = options
        self._connections = connections

    async def search(self, wanted: Wanted) -> list[Offer]:
        """Numbers that it offers."""
        size = wanted.quantity if wanted.blocks is None else wanted.blocks
        asked: dict[str, JSON] = {"prefix": wanted.prefix, "limit": size, "offset": wanted.offset}
        what = "numbers"
        if wanted.blocks is not None:
            what, asked["size"] = "blocks", wanted.quantity
        seconds = self._options.search_timeout_ms / 1000
        answer = await self._ask("GET", what, f"search?{urlencode(asked)}", seconds=seconds)
        found = as_object(_successful(answer)) if wanted.blocks is None else dict(_ends(_successful(answer)))
        fitting = ((number, data) for number, data in found.items() if _fits(number, wanted.prefix))
        most = size if wanted.blocks is None else 2 * size
        return [Offer(number, data=as_object(data)) for number, data in fitting][:most]

    async def check(self, numbers: Sequence[str]) -> dict[str, str]:
        """What it says of numbers; it is asked for them without `+` and country code where that is 1."""
        national = {number.removeprefix("+1"): number for number in numbers}
        answer = await self._ask("POST", "numbers", "status", {"data": list(national)})
        told = (as_object(entry) for entry in as_list(_successful(answer)))
        said = {str(entry.get("number")): str(entry.get("status")) for entry in told}
        return {national.get(number, normalize(number)): status for number, status in said.items()}

    async def acquire(self, numbers: Sequence[str]) -> Outcomes:
        """Order numbers, all at once."""
        order: JSON = {"data": {"numbers": list(numbers), "gateways": list(self._options.endpoints)}}
        try:
            answer = await self._ask("PUT", "numbers", "order", order)
        except CarrierFault as fault:
            log.warning("numbers could not be ordered: %s", fault)
            return faults(numbers, fault)
        told = as_object(as_object(answer).get("data"))
        return {number: _outcome(as_object(told.get(number))) for number in numbers}

    async def release(self, numbers: Sequence[str]) -> None:
        """Cancel what was ordered."""
        await self._ask("DELETE", "numbers", "order", {"data": {"numbers": list(numbers)}}, also=NOTHING_TO_RELEASE)

    async def _ask(
        self,
        verb: str,
        what: str,
        path: str,
        body: JSON = None,
        *,
        also: frozenset[int] = frozenset(),
        seconds: float | None = None,
    ) -> JSON:
        """What is answered with 200; nothing is read of the answer to a DELETE, nor of one of the statuses `also`."""
        refuse_dry("asks a carrier")
        options = self._options
        base = f"{str(options.url).rstrip('/')}/{what}/{quote(options.country, safe='')}/{path}"
        connector = TCPConnector(socket_factory=self._connections.socket)
        timeout = ClientTimeout(total=options.timeout_s if seconds is None else seconds)
        try:
            async with (
                ClientSession(connector=connector, cookie_jar=DummyCookieJar(), timeout=timeout) as session,
                session.request(
                    verb,
                    URL(base, encoded=True),
                    data=None if body is None else orjson.dumps(body),
                    headers={hdrs.CONTENT_TYPE: JSON_TYPE, hdrs.ACCEPT: JSON_TYPE, **_log_in(options)},
                    allow_redirects=False,
                ) as response,
            ):
                if response.status in also or (verb == "DELETE" and 200 <= response.status < 300):
                    return None
                if response.status != 200:
                    refused = 400 <= response.status < 500
                    raise CarrierFault(f"it answers {response.status} to {verb} {path}", may_be_done=not refused)
                return orjson.loads(await _whole(response.content.iter_chunked(2**16)))
        except ClientConnectorError as error:
            raise CarrierFault(str(error)) from error
        except (ClientError, OSError, ValueError, TimeoutError) as error:
            raise CarrierFault(str(error) or type(error).__name__, may_be_done=True) from error


def _log_in(options: CarrierOptions) -> dict[str, str]:
    """The header of a log-in, where there is one."""
    if not options.user:
        return {}
    credentials = base64.b64encode(f"{options.user}:{options.password or ''}".encode()).decode()
    return {hdrs.AUTHORIZATION: f"Basic {credentials}"}


async def _whole(pieces: Any) -> bytes:
    gathered = bytearray()
    async for piece in pieces:
        gathered += piece
        if len(gathered) > LARGEST_ANSWER:
            raise ValueError("its answer is too long")
    return bytes(gathered)


def _successful(answer: JSON) -> JSON:
    """The data of an answer. Raises CarrierFault for one that is no success."""
    told = as_object(answer)
    if told.get("status") != SUCCESS:
        raise CarrierFault(f"it answers with status {told.get('status')!r}")
    return told.get("data")


def _ends(blocks: JSON) -> Iterator[tuple[str, JSON]]:
    """The first and the last number of each block."""
    for block in map(as_object, as_list(blocks)):
        yield from ((str(block.get(end)), block) for end in ("start_number", "end_number"))


def _fits(number: str, prefix: str) -> bool:
    return number.startswith(prefix) and number[1:].isascii() and number[1:].isdigit() and is_reconcilable(number)


def _outcome(told: dict[str, Any]) -> Acquired | CarrierFault:
    if told.get("status") != SUCCESS:
        return CarrierFault(f"it answers with status {told.get('status')!r}")
    return Acquired(as_object(told.get("opaque")) or None, told.get("locality"))
