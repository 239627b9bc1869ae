# SPDX-License-Identifier: MPL-2.0
"""The storage handler `ftp`: any FTP server that knows extended passive mode.

Source: KAZOO `core/kazoo_attachments/src/kz_att_ftp.erl`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from typing import Any, Final

from aioftp import Client
from aioftp.errors import AIOFTPException, StatusCodeError
from yarl import URL

from crossbar.documents.document import Document
from crossbar.documents.dry_run import refuse_dry
from crossbar.resources.system.domain.file_path import file_path, url_part
from crossbar.resources.system.domain.file_store import Gathered, OutgoingFile, StoreFailure
from crossbar.resources.system.domain.outgoing_connections import OutgoingConnections

ANONYMOUS: Final = ("anonymous", "anonymous@")
PIECE_BYTES: Final = 64 * 1024
PASSIVE: Final = ("epsv",)
"""How data connections are made: to the server's own address, and not to one that it names."""


class FtpStore:
    """A store of kind `ftp`. Its places are paths at the server, without who logs in there."""

    def __init__(self, settings: dict[str, Any], connections: OutgoingConnections) -> None:
        self._settings = settings
        self._connections = connections

    def place(self, file: OutgoingFile, folder: str) -> str:
        """The path of the file below that of the URL."""
        path = "/".join((self._url().path.rstrip("/"), file_path(self._settings, file, folder, url_part)))
        if not path.isprintable():
            raise StoreFailure("a path with control characters")
        return path

    async def write(self, place: str, file: OutgoingFile) -> None:
        """Store it, and make the folders that are missing."""
        async with self._client(place) as client:
            await client.make_directory(PurePosixPath(place).parent, parents=True)
            async with client.upload_stream(place) as stream:
                async for piece in file.contents():
                    await stream.write(piece)

    async def read(self, place: str, document: Document, largest: int) -> bytes:
        """Fetch it."""
        gathered = Gathered(largest)
        async with self._client(place) as client, client.download_stream(place) as stream:
            async for piece in stream.iter_by_block(PIECE_BYTES):
                gathered.add(piece)
        return gathered.whole

    async def remove(self, place: str) -> None:
        """Delete it."""
        async with self._client(place) as client:
            await client.remove_file(place)

    def _url(self) -> URL:
        try:
            url = URL(str(self._settings.get("url")))
            port = url.port or 0
        except ValueError as error:
            raise StoreFailure("invalid URL") from error
        if url.scheme != "ftp" or not url.host:
            raise StoreFailure("invalid URL")
        return url if port else url.with_port(21)

    @asynccontextmanager
    async def _client(self, place: str) -> AsyncIterator[Client]:
        refuse_dry("speaks to another store")
        url = self._url()
        user, password = (url.user, url.password or "") if url.user else ANONYMOUS
        client = Client(passive_commands=PASSIVE)
        try:
            await client.connect(await self._address(str(url.host), url.port or 21), url.port or 21)
            await client.login(user, password)
            yield client
            await client.quit()
        except StatusCodeError as error:
            said = " ".join(line.strip() for line in error.info)
            raise StoreFailure(said, status=int(error.received_codes[-1]), url=place) from error
        except (AIOFTPException, OSError, ValueError) as error:
            raise StoreFailure(str(error) or type(error).__name__, url=place) from error
        finally:
            client.close()

    async def _address(self, host: str, port: int) -> str:
        """The address of the server, which is connected to as it was judged."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        address = str(found[0][4][0])
        self._connections.check(address)
        return address
