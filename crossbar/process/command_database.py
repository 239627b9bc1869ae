# SPDX-License-Identifier: MPL-2.0
"""The database for the time of one command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crossbar.config import Config
from crossbar.documents.embedded import EmbeddedMongo, FolderInUse, running_uri
from crossbar.documents.embedded_trouble import embedded_folder


@asynccontextmanager
async def command_database(config: Config) -> AsyncIterator[str]:
    """The URI of the configured database, else of the embedded one: of the server that runs on the data folder, or of
    one that runs as long as the block.

    Raises EmbeddedMongoError where neither can be.
    """
    if config.database.uri is not None:
        yield config.database.uri
        return
    folder = embedded_folder(config)
    mongo = EmbeddedMongo(folder, cache_gb=config.database.embedded_cache_gb)
    try:
        uri = await mongo.start()
    except FolderInUse:
        yield running_uri(folder)
        return
    try:
        yield uri
    finally:
        await mongo.stop()
