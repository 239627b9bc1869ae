# SPDX-License-Identifier: MPL-2.0
"""Restoring a backup into a database that nobody uses.

The file is read through before anything is written. The database is marked as unfinished until all is there, its
indexes included; whatever ends in between, it refuses to serve, and the restoring can be begun again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from crossbar import __version__, app
from crossbar.access.pepper import FILE, fingerprint, keep_pepper, known_pepper
from crossbar.archive import written_whole
from crossbar.care.backup_file import Told, batches_of, verify
from crossbar.config import Config
from crossbar.documents.restoring import NotRestorable, Restoring

RESTORING: Final = "Restoring"
SEALING_KEYS_FILE: Final = "sealing_keys.restored"

Permit = Callable[[], Awaitable[bool]]
"""Asks whether what is in the database may go."""


async def restore_backup(
    config: Config,
    *,
    database_uri: str,
    path: Path,
    permit: Permit,
    other_keys: bool = False,
    told: Told = lambda *_: None,
) -> dict[str, Any]:
    """Fill the database with a backup; the counts by collection, and `notes`: sentences for a person.

    What is in the database goes, if `permit` says so; what an unfinished restoring left goes anyhow. With `other_keys`
    the backup is restored though its keys are not here. Raises Damaged, NotRestorable, OSError.
    """
    store = app.open_store(config, database_uri)
    try:
        await store.connection.check()
        restoring = Restoring(store.connection)
        header = await asyncio.to_thread(verify, path, told, restoring.note)
        if not (await restoring.is_empty() or await restoring.is_unfinished() or await permit()):
            raise NotRestorable(
                f"The database {config.database.name} is not empty. With --replace the backup takes its place."
            )
        notes = [] if other_keys else _keys(config, header)
        await restoring.begin(str(header.get("began")))
        await restoring.fill(batches_of(path, told, RESTORING))
        counts = await restoring.finish(partial(store.connection.prepare, unfinished=True))
        return {"counts": counts, "notes": [*notes, *_versions(header)]}
    finally:
        await store.close()


def _keys(config: Config, header: dict[str, Any]) -> list[str]:
    """See that what was sealed can be opened, with keys of the backup if it has some; what a person has to do."""
    carried = header.get("keys") or {}
    return [*_pepper(config, header.get("pepper"), carried.get("pepper")), *_sealing(config, header, carried)]


def _pepper(config: Config, wanted: str | None, carried: str | None) -> list[str]:
    known, place = known_pepper(config), config.server.data / FILE
    if wanted is None or (known is not None and fingerprint(known) == wanted):
        return []
    if known is not None:
        raise NotRestorable(
            f"The pepper here ({place} or security.password_pepper) is not the one of the backup: nobody could log in. "
            "Put the backup's there, or restore with --other-keys and give every user a new password."
        )
    if carried is None:
        raise NotRestorable(
            f"There is no pepper here, and the backup has none in it. Put the one that belongs to it into {place}, or "
            "restore with --other-keys and give every user a new password."
        )
    return [f"The pepper of the backup is in {keep_pepper(config, carried)} now."]


def _sealing(config: Config, header: dict[str, Any], carried: dict[str, Any]) -> list[str]:
    wanted: Sequence[str] = header.get("sealing_keys") or []
    known = {fingerprint(key) for key in config.security.sealing_keys}
    if known.issuperset(wanted):
        return []
    keys: list[str] = carried.get("sealing_keys") or []
    if not keys:
        raise NotRestorable(
            "Credentials in the backup are sealed under keys that security.sealing_keys does not name. Name them "
            "there, or restore with --other-keys: API keys, signing keys and second factors have to be made anew then."
        )
    place = config.server.data / SEALING_KEYS_FILE
    with written_whole(place) as file:
        file.write("\n".join(keys).encode() + b"\n")
    return [f"Name the keys in {place} in security.sealing_keys, then remove that file."]


def _versions(header: dict[str, Any]) -> list[str]:
    made_by = header.get("server")
    if made_by == __version__:
        return []
    return [f"The backup was made by {made_by}, this is {__version__}: run `crossbar check --repair` before you serve."]
