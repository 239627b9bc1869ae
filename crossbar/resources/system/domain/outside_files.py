# SPDX-License-Identifier: MPL-2.0
"""Files that go to stores outside of the database, as storage plans say.

A file is stored in the database first, which is the spool: until its store has it whole it is read from there, and it
is sent again until then. A process that ends in between loses nothing, since what is still to be sent stands in a
document of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web

from crossbar import clock
from crossbar.background import in_background
from crossbar.documents.attachments import Attachment
from crossbar.documents.document import SYSTEM_DATA, Document, DocumentKey
from crossbar.documents.listing import Listing
from crossbar.documents.periodic import PeriodicLease, keep_doing
from crossbar.documents.schemas import ClientUrls
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Duplicate
from crossbar.errors import SystemFault
from crossbar.ids import new_id
from crossbar.resources.system.domain import store_error
from crossbar.resources.system.domain.file_store import FileStore, Handler, OutgoingFile, StoreFailure
from crossbar.resources.system.domain.given_up_files import GivenUpFiles
from crossbar.resources.system.domain.http_store import HttpStore
from crossbar.resources.system.domain.outgoing_connections import OutgoingConnections
from crossbar.resources.system.domain.storage_plan import STORAGE_HANDLER, Destination, destination
from crossbar.runtime import Runtime

if TYPE_CHECKING:
    from aiobotocore.session import AioSession

log = logging.getLogger(__name__)

SPOOLED: Final = "spooled_attachment"
SPOOLED_SHAPE: Final = Shape(SPOOLED, summary=Summary("id"), sort="pvt_due", moves=False)
"""A file that a store has still to be given; its id is the file's."""
LONGEST_REST_S: Final = 3600
SPARE_BYTES: Final = 64 * 1024
"""By how much a store's answer may be longer than twice the file, which base64 makes a third larger."""
NOT_SUPPORTED: Final = 501


