# SPDX-License-Identifier: MPL-2.0
"""What comes beside the package: unit, image, dashboard, site, completion."""

from __future__ import annotations

import configparser
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from crossbar import cli
from crossbar.config import OPTIONS
from crossbar.metrics import FIGURES, Metrics

ROOT = Path(__file__).parent.parent
PACKAGING = ROOT / "packaging"
LABELLED = re.compile(r"(crossbar_\w+)\{([^}]*)\}")
OF_PROMETHEUS = {"instance", "le"}


# Installing

PIP = """#!/bin/sh
echo "Collecting aiohttp>=3.13 (from kazoo-crossbar==5.0.0)"
echo "  Downloading aiohttp-3.13.0.whl (1.7 MB)"
echo "Collecting PyJWT>=2.10 (from kazoo-crossbar==5.0.0)"
echo "Installing collected packages: aiohttp, PyJWT"
test -z "$REFUSED" || { echo "ERROR: $REFUSED" >&2; exit 1; }
"""


def test_make_says_what_it_installs_and_what_went_wrong(tmp_path: Path) -> None:
    for name in ("Makefile", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PIP)
    python.chmod(0o755)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    for refused, status in (("no such package", 2), ("", 0)):
        command = ["make", "install"]
        made = subprocess.run(
            command, cwd=tmp_path, env=plain | {"REFUSED": refused}, capture_output=True, text=True, check=False
        )
        assert made.returncode == status
        first, said, *_ = made.stdout.splitlines()
        assert "400 MB" in first
        assert said.split() == ["aiohttp", "PyJWT", "…", "unpacking", "them", "…"]
        assert (f"ERROR: {refused}" in made.stderr) is bool(refused)
        assert (tmp_path / ".venv" / "installed").exists() is not bool(refused)


# systemd


def unit() -> configparser.RawConfigParser:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(PACKAGING / "systemd" / "crossbar.service")
    return parsed


def assert_arguments(arguments: list[str]) -> None:
    """They are ones that the command `crossbar` takes."""
    with cli.main.make_context("crossbar", arguments) as context:
        name, command, rest = cli.main.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        command.make_context(name, rest, resilient_parsing=False).close()


def test_the_unit_starts_the_server(tmp_path: Path) -> None:
    program, *arguments = shlex.split(unit()["Service"]["ExecStart"])
    config = tmp_path / "crossbar.ini"
    config.touch()
    assert program == "/opt/crossbar/.venv/bin/crossbar"
    assert_arguments([str(config) if one == "/etc/crossbar.ini" else one for one in arguments])
    assert unit()["Service"]["KillMode"] == "mixed"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    text = (PACKAGING / "systemd" / "crossbar.service").read_text()
    file = tmp_path / "crossbar.service"
    for here, accepted in ((text, True), (text.replace("KillMode=", "KilMode="), False)):
        file.write_text(here.replace("/opt/crossbar/.venv/bin/crossbar", sys.executable))
        judged = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
        about_it = [line for line in judged.stderr.splitlines() if "crossbar.service" in line]
        assert (about_it == []) is accepted, judged.stderr
    exposed = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(file)]
    assert subprocess.run(exposed, capture_output=True, check=False).returncode == 0


# Docker, of which nothing can be built here


def test_the_image_is_made_of_what_there_is(tmp_path: Path) -> None:
    lines = (PACKAGING / "docker" / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    steps = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    copied = [shlex.split(rest)[:-1] for step, rest in steps if step == "COPY" and "--from" not in rest]
    names = {name for names in copied for name in names}
    assert names == {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all((ROOT / name).exists() for name in names)
    (setting,) = [dict(pair.split("=", 1) for pair in rest.split()) for step, rest in steps if step == "ENV"]
    assert {name for name in setting if name.startswith("CROSSBAR_")} <= {one.variable for one in OPTIONS.values()}
    told = {step: json.loads(rest) for step, rest in steps if step in ("ENTRYPOINT", "CMD")}
    assert told["ENTRYPOINT"] == ["crossbar"]
    assert_arguments(told["CMD"])
    (extras,) = [match[1].split(",") for _, rest in steps if (match := re.search(r"'\.\[(.+)\]'", rest))]
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert set(extras) <= setup["options.extras_require"].keys()


def test_the_compose_file_fits_the_image() -> None:
    file = PACKAGING / "docker" / "compose.yaml"
    (service,) = yaml.safe_load(file.read_text())["services"].values()
    assert_arguments(service["command"])
    assert service["environment"].keys() <= {one.variable for one in OPTIONS.values()}
    assert ((file.parent / service["build"]["context"]) / service["build"]["dockerfile"]).resolve().is_file()
    exposed = re.findall(r"^EXPOSE (.+)$", (PACKAGING / "docker" / "Dockerfile").read_text(), re.M)[0].split()
    assert [port.rpartition(":")[2] for port in service["ports"]] == exposed


# Metrics


def served() -> dict[str, set[str]]:
    """The labels of every metric at /metrics, by its name there."""
    counted = Metrics()
    counted.observe("/v2", "GET", 200, 0.001)
    for figure in FIGURES.values():
        counted.add(figure, 1.0, "value" if figure.label else "")
    found: dict[str, set[str]] = {}
    for line in counted.render().decode().splitlines():
        if not line.startswith("#"):
            name, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})? \S+", line).groups()  # type: ignore[union-attr]
            found.setdefault(name, set()).update(re.findall(r"(\w+)=", labels or ""))
    return found


