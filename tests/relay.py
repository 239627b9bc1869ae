# SPDX-License-Identifier: MPL-2.0
"""A mail relay for tests: a real SMTP server that keeps what it gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

PATIENCE_S = 30


@dataclass
class Relay:
    """What a relay got, and how it answers the next messages."""

    answers: list[str] = field(default_factory=list)
    got: list[Envelope] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    port: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.got.append(envelope)
            async with self.arrived:
                self.arrived.notify_all()
        return answer

    def letters(self, address: str) -> list[EmailMessage]:
        """What came for an address, the oldest first."""
        found = [envelope for envelope in self.got if address in envelope.rcpt_tos]
        return [letter_of(envelope) for envelope in found]

    async def letter(self, address: str, wanted: Callable[[EmailMessage], bool] = lambda _: True) -> EmailMessage:
        """The first letter for an address that is wanted, waited for."""
        async with asyncio.timeout(PATIENCE_S), self.arrived:
            while True:
                for letter in self.letters(address):
                    if wanted(letter):
                        return letter
                await self.arrived.wait()


def letter_of(envelope: Envelope) -> EmailMessage:
    """The message in an envelope."""
    content = envelope.content
    letter: EmailMessage = message_from_bytes(content if isinstance(content, bytes) else b"", policy=policy.SMTP)
    return letter


@asynccontextmanager
async def running_relay(*answers: str, **options: Any) -> AsyncIterator[Relay]:
    """A relay on a port of its own."""
    relay = Relay(list(answers))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(relay, hostname="relay.test", **options), "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
