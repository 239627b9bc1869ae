# SPDX-License-Identifier: MPL-2.0
"""The Postman collection: what is in it, in which order, and how it is handed out. `test_newman` sends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession
from click.testing import CliRunner

from crossbar.app import WINGS
from crossbar.cli import main
from crossbar.description.examples import ARGUMENTS, EARLIER, EXAMPLES, MAKERS
from crossbar.description.operations import ApiOperation, operations
from crossbar.description.postman_collection import BEGIN, END, collection, environment
from crossbar.description.postman_order import ordered
from tests.harness import RunningServer

OPERATIONS = {f"{one.verb} {one.path}": one for one in operations(WINGS)}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return collection(WINGS)


def items(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All requests, in the order in which they are sent."""
    for inside in part["item"]:
        if "item" in inside:
            yield from items(inside)
        else:
            yield inside


def scripts(item: dict[str, Any], listen: str) -> str:
    return "\n".join(
        line for event in item.get("event", ()) if event["listen"] == listen for line in event["script"]["exec"]
    )


def test_every_operation_is_in_it_once(made: dict[str, Any]) -> None:
    assert sorted(item["name"] for item in items(made)) == sorted(OPERATIONS)


def test_folders_are_wings_and_in_them_endpoints(made: dict[str, Any]) -> None:
    first, *wings, last = made["item"]
    assert [item["name"] for item in first["item"]] == list(BEGIN)
    assert [item["name"] for item in last["item"]] == list(END)
    assert {folder["name"]: [inside["name"] for inside in folder["item"]] for folder in wings} == {
        wing.__name__.rpartition(".")[2]: [endpoint.name for endpoint in wing.ENDPOINTS] for wing in WINGS
    }


def test_every_request_is_described_and_tested(made: dict[str, Any]) -> None:
    for item in items(made):
        operation = OPERATIONS[item["name"]]
        assert operation.summary in item["request"]["description"]
        assert item["request"]["method"] == operation.verb
        steps = [step if step[0] != ":" else f"{{{step[1:]}}}" for step in item["request"]["url"]["path"]]
        assert f"/{'/'.join(steps)}" == operation.path
        assert scripts(item, "test").count("pm.test(") >= 2


def test_a_request_that_is_refused_says_why_and_may_have_described_statuses(made: dict[str, Any]) -> None:
    for item in items(made):
        operation, example = OPERATIONS[item["name"]], EXAMPLES.get(item["name"])
        if operation.path.endswith("/{revision}"):
            example = EARLIER
        found = re.search(r"oneOf\(\[([\d, ]+)\]\)", scripts(item, "test"))
        assert found is not None
        statuses = {int(status) for status in found[1].split(",")}
        refused = bool(example and example.refused)
        assert statuses <= {*operation.answer.statuses, *operation.refusals}
        assert refused == (statuses != set(operation.answer.statuses))
        assert not refused or f"{example.refused}" in item["request"]["description"]  # type: ignore[union-attr]


def test_examples_are_of_operations() -> None:
    assert EXAMPLES.keys() <= OPERATIONS.keys()
    assert {key for key, _, _ in MAKERS.values()} <= OPERATIONS.keys()
    for key, example in EXAMPLES.items():
        assert example.arguments.keys() <= {one.name for one in OPERATIONS[key].arguments}


def test_every_variable_has_a_value_or_is_made(made: dict[str, Any]) -> None:
    makers = set(re.findall(r'^ "(\w+)": \{', scripts(made, "prerequest"), re.MULTILINE))
    told = {variable["key"] for variable in made["variable"]}
    kept = set(re.findall(r'\.set\("(\w+)"', orjson.dumps(made).decode().replace("\\", "")))
    asked = set(re.findall(r"\{\{(\w+)\}\}", orjson.dumps(made).decode()))
    assert asked <= makers | told | kept
    assert not makers & ARGUMENTS.keys()


def test_what_is_made_comes_first_and_what_is_deleted_last() -> None:
    by_endpoint: dict[str, list[ApiOperation]] = {}
    for operation in OPERATIONS.values():
        by_endpoint.setdefault(operation.endpoint, []).append(operation)
    for listed in by_endpoint.values():
        order = [(one.verb, one.path) for one in ordered(listed)]
        assert len(order) == len(listed)
        for at, (verb, path) in enumerate(order):
            if verb == "DELETE":
                assert not any(other == path or other.startswith(f"{path}/") for _, other in order[at + 1 :])
            if verb == "PUT":
                assert not any(other == path or other.startswith(f"{path}/") for _, other in order[:at])


def test_the_environment_names_what_a_log_in_needs() -> None:
    names = [value["key"] for value in environment()["values"]]
    assert names == ["base_url", "account_name", "user", "password", "auth_token", "account_id"]


async def test_it_is_served_to_whoever_asks(server: RunningServer, made: dict[str, Any]) -> None:
    async with ClientSession() as session:
        for path, expected in (("/postman.json", made), ("/postman_environment.json", environment())):
            async with session.get(f"{server.url}{path}") as answer:
                assert (answer.status, answer.content_type) == (200, "application/json")
                assert orjson.loads(await answer.read()) == expected


def test_the_command_needs_no_database(tmp_path: Path, made: dict[str, Any]) -> None:
    file = tmp_path / "collection.json"
    assert CliRunner().invoke(main, ["postman", "--output", str(file)]).exit_code == 0
    assert orjson.loads(file.read_bytes()) == made
    assert orjson.loads(CliRunner().invoke(main, ["postman"]).output) == made
    assert orjson.loads(CliRunner().invoke(main, ["postman", "--environment"]).output) == environment()
