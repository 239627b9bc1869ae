# SPDX-License-Identifier: MPL-2.0
"""Requests of one account while its server may be killed, and the tally of what came of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

UNKNOWN: Final = 0
"""The status of a request that got no answer."""
REQUEST_S: Final = 60.0


@dataclass
class Tally:
    """What happened: answers by status, and what was found wrong."""

    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)

    @property
    def forbidden(self) -> int:
        """Answers that must not be: every 5xx but 503."""
        return sum(count for status, count in self.answers.items() if status >= 500 and status != 503)


class Client:
    """Requests of one account with a token; no answer is an answer, too."""

    def __init__(self, session: aiohttp.ClientSession, url: str, account_id: str, token: str, tally: Tally) -> None:
        self.account_id = account_id
        self._session = session
        self._url = url
        self._token = token
        self._tally = tally

    async def ask(
        self,
        method: str,
        path: str,
        data: Any = None,
        *,
        raw: bytes | None = None,
        content_type: str = "audio/mp3",
        account_id: str | None = None,
    ) -> tuple[int, Any]:
        """Status (`UNKNOWN` without an answer) and `data` of the answer, or its bytes where it is no JSON."""
        url = f"{self._url}/v2/accounts/{account_id or self.account_id}{path}"
        headers = {"X-Auth-Token": self._token}
        body: dict[str, Any] = {} if data is None else {"json": {"data": data}}
        if raw is not None:
            headers["Content-Type"] = content_type
            body = {"data": raw}
        try:
            async with self._session.request(method, url, headers=headers, **body) as answer:
                content = await answer.read()
                status = answer.status
                found = (await answer.json())["data"] if answer.content_type == "application/json" else content
        except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
            status, found = UNKNOWN, None
        self._tally.answers[status] += 1
        if status >= 500 and status != 503:
            self._tally.wrong.append(f"{method} {path} answered {status}: {found!r}")
        return status, found

    async def envelope(self, path: str) -> dict[str, Any]:
        """The whole answer to a GET, again until there is one."""
        url, headers = f"{self._url}/v2/accounts/{self.account_id}{path}", {"X-Auth-Token": self._token}
        while True:
            try:
                async with self._session.get(url, headers=headers) as answer:
                    if answer.status == 200:
                        envelope: dict[str, Any] = await answer.json()
                        return envelope
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.1)

    async def must(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """As `ask`, again until there is an answer: for checks."""
        while True:
            status, found = await self.ask(method, path, **more)
            if status not in (UNKNOWN, 503):
                return status, found
            await asyncio.sleep(0.1)