class OutsideFiles:
    """The stores of all plans: tried, written to and read from. `Attachments.outside` is one.

    Without `sends` new files stay in the database.
    """

    def __init__(
        self, runtime: Runtime, session: ClientSession, connections: OutgoingConnections, *, sends: bool = True
    ) -> None:
        self._sends = sends
        self._runtime = runtime
        self._store = runtime.store
        self._session = session
        self._connections = connections
        self._s3: AioSession | None = None
        self._given_up = GivenUpFiles(self._store, runtime.attachments, spooled_type=SPOOLED, rest=self._rest)
        self._urls = runtime.settings.derived(lambda config: ClientUrls.refusing(config.security.blocked_hosts))

    async def take(self, document: Document, attachment: Attachment) -> None:
        """Send a file on where a plan says so; what its store does not take is tried again later."""
        where = await destination(self._store, document.partition, document.type) if self._sends else None
        if where is None:
            return
        due = clock.now() + self._rest(0)
        fields = {"owner": attachment.owner, "pvt_type": SPOOLED, "pvt_due": due, "pvt_tries": 0}
        spooled = await self._store.insert(Document(SYSTEM_DATA, SPOOLED, str(attachment.file_id), fields))
        await self._send(spooled, document, attachment, where)

    async def fetch(self, attachment: Attachment) -> bytes:
        """The bytes of a file that lies outside. Raises 503 where its store does not give them."""
        partition, document_type, document_id = DocumentKey.parse(attachment.owner)
        outside = attachment.outside or {}
        found = await self._store.get(partition, STORAGE_HANDLER, str(outside.get("handler")))
        document = await self._store.get(partition, document_type, document_id)
        document = document or Document(partition, document_type, document_id, {})
        if found is None:
            raise SystemFault("datastore_fault")
        handler = Handler(found.text("handler_id"), found.text("handler"), found.fields["settings"])
        largest = 2 * attachment.size + SPARE_BYTES
        try:
            async with self._in_time():
                return await self._file_store(handler).read(str(outside.get("place")), document, largest)
        except StoreFailure as failure:
            log.warning("a file of %s cannot be read from its store: %s", attachment.owner, failure)
            await store_error.note(self._store, document, attachment.name, handler, failure)
            raise SystemFault("datastore_fault") from failure

    async def give_up(self, attachment: Attachment) -> None:
        """Remember to have its store delete a file that is about to lose its entry."""
        await self._given_up.add(attachment)

    async def delete_given_up(self) -> bool:
        """Have stores delete what is due; says whether they have more to delete, now or later."""
        return await self._given_up.work(self._delete)

    async def _delete(self, handler: Handler, place: str) -> None:
        async with self._in_time():
            await self._file_store(handler).remove(place)

    async def retry(self) -> int:
        """Send what is due again; returns how many files are still to be sent then."""
        left = 0
        for spooled in await self._store.all(Listing(SYSTEM_DATA, SPOOLED, descending=False)):
            if spooled.fields["pvt_due"] > clock.now() or not await self._retried(spooled):
                left += 1
        return left

    async def probe(self, partition: str, handler: Handler) -> None:
        """Write, read and (where its kind knows how) delete a small file. Raises StoreFailure."""
        name = f"{new_id()}_test_credentials_file.txt"
        text = f"some random content: {new_id()}".encode()
        document = Document(partition, "test_credentials", new_id(), {})
        file = OutgoingFile(document, name, "text/plain", len(text), lambda: _once(text))
        store = self._file_store(handler)
        async with self._in_time():
            place = store.place(file, "")
            await store.write(place, file)
            if await store.read(place, document, SPARE_BYTES) != text:
                raise StoreFailure("the store answers something else than was written", url=place)
            await store.remove(place)

    def _file_store(self, handler: Handler) -> FileStore:
        if handler.kind == "http":
            return HttpStore(handler.settings, self._session, self._urls())
        if handler.kind == "s3":
            # Hundreds of modules, which most installations never need.
            from aiobotocore.session import AioSession  # noqa: PLC0415

            from crossbar.resources.system.domain.s3_store import S3Store  # noqa: PLC0415

            self._s3 = self._s3 or AioSession()
            return S3Store(handler.settings, self._s3, self._connections)
        if handler.kind == "ftp":
            from crossbar.resources.system.domain.ftp_store import FtpStore  # noqa: PLC0415 - as above

            return FtpStore(handler.settings, self._connections)
        raise StoreFailure(f"the storage handler {handler.kind} is not supported", status=NOT_SUPPORTED)

    async def _retried(self, spooled: Document) -> bool:
        """Whether nothing is left to do for a file: it is sent, gone, or to stay where it is."""
        attachment = await self._runtime.attachments.by_id(spooled.id)
        key = DocumentKey.parse(spooled.text("owner"))
        where = await destination(self._store, key.partition, key.type)
        if attachment is None or where is None:
            await self._store.remove(spooled)
            return True
        if attachment.outside is not None:  # the process ended before it could let go of it
            await self._moved(spooled, attachment, attachment.outside)
            return True
        document = await self._store.get(*key) or Document(*key, fields={})
        return await self._send(spooled, document, attachment, where)

    async def _send(self, spooled: Document, document: Document, attachment: Attachment, where: Destination) -> bool:
        def contents() -> AsyncIterator[bytes]:
            return self._runtime.attachments.stream(attachment)

        file = OutgoingFile(document, attachment.name, attachment.content_type, attachment.size, contents)
        try:
            store = self._file_store(where.handler)
            place = store.place(file, where.folder)
            async with self._in_time():
                await store.write(place, file)
        except StoreFailure as failure:
            log.warning("a file of %s is kept until its store takes it: %s", attachment.owner, failure)
            await store_error.note(self._store, document, attachment.name, where.handler, failure)
            await self._store.update(SYSTEM_DATA, SPOOLED, spooled.id, self._later)
            return False
        outside = {"handler": await self._remembered(document.partition, where), "place": place}
        await self._moved(spooled, attachment, outside)
        return True

    async def _moved(self, spooled: Document, attachment: Attachment, outside: dict[str, Any]) -> None:
        await self._runtime.attachments.moved(attachment, outside)
        await self._store.remove(spooled)

    async def _remembered(self, partition: str, where: Destination) -> str:
        """The id of the document that keeps the handler as it is now."""
        handler = where.handler
        handler_id = f"{handler.id}-{where.revision}"
        fields = {
            "handler_id": handler.id,
            "handler": handler.kind,
            "settings": handler.settings,
            "pvt_type": STORAGE_HANDLER,
        }
        if await self._store.get(partition, STORAGE_HANDLER, handler_id) is None:
            with suppress(Duplicate):  # another file was faster
                await self._store.insert(Document(partition, STORAGE_HANDLER, handler_id, fields))
        return handler_id

    def _later(self, spooled: Document) -> None:
        tries = spooled.fields["pvt_tries"] + 1
        spooled.fields |= {"pvt_tries": tries, "pvt_due": clock.now() + self._rest(tries)}

    def _rest(self, tries: int) -> int:
        """Seconds until a file is sent again: twice as long each time, and never while it may be on its way."""
        storage = self._runtime.config.storage
        return int(min(storage.retry_s * 2 ** min(tries, 16), LONGEST_REST_S) + storage.timeout_s)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._runtime.config.storage.timeout_s):
                yield
        except TimeoutError as error:
            raise StoreFailure("the store did not answer in time") from error


FILES: Final = web.AppKey("outside files", OutsideFiles)


@asynccontextmanager
async def reaching_outside(runtime: Runtime, *, sends: bool = True) -> AsyncIterator[OutsideFiles]:
    """Have attachments read from, and written to, the stores of plans while the block runs.

    Without `sends` nothing is written to them, but what is deleted is remembered for them to delete.
    """
    connections = OutgoingConnections(runtime.settings)
    connector = TCPConnector(socket_factory=connections.socket)
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar()) as session:
        files = runtime.attachments.outside = OutsideFiles(runtime, session, connections, sends=sends)
        try:
            yield files
        finally:
            runtime.attachments.outside = None


@asynccontextmanager
async def outside_files(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Send files where plans say as long as the server runs."""
    async with reaching_outside(runtime) as files:
        app[FILES] = files
        lease = PeriodicLease(runtime.store, "spooled attachments")

        async def retry(_: PeriodicLease) -> None:
            await files.retry()
            await files.delete_given_up()

        async with in_background(keep_doing(lease, retry, lambda: runtime.config.storage.retry_s), name=lease.name):
            yield


async def _once(contents: bytes) -> AsyncIterator[bytes]:
    yield contents