def expressions(value: Any) -> list[str]:
    """The expressions in a dashboard, at any depth."""
    if isinstance(value, list):
        return [one for inner in value for one in expressions(inner)]
    if isinstance(value, dict):
        return [inner if key == "expr" else one for key, inner in value.items() for one in expressions(inner) or [""]]
    return []


def test_the_dashboard_shows_what_is_served() -> None:
    board = json.loads((PACKAGING / "grafana" / "crossbar.json").read_text())
    shown = [one for panel in board["panels"] for one in (target["expr"] for target in panel["targets"])]
    metrics = served()
    for expression in shown:
        asked = LABELLED.findall(expression)
        assert asked, expression
        for name, labels in asked:
            used = set(re.findall(r"(\w+)\s*[=!]~?", labels))
            used |= {label for by in re.findall(r"by \(([^)]+)\)", expression) for label in by.split(", ")}
            assert used - OF_PROMETHEUS <= metrics[name] - OF_PROMETHEUS, expression
    named = {name for expression in shown for name, _ in LABELLED.findall(expression)}
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in metrics} == {
        re.sub("_(bucket|sum|count)$", "", name) for name in named
    }
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_manual_tells_of_every_metric() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    told = set(re.findall(r"`(crossbar_\w+)`", page))
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in served()} == told


# The license


def test_every_source_file_says_its_license() -> None:
    checked = subprocess.run(
        [sys.executable, PACKAGING / "spdx.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (checked.stdout, checked.returncode) == ("", 0), "python packaging/spdx.py adds the lines"


def test_the_line_comes_behind_what_has_to_be_first(tmp_path: Path) -> None:
    spdx = runpy.run_path(str(PACKAGING / "spdx.py"))
    for name, text, first in (
        ("a.py", '"""Words."""\n', ["# SPDX-License-Identifier: MPL-2.0", '"""Words."""']),
        ("run", "#!/bin/sh\nexit\n", ["#!/bin/sh", "# SPDX-License-Identifier: MPL-2.0", "exit"]),
        ("a.html", "<!doctype html>\n", ["<!doctype html>", "<!-- SPDX-License-Identifier: MPL-2.0 -->"]),
    ):
        assert spdx["lacks"](text)
        changed = spdx["with_line"](text, spdx["line_of"](Path(name)))
        assert changed.splitlines() == first
        assert not spdx["lacks"](changed)
    assert spdx["line_of"](Path("schemas/users.json")) is None


# The site


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(site)]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )


def test_the_site_has_every_page_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    """mkdocs complains of pages that `nav` forgets, and of links and anchors that lead nowhere."""
    checkout, site = tmp_path / "checkout", tmp_path / "site"
    shutil.copytree(ROOT / "docs", checkout / "docs")
    shutil.copytree(PACKAGING / "site", checkout / "packaging" / "site")
    for file in (*ROOT.glob("*.md"), ROOT / "mkdocs.yml"):
        shutil.copy(file, checkout)
    (checkout / "docs" / "endpoints").mkdir(exist_ok=True)
    (checkout / "docs" / "endpoints" / "of-a-test.md").write_text("# Of a test\n\n[Back](../quickstart.md#1-start)\n")
    done = build(checkout / "mkdocs.yml", site)
    assert done.returncode == 0, done.stderr
    pages = {page.relative_to(site).with_suffix(".md").as_posix() for page in site.rglob("*.html")}
    written = {
        page.relative_to(checkout / "docs").as_posix().replace("README.md", "index.md")
        for page in (checkout / "docs").rglob("*.md")
    }
    assert pages >= written | {"index.md", "changelog.md", "contributing.md", "security.md"}
    index = (site / "index.html").read_text()
    assert 'href="endpoints/of-a-test.html"' in index
    assert 'href="changelog.html"' in index
    assert not re.findall(r'(?:src|<link [^>]*href)="https?:|data-md-component="source"', index)  # asks GitHub
    (checkout / "docs" / "forgotten.md").write_text("# Nobody leads here\n")
    (checkout / "docs" / "quickstart.md").write_text("[no](nowhere.md) [no](mail.md#no)\n")
    refused = build(checkout / "mkdocs.yml", site)
    assert refused.returncode == 1
    for complaint in ("- forgotten.md\n", "link 'nowhere.md', but", "link 'mail.md#no', but"):
        assert complaint in refused.stderr


# Completion


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    script = CliRunner().invoke(cli.main, ["completion", "bash"]).output
    program = tmp_path / "crossbar"
    program.write_text(f"#!{sys.executable}\nfrom crossbar.cli import main\nmain()\n")
    program.chmod(0o755)
    asked = (
        "complete -p crossbar; for words in 'crossbar se' 'crossbar serve --create' 'crossbar completion z'; do "
        "COMP_WORDS=($words); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); "
        "_crossbar_completion crossbar; echo ${COMPREPLY[@]}; done"
    )
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{asked}"], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    registered, *offered = done.stdout.splitlines()
    assert registered.startswith("complete ")
    assert offered == ["secrets serve", "--create-admin", "zsh"]


@pytest.mark.parametrize(
    ("shell", "sign"), [("zsh", "#compdef crossbar"), ("fish", "complete --no-files --command crossbar")]
)
def test_other_shells_have_theirs(shell: str, sign: str) -> None:
    assert sign in CliRunner().invoke(cli.main, ["completion", shell]).output
