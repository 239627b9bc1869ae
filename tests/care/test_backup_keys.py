# SPDX-License-Identifier: MPL-2.0
"""Which keys a backup has, and that it is not restored where they are missing without being said."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from crossbar.access.pepper import FILE, configured_pepper
from crossbar.archive import written_whole
from crossbar.care.backup import write_backup
from crossbar.care.restore import SEALING_KEYS_FILE, restore_backup
from crossbar.config import Config
from crossbar.documents.restoring import NotRestorable

SEALING_KEY = "a-sealing-key-of-enough-characters"


def config_of(name: str, data: Path, sealing_keys: str = "") -> Config:
    data.mkdir(exist_ok=True)
    options = {"server.data": str(data), "database.name": name}
    return Config.load(None, {}, options | ({"security.sealing_keys": sealing_keys} if sealing_keys else {}))


async def a_backup(uri: str, name: str, folder: Path, *, with_keys: bool, sealing_keys: str = "") -> Path:
    config = config_of(name, folder / "source", sealing_keys)
    configured_pepper(config)  # made at the first use
    path = folder / "backup"
    with written_whole(path) as file:
        await write_backup(config, database_uri=uri, file=file, with_keys=with_keys)
    return path


async def restored(uri: str, path: Path, config: Config, *, other_keys: bool = False) -> list[str]:
    async def permit() -> bool:
        return True

    done = await restore_backup(config, database_uri=uri, path=path, permit=permit, other_keys=other_keys)
    notes: list[str] = done["notes"]
    return notes


async def test_the_file_is_its_owners_alone_and_has_no_keys(
    mongo_uri: str, two_databases: tuple[str, str], tmp_path: Path
) -> None:
    path = await a_backup(mongo_uri, two_databases[0], tmp_path, with_keys=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    here = config_of(two_databases[1], tmp_path / "here")
    with pytest.raises(NotRestorable, match="There is no pepper here"):
        await restored(mongo_uri, path, here)
    pepper = (tmp_path / "source" / FILE).read_text()
    (tmp_path / "here" / FILE).write_text("another pepper than the backup's")
    with pytest.raises(NotRestorable, match="is not the one of the backup"):
        await restored(mongo_uri, path, here)
    assert await restored(mongo_uri, path, here, other_keys=True) == []
    (tmp_path / "here" / FILE).write_text(pepper)
    assert await restored(mongo_uri, path, here) == []


async def test_with_keys_the_pepper_comes_back(mongo_uri: str, two_databases: tuple[str, str], tmp_path: Path) -> None:
    path = await a_backup(mongo_uri, two_databases[0], tmp_path, with_keys=True)
    (note,) = await restored(mongo_uri, path, config_of(two_databases[1], tmp_path / "here"))
    kept = tmp_path / "here" / FILE
    assert str(kept) in note
    assert kept.read_text() == (tmp_path / "source" / FILE).read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_sealing_keys_that_are_missing_are_told_of(
    mongo_uri: str, two_databases: tuple[str, str], tmp_path: Path
) -> None:
    bare = await a_backup(mongo_uri, two_databases[0], tmp_path, with_keys=False, sealing_keys=SEALING_KEY)
    here = config_of(two_databases[1], tmp_path / "here")
    (tmp_path / "here" / FILE).write_text((tmp_path / "source" / FILE).read_text())
    with pytest.raises(NotRestorable, match=r"security\.sealing_keys does not name"):
        await restored(mongo_uri, bare, here)
    assert await restored(mongo_uri, bare, config_of(two_databases[1], tmp_path / "here", SEALING_KEY)) == []
    carrying = await a_backup(mongo_uri, two_databases[0], tmp_path, with_keys=True, sealing_keys=SEALING_KEY)
    (note,) = await restored(mongo_uri, carrying, here)
    assert str(tmp_path / "here" / SEALING_KEYS_FILE) in note
    assert (tmp_path / "here" / SEALING_KEYS_FILE).read_text() == f"{SEALING_KEY}\n"


def test_what_is_no_file_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileExistsError), written_whole(pipe):
        pass
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_file_that_was_not_finished_takes_no_place(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    path.write_bytes(b"the one before")
    with pytest.raises(ConnectionError), written_whole(path) as file:
        file.write(b"half of")
        raise ConnectionError
    assert path.read_bytes() == b"the one before"
    assert [*tmp_path.iterdir()] == [path]
