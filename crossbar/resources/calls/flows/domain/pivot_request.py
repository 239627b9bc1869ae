# SPDX-License-Identifier: MPL-2.0
"""Pivot: what a web server is asked that decides on the next step of a call, and what it answers.

A switch hands in the call (see ingest); the server asks, over connections that lead to no network it must not reach,
and keeps what was asked and answered where the callflow's `debug` wants that.

Source: KAZOO `applications/pivot/doc/requests.md`, `pivot_call.erl` (`send_req`, `maybe_debug_req`), `kzt_kazoo.erl`
and `kzt_twiml.erl` (`req_params`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from aiohttp import ClientResponse, ClientSession, DummyCookieJar, TCPConnector, web
from yarl import URL

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.dry_run import refuse_dry
from crossbar.documents.store import Store
from crossbar.ids import new_id
from crossbar.resources.records.domain.cdr_row import whole
from crossbar.resources.system.domain.outgoing_connections import (
    NO_ANSWER,
    OutgoingConnections,
    beginning_of,
    headers_of,
    reachable_server,
    trouble_of,
)
from crossbar.runtime import Runtime

DEBUG: Final = "pivot_debug"
API_VERSION: Final = "2015-03-01"
USUAL_TIMEOUT_MS: Final = 5_000
LARGEST_ANSWER: Final = 256 * 1024
"""Bytes of an answer; a longer one is no callflow."""
MOST_REDIRECTS: Final = 3
FORM: Final = "application/x-www-form-urlencoded"
JSON_TYPE: Final = "application/json"

KAZOO: Final = {
    "call_id": "Call-ID",
    "account_id": "Account-ID",
    "from": "From",
    "from_realm": "From-Realm",
    "to": "To",
    "to_realm": "To-Realm",
    "request": "Request",
    "request_realm": "Request-Realm",
    "call_status": "Call-Status",
    "api_version": "Api-Version",
    "direction": "Direction",
    "caller_id_name": "Caller-ID-Name",
    "caller_id_number": "Caller-ID-Number",
    "user_id": "User-ID",
    "language": "Language",
    "recording_url": "Recording-Url",
    "recording_duration": "Recording-Duration",
    "recording_id": "Recording-ID",
    "digits": "Digits",
}
"""Field of a call → what it is called in a request of format `kazoo`."""
TWIML: Final = {
    "call_id": "CallSid",
    "account_id": "AccountSid",
    "from": "From",
    "from_realm": "FromRealm",
    "to": "To",
    "to_realm": "ToRealm",
    "call_status": "CallStatus",
    "api_version": "ApiVersion",
    "direction": "Direction",
    "caller_id_name": "CallerName",
    "caller_id_number": "CallerNumber",
    "recording_url": "RecordingUrl",
    "recording_duration": "RecordingDuration",
    "recording_id": "RecordingSid",
    "digits": "Digits",
}


@dataclass(frozen=True, slots=True)
class PivotRequest:
    """One request, as the callflow's data say: verb, URL, headers, body."""

    verb: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any], call: Mapping[str, Any]) -> PivotRequest:
        """The request for a call; `data` as schema `callflows.pivot` has it."""
        names = TWIML if data.get("req_format") == "twiml" else KAZOO
        known = {"api_version": API_VERSION, **call}
        told = {names[key]: str(value) for key, value in known.items() if key in names and value not in (None, "")}
        verb, url = str(data.get("method", "get")).upper(), str(data["voice_url"])
        if verb == "GET":
            return cls(verb, f"{url}{'&' if '?' in url else '?'}{urlencode(told)}")
        if data.get("req_body_format") == "json":
            return cls(verb, url, {"Content-Type": JSON_TYPE}, orjson.dumps(told).decode())
        return cls(verb, url, {"Content-Type": FORM}, urlencode(told))


@dataclass(frozen=True, slots=True)
class PivotAnswer:
    """What came back: a status, or why there is none."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    error: str | None = None

    @property
    def content_type(self) -> str:
        """The media type, in lower case."""
        return next((value for key, value in self.headers.items() if key.lower() == "content-type"), "").lower()

    @property
    def is_bad_json(self) -> bool:
        """Whether it says to be JSON and is none."""
        if not self.content_type.startswith(JSON_TYPE):
            return False
        try:
            orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return True
        return False


class PivotRequests:
    """Asks web servers; `node` is how this server is called in what is kept."""

    def __init__(self, session: ClientSession, node: str) -> None:
        self._session = session
        self._node = node

    async def ask(self, request: PivotRequest, timeout_ms: int) -> PivotAnswer:
        """Send a request; no trouble with it raises."""
        refuse_dry("asks a pivot application")
        try:
            async with (
                asyncio.timeout(timeout_ms / 1000),
                self._session.request(
                    request.verb,
                    URL(request.url, encoded=True),
                    data=request.body or None,
                    headers=request.headers,
                    max_redirects=MOST_REDIRECTS,
                ) as response,
            ):
                return PivotAnswer(response.status, headers_of(response), await _text(response))
        except NO_ANSWER as error:
            return PivotAnswer(error=trouble_of(error))

    async def note(
        self, store: Store, account_id: str, call: Mapping[str, Any], asked: PivotRequest, answer: PivotAnswer
    ) -> None:
        """Keep what was asked and answered, for those who write pivot applications.

        Of the `call` its `call_id`, and the number of the request in it (`iteration`, from 1).
        """
        which = {"call_id": call["call_id"], "iteration": max(whole(call.get("iteration"), 1), 1)}
        request: dict[str, Any] = {
            "method": asked.verb.lower(),
            "uri": asked.url,
            "req_headers": asked.headers,
            "req_body": asked.body,
        }
        response: dict[str, Any] = {
            "resp_status_code": None if answer.status is None else str(answer.status),
            "resp_headers": dict(answer.headers),
            "resp_body": answer.body if answer.error is None else answer.error,
        }
        if answer.is_bad_json:
            response["json_errors"] = ["the answer is no JSON"]
        for told in (request, response):
            await store.insert(self._debug(account_id, {**which, **told}))

    def _debug(self, account_id: str, told: dict[str, Any]) -> Document:
        now = clock.now()
        private = {
            "pvt_type": DEBUG,
            "pvt_account_id": account_id,
            "pvt_created": now,
            "pvt_modified": now,
            "pvt_node": self._node,
        }
        known = {key: value for key, value in told.items() if value is not None}
        return Document(account_id, DEBUG, f"{clock.year_month(now)}-{new_id()}", {**known, **private})


async def _text(response: ClientResponse) -> str:
    """The body. Raises ValueError for one that is too long."""
    body = await beginning_of(response, LARGEST_ANSWER)
    if len(body) > LARGEST_ANSWER:
        raise ValueError("the answer is too long")
    return body.decode("utf-8", "replace")


PIVOT: Final = web.AppKey("pivot requests", PivotRequests)


@asynccontextmanager
async def pivot_requests(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Connections to pivot applications as long as the server runs."""
    connections = OutgoingConnections(runtime.settings, reachable_server)
    connector = TCPConnector(socket_factory=connections.socket)
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar()) as session:
        app[PIVOT] = PivotRequests(session, runtime.settings.node)
        yield
