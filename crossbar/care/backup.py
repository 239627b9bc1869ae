# SPDX-License-Identifier: MPL-2.0
"""Backing up: the whole database, as it is at one moment, into one file."""

from __future__ import annotations

import asyncio
from typing import BinaryIO, Final

from crossbar import app
from crossbar.care.backup_file import BackupWriter, Told
from crossbar.config import Config
from crossbar.documents.consistent_copy import consistent_copy, size

COPYING: Final = "Backing up"


async def write_backup(
    config: Config, *, database_uri: str, file: BinaryIO, with_keys: bool, told: Told = lambda *_: None
) -> int:
    """Write a backup into a file while others go on using the database; its size in bytes.

    Raises TooMuchChange, SystemFault (503) where the database goes away, OSError.
    """
    store = app.open_store(config, database_uri)
    try:
        await store.prepare()
        total = await size(store.connection)
        writer = await asyncio.to_thread(BackupWriter, file, config, with_keys=with_keys)
        async for batch in consistent_copy(store.connection):
            await asyncio.to_thread(writer.add, batch)
            told(COPYING, writer.copied, max(total, writer.copied))
        return await asyncio.to_thread(writer.finish)
    finally:
        await store.close()
