# SPDX-License-Identifier: MPL-2.0
"""Voicemail messages: a sound and what is known of the call, kept by month and found by box and folder.

`Voicemail.create` makes a message of a box, its metadata and its sound.

Source: `core/kazoo_voicemail` (`kvm_message.erl`, `kvm_messages.erl`, `kvm_util.erl`), `kzd_box_message.erl`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from crossbar import clock, ids
from crossbar.access.authorship import Author, stamps
from crossbar.access.directory import Account
from crossbar.config import Config
from crossbar.conversion.converter import MediaConverter
from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Transaction
from crossbar.errors import JSON, Invalid, NotFound
from crossbar.events.notices import update_telling
from crossbar.resources.calls.media.domain.local_time import file_time, local_time
from crossbar.resources.calls.media.domain.media_file import check_sound, record_id, save_with_files, sound
from crossbar.resources.calls.voicemail.domain.voicemail_notice import (
    BY_CLIENT,
    DELETED_MESSAGE,
    NEW_MESSAGE,
    SAVED_MESSAGE,
    full_notice,
    message_notice,
)
from crossbar.resources.records.domain.cdr_row import whole
from crossbar.runtime import Runtime
from crossbar.wire.body import UploadedFile
from crossbar.wire.disposition import saved_name

TYPE: Final = "mailbox_message"
NEW: Final = "new"
SAVED: Final = "saved"
DELETED: Final = "deleted"
FOLDERS: Final = (NEW, SAVED, DELETED)
ANONYMOUS: Final = "0000000000"
"""The caller's number and name where nothing is known of the caller."""
AT_A_TIME: Final = 50
"""Messages of a bulk request that are worked on together."""
_GRACE: Final = 3_600
_METADATA: Final = (
    "timestamp",
    "from",
    "to",
    "caller_id_number",
    "caller_id_name",
    "call_id",
    "folder",
    "length",
    "media_id",
)


def tags(message: Document) -> Iterator[str]:
    """Listings by box, and by folder of a box."""
    box = f"box/{message.at('source_id')}"
    yield box
    yield f"{box}/{message.at('metadata.folder')}"


def _transcribed(message: Document) -> bool | None:
    transcription = message.at("metadata.transcription")
    return transcription.get("result") == "success" if isinstance(transcription, dict) else None


MAILBOX_MESSAGE_SHAPE: Final = Shape(
    TYPE,
    summary=Summary(
        **{name: f"metadata.{name}" for name in _METADATA}, transcribed=_transcribed, source_id="source_id"
    ),
    sort="metadata.timestamp",
    tags=tags,
    stored_in="records",
    announced=True,
)


# Retention


def retention_seconds(config: Config) -> int:
    """How long messages can be changed."""
    return config.media.message_retention_duration * clock.DAY + _GRACE


def retention_limit(config: Config) -> int:
    """The time before which messages are only kept, and shown as deleted."""
    return clock.now() - retention_seconds(config)


def as_retained(metadata: dict[str, JSON], limit: int) -> dict[str, JSON]:
    """Metadata as it is shown: that of a message from before `limit` says why nothing can be done with it."""
    if (whole(metadata.get("timestamp")) or limit) >= limit:
        return metadata
    return {
        **metadata,
        "folder": DELETED,
        "retention": "enforced",
        "retention_message": "this message is prior to retention policy, no update operation is permitted",
    }


