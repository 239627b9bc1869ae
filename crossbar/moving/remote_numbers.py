# SPDX-License-Identifier: MPL-2.0
"""Phone numbers and port requests of an account that an API shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from crossbar.documents.document import as_list, as_object
from crossbar.errors import JSON
from crossbar.moving import remote_documents
from crossbar.moving.arrivals import Arrivals
from crossbar.moving.remote_api import RemoteApi, RequestRefused
from crossbar.moving.remote_documents import NOT_AS_EXPECTED, UNREADABLE
from crossbar.moving.remote_files import FilePath, take_file
from crossbar.moving.remote_state import RemoteState
from crossbar.resources.numbers.domain.number import ASSIGNED
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.resources.numbers.domain.port_request import PortState

PAGE_SIZE: Final = 200
SIZE: Final = 1024
"""About the bytes of such a document."""


@dataclass(frozen=True, slots=True)
class RemoteNumbers:
    """Takes them over for one account after another."""

    api: RemoteApi
    arrivals: Arrivals
    state: RemoteState

    async def take(self, account_id: str) -> None:
        """All of an account's. What is refused stands in the report."""
        for name, work in (("phone_numbers", self._numbers), ("port_requests", self._port_requests)):
            path = f"/accounts/{account_id}/{name}"
            if path in self.state.done:
                continue
            try:
                await work(account_id, path)
            except RequestRefused as error:
                self.arrivals.report.trouble(path, str(error))
                continue
            await self.arrivals.flush()
            self.state.read(path, None, self.arrivals.report)

    async def _numbers(self, account_id: str, path: str) -> None:
        settings = NumberSettings(self.arrivals.runtime)
        async for numbers in self._pages(path):
            paths = [f"{path}/{quote(number, safe='')}" for number in numbers]
            shown = await asyncio.gather(*map(self._one, paths))
            for number, one in zip(numbers, shown, strict=True):
                if not one:
                    continue
                try:
                    document = remote_documents.number_of(account_id, number, one, settings.kind(number))
                except NOT_AS_EXPECTED:
                    self.arrivals.report.trouble(f"{path}/{number}", UNREADABLE)
                    continue
                if one.get("state", "in_service") in ASSIGNED and "port_id" not in as_object(one.get("_read_only")):
                    await self.arrivals.add(document, SIZE)

    async def _pages(self, path: str) -> AsyncIterator[list[str]]:
        """The numbers of an account, a page at a time."""
        async for data, _ in self.api.pages(path, {}, PAGE_SIZE):
            yield list(as_object(as_object(data).get("numbers")))

    async def _port_requests(self, account_id: str, path: str) -> None:
        for state in PortState:
            async for data, _ in self.api.pages(path, {"by_types": str(state)}, PAGE_SIZE):
                for row in map(as_object, as_list(data)):
                    for one in map(as_object, as_list(row["port_requests"]) if "port_requests" in row else [row]):
                        if one.get("account_id", account_id) == account_id and one.get("id"):
                            await self._request(account_id, f"{path}/{quote(str(one['id']), safe='')}")

    async def _request(self, account_id: str, path: str) -> None:
        """Take a request, whose own path this is, with its uploads."""
        shown = await self._one(path)
        if not shown:
            return
        try:
            request = remote_documents.port_request_of(account_id, shown)
        except NOT_AS_EXPECTED:
            self.arrivals.report.trouble(path, UNREADABLE)
            return
        await self.arrivals.add(request, SIZE)
        for name in as_object(shown.get("uploads")):
            own = f"{path}/attachments/{quote(name, safe='')}"
            try:
                await take_file(self.api, self.arrivals, request, own, FilePath("", name=name))
            except RequestRefused as error:
                self.arrivals.report.trouble(own, str(error))

    async def _one(self, path: str) -> dict[str, JSON] | None:
        try:
            return as_object((await self.api.get(path)).get("data"))
        except RequestRefused as error:
            self.arrivals.report.trouble(path, str(error))
            return None
