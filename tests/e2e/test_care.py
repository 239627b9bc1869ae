# SPDX-License-Identifier: MPL-2.0
"""The commands of the page on operations: a backup of a running server, restored elsewhere, checked."""

from __future__ import annotations

import json
import re
import shlex
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result

from crossbar.access.pepper import FILE
from tests.e2e.installed import COMMAND, Installation, command, environment
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


def run(*arguments: str | Path, status: int = 0, stdin: str = "", **variables: str) -> Result:
    done = command(*arguments, stdin=stdin, **variables)
    assert done.exit_code == status, done.stderr
    return done


@dataclass(frozen=True)
class Place:
    """A data folder and a database, which a configuration in the folder above names."""

    data: Path
    uri: str
    database: str

    @property
    def installation(self) -> Installation:
        return Installation(self.data, self.variables)

    @property
    def variables(self) -> dict[str, str]:
        return {"CROSSBAR_DATABASE__URI": self.uri, "CROSSBAR_DATABASE__NAME": self.database}

    def configure(self) -> None:
        database = f"[database]\nuri = {self.uri}\nname = {self.database}\n"
        (self.data.parent / "crossbar.ini").write_text(f"[server]\ndata = {self.data}\n{database}")


@pytest.fixture
def here(mongo_uri: str, two_databases: tuple[str, str], tmp_path: Path) -> Place:
    return Place(tmp_path / "here", mongo_uri, two_databases[0])


@pytest.fixture
def there(mongo_uri: str, two_databases: tuple[str, str], tmp_path: Path) -> Place:
    return Place(tmp_path / "there", mongo_uri, two_databases[1])


def test_what_was_backed_up_while_it_served_serves_elsewhere(tmp_path: Path, here: Place, there: Place) -> None:
    file, piped, pepper = tmp_path / "crossbar.backup", tmp_path / "piped", here.data / FILE
    here.configure()
    with here.installation.serving("--create-admin", **ADMIN) as server:
        account, token = log_in(server)
        device = ask(f"{account}/devices", token, method="PUT", data={"name": "Desk"})["data"]
        path = f"{account.removeprefix(server.url)}/devices/{device['id']}"
        backup, verify = told("## Backup", tmp_path)
        made = subprocess.run([*COMMAND, *backup], env=environment(), capture_output=True, text=True, check=True)
        assert made.stdout == ""
        assert re.fullmatch(rf"Backed up into {file}, [\d.]+ MB\.\nKeep {pepper}, too.*\n", made.stderr)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert f"{file} is a whole backup of the database {here.database}" in run(*verify).stdout
        piped.write_bytes(run("backup", "-", "--data", here.data, **here.variables).stdout_bytes)
        assert "without the keys" in run("backup", "--verify", piped).stdout
        checked = json.loads(run("check", "--format", "json", "--data", here.data, **here.variables).stdout)
        assert (checked["found"], checked["findings"]) == (0, [])
        replacing = ("restore", file, "--replace", "--yes", "--data", here.data)
        in_use = run(*replacing, status=1, **here.variables)
        assert in_use.stderr == "Error: A server, or another command, uses the database. Stop it first.\n"
        assert ask(server.url + path, token)["data"] == device
        assert server.terminate() == 0
    there.data.mkdir()
    (there.data / FILE).write_text(pepper.read_text())
    there.configure()
    (restore,) = told("### Restore", tmp_path)
    assert run(*restore).stdout.startswith("Restored ")
    not_empty = f"Error: The database {there.database} is not empty. With --replace the backup takes its place.\n"
    assert run(*restore, status=1).stderr == not_empty
    with there.installation.serving() as server:
        _, token = log_in(server)
        assert ask(server.url + path, token)["data"] == device
        assert server.terminate() == 0


def test_the_name_of_what_is_replaced_has_to_be_typed(tmp_path: Path, here: Place) -> None:
    here.installation.init("a-good-password")
    file = tmp_path / "file"
    run("backup", file, "--data", here.data, **here.variables)
    for typed, status in (("another", 1), (here.database, 0)):
        replacing = ("restore", file, "--replace", "--data", here.data)
        done = run(*replacing, status=status, stdin=f"{typed}\n", **here.variables)
        assert ("That is not its name" in done.stderr) == bool(status)


def test_what_cannot_be_done_is_told_in_a_line(tmp_path: Path, here: Place) -> None:
    file, configuration = tmp_path / "file", tmp_path / "crossbar.ini"
    file.write_bytes(b"no backup")
    unusable = "Error: The file cannot be used: it is no file that this program wrote.\n"
    assert run("backup", "--verify", file, status=1).stderr == unusable
    assert run("restore", file, "--data", here.data, status=1, **here.variables).stderr == unusable
    configuration.write_text("[database]\nuri = mongodb://127.0.0.1:1/\ntimeout_ms = 300\n")
    away = run("check", "--config", configuration, "--data", here.data, status=2)
    assert "the database (database.uri) cannot be used" in away.stderr
    none = run("demo", "--data", here.data, status=1, **here.variables)
    assert none.stderr == "Error: There is no account yet; `crossbar init` creates the first one.\n"
