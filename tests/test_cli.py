# SPDX-License-Identifier: MPL-2.0
"""The command `crossbar`, run as a person runs it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from click.testing import CliRunner, Result

from crossbar import cli, clock
from crossbar.documents.mongod_binary import find_mongod
from crossbar.events.spool import Spool
from tests import stand_in_server

FIRST = ("--account", "Acme", "--realm", "acme.example.com", "--user", "ann", "--password", "hush-hush")


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CROSSBAR_")}
    return (
        kept
        | {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "CROSSBAR_DATABASE__URI": "mongodb://unused",
            "CROSSBAR_BLACKHOLE__PORT": "0",
        }
        | variables
    )


Crossbar = Callable[..., Result]


@pytest.fixture
def real(logging_put_back: None, monkeypatch: pytest.MonkeyPatch) -> Crossbar:
    """Run a command in this process."""
    for name in os.environ:
        if name.startswith("CROSSBAR_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CROSSBAR_DATABASE__URI", "mongodb://unused")
    monkeypatch.setenv("CROSSBAR_BLACKHOLE__PORT", "0")

    def run(*arguments: str | Path, **variables: str) -> Result:
        return CliRunner(env=variables).invoke(cli.main, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def crossbar(real: Crossbar, monkeypatch: pytest.MonkeyPatch) -> Crossbar:
    """Run a command in this process, with an application small enough to watch."""
    monkeypatch.setattr(cli.start_commands, "app", stand_in_server)
    for commands in (cli.app_commands, cli.start_commands):
        monkeypatch.setattr(commands, "administration", stand_in_server)
    return real


def crossbar_process(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own."""
    command = [sys.executable, "-m", "tests.stand_in_server", *map(str, arguments)]
    return subprocess.run(command, env=environment(**variables), capture_output=True, text=True, check=False)


@dataclass
class Server:
    process: Process
    printed: str
    url: str


@asynccontextmanager
async def serving(*arguments: str | Path, **variables: str) -> AsyncIterator[Server]:
    """A running `crossbar serve`: its process, what it printed before it served, and its address."""
    command = ["-m", "tests.stand_in_server", "serve", "--port", "0", *map(str, arguments)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environment(**variables), stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    try:
        printed = (await process.stdout.readuntil(b"Serving ")).decode().removesuffix("Serving ")
        yield Server(process, printed, (await process.stdout.readline()).decode().strip())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def test_init_creates_once(crossbar: Crossbar, tmp_path: Path) -> None:
    first = crossbar("init", *FIRST, "--data", tmp_path, "--json")
    assert first.exit_code == 0, first.stderr
    told, ids = first.stdout.splitlines()
    assert told == "Created the master account Acme (Acme@acme.example.com) and its administrator ann."
    assert json.loads(ids) == {"account_id": "Acme@acme.example.com", "user_id": "ann", "api_key": "k" * 64}

    again = crossbar("init", *FIRST, "--data", tmp_path, "--json")
    assert again.exit_code == 0, again.stderr
    told, same_ids = again.stdout.splitlines()
    assert told == "There is a master account already (Acme@acme.example.com). Nothing was changed."
    assert same_ids == ids


def test_apps_are_registered(crossbar: Crossbar, tmp_path: Path) -> None:
    options = ("--api-url", "http://api.test/v2/", "--open-to", "admins", "--data", tmp_path)
    done = crossbar("apps", "register", tmp_path, *options)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "Registered http://api.test/v2/ admins (1).\nRefreshed old (2).\n"
    missing = crossbar("apps", "register", tmp_path / "none", "--data", tmp_path)
    assert (missing.exit_code, missing.stderr) == (1, f"Error: {tmp_path}/none has no metadata/app.json\n")
    assert crossbar("apps", "register", tmp_path, "--open-to", "nobody", "--data", tmp_path).exit_code == 2


async def test_apps_of_an_interface_are_registered_when_it_is_served(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    async with serving("--data", tmp_path, "--ui", tmp_path) as server:
        told = server.printed.splitlines()
        server.process.terminate()
        _, complaints = await server.process.communicate()
    assert told[1:] == ["Registered the app voip.", "Updated the app old."]
    assert f"Not registered: {tmp_path}/apps/x is no JSON" in complaints.decode()


def test_an_interface_has_a_page(crossbar: Crossbar, tmp_path: Path) -> None:
    refused = crossbar("serve", "--port", "0", "--data", tmp_path, "--ui", tmp_path / "none")
    advice = "name the folder of a built interface"
    assert (refused.exit_code, refused.stderr) == (
        1,
        f"Error: ui.folder: {tmp_path}/none has no index.html; {advice}\n",
    )


def test_the_password_may_come_from_the_environment(crossbar: Crossbar, tmp_path: Path) -> None:
    assert crossbar("init", *FIRST[:-2], "--data", tmp_path).exit_code == 2
    assert crossbar("init", *FIRST[:-2], "--data", tmp_path, CROSSBAR_ADMIN_PASSWORD="hush-hush").exit_code == 0


def test_init_says_which_value_is_bad(crossbar: Crossbar, tmp_path: Path) -> None:
    refused = crossbar("init", *FIRST[:-1], "short", "--data", tmp_path)
    assert refused.exit_code == 1
    assert refused.stderr == "Error: password: String must be at least 6 characters\n"


def test_a_database_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    refused = crossbar_process(
        "serve", "--port", "0", "--data", tmp_path, CROSSBAR_DATABASE__URI="mongodb://unreachable"
    )
    assert refused.returncode == 1
    assert refused.stderr == (
        "Error: the database (database.uri) cannot be used: no answer from mongodb://ann:[redacted]@db.example.com\n"
    )


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("mongodb://127.0.0.1:1", r"no answer from it \(127.0.0.1:1: .*refused\)\. Start it, or correct the address"),
        ("mongodb:/127.0.0.1", r".* It is an address such as mongodb://host:27017/\?replicaSet=rs0"),
        ("mongodb://ann:hu:sh@x", r".* It is an address such as mongodb://host:27017/\?replicaSet=rs0"),
        ("mongodb://h:port", r".* It is an address such as mongodb://host:27017/\?replicaSet=rs0"),
    ],
)
def test_a_database_that_cannot_be_had_is_told_in_a_line(real: Crossbar, tmp_path: Path, uri: str, told: str) -> None:
    for command in ("serve", "init"):
        arguments = ("--port", "0") if command == "serve" else FIRST
        refused = real(
            command, *arguments, "--data", tmp_path, CROSSBAR_DATABASE__URI=uri, CROSSBAR_DATABASE__TIMEOUT_MS="200"
        )
        assert refused.exit_code == 1
        assert re.fullmatch(rf"Error: the database \(database\.uri\) cannot be used: {told}\n", refused.stderr)
        assert "sh@" not in refused.stderr


