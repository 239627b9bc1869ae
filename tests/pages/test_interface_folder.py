# SPDX-License-Identifier: MPL-2.0
"""A built user interface beside the API: its files, and nothing else; its settings with this server's addresses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio
from yarl import URL

from crossbar.endpoint.dispatcher import BANNER
from crossbar.pages.interface_config import interface_config
from tests.harness import RawAnswer, RunningServer, ServerWith

BROWSER = {"Accept": "text/html,*/*;q=0.8"}
CONFIG = "define(function (require) { return { api: { provisioner: 'http://p/' } }; });"
INDEX = "<!doctype html><title>Phones</title>" + "<p>text</p>" * 100


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.txt").write_text("secret")
    folder = outside / "build"
    for name in ("js", "css", "img", ".git", "apps/voip/style", "v2", "docs"):
        (folder / name).mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "js" / "config.js").write_text(CONFIG)
    (folder / "js" / "main.js").write_text("let main;" * 200)
    (folder / "img" / "logo.png").write_bytes(bytes(1000))
    (folder / "big.bin").write_bytes(bytes(5 * 2**20))
    (folder / "apps" / "voip" / "style" / "app.css").write_text("b {}" * 200)
    (folder / "docs" / "index.html").write_text("not ours")
    for hidden in (".git/config", ".env", "v2/about"):
        (folder / hidden).write_text("secret")
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / "up").symlink_to(outside)
    (folder / "alias.css").symlink_to(folder / "apps" / "voip" / "style" / "app.css")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def serving(server_with: ServerWith, build: Path) -> AsyncIterator[RunningServer]:
    async with server_with(ui__folder=str(build)) as server:
        yield server


async def fetched(server: RunningServer, path: str, method: str = "GET", **headers: str) -> RawAnswer:
    url = URL(f"{server.url}/{path}", encoded=True)
    async with server.master.api.session.request(method, url, headers=headers) as response:
        return RawAnswer(response.status, response.headers, await response.read())


async def test_a_browser_gets_the_interface_and_programs_the_banner(serving: RunningServer) -> None:
    page = await fetched(serving, "", **BROWSER)
    assert (page.status, page.headers["Content-Type"], page.raw) == (200, "text/html; charset=utf-8", INDEX.encode())
    assert "Content-Security-Policy" not in page.headers
    assert (await fetched(serving, "")).raw == BANNER.encode()
    assert (await fetched(serving, "index.html")).raw == INDEX.encode()
    start = await fetched(serving, "start", **BROWSER)
    assert b'data-interface="yes"' in start.raw
    # The server's own paths stay its own.
    assert b"swagger-ui" in (await fetched(serving, "docs", **BROWSER)).raw
    assert (await fetched(serving, "v2/about")).status == 401
    assert (await fetched(serving, "healthz")).raw == b'{"status": "alive"}\n'
    assert (await serving.master.api.get("")).status == 200


async def test_files_come_with_type_and_tag_and_small(serving: RunningServer, build: Path) -> None:
    for path, kind in (
        ("js/main.js", "text/javascript; charset=utf-8"),
        ("apps/voip/style/app.css", "text/css; charset=utf-8"),
        ("alias.css?bust=1", "text/css; charset=utf-8"),
        ("img/logo.png", "image/png"),
    ):
        file = await fetched(serving, path, **{"Accept-Encoding": "gzip"})
        assert (file.status, file.headers["Content-Type"]) == (200, kind)
        assert file.raw == (build / path.partition("?")[0]).read_bytes()
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert ("Content-Encoding" in file.headers) == kind.startswith("text/")
        again = await fetched(serving, path, **{"Accept-Encoding": "gzip", "If-None-Match": file.headers["ETag"]})
        assert (again.status, again.raw) == (304, b"")
    head = await fetched(serving, "js/main.js", "HEAD")
    assert (head.status, head.raw) == (200, b"")
    big = await fetched(serving, "big.bin", Range="bytes=10-19")
    assert (big.status, big.raw) == (206, bytes(10))


async def test_what_changes_in_the_folder_is_served_at_once(serving: RunningServer, build: Path) -> None:
    (build / "new.js").write_text("1")
    first = await fetched(serving, "new.js")
    assert (first.raw, first.headers["Cache-Control"]) == (b"1", "no-cache")
    (build / "new.js").write_text("22")
    assert (await fetched(serving, "new.js", **{"If-None-Match": first.headers["ETag"]})).raw == b"22"
    (build / "new.js").unlink()
    assert (await fetched(serving, "new.js")).raw == BANNER.encode()


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "js/../../secret.txt",
        "js/%2e%2e/%2e%2e/secret.txt",
        "..%5csecret.txt",
        "%2fetc/passwd",
        "/etc/passwd",
        "link.txt",
        "up/secret.txt",
        ".git/config",
        ".env",
        "js/./../.env",
        "main.js%00.png",
        "x" * 3000,
        "nothing.js",
        "css",
    ],
)
async def test_nothing_else_is_served(path: str, serving: RunningServer) -> None:
    answer = await fetched(serving, path)
    assert (answer.status, answer.raw) == (200, BANNER.encode())


def settings(answer: RawAnswer) -> dict[str, str]:
    line = next(line for line in answer.raw.decode().splitlines() if line.strip().startswith("var api = "))
    found: dict[str, str] = json.loads(line.strip().removeprefix("var api = ").removesuffix(";"))
    return found


async def test_its_settings_have_this_servers_addresses(serving: RunningServer) -> None:
    answer = await fetched(serving, "js/config.js?bust=1")
    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (
        "text/javascript; charset=utf-8",
        "no-store",
    )
    assert CONFIG in answer.raw.decode()
    own = serving.url.removeprefix("http")
    assert settings(answer) == {"default": f"http{own}/v2/", "socket": f"ws{own}/v2/websocket"}
    proxied = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "phones.example.com"}
    assert settings(await fetched(serving, "js/config.js", **proxied)) == {
        "default": "https://phones.example.com/v2/",
        "socket": "wss://phones.example.com/v2/websocket",
    }
    named = await fetched(serving, "js/config.js", Host="</script><script>alert(1)//")
    assert named.status == 400 or b"</script>" not in named.raw


async def test_settings_that_are_missing_or_somebody_elses(server_with: ServerWith, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(INDEX)
    async with server_with(ui__folder=str(tmp_path)) as server:
        assert settings(await fetched(server, "js/config.js"))["default"] == f"{server.url}/v2/"
        (tmp_path / "js").mkdir()
        (tmp_path / "js" / "config.js").write_text("window.config = {};")
        assert (await fetched(server, "js/config.js")).raw == b"window.config = {};"


def test_a_host_is_text_and_no_script() -> None:
    text = interface_config(None, "http://</script>\u2028")
    assert "</script>" not in text
    assert "\u2028" not in text
    assert orjson.dumps("\\u003c")[1:-1].decode() in orjson.dumps(text).decode()