@dataclass(frozen=True, slots=True)
class Voicemail:
    """The voicemail messages of one account, as read and changed by one author."""

    runtime: Runtime
    converter: MediaConverter
    account: Account
    author: Author

    # Finding

    async def find(self, box_id: str, message_id: str) -> Document:
        """A message of a box. Raises 404 for one that is missing or in another box."""
        message = await self.runtime.store.get(self.account.id, TYPE, message_id)
        if message is None or message.at("source_id") != box_id:
            raise NotFound(message_id)
        return message

    async def ids(self, box_id: str, folder: str | None = None) -> list[str]:
        """The messages of a box, or of one of its folders, the newest first."""
        tag = f"box/{box_id}" if folder is None else f"box/{box_id}/{folder}"
        return [row.id async for row in self.runtime.store.stream(Listing(self.account.id, TYPE, tag=tag))]

    async def counts(self, box_ids: Iterable[str]) -> dict[str, dict[str, int]]:
        """New and saved messages inside the retention time of each box that has any: box → folder → number."""
        words = [f"box/{box_id}/{folder}" for box_id in box_ids for folder in (NEW, SAVED)]
        if not words:
            return {}
        recent = Listing(self.account.id, TYPE, end=Position.value(retention_limit(self.runtime.config)))
        counts: dict[str, dict[str, int]] = {}
        for word, count in (await self.runtime.store.count_by_tag(recent, words=words)).items():
            _, box_id, folder = word.split("/")
            counts.setdefault(box_id, {NEW: 0, SAVED: 0})[folder] = count
        return counts

    def download_name(self, box: Document, message: Document, extension: str) -> str:
        """`<caller's number>_<time>.<extension>`, the time in the box's time zone."""
        moment = self._box_time(box, whole(message.at("metadata.timestamp")))
        return saved_name(f"{message.at('metadata.caller_id_number') or 'unknown'}_{file_time(moment)}{extension}")

    # Making

    async def create(
        self,
        box: Document,
        data: Mapping[str, Any],
        file: UploadedFile | None,
        *,
        reference: str | None = None,
    ) -> Document:
        """A new message in a box of an account, with its sound if there is one; whom it concerns is told.

        `data` is of schema `vm_message_metadata`, already valid; what it leaves out gets a default. `timestamp`
        (Gregorian seconds) decides the month it is kept in. With a `reference` the same message is kept once: a second
        one raises Duplicate. Raises 400 for a file that is no sound.
        """
        files = []
        if file is not None:
            check_sound(file)
            files = [await self._converted(box, file)]
        timestamp = data.get("timestamp") or clock.now()
        number = data.get("caller_id_number") or ANONYMOUS
        realm = self.account.realm or "nodomain"
        message = Document(
            self.account.id,
            TYPE,
            record_id(timestamp, reference),
            {
                "description": "voicemail message with media",
                "source_type": "voicemail",
                "media_source": "recording",
                "streamable": True,
                "metadata": {
                    "from": f"{data.get('from') or number}@{realm}",
                    "caller_id_number": number,
                    "caller_id_name": data.get("caller_id_name") or ANONYMOUS,
                    "call_id": data.get("call_id") or ids.new_secret(12),
                    "length": data.get("length", 1),
                },
            },
        )
        recipient = data.get("to") or box.at("mailbox")
        self._place(message, box, timestamp, folder=data.get("folder") or NEW, to=f"{recipient}@{realm}")
        return await save_with_files(self.runtime, message, files, await self._told_of(box, message))

    async def _told_of(self, box: Document, message: Document) -> list[Document]:
        """What a new message gives rise to."""
        match message.at("metadata.folder"):
            case "new":
                notices = [message_notice(NEW_MESSAGE, message)]
            case "saved":
                notices = [message_notice(SAVED_MESSAGE, message)]
            case _:
                return []
        messages = 1 + sum((await self.counts([box.id])).get(box.id, {}).values())
        most = self.runtime.config.media.max_message_count
        return [*notices, full_notice(box, messages=messages, most=most)] if messages >= most else notices

    async def replace_sound(self, box: Document, message: Document, file: UploadedFile) -> None:
        """Give a message another sound. Raises 400 for a file that is none."""
        check_sound(file)
        stored = await self._converted(box, file)
        await self.runtime.attachments.put(message, stored.name, stored.content_type, stored.contents, alone=True)

    async def _converted(self, box: Document, file: UploadedFile) -> UploadedFile:
        """A sound in the format that the box wants."""
        wanted = box.at("media_extension", "mp3")
        return await sound(self.converter, file, wanted, normalize=self.runtime.config.media.normalize_media)

    def _place(self, message: Document, box: Document, timestamp: int, *, folder: str, to: str) -> None:
        """Put a message, in place, into a folder of a box, as of a time."""
        moment = self._box_time(box, timestamp)
        message.fields |= {
            "name": f"mailbox {box.at('mailbox')} message {_message_time(moment)}",
            "source_id": box.id,
            "utc_seconds": timestamp,
            "metadata": {
                **as_object(message.at("metadata")),
                "timestamp": timestamp,
                "to": to,
                "folder": folder,
                "media_id": message.id,
            },
        }
        message.fields |= stamps(self.author, message)

    def _box_time(self, box: Document, timestamp: int) -> datetime:
        """A moment as the people of a box tell the time."""
        return local_time(
            timestamp, box.at("timezone"), self.account.timezone, self.runtime.config.accounts.default_timezone
        )

    # Changing

    async def set_folder(
        self, box_id: str, message_id: str, folder: str, *, gone: bool = False, one_of_many: bool = False
    ) -> Document:
        """Put a message into a folder; `gone` takes it out of all lists, too. Raises 404, or 400 for one too old.

        Nobody is told of a message that is `one_of_many` that are changed at once.
        """
        _check_age(await self.find(box_id, message_id), retention_limit(self.runtime.config))

        def change(message: Document) -> list[Document]:
            before = message.at("metadata.folder")
            message.fields["metadata"] = {**as_object(message.at("metadata")), "folder": folder}
            message.fields |= stamps(self.author, message) | ({"pvt_deleted": True} if gone else {})
            if one_of_many or (before == folder and not gone):
                return []
            if folder == DELETED:
                return [message_notice(DELETED_MESSAGE, message, reason=BY_CLIENT)]
            return [message_notice(SAVED_MESSAGE, message)] if folder == SAVED else []

        changed = await update_telling(self.runtime.store, (self.account.id, TYPE, message_id), change)
        if changed is None:
            raise NotFound(message_id)
        return changed

    async def copy(self, box_id: str, message_id: str, target: Document) -> Document:
        """A copy of a message, new in another box. Raises 404, or 400 for one too old."""
        message, copy = await self._copy_for(box_id, message_id, target)
        try:
            await self._copy_sound(message, copy)
            return await self.runtime.store.insert(copy)
        except BaseException:
            await self.runtime.attachments.delete(copy)
            raise

    async def move(self, box_id: str, message_id: str, target: Document) -> Document:
        """A message as a new one of another box; the old one is no more. Raises 404, or 400 for one too old."""
        message, copy = await self._copy_for(box_id, message_id, target)

        async def exchange(transaction: Transaction) -> Document:
            if await transaction.get(message.partition, TYPE, message.id) is None:
                raise NotFound(message.id)
            await transaction.remove(message)
            return await transaction.insert(copy)

        try:
            await self._copy_sound(message, copy)
            moved = await self.runtime.store.transact(exchange)
        except BaseException:
            await self.runtime.attachments.delete(copy)
            raise
        await self.runtime.attachments.delete(message)
        return moved

    async def _copy_for(self, box_id: str, message_id: str, target: Document) -> tuple[Document, Document]:
        """A message and what it will be in another box."""
        message = await self.find(box_id, message_id)
        _check_age(message, retention_limit(self.runtime.config))
        copy = replace(message, id=ids.monthly_id(), fields=dict(message.fields), revision=None)
        copy.fields["history"] = [*as_list(message.at("history")), box_id]
        recipient = f"{target.at('mailbox')}@{self.account.realm or 'nodomain'}"
        self._place(copy, target, clock.now(), folder=NEW, to=recipient)
        return message, copy

    async def _copy_sound(self, message: Document, copy: Document) -> None:
        attachments = self.runtime.attachments
        for attachment in await attachments.all(message):
            await attachments.copy(attachment, copy)


