# SPDX-License-Identifier: MPL-2.0
"""The storage handler `s3`: Amazon's S3, and whatever speaks its protocol.

Source: KAZOO `core/kazoo_attachments/src/kz_att_s3.erl`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError

from crossbar.documents.document import Document
from crossbar.documents.dry_run import refuse_dry
from crossbar.resources.system.domain.file_path import file_path
from crossbar.resources.system.domain.file_store import Gathered, OutgoingFile, StoreFailure
from crossbar.resources.system.domain.outgoing_connections import OutgoingConnections

PART_BYTES: Final = 8 * 2**20
"""A larger file is sent in parts, so that no more than one is in memory."""
PIECE_BYTES: Final = 64 * 1024
DEFAULT_REGION: Final = "us-east-1"
STYLES: Final = {"vhost": "virtual", "path": "path"}


class S3Store:
    """A store of kind `s3`: one bucket. `session` knows S3's operations, and takes a while to learn them."""

    def __init__(self, settings: dict[str, Any], session: AioSession, connections: OutgoingConnections) -> None:
        self._settings = settings
        self._session = session
        self._connections = connections
        self._bucket = str(settings.get("bucket"))

    def place(self, file: OutgoingFile, folder: str) -> str:
        """The key of the object."""
        return file_path(self._settings, file, folder, str) or file.name

    async def write(self, place: str, file: OutgoingFile) -> None:
        """Put the object."""
        about = {"Bucket": self._bucket, "Key": place}
        async with self._client(place) as client:
            if file.size <= PART_BYTES:
                await client.put_object(**about, Body=await file.whole(), ContentType=file.content_type)
                return
            upload = await client.create_multipart_upload(**about, ContentType=file.content_type)
            about["UploadId"] = upload["UploadId"]
            try:
                parts = await self._send_parts(client, about, file)
                await client.complete_multipart_upload(**about, MultipartUpload={"Parts": parts})
            except BaseException:
                await client.abort_multipart_upload(**about)
                raise

    async def read(self, place: str, document: Document, largest: int) -> bytes:
        """Get the object."""
        gathered = Gathered(largest)
        async with self._client(place) as client:
            answer = await client.get_object(Bucket=self._bucket, Key=place)
            async with answer["Body"] as body:
                async for piece in body.iter_chunks(PIECE_BYTES):
                    gathered.add(piece)
        return gathered.whole

    async def remove(self, place: str) -> None:
        """Delete the object."""
        async with self._client(place) as client:
            await client.delete_object(Bucket=self._bucket, Key=place)

    @staticmethod
    async def _send_parts(client: Any, about: dict[str, Any], file: OutgoingFile) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []

        async def send(body: bytes) -> None:
            number = len(parts) + 1
            sent = await client.upload_part(**about, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": sent["ETag"]})

        gathered = bytearray()
        async for piece in file.contents():
            gathered += piece
            if len(gathered) >= PART_BYTES:
                await send(bytes(gathered))
                gathered.clear()
        if gathered:
            await send(bytes(gathered))
        return parts

    @asynccontextmanager
    async def _client(self, place: str) -> AsyncIterator[Any]:
        settings, host = self._settings, self._settings.get("host")
        scheme, port = settings.get("scheme", "https"), settings.get("port")
        refuse_dry("speaks to another store")
        endpoint = f"{scheme}://{host}" + (f":{port}" if port else "") if host else None
        config = AioConfig(
            connector_args={"socket_factory": self._connections.socket},
            proxies={},
            retries={"max_attempts": 0},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": self._style()},
        )
        try:
            async with self._session.create_client(
                "s3",
                region_name=settings.get("region") or DEFAULT_REGION,
                endpoint_url=endpoint,
                aws_access_key_id=settings.get("key"),
                aws_secret_access_key=settings.get("secret"),
                config=config,
            ) as client:
                yield client
        except ClientError as error:
            raise _refusal(error, place) from error
        except (BotoCoreError, OSError, ValueError) as error:
            raise StoreFailure(str(error) or type(error).__name__, url=endpoint or "") from error

    def _style(self) -> str:
        if self._settings.get("bucket_after_host") is True:
            return "path"
        return STYLES.get(str(self._settings.get("bucket_access_method")), "auto")


def _refusal(error: ClientError, place: str) -> StoreFailure:
    about = error.response.get("ResponseMetadata", {})
    said = error.response.get("Error", {})
    return StoreFailure(
        str(said.get("Code") or error),
        status=int(about.get("HTTPStatusCode") or 500),
        body=str(said.get("Message") or ""),
        url=place,
        headers={str(name): str(value) for name, value in about.get("HTTPHeaders", {}).items()},
    )
