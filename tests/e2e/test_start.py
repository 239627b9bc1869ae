"""Starting, stopping, being killed: the installed server and its data folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from pymongo import MongoClient

from tests.e2e.installed import Installation, Running

PASSWORD = "a-good-password"
ADMIN = {"CROSSBAR_ADMIN_PASSWORD": PASSWORD}


def ask(url: str, token: str = "", *, method: str = "GET", data: Any = None) -> dict[str, Any]:
    """One request on a connection of its own; the envelope of a success."""
    body = None if data is None else json.dumps({"data": data}).encode()
    headers = {"X-Auth-Token": token, "Content-Type": "application/json"}
    with urlopen(Request(url, body, headers, method=method)) as response:
        envelope: dict[str, Any] = json.load(response)
    return envelope


def log_in(server: Running) -> tuple[str, str]:
    """Log in as the administrator of the first start: the account's address, and a token."""
    credentials = hashlib.md5(f"admin:{PASSWORD}".encode()).hexdigest()
    data = {"credentials": credentials, "account_name": "Master"}
    told = ask(f"{server.url}/v2/user_auth", method="PUT", data=data)
    return f"{server.url}/v2/accounts/{told['data']['account_id']}", told["auth_token"]


@contextmanager
def paused(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def mongod(data: Path) -> int:
    return int((data / "mongo" / "mongod.pid").read_text())


def test_the_first_start_shows_a_log_in_that_works(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.serving("--create-admin") as server:
        rows = dict(re.findall(r"│ (Account name|Account id|User name|Password) +(\S+)", server.printed))
        credentials = hashlib.md5(f"{rows['User name']}:{rows['Password']}".encode()).hexdigest()
        data = {"credentials": credentials, "account_name": rows["Account name"]}
        told = ask(f"{server.url}/v2/user_auth", method="PUT", data=data)
        assert told["data"]["account_id"] == rows["Account id"]
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
        assert not runs(database)
    began = time.perf_counter()
    with installation.serving() as server:
        found = ask(server.url + path, token)["data"]
        print(f"the first answer came {time.perf_counter() - began:.2f} s after the command was given")
        assert found == created
        assert server.terminate() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_after_a_kill_a_start_finds_everything_that_was_acknowledged(tmp_path: Path, workers: str) -> None:
    installation = Installation(tmp_path)
    names = [f"Phone {number}" for number in range(20)]
    with installation.serving("--create-admin", "--workers", workers, **ADMIN) as server:
        account, token = log_in(server)
        for name in names:
            ask(f"{account}/devices", token, method="PUT", data={"name": name})
        ask(f"{server.url}/v2/schemas/devices")
        path = f"{account.removeprefix(server.url)}/devices?paginate=false"
        server.process.kill()
        server.process.wait()
    with installation.serving("--workers", workers) as server:
        rows = ask(server.url + path, token)["data"]
        assert sorted(row["name"] for row in rows) == sorted(names)
        assert asked_for_schemas(server) == 0  # metrics count from the start
        assert server.terminate() == 0


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
        assert not any(runs(pid) for pid in (*old, new))


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
