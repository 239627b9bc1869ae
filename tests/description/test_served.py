# SPDX-License-Identifier: MPL-2.0
"""The description over HTTP, by the command, and in docs/."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import orjson
import pytest
from aiohttp import ClientSession
from click.testing import CliRunner

from crossbar.app import ENDPOINTS, WINGS
from crossbar.cli import main
from crossbar.description.endpoint_pages import INDEX, pages
from crossbar.description.yaml_text import yaml_text
from tests.description.conformance import whole
from tests.harness import RunningServer, ServerWith

DOCS = Path(__file__).parent.parent.parent / "docs" / "endpoints"


async def test_it_is_served_to_whoever_asks(server: RunningServer) -> None:
    async with ClientSession() as session, session.get(f"{server.url}/openapi.json") as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert orjson.loads(await answer.read()) == whole()


async def test_it_is_sent_again_only_when_it_has_changed(server: RunningServer) -> None:
    async with ClientSession(auto_decompress=False) as session:
        url = f"{server.url}/openapi.yaml"
        async with session.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Type"] == "application/yaml"
            assert answer.headers["Content-Encoding"] == "gzip"
            etag, body = answer.headers["ETag"], await answer.read()
        async with session.get(url, headers={"Accept-Encoding": "identity"}) as answer:
            assert await answer.read() == gzip.decompress(body)
        async with session.get(url, headers={"If-None-Match": etag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")


async def test_all_who_ask_at_once_get_the_same(server_with: ServerWith) -> None:
    async with server_with() as server, ClientSession() as session:

        async def asked() -> tuple[int, str]:
            async with session.get(f"{server.url}/openapi.json") as answer:
                return answer.status, answer.headers["ETag"]

        assert len(set(await asyncio.gather(*(asked() for _ in range(8))))) == 1


async def test_it_can_be_switched_off(server_with: ServerWith) -> None:
    async with server_with(api__describe="false") as server, ClientSession() as session:
        for path in ("/openapi.json", "/openapi.yaml"):
            async with session.get(f"{server.url}{path}") as answer:
                assert (await answer.text()).strip().endswith("The API lives under /v2.")


def test_the_command_needs_no_database(tmp_path: Path) -> None:
    file = tmp_path / "api.yaml"
    printed = CliRunner().invoke(main, ["openapi"])
    assert orjson.loads(printed.output) == whole()
    assert CliRunner().invoke(main, ["openapi", "--format", "yaml", "--output", str(file)]).exit_code == 0
    assert file.read_bytes() == yaml_text(whole())


def test_the_reference_of_endpoints_is_current() -> None:
    """`make docs` makes it."""
    assert {page.name: page.read_text() for page in DOCS.glob("*.md")} == pages(WINGS)


def test_pages_of_endpoints_that_are_gone_go(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("stays")
    for _ in range(2):
        assert CliRunner().invoke(main, ["openapi", "--pages", str(tmp_path)]).exit_code == 0
        assert {page.name for page in tmp_path.iterdir()} == {*pages(WINGS), "notes.txt"}
        (tmp_path / "gone.md").write_text("# gone")


@pytest.mark.parametrize("name", ["README.md", "notes.md"])
def test_pages_of_something_else_stay(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("# Mine")
    refused = CliRunner().invoke(main, ["openapi", "--pages", str(tmp_path)])
    assert (refused.exit_code, "other pages" in refused.output) == (1, True)
    assert [(page.name, page.read_text()) for page in tmp_path.iterdir()] == [(name, "# Mine")]


@pytest.mark.parametrize("command", ["openapi", "postman"])
def test_a_file_that_cannot_be_written_is_told_of(tmp_path: Path, command: str) -> None:
    file = tmp_path / "nowhere" / "file"
    refused = CliRunner().invoke(main, [command, "--output", str(file)])
    assert (refused.exit_code, str(file) in refused.output) == (1, True)


def test_the_index_leads_to_every_endpoint() -> None:
    index = pages(WINGS)[INDEX]
    assert [endpoint.name for endpoint in ENDPOINTS if f"]({endpoint.name}.md)" not in index] == []
