# SPDX-License-Identifier: MPL-2.0
"""Starting, stopping, being killed: the installed server and its data folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pymongo import MongoClient

from crossbar.metrics import is_alive
from tests.e2e.installed import Installation, Running
from tests.resources.apps.test_apps_store import write_app

PASSWORD = "a-good-password"
ADMIN = {"CROSSBAR_ADMIN_PASSWORD": PASSWORD}


def ask(url: str, token: str = "", *, method: str = "GET", data: Any = None) -> dict[str, Any]:
    """One request on a connection of its own; the envelope of a success."""
    body = None if data is None else json.dumps({"data": data}).encode()
    headers = {"X-Auth-Token": token, "Content-Type": "application/json"}
    with urlopen(Request(url, body, headers, method=method)) as response:
        envelope: dict[str, Any] = json.load(response)
    return envelope


def log_in(server: Running, password: str = PASSWORD) -> tuple[str, str]:
    """Log in as the administrator of the first start: the account's address, and a token."""
    credentials = hashlib.md5(f"admin:{password}".encode()).hexdigest()
    data = {"credentials": credentials, "account_name": "Master"}
    told = ask(f"{server.url}/v2/user_auth", method="PUT", data=data)
    return f"{server.url}/v2/accounts/{told['data']['account_id']}", told["auth_token"]


