# SPDX-License-Identifier: MPL-2.0
"""Many accounts of a hundred documents and one large account, written directly into a database.

They are written in the form in which the server stores them, with credentials sealed, a thousand times faster than
through the server's door.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.samples import device
from benchmarks.seed import PASSWORD, Account
from crossbar import administration, clock
from crossbar import app as application
from crossbar.access.passwords import password_fields
from crossbar.access.pepper import Pepper
from crossbar.config import Config
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.shape import alphanumeric
from crossbar.ids import next_revision
from crossbar.runtime import Runtime
from trials.installation import PASSWORD as MASTER_PASSWORD

PER_ACCOUNT = 100
"""An account itself, a user, and devices."""
BATCH = 2000
USER = "admin"


@dataclass(frozen=True)
class Crowd:
    """What was written: some accounts by chance with their devices, the large account, and when (Gregorian s)."""

    size: int
    accounts: list[Account]
    large: Account
    written: int


async def fill(uri: str, name: str, data: Path, *, size: int, large: int, asked: int, progress: Progress) -> Crowd:
    """Fill the database of this name, for a server with the data folder `data`.

    `size` documents at least, of which the large account has `large` devices (no more than half of all). The crowd
    that comes back has `asked` accounts, or all where there are fewer.
    """
    overrides = {"server.data": str(data), "database.name": name, "log.level": "warning"}
    config = Config.load(None, {}, overrides)
    made = await administration.bootstrap(
        config, database_uri=uri, account="Master", realm="master.test", user="admin", password=MASTER_PASSWORD
    )
    async with application.open_runtime(config, uri) as runtime:
        accounts = await _write(runtime, made.account_id, size, large, progress)
    chance = random.Random(size)
    crowd = chance.sample(accounts[1:], min(asked, len(accounts) - 1))
    return Crowd(size, crowd, accounts[0], clock.now())


async def _write(runtime: Runtime, master: str, size: int, large: int, progress: Progress) -> list[Account]:
    """Write the documents; all accounts, the large one first."""
    task = progress.add_task(f"filling with {size:,} documents", total=size)
    shapes, codec = runtime.store.shapes, runtime.store.connection.codec
    collection = runtime.store.database["documents"]
    accounts: list[Account] = []
    batch: list[dict[str, Any]] = []

    async def flush() -> None:
        if batch:
            await collection.insert_many(batch, ordered=False)
            progress.advance(task, len(batch))
            batch.clear()

    for document in _documents(runtime.access.pepper, master, size, large):
        if document.type == "account":
            accounts.append(Account(document.id, f"{document.id}.test", users=[USER]))
        elif document.type == "device":
            accounts[-1].devices.append({"id": document.id})
        saved = replace(document, revision=next_revision(None))
        batch.append(codec.encode(saved, shapes[saved.type]))
        if len(batch) == BATCH:
            await flush()
    await flush()
    progress.remove_task(task)
    return accounts


def _documents(pepper: Pepper, master: str, size: int, large: int) -> Iterator[Document]:
    """Accounts, each followed by its user and devices; the large one first."""
    chance, made = random.Random(size), 0
    while made < size:
        devices = min(large, size // 2) if made == 0 else PER_ACCOUNT - 2
        account_id = f"{chance.getrandbits(128):032x}"
        yield _account(account_id, master, f"Large {size}" if made == 0 else f"Account {size} {made}")
        yield _user(account_id, pepper)
        for index in range(devices):
            fields = device(index, chance)
            fields |= _private("device", account_id, fields["name"])
            yield Document(account_id, "device", f"{chance.getrandbits(128):032x}", fields)
        made += devices + 2


def _account(account_id: str, master: str, name: str) -> Document:
    realm = f"{account_id}.test"
    fields = {"name": name, "realm": realm, "timezone": "UTC", **_private("account", account_id, name)}
    tree = {"pvt_tree": [master], "pvt_enabled": True, "pvt_signature_secret": account_id}
    return Document(ACCOUNTS, "account", account_id, {**fields, **tree})


def _user(account_id: str, pepper: Pepper) -> Document:
    fields = {"first_name": "Ada", "last_name": "Admin", "username": USER, "priv_level": "admin", "enabled": True}
    private = {**_private("user", account_id, "AdaAdmin"), "pvt_signature_secret": account_id}
    return Document(account_id, "user", account_id, {**fields, **private, **password_fields(pepper, USER, PASSWORD)})


def _private(document_type: str, account_id: str, name: str) -> dict[str, Any]:
    now = clock.now()
    return {
        "pvt_type": document_type,
        "pvt_account_id": account_id,
        "pvt_created": now,
        "pvt_modified": now,
        "pvt_alphanum_name": alphanumeric(name),
    }