def _message_time(moment: datetime) -> str:
    return f"{moment.date()} {moment.hour}:{moment.minute}:{moment.second}"


def _check_age(message: Document, limit: int) -> None:
    if whole(message.at("metadata.timestamp")) < limit:
        text = "cannot make changes to messages prior to retention duration"
        raise Invalid.field(message.id, "date_range", text, cause=limit)


# Many at a time


Work = Callable[[str], Awaitable[list[str]]]
"""Does something with a message and says the ids of what came of it."""


async def in_bulk(message_ids: Iterable[str], work: Work) -> dict[str, JSON]:
    """Work on many messages: `succeeded`, the ids, and `failed`, id → reason; either only if there is any."""
    succeeded: list[str] = []
    failed: dict[str, str] = {}

    async def attempt(message_id: str) -> None:
        try:
            succeeded.extend(await work(message_id))
        except NotFound:
            failed[message_id] = "not_found"
        except Invalid:
            failed[message_id] = "prior_to_retention_duration"

    wanted = list(dict.fromkeys(message_ids))
    for start in range(0, len(wanted), AT_A_TIME):
        await asyncio.gather(*map(attempt, wanted[start : start + AT_A_TIME]))
    return {key: found for key, found in (("succeeded", succeeded), ("failed", failed)) if found}
