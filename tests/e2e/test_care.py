# SPDX-License-Identifier: MPL-2.0
"""The commands of the page on operations: a backup of a running server, restored elsewhere, checked."""

from __future__ import annotations

import json
import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from crossbar.access.pepper import FILE
from tests.e2e.installed import COMMAND, Installation, environment
from tests.e2e.test_start import ADMIN, ask, log_in

PAGE = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text()


def told(section: str, folder: Path) -> list[list[str]]:
    """The `crossbar` commands in the first block of a section, with its paths in a folder."""
    text = PAGE.split(f"\n{section}\n", 1)[1]
    block = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert block
    lines = [shlex.split(line) for line in block[1].splitlines() if line.startswith("crossbar ")]
    places = {
        "/backups/crossbar.backup": str(folder / "crossbar.backup"),
        "/etc/crossbar.ini": str(folder / "crossbar.ini"),
    }
    return [[places.get(word, word) for word in line[1:]] for line in lines]


def run(*arguments: str, status: int = 0) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run([*COMMAND, *arguments], env=environment(), capture_output=True, check=False)
    assert done.returncode == status, done.stderr
    return done


def configure(folder: Path, data: Path) -> None:
    (folder / "crossbar.ini").write_text(f"[server]\ndata = {data}\n")


def test_what_was_backed_up_while_it_served_serves_elsewhere(tmp_path: Path) -> None:
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "crossbar.backup"
    configure(tmp_path, here)
    with Installation(here).serving("--create-admin", **ADMIN) as server:
        account, token = log_in(server)
        device = ask(f"{account}/devices", token, method="PUT", data={"name": "Desk"})["data"]
        path = f"{account.removeprefix(server.url)}/devices/{device['id']}"
        backup, verify = told("## Backup", tmp_path)
        made = run(*backup)
        assert made.stdout == b""
        assert re.fullmatch(rf"Backed up into {file}, [\d.]+ MB\.\nKeep {here / FILE}, too.*\n", made.stderr.decode())
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert f"{file} is a whole backup of the database crossbar" in run(*verify).stdout.decode()
        (tmp_path / "piped").write_bytes(run("backup", "-", "--data", str(here)).stdout)
        assert b"without the keys" in run("backup", "--verify", str(tmp_path / "piped")).stdout
        checked = json.loads(run("check", "--format", "json", "--data", str(here)).stdout)
        assert (checked["found"], checked["findings"]) == (0, [])
        in_use = run("restore", str(file), "--replace", "--yes", "--data", str(here), status=1)
        assert in_use.stderr == b"Error: A server, or another command, uses the database. Stop it first.\n"
        assert ask(server.url + path, token)["data"] == device
        assert server.terminate() == 0
    there.mkdir()
    (there / FILE).write_text((here / FILE).read_text())
    configure(tmp_path, there)
    (restore,) = told("### Restore", tmp_path)
    assert run(*restore).stdout.startswith(b"Restored ")
    not_empty = run(*restore, status=1).stderr.decode()
    assert not_empty == "Error: The database crossbar is not empty. With --replace the backup takes its place.\n"
    with Installation(there).serving() as server:
        _, token = log_in(server)
        assert ask(server.url + path, token)["data"] == device
        assert server.terminate() == 0


@pytest.mark.parametrize(("typed", "status"), [(b"another\n", 1), (b"crossbar\n", 0)])
def test_the_name_of_what_is_replaced_has_to_be_typed(tmp_path: Path, typed: bytes, status: int) -> None:
    installation = Installation(tmp_path / "data")
    installation.init("a-good-password")
    run("backup", str(tmp_path / "file"), "--data", str(installation.data))
    command = [*COMMAND, "restore", str(tmp_path / "file"), "--replace", "--data", str(installation.data)]
    done = subprocess.run(command, env=environment(), input=typed, capture_output=True, check=False)
    assert done.returncode == status, done.stderr
    assert ("That is not its name" in done.stderr.decode()) == bool(status)


def test_what_cannot_be_done_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no backup")
    refused = run("backup", "--verify", str(tmp_path / "file"), status=1)
    assert refused.stderr == b"Error: The file cannot be used: it is no file that this program wrote.\n"
    refused = run("restore", str(tmp_path / "file"), "--data", str(tmp_path / "data"), status=1)
    assert refused.stderr == b"Error: The file cannot be used: it is no file that this program wrote.\n"
    (tmp_path / "crossbar.ini").write_text("[database]\nuri = mongodb://127.0.0.1:1/\ntimeout_ms = 300\n")
    away = run("check", "--config", str(tmp_path / "crossbar.ini"), "--data", str(tmp_path / "data"), status=2)
    assert b"the database (database.uri) cannot be used" in away.stderr
    none = run("demo", "--data", str(tmp_path / "data"), status=1)
    assert none.stderr == b"Error: There is no account yet; `crossbar init` creates the first one.\n"
