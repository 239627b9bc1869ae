# SPDX-License-Identifier: MPL-2.0
"""What the documents tell people to type does what they say, in a fresh checkout and in the order of the pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbar.config import Config, ConfigError
from tests.e2e.checkout import SERVES, Serving, Terminal, check_out, start
from tests.e2e.document_blocks import PAGES, ROOT, Block, assert_as_shown, blocks, commands
from tests.resources.apps.test_apps_store import write_app

FOLLOWED = ("README.md", "docs/quickstart.md", "docs/ingest.md", "docs/operations.md")
"""The pages whose commands are typed here."""
GOODBYE = "Stopped. All that was acknowledged is kept in var.\n"


def follow(page: str, terminal: Terminal) -> None:
    """Type what a page says, but for what starts the server, and compare with what it shows."""
    for block in blocks(page):
        if block.is_commands and block.reason is None:
            for command, shown in commands(block):
                if SERVES.match(command) or command.startswith("make install"):
                    continue
                output = terminal.type(command)
                if shown is not None:
                    assert_as_shown(output, shown)


def begun(page: str, folder: Path) -> Serving:
    """The server that a page starts, in a checkout of its own."""
    check_out(folder)
    (command,) = [
        command
        for block in blocks(page)
        if block.is_commands and block.reason is None
        for command, _ in commands(block)
        if SERVES.match(command)
    ]
    return start(command, folder, folder.parent / f"{folder.name}.log")


def test_the_readme(tmp_path: Path) -> None:
    server = begun("README.md", tmp_path / "checkout")
    try:
        (shown,) = [block.text for block in blocks("README.md") if block.language == "text"]
        assert_as_shown(server.printed, shown)
        with Terminal(tmp_path / "checkout", server.shown) as terminal:
            follow("README.md", terminal)
    finally:
        said = server.press_ctrl_c()
    assert said == GOODBYE


@pytest.fixture(scope="module")
def quickstarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A person's terminal beside the server of the quickstart."""
    folder = tmp_path_factory.mktemp("quickstart")
    write_app(folder / "apps" / "dialler", name="dialler")
    server = begun("docs/quickstart.md", folder / "checkout")
    try:
        with Terminal(folder / "checkout", server.shown | {"MONSTER_UI": str(folder)}) as terminal:
            yield terminal
    finally:
        said = server.press_ctrl_c()
    assert said == GOODBYE


def test_the_quickstart_and_the_pages_that_go_on_from_it(quickstarted: Terminal) -> None:
    for page in FOLLOWED[1:]:
        follow(page, quickstarted)
    (line,) = [block.text for block in blocks("docs/operations.md") if block.language == "json"]
    log = quickstarted.folder.parent / f"{quickstarted.folder.name}.log"
    logged = [json.loads(one) for one in log.read_text().splitlines()]
    assert [*json.loads(line)] in [[*one] for one in logged if one["message"] == "request"]


def test_every_command_is_typed_or_says_why_not() -> None:
    silent = [
        block.text
        for page in PAGES
        if page not in FOLLOWED
        for block in blocks(page)
        if block.is_commands and block.reason is None
    ]
    assert silent == []


def settings() -> Iterator[Block]:
    """What the pages say to write into the configuration file."""
    for page in PAGES:
        yield from (block for block in blocks(page) if block.language == "ini" and block.reason is None)


@pytest.mark.parametrize("block", list(settings()), ids=lambda block: block.page)
def test_settings_are_options_that_there_are(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "crossbar.ini"
    file.write_text(block.text)
    assert Config.load(file).origins
    file.write_text(block.text.replace("=", "_no_option ="))
    with pytest.raises(ConfigError):
        Config.load(file)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text()):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), target