def test_a_lone_mongod_is_refused_with_the_way_out(real: Crossbar, tmp_path: Path) -> None:
    """It is run as a person runs one, without a replica set."""
    sock = tmp_path / "lone.sock"
    (tmp_path / "db").mkdir()
    arguments = [str(find_mongod()), f"--dbpath={tmp_path / 'db'}", "--nounixsocket", f"--bind_ip={sock}"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as mongod:
        assert mongod.stdout is not None
        assert any("Waiting for connections" in line for line in mongod.stdout)
        uri = f"mongodb://{quote(str(sock), safe='')}"
        refused = real("serve", "--port", "0", "--data", tmp_path, CROSSBAR_DATABASE__URI=uri)
        mongod.kill()
    assert refused.stderr == (
        "Error: the database (database.uri) cannot be used: the mongod there is no replica set, which transactions "
        "need. Start it with --replSet and call rs.initiate() once\n"
    )


@pytest.mark.parametrize("command", ["serve", "init"])
def test_a_data_folder_that_takes_nothing_is_told_in_a_line(crossbar: Crossbar, command: str) -> None:
    """Nobody writes there, root neither."""
    arguments = ("--port", "0") if command == "serve" else FIRST
    refused = crossbar(command, *arguments, "--data", "/proc/crossbar")
    assert refused.exit_code == 1
    assert refused.stderr == (
        "Error: cannot write to the data folder /proc/crossbar (server.data): No such file or directory. "
        "Name another with --data, or let us write.\n"
    )


def test_a_bad_configuration_stops_the_start(crossbar: Crossbar, tmp_path: Path) -> None:
    file = tmp_path / "crossbar.ini"
    file.write_text("[server]\nprot = 1\nworkers = many\n")
    for command in ("serve", "config"):
        refused = crossbar(command, "--config", file)
        assert refused.exit_code == 1
        assert refused.stderr == (
            f"Error: {file}: unknown option server.prot; did you mean server.port?\n"
            f"server.workers ({file}) must be a whole number, 1 to 256, not 'many'\n"
        )


def test_config_says_where_values_come_from(crossbar: Crossbar, tmp_path: Path) -> None:
    file = tmp_path / "crossbar.ini"
    file.write_text("[server]\nport = 9000\n[mail]\npassword = hush-hush\n")
    shown = crossbar("config", "--config", file, "--data", tmp_path / "data", CROSSBAR_SERVER__WORKERS="3")
    assert shown.exit_code == 0, shown.stderr
    rows = {line.split()[0]: line.split()[1:] for line in shown.stdout.splitlines()}
    assert rows["server.port"] == ["9000", str(file)]
    assert rows["server.workers"] == ["3", "CROSSBAR_SERVER__WORKERS"]
    assert rows["server.data"] == [str(tmp_path / "data"), "command", "line"]
    assert rows["server.bind"] == ["127.0.0.1", "default"]
    assert rows["mail.password"] == ["********", str(file)]


def test_mail_is_listed_and_shown(crossbar: Crossbar, tmp_path: Path) -> None:
    message = EmailMessage()
    message["To"] = "ann@example.com"
    message["Subject"] = "Your password at Acme"
    message.set_content("https://ui.example.com/?recovery=abc")
    with clock.frozen(1_700_000_000):
        message_id = Spool(tmp_path / "mail").put(message)
    listed = crossbar("mail", "--data", tmp_path).stdout.splitlines()[1]
    assert " ".join(listed.split()) == f"{message_id} 2023-11-14 22:13:20 waiting ann@example.com Your password at Acme"
    shown = crossbar("mail", message_id, "--data", tmp_path).stdout
    assert "Subject: Your password at Acme\n" in shown
    assert "https://ui.example.com/?recovery=abc\n" in shown
    refused = crossbar("mail", "nothing", "--data", tmp_path)
    assert (refused.exit_code, refused.stderr) == (1, "Error: there is no message nothing in the spool\n")


def test_config_prints_the_pages_made_from_the_declarations(crossbar: Crossbar) -> None:
    root = Path(__file__).parent.parent
    assert crossbar("config", "--example").stdout == (root / "config.example.ini").read_text()
    assert crossbar("config", "--manual").stdout == (root / "docs/configuration.md").read_text()


def test_the_version_is_told() -> None:
    assert crossbar_process("--version").stdout.startswith("crossbar, version ")


@pytest.mark.parametrize("given", [None, "[b]hush-hush"])
async def test_the_first_start_creates_an_administrator_and_shows_the_log_in_once(
    given: str | None, tmp_path: Path
) -> None:
    variables = {"CROSSBAR_ADMIN_PASSWORD": given} if given else {}
    printed = []
    for _ in range(2):
        async with serving("--create-admin", "--data", tmp_path, **variables) as server:
            printed.append(server.printed)
    created, again = printed
    rows = dict(line.strip("│ ").rsplit(None, 1) for line in created.splitlines() if line.startswith("│"))
    password = rows.pop("Password")
    assert password == given or len(password) == 24
    assert rows == {"Account name": "Master", "Account id": "Master@master.localhost", "User name": "admin"}
    assert again == ""


async def test_without_an_account_the_server_says_how_to_make_one(tmp_path: Path) -> None:
    async with serving("--data", tmp_path) as server:
        assert server.printed == "There is no account yet; `crossbar init` creates the first one.\n"


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_sigterm_finishes_requests_in_flight(workers: str, tmp_path: Path) -> None:
    async with serving("--workers", workers, "--data", tmp_path) as server, aiohttp.ClientSession() as client:
        async with client.get(f"{server.url}/until-stop") as answer:
            assert await answer.content.readline() == b"begun\n"
            server.process.terminate()
            assert await answer.content.readline() == b"finished\n"
            assert await answer.content.read() == b""
        assert await server.process.wait() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_request_that_does_not_finish_is_cut_off_in_the_end(workers: str, tmp_path: Path) -> None:
    limit = {"CROSSBAR_SERVER__SHUTDOWN_TIMEOUT_S": "0.1"}
    async with (
        serving("--workers", workers, "--data", tmp_path, **limit) as server,
        aiohttp.ClientSession() as client,
        client.get(f"{server.url}/for-ever") as answer,
    ):
        assert await answer.content.readline() == b"begun\n"
        server.process.send_signal(signal.SIGINT)
        assert await server.process.wait() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_ctrl_c_is_answered(workers: str, tmp_path: Path) -> None:
    """With where everything is kept, and no password; `tests/e2e/test_documents.py` has an embedded database."""
    uri = {"CROSSBAR_DATABASE__URI": "mongodb://ann:hush@db.example.com"}
    async with serving("--workers", workers, "--data", tmp_path, **uri) as server:
        server.process.send_signal(signal.SIGINT)
        printed, _ = await server.process.communicate()
        assert printed.decode().endswith("Stopped. All that was acknowledged is kept in the database.\n")
        assert await server.process.wait() == 0


async def test_one_worker_is_the_server_itself(tmp_path: Path) -> None:
    async with serving("--data", tmp_path) as server, aiohttp.request("GET", f"{server.url}/pid") as answer:
        assert await answer.text() == str(server.process.pid)


async def test_workers_do_not_outlive_a_server_that_is_killed(tmp_path: Path) -> None:
    async with serving("--workers", "2", "--data", tmp_path) as server:
        async with aiohttp.request("GET", f"{server.url}/pid") as answer:
            worker = int(await answer.text())
        assert worker != server.process.pid
        watched = os.pidfd_open(worker)
        server.process.kill()
        ended = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(watched, ended.set_result, None)
        async with asyncio.timeout(10):
            await ended
        asyncio.get_running_loop().remove_reader(watched)
        os.close(watched)
