# SPDX-License-Identifier: MPL-2.0
"""What browsers are shown: pages that load nothing from outside, and run no script that stands in them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from crossbar.endpoint.dispatcher import BANNER
from crossbar.pages.page_files import address, shipped
from tests.harness import Api, RawAnswer, RunningServer, ServerWith

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
PAGES = ("/", "/start", "/docs", "/status", "/docs/")
OWN = {path: file.body.decode() for path, file in shipped().items() if not path.startswith("swagger-ui/")}


async def shown(api: Api, server: RunningServer, path: str, method: str = "GET", **headers: str) -> RawAnswer:
    async with api.session.request(method, server.url + path, headers=headers) as response:
        return RawAnswer(response.status, response.headers, await response.read())


class Links(HTMLParser):
    """What a page loads or leads to, and scripts and styles that stand in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        self.found += [value for key in ("src", "href") if (value := about.get(key)) is not None]
        if tag == "style" or (tag == "script" and "src" not in about):
            self.inline.append(tag)
        self.inline += [key for key in about if key.startswith("on") or key == "style"]


@pytest.mark.parametrize(
    ("method", "accept"),
    [
        ("GET", None),
        ("GET", "*/*"),
        ("GET", "application/json, text/javascript, */*; q=0.01"),
        ("GET", "text/*"),
        ("GET", "text/html;q=0, */*"),
        ("GET", "text/html; q=0.000"),
        ("HEAD", BROWSER),
        ("POST", BROWSER),
        ("PUT", BROWSER),
        ("OPTIONS", BROWSER),
    ],
)
async def test_whoever_is_no_browser_gets_the_banner(
    method: str, accept: str | None, server: RunningServer, anonymous: Api
) -> None:
    answer = await shown(anonymous, server, "/", method, **({"Accept": accept} if accept else {}))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=UTF-8")
    assert answer.raw == (b"" if method == "HEAD" else BANNER.encode())
    assert answer.headers["Content-Length"] == str(len(BANNER.encode()))
    assert not {"Vary", "ETag", "Content-Security-Policy"} & set(answer.headers)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_loads_what_is_there_and_holds_no_script(path: str, server: RunningServer, anonymous: Api) -> None:
    page = await shown(anonymous, server, path, Accept=BROWSER)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    links = Links(page.raw.decode())
    assert links.inline == []
    assert "{{" not in page.raw.decode()
    for link in links.found:
        if link.startswith("#"):
            continue
        found = await shown(anonymous, server, link)
        assert found.status == 200, link
        assert found.raw != BANNER.encode() or link == "/", link
        if link.startswith("/pages/"):
            assert "immutable" in found.headers["Cache-Control"]
            assert found.headers["X-Content-Type-Options"] == "nosniff"


def test_the_files_name_nothing_outside() -> None:
    for name, text in OWN.items():
        outside = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"'`]*", text)) - {"http://www.w3.org/2000/svg"}
        assert outside == set(), name
        assert not re.search(r"\b(?:eval|innerHTML|document\.write|localStorage|cookie)\b", text), name
    imported = {
        f"{path.rpartition('/')[0]}{target}"
        for path, text in OWN.items()
        for target in re.findall(r'from "\./([^"]+)"', text)
    }
    assert imported <= set(OWN)


async def test_what_a_browser_has_is_not_sent_again(server: RunningServer, anonymous: Api) -> None:
    for path in ("/start", f"{address()}/pages.css", f"{address()}/swagger-ui/swagger-ui-bundle.js"):
        first = await shown(anonymous, server, path, **{"Accept-Encoding": "gzip"})
        assert first.headers["Content-Encoding"] == "gzip"
        assert int(first.headers["Content-Length"]) < len(first.raw) / 2
        plain = await shown(anonymous, server, path, **{"Accept-Encoding": "identity"})
        assert plain.raw == first.raw
        assert plain.headers["ETag"] != first.headers["ETag"]
        for encoding, tag in (("gzip", first.headers["ETag"]), ("identity", plain.headers["ETag"])):
            again = await shown(anonymous, server, path, **{"Accept-Encoding": encoding, "If-None-Match": tag})
            assert (again.status, again.raw) == (304, b"")
    assert (await shown(anonymous, server, "/start", **{"If-None-Match": '"other"'})).status == 200


async def test_of_another_release_nothing_is_kept_for_ever(server: RunningServer, anonymous: Api) -> None:
    older = await shown(anonymous, server, "/pages/0123456789abcdef/pages.css")
    assert (older.status, older.headers["Cache-Control"]) == (200, "no-cache")
    for missing in ("nothing.css", "start.html", "../page_files.py", "swagger-ui/", "%2e%2e/page_files.py"):
        assert (await shown(anonymous, server, f"{address()}/{missing}")).raw != files("crossbar.pages").joinpath(
            "page_files.py"
        ).read_bytes()
    assert (await shown(anonymous, server, f"{address()}/start.html")).status == 404


async def test_an_api_that_is_not_described_has_no_documentation(server_with: ServerWith) -> None:
    async with server_with(api__describe="false") as server:
        api = server.master.api
        assert (await shown(api, server, "/docs", Accept=BROWSER)).raw == BANNER.encode()
        for path in ("/", "/status"):
            assert b'data-docs=""' in (await shown(api, server, path, Accept=BROWSER)).raw
