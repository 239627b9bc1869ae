# SPDX-License-Identifier: MPL-2.0
"""Wrong values in every body, and afterwards everything that can be read: nothing may end in a fault of the server.

`Fuzzer` sends, for one caller, bodies made by `Bodies` to all routes that write, and reads the account whole every so
often. What it finds are answers of 500 and above that the protocol does not mean.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import orjson

from crossbar.app import ENDPOINTS
from crossbar.documents.store import Store
from crossbar.endpoint import Route
from trials.bodies import Bodies
from trials.stored import spoil

ENDS_THE_CALLER: Final = {("DELETE", "/v2/accounts/{account_id}"), ("DELETE", "/v2/token_auth")}
ROUTES: Final = sorted(
    (
        route
        for endpoint in ENDPOINTS
        for route in endpoint.routes
        if (route.verb, route.template) not in ENDS_THE_CALLER
    ),
    key=lambda route: (route.template, route.verb),
)
WRITES: Final = [route for route in ROUTES if route.verb in ("PUT", "POST", "PATCH")]
READS: Final = [route for route in ROUTES if route.verb == "GET"]
MEANT: Final = re.compile(
    r"action required|invalid action|invalid request|apps exist for provider|quickcall initiation failed"
    r"|account has descendants|account_has_descendants|schema .* not found\.|error processing fax file"
    r"|timeout|not_implemented|Failed to send message|Failed to process notification preview"
    r"|Failed to compile notification template|document is not in folder .*|error when (forward|resubmitt)ing fax"
    r"|plan_is_not_assigned|authentication|invalid_bookkeeper|phonebook unavailable|transition_errors|invalid_request"
    r"|No rate found for this number",
    re.DOTALL,
)
"""Messages of answers of 500 and above that the protocol has."""
NOTHING_TO_RING: Final = "unspecified_fault"
"""The message where a quick call finds no device; elsewhere it tells of a fault."""

ENVELOPE: Final = (
    "action",
    "filename",
    "page_size",
    "start_key",
    "accept_charges",
    "dry_run",
    "paginate",
)
"""Keys beside `data` that handlers look at."""
QUERIES: Final = (
    *("", "", "with_status=true", "full_docs=true", "paginate=false", "fields=id,name", "accept=csv", "full=true"),
    *("recent=true", "details=true", "with_defaults=true", "page_size=1", "has_key=name", "filter_name=x"),
    *("include_api_key=true", "created_from=1", "filter_not_owner_id=a", "sort_by=name&descending=true"),
)
"""What is asked of reads."""

Send = Callable[[str, str, bytes | None], Awaitable[tuple[int, bytes]]]
"""Verb, path and body of a request → status and body of the answer."""


class Fault(NamedTuple):
    """An answer that tells of a fault, and what led to it: the request itself, or for a read those before it."""

    request: str
    status: int
    answer: str
    before: tuple[str, ...]


@dataclass
class Figures:
    """What came of the requests of a run."""

    statuses: Counter[str] = field(default_factory=Counter)
    faults: dict[str, Fault] = field(default_factory=dict)
    """By the route, so that one fault does not hide others."""

    @property
    def requests(self) -> int:
        """How many were sent."""
        return self.statuses.total()


@dataclass
class World:
    """An account to spoil, ids of what is in it by the name that templates have for them, and who calls."""

    ids: dict[str, str]
    send: Send


class Fuzzer:
    """Sends requests to one world after the other; a new one is made when the caller can do nothing in the old one."""

    def __init__(
        self,
        new_world: Callable[[], Awaitable[World]],
        seed: int,
        *,
        writes: list[Route] | None = None,
        batch: int = 400,
    ) -> None:
        self.figures = Figures()
        self._new_world = new_world
        self._chance = random.Random(seed)
        self._writes = WRITES if writes is None else writes
        self._batch = batch
        self._world: World | None = None
        self._recent: list[str] = []

    async def round(self) -> None:
        """Some writes, then every read."""
        world = self._world = self._world or await self._new_world()
        bodies = Bodies(self._chance, list(world.ids.values()))
        self._recent = []
        for _ in range(self._batch):
            route = self._chance.choice(self._writes)
            data = bodies.body(route)
            beside = {self._chance.choice(ENVELOPE): bodies.value()} if self._chance.random() < 0.15 else {}
            status, answer = await self._request(world, route, orjson.dumps({**beside, "data": data}))
            if status in (200, 201):
                self._recent.append(f"{route.verb} {route.template} {orjson.dumps(data).decode()[:2000]}")
                _note_id(world, route, answer)
        await self._read_everything(world)

    async def stored_round(self, store: Store, many: int) -> None:
        """Wrong values in what is stored, written past the API, then every read."""
        world = self._world = self._world or await self._new_world()
        self._recent, unbearable = await spoil(store, world.ids["account_id"], self._chance, many)
        for what, change in unbearable.items():
            self.figures.faults.setdefault(what, Fault(change, 0, what, ()))
        await self._read_everything(world)

    async def _read_everything(self, world: World) -> None:
        for route in READS:
            await self._request(world, route, None)
        status, _ = await world.send("GET", f"/v2/accounts/{world.ids['account_id']}", None)
        if status not in (200, 403):
            self._world = None

    async def _request(self, world: World, route: Route, body: bytes | None) -> tuple[int, bytes]:
        query = f"?{self._chance.choice(QUERIES)}" if body is None else ""
        status, answer = await world.send(route.verb, path_of(route, world.ids, "f" * 32) + query, body)
        self.figures.statuses[f"{status // 100}xx"] += 1
        if status >= 500 and not is_meant(route, answer):
            request = f"{route.verb} {route.template}{query} {(body or b'').decode()[:2000]}"
            before = () if body else tuple(self._recent[-self._batch :])
            told = answer.decode(errors="replace")[:300]
            self.figures.faults.setdefault(f"{route.verb} {route.template}", Fault(request, status, told, before))
        return status, answer


def is_meant(route: Route, answer: bytes) -> bool:
    """Whether the protocol has this answer of 500 or above."""
    try:
        message = str(orjson.loads(answer).get("message"))
    except orjson.JSONDecodeError:
        return False
    return is_meant_message(route.template, message)


def is_meant_message(template: str, message: str) -> bool:
    """Whether the protocol has answers of 500 and above with this message on a path."""
    return bool(MEANT.fullmatch(message)) or ("/quickcall/" in template and message == NOTHING_TO_RING)


def path_of(route: Route, ids: dict[str, str], fill: str) -> str:
    """The path of a route; what is in no document's id is filled in."""
    steps = [ids.get(step[1:-1], fill) if step.startswith("{") else step for step in route.template.split("/")]
    return "/".join(quote(step, safe="") for step in steps)


def _note_id(world: World, route: Route, answer: bytes) -> None:
    """Remember what was created under the name that templates have for it."""
    name = _CREATED.get(route.template) if route.verb == "PUT" else None
    created: Any = orjson.loads(answer).get("data") if name and answer[:1] == b"{" else None
    if name and isinstance(created, dict) and isinstance(created.get("id"), str) and name != "account_id":
        world.ids[name] = created["id"]


_CREATED: Final = {
    parent: step[1:-1]
    for parent, _, step in (route.template.rpartition("/") for route in ROUTES)
    if step.startswith("{")
}
"""The template of a collection → the name of the argument that follows it."""
