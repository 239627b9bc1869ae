# SPDX-License-Identifier: MPL-2.0
"""Port requests of one account, by any moves of anybody, beside a model of what should be there."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from crossbar import clock
from crossbar.access.authorship import Author
from crossbar.access.identity import Identity
from crossbar.errors import CrossbarError
from crossbar.resources.numbers.domain.number_caller import NumberCaller
from crossbar.resources.numbers.domain.port_request import PortState
from crossbar.resources.ports.domain.port_changes import PortRequests
from tests.harness import Answer, RunningServer, Tenant
from tests.numbers import fresh
from tests.ports import Porting, new_porting
from tests.resources.ports.test_port_states import FROM

STEPS: Final = settings(max_examples=max(4, settings.default.max_examples // 6), stateful_step_count=20, deadline=None)
PICK: Final = st.integers(0, 99)
OPEN: Final = {"unconfirmed", "submitted", "pending", "scheduled", "rejected"}
COMING: Final = OPEN - {"unconfirmed"}
WHO: Final = ("customer", "reseller", "agent", "master")


@dataclass
class Expected:
    """What is known of a request."""

    numbers: set[str]
    state: str = "unconfirmed"
    states: list[str] = field(default_factory=lambda: ["unconfirmed"])
    said: list[str] = field(default_factory=list)
    said_privately: list[str] = field(default_factory=list)

    def goes(self, state: str) -> None:
        self.state = state
        self.states.append(state)


class Ports(RuleBasedStateMachine):
    """Runs in a thread beside the loop of the server, which does what it is told."""

    server: RunningServer
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.porting: Porting = self.do(new_porting(self.server))
        self.pool = [fresh() for _ in range(4)]
        self.requests: dict[str, Expected] = {}
        self.in_service: set[str] = set()
        self.count = 0

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def ask(self, who: str, verb: str, path: str, data: Any = None) -> Answer:
        tenant: Tenant = getattr(self.porting, who)
        sent = tenant.api.get(path) if verb == "GET" else tenant.api.request(verb, path, data or {})
        answer: Answer = self.do(sent)
        assert answer.status < 500, answer.envelope
        return answer

    def pick(self, number: int) -> str | None:
        known = sorted(self.requests)
        return known[number % len(known)] if known else None

    def taken(self, but: str | None = None) -> set[str]:
        """Numbers that a request (other than `but`) cannot have."""
        others = (about for name, about in self.requests.items() if name != but and about.state in OPEN)
        return self.in_service.union(*(about.numbers for about in others))

    @rule(numbers=st.sets(st.integers(0, 3), min_size=1, max_size=2))
    def create(self, numbers: set[int]) -> None:
        wanted = {self.pool[number] for number in numbers}
        made = self.ask(
            "customer", "PUT", "/port_requests", {"name": "port", "numbers": {number: {} for number in wanted}}
        )
        assert made.status == (400 if wanted & self.taken() else 201), made.envelope
        if made.status == 201:
            self.requests[made.id] = Expected(wanted)

    @rule(number=PICK, numbers=st.sets(st.integers(0, 3), min_size=1, max_size=3), who=st.sampled_from(WHO))
    def change_numbers(self, number: int, numbers: set[int], who: str) -> None:
        if (request_id := self.pick(number)) is None:
            return
        about, wanted = self.requests[request_id], {self.pool[index] for index in numbers}
        data = {"name": "port", "numbers": {number: {} for number in wanted}}
        answer = self.ask(who, "POST", f"/port_requests/{request_id}", data)
        may = about.state in ("unconfirmed", "rejected") or who == "master"
        if about.state == "completed" and may:
            assert answer.status == 200
        elif may and about.state == "canceled":
            known = (wanted - about.numbers) & self.taken(request_id)
            assert answer.status == (400 if known else 200)
            about.numbers = about.numbers if known else wanted
        else:
            fits = may and not (wanted - about.numbers) & self.taken(request_id)
            assert answer.status == (200 if fits else 400), answer.envelope
            about.numbers = wanted if fits else about.numbers

    @rule(number=PICK, to=st.sampled_from(sorted(FROM)), who=st.sampled_from(WHO))
    def move(self, number: int, to: str, who: str) -> None:
        if (request_id := self.pick(number)) is None:
            return
        about = self.requests[request_id]
        answer = self.ask(who, "PATCH", f"/port_requests/{request_id}/{to}", {"scheduled_date": 63_900_000_000})
        may = who in ("agent", "master") or to == "submitted" or (to == "canceled" and about.state == "unconfirmed")
        assert answer.status == (200 if may and about.state in FROM[to] else 400), answer.envelope
        if answer.status == 200:
            self.arrive(about, to)

    def arrive(self, about: Expected, state: str) -> None:
        about.goes(state)
        if state == "completed":
            self.in_service |= about.numbers

    @rule(number=PICK, to=st.sampled_from(sorted(FROM)), after=st.integers(0, 12))
    def break_a_move_off(self, number: int, to: str, after: int) -> None:
        """End a move after some turns of the loop: it has happened whole, or not at all."""
        if (request_id := self.pick(number)) is None:
            return
        self.do(self.some_of_a_move(request_id, PortState(to), after))
        shown = self.ask("agent", "GET", f"/port_requests/{request_id}").data["port_state"]
        about = self.requests[request_id]
        if shown != about.state:
            assert (shown, about.state in FROM[to]) == (to, True)
            self.arrive(about, to)

    async def some_of_a_move(self, request_id: str, to: PortState, after: int) -> None:
        directory = self.server.runtime.access.directory
        account = await directory.account(self.porting.agent.id)
        assert account is not None
        identity = Identity.without_token(account, None, "cb_api_auth")
        requests = PortRequests(NumberCaller(self.server.runtime, identity, Author("test", identity)))
        task = asyncio.ensure_future(requests.move(request_id, to, {"scheduled_date": 63_900_000_000}, None))
        for _ in range(after):
            await asyncio.sleep(0.0005)
        task.cancel()
        with suppress(asyncio.CancelledError, CrossbarError):
            await task

    @rule(number=PICK, who=st.sampled_from(WHO), private=st.booleans())
    def comment(self, number: int, who: str, private: bool) -> None:
        if (request_id := self.pick(number)) is None:
            return
        self.count += 1
        text = f"comment {self.count}"
        comment = {"author": "x", "content": text, "timestamp": clock.now(), "is_private": private}
        answer = self.ask(who, "PUT", f"/port_requests/{request_id}/comments", {"comments": [comment]})
        may = not private or who in ("agent", "master")
        assert answer.status == (201 if may else 403)
        if may:
            about = self.requests[request_id]
            (about.said_privately if private else about.said).append(text)

    @rule(number=PICK, who=st.sampled_from(WHO))
    def delete(self, number: int, who: str) -> None:
        if (request_id := self.pick(number)) is None:
            return
        may = self.requests[request_id].state in ("unconfirmed", "rejected", "canceled")
        answer = self.ask(who, "DELETE", f"/port_requests/{request_id}")
        assert answer.status == (200 if may else 405)
        if may:
            del self.requests[request_id]

    @rule(number=PICK)
    def release(self, number: int) -> None:
        if self.in_service:
            released = sorted(self.in_service)[number % len(self.in_service)]
            assert self.ask("customer", "DELETE", f"/phone_numbers/{released}").status == 200
            self.in_service.remove(released)

    @invariant()
    def requests_are_as_expected(self) -> None:
        for request_id, about in self.requests.items():
            shown = self.ask("customer", "GET", f"/port_requests/{request_id}").data
            assert shown["port_state"] == about.state
            numbers = shown["_read_only"]["ported_numbers"] if about.state == "completed" else shown["numbers"]
            assert set(numbers) == about.numbers
            for who in ("customer", "agent"):
                timeline = self.ask(who, "GET", f"/port_requests/{request_id}/timeline").data
                said = sorted(entry["content"] for entry in timeline if "content" in entry)
                assert said == sorted([*about.said, *(about.said_privately if who == "agent" else ())])
                assert [entry["transition"]["new"] for entry in timeline if "transition" in entry] == about.states

    @invariant()
    def lists_are_as_expected(self) -> None:
        listed = self.ask("customer", "GET", "/port_requests").data
        found = {request["id"] for group in listed for request in group["port_requests"]}
        assert found == {request_id for request_id, about in self.requests.items() if about.state in OPEN}

    @invariant()
    def numbers_are_as_expected(self) -> None:
        listed = self.ask("customer", "GET", "/phone_numbers").data["numbers"]
        coming = {number for about in self.requests.values() if about.state in COMING for number in about.numbers}
        wanted = dict.fromkeys(coming, "port_in") | dict.fromkeys(self.in_service, "in_service")
        assert {number: row["state"] for number, row in listed.items()} == wanted


async def test_any_moves_of_anybody_keep_requests_and_numbers_whole(server: RunningServer) -> None:
    class Here(Ports):
        pass

    Here.server, Here.loop = server, asyncio.get_running_loop()
    await asyncio.to_thread(run_state_machine_as_test, Here, settings=STEPS)