@contextmanager
def paused(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


def mongod(data: Path) -> int:
    return int((data / "mongo" / "mongod.pid").read_text())


def test_the_first_start_shows_a_log_in_that_works(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    write_app(tmp_path / "dist" / "apps" / "voip")
    (tmp_path / "dist" / "index.html").write_text("<!doctype html>")
    with installation.serving("--create-admin", "--ui", str(tmp_path / "dist")) as server:
        rows = dict(re.findall(r"│ (Account name|Account id|User name|Password) +(\S+)", server.printed))
        credentials = hashlib.md5(f"{rows['User name']}:{rows['Password']}".encode()).hexdigest()
        data = {"credentials": credentials, "account_name": rows["Account name"]}
        told = ask(f"{server.url}/v2/user_auth", method="PUT", data=data)
        assert told["data"]["account_id"] == rows["Account id"]
        assert server.printed.endswith("\nRegistered the app voip.\n")
        apps = ask(f"{server.url}/v2/accounts/{rows['Account id']}/apps_store", told["auth_token"])["data"]
        assert [(app["name"], app["allowed_users"]) for app in apps] == [("voip", "all")]
        with urlopen(f"{server.url}/js/config.js") as settings:
            assert f'"default":"{server.url}/v2/"' in settings.read().decode()
        assert server.terminate() == 0
    assert installation.init("another-password")["account_id"] == rows["Account id"]


def test_a_stop_leaves_nothing_behind_and_a_start_finds_everything(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.serving("--create-admin", **ADMIN) as server:
        account, token = log_in(server)
        created = ask(f"{account}/devices", token, method="PUT", data={"name": "Desk"})["data"]
        path = f"{account.removeprefix(server.url)}/devices/{created['id']}"
        database = mongod(tmp_path)
        assert server.terminate() == 0
        assert not is_alive(database)
    began = time.perf_counter()
    with installation.serving() as server:
        found = ask(server.url + path, token)["data"]
        print(f"the first answer came {time.perf_counter() - began:.2f} s after the command was given")
        assert found == created
        assert server.terminate() == 0


def test_after_a_kill_a_start_finds_everything_that_was_acknowledged(tmp_path: Path) -> None:
    """Whether it was one process or several, and whether it is one or several afterwards."""
    installation, names = Installation(tmp_path), list[str]()
    for workers in ("1", "2", "1"):
        with installation.serving("--create-admin", "--workers", workers, **ADMIN) as server:
            account, token = log_in(server)
            rows = ask(f"{account}/devices?paginate=false", token)["data"]
            assert sorted(row["name"] for row in rows) == sorted(names)
            assert asked_for_schemas(server) == 0  # metrics count from the start
            for _ in range(10):
                names.append(f"Phone {len(names)}")
                ask(f"{account}/devices", token, method="PUT", data={"name": names[-1]})
            ask(f"{server.url}/v2/schemas/devices")
            server.process.kill()
            server.process.wait()
        assert server.complaints == []  # on standard error, beside the log


@pytest.fixture
def database(mongo_uri: str, database_name: str) -> dict[str, str]:
    """Variables for tests that are about workers: a database that runs already."""
    return {"CROSSBAR_DATABASE__URI": mongo_uri, "CROSSBAR_DATABASE__NAME": database_name}


def test_a_worker_that_is_killed_is_replaced_while_requests_go_on(tmp_path: Path, database: dict[str, str]) -> None:
    with Installation(tmp_path).serving("--create-admin", "--workers", "2", **ADMIN, **database) as server:
        account, token = log_in(server)
        old = [server.logged("worker ready")["pid"] for _ in range(2)]
        os.kill(old[0], signal.SIGKILL)
        for _ in range(50):
            assert ask(account, token)["data"]["name"] == "Master"
        assert server.logged("worker died")["status"] == -signal.SIGKILL
        new = server.logged("worker ready")["pid"]
        with paused(old[1]):
            assert ask(account, token)["data"]["name"] == "Master"
        assert server.terminate() == 0
        assert not any(is_alive(pid) for pid in (*old, new))


def test_a_first_start_that_ended_before_the_indexes_were_made_is_no_hindrance(
    tmp_path: Path, database: dict[str, str], mongo_client: MongoClient[dict[str, Any]]
) -> None:
    documents = mongo_client[database["CROSSBAR_DATABASE__NAME"]]["documents"]
    documents.drop()
    documents.insert_one({"_id": "a/thing/1", "a": "a"})
    with Installation(tmp_path).serving("--create-admin", **ADMIN, **database) as server:
        assert server.url
    assert len(list(documents.list_indexes())) > 1


def test_each_worker_tells_the_metrics_of_all(tmp_path: Path, database: dict[str, str]) -> None:
    with Installation(tmp_path).serving("--workers", "2", **database) as server:
        workers = [server.logged("worker ready")["pid"] for _ in range(2)]
        for other in workers:
            with paused(other):
                ask(f"{server.url}/v2/schemas/devices")
        for other in workers:
            with paused(other):
                assert asked_for_schemas(server) == 2
        os.kill(workers[0], signal.SIGKILL)
        server.logged("worker died")
        assert asked_for_schemas(server) == 2
        assert server.terminate() == 0


def asked_for_schemas(server: Running) -> float:
    """How often a schema was read, by the metrics."""
    with urlopen(f"{server.url}/metrics") as response:
        text = response.read().decode()
    label = 'crossbar_requests_total{method="GET",route="/v2/schemas/{schema_id}",status="200"} '
    return sum(float(line.removeprefix(label)) for line in text.splitlines() if line.startswith(label))


def test_commands_work_on_the_database_of_a_running_server(tmp_path: Path) -> None:
    """A lost password is replaced, an app registered, and who is there told, without stopping anything."""
    write_app(tmp_path / "app", name="dialler")
    installation = Installation(tmp_path / "data")
    with installation.serving("--create-admin", **ADMIN) as server:
        account, token = log_in(server)
        told = installation.crossbar("user", "list")
        assert re.search(r"Master, master\.localhost", told)
        assert re.search(r"admin +[0-9a-f]{32} +Account Admin +admin +yes", told)
        changed = installation.crossbar(
            "user", "password", "admin", "--account", "Master", "--stdin", stdin="found again\n"
        )
        assert changed == "admin of Master (master.localhost) has the new password.\n"
        assert refused(f"{account}/users", token) == 401
        account, token = log_in(server, "found again")
        assert len(ask(f"{account}/users", token)["data"]) == 1
        assert installation.crossbar("apps", "register", str(tmp_path / "app")).startswith("Registered dialler")
        assert [one["name"] for one in ask(f"{account}/apps_store", token)["data"]] == ["dialler"]
        assert installation.init("another word")["account_id"] in account
        assert not server.complaints
    assert "found" not in installation.crossbar("user", "list", "--account", "master.localhost")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("list", "--account", "nobody"), "there is no account nobody; its name, realm or id is wanted"),
        (
            ("password", "eve"),
            "Acme has no user eve; `crossbar user list --account acme.example.com` tells who there is",
        ),
        (("password", "admin"), "password: Field is required but missing"),
    ],
)
def test_what_a_command_cannot_find_is_told(installation: Installation, arguments: tuple[str, ...], told: str) -> None:
    more = ("--stdin",) if arguments[0] == "password" else ()
    assert installation.refusal("user", *arguments, *more, stdin="\n") == f"Error: {told}\n"


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> Iterator[Installation]:
    """One that has its first account, and does not run."""
    database = f"test-{uuid.uuid4().hex}"
    variables = {"CROSSBAR_DATABASE__URI": mongo_uri, "CROSSBAR_DATABASE__NAME": database}
    made = Installation(tmp_path_factory.mktemp("installation"), variables)
    made.init(PASSWORD)
    yield made
    mongo_client.drop_database(database)


def refused(url: str, token: str) -> int:
    """The status of the refusal that comes, at the latest after a while."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            ask(url, token)
        except HTTPError as error:
            return error.code
    return 200
