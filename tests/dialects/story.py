# SPDX-License-Identifier: MPL-2.0
"""A machine that says things in all dialects and to Crossbar, in an account of its own."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.dialects.speaker import Speaker, Told
from tests.harness import Answer, RunningServer, Tenant, new_tenant

STEPS: Final = settings(max_examples=max(3, settings.default.max_examples // 8), stateful_step_count=12, deadline=None)
PICK: Final = st.integers(0, 99)


class SpeakingMachine(RuleBasedStateMachine):
    """Runs in a thread beside the loop of the server, which does what it is told."""

    server: RunningServer
    tenant: Tenant
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        session = self.tenant.api.session
        bases = ("/1.0", "/1.1", "/0.1")
        self.old, self.confd, self.auth = (
            Speaker(session, self.server.url + base, self.tenant.token) for base in bases
        )

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def say(self, speaker: Speaker, method: str, path: str, *body: Any) -> Told:
        told: Told = self.do(speaker.request(method, path, *body))
        assert told.status < 400, (method, path, body, told.raw)
        return told

    def ask(self, speaker: Speaker, path: str) -> Told:
        return self.say(speaker, "GET", path)

    def items(self, speaker: Speaker, path: str) -> list[Any]:
        found: list[Any] = self.ask(speaker, path).json["items"]
        return found

    def kazoo(self, method: str, path: str, *data: Any) -> Answer:
        answer: Answer = self.do(self.tenant.api.request(method, path, *data))
        assert answer.status < 300, (method, path, data, answer.envelope)
        return answer


async def run_in_own_account(
    server: RunningServer, machine: type[SpeakingMachine], name: str, steps: settings = STEPS
) -> None:
    """Let a machine run in a new account."""
    tenant = await new_tenant(server, server.master, name)
    members = {"server": server, "tenant": tenant, "loop": asyncio.get_running_loop()}
    await asyncio.to_thread(run_state_machine_as_test, type("Told", (machine,), members), settings=steps)
