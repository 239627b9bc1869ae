# SPDX-License-Identifier: MPL-2.0
"""The command as people run it, by default with an embedded database, and `curl` as the documentation writes it."""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from click.testing import CliRunner, Result

from crossbar import cli
from tests.harness import kept_logging

COMMAND = (sys.executable, "-m", "crossbar")
PATIENCE_S = 60
"""How long a line of the log is waited for before the test fails."""
CURL_SETTINGS = """
silent
show-error
noproxy = "*"
write-out = "\\n%{http_code}"
"""


OF_MAKE: Final = frozenset({"ARGS", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"})
"""What a `make` that runs these tests tells those that they run."""


def environment(**variables: str) -> dict[str, str]:
    """The environment of this process without settings of a server or of `make`, with `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CROSSBAR_")}
    kept = {name: value for name, value in kept.items() if name not in OF_MAKE}
    usual = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "CROSSBAR_DATABASE__EMBEDDED_CACHE_GB": "0.25",
        "CROSSBAR_BLACKHOLE__PORT": "0",  # servers of other tests run at the same time
    }
    return kept | usual | variables


def command(*arguments: str | Path, stdin: str = "", **variables: str) -> Result:
    """Run a command in this process, which takes a tenth of the time that a process of its own takes to come up."""
    others = {name: None for name in os.environ if name.startswith("CROSSBAR_")}
    with kept_logging():
        runner = CliRunner(env={**others, **environment(**variables)})
        return runner.invoke(cli.main, [str(argument) for argument in arguments], input=stdin)


@dataclass
class Installation:
    """The command `crossbar` with a data folder, and with variables for all commands on it."""

    data: Path
    variables: dict[str, str] = field(default_factory=dict)

    def crossbar(self, *arguments: str, stdin: str = "", **variables: str) -> str:
        """Run a command to its end; what it printed."""
        done = self._run(arguments, stdin, variables)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    def refusal(self, *arguments: str, stdin: str = "", **variables: str) -> str:
        """Run a command that fails; what it complained of."""
        done = self._run(arguments, stdin, variables)
        assert done.exit_code == 1, done.stdout
        return done.stderr

    def _run(self, arguments: Sequence[str], stdin: str, variables: Mapping[str, str]) -> Result:
        return command(*arguments, "--data", self.data, stdin=stdin, **{**self.variables, **variables})

    def init(self, password: str, **variables: str) -> dict[str, str]:
        """Create the first account; its `account_id`, `user_id` and `api_key`."""
        first = ("--account", "Acme", "--realm", "acme.example.com", "--user", "admin", "--password", password)
        told: dict[str, str] = json.loads(self.crossbar("init", *first, "--json", **variables).splitlines()[-1])
        return told

    @contextmanager
    def serving(self, *arguments: str, **variables: str) -> Iterator[Running]:
        """`crossbar serve` on a free port; killed at the end if it still runs."""
        serve = [*COMMAND, "serve", "--port", "0", "--data", str(self.data), *arguments]
        settings = environment(**{**self.variables, **variables})
        with subprocess.Popen(
            serve, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            assert process.stderr
            running = Running(process)
            reader = threading.Thread(target=running.listen, args=(process.stderr,))
            reader.start()
            try:
                for line in process.stdout:
                    if line.startswith("Serving "):
                        running.url = line.removeprefix("Serving ").strip()
                        break
                    running.printed += line
                assert running.url, "".join(running.complaints)
                yield running
            finally:
                if process.poll() is None:
                    process.kill()
                reader.join()


@dataclass
class Running:
    """A running server: its address, what it printed before it served, and its log as it comes."""

    process: subprocess.Popen[str]
    url: str = ""
    printed: str = ""
    complaints: list[str] = field(default_factory=list)
    _lines: queue.SimpleQueue[dict[str, Any]] = field(default_factory=queue.SimpleQueue)

    def listen(self, log: IO[str]) -> None:
        """Take in the log until it ends."""
        for line in log:
            if line.startswith("{"):
                self._lines.put(json.loads(line))
            else:
                self.complaints.append(line)

    def logged(self, message: str) -> dict[str, Any]:
        """The next line of the log with this text."""
        while (line := self._lines.get(timeout=PATIENCE_S))["message"] != message:
            pass
        return line

    def terminate(self) -> int:
        """Send SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait()


@dataclass(frozen=True)
class Answer:
    """What `curl` printed, and the status."""

    status: int
    body: str

    @property
    def envelope(self) -> dict[str, Any]:
        """The whole body."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def said(self) -> dict[str, Any]:
        """The envelope without what every answer has and no two share, the form of which is checked here."""
        envelope = self.envelope
        assert re.fullmatch(r"[0-9a-f]{32}", envelope.pop("request_id"))
        assert re.fullmatch(r"[\w-]{22}", envelope.pop("node"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", envelope.pop("timestamp"))
        assert envelope.pop("tokens").keys() == {"consumed", "remaining"}
        return envelope


@dataclass
class Shell:
    """A shell with variables of its own."""

    folder: Path
    """Where it stands."""
    variables: dict[str, str]

    def __call__(self, command: str) -> Answer:
        """Run a command with one `curl` in it, which keeps quiet and ends its output with the status."""
        (self.folder / ".curlrc").write_text(CURL_SETTINGS)
        body, _, status = self.run(command, CURL_HOME=str(self.folder)).rpartition("\n")
        return Answer(int(status), body)

    def run(self, script: str, **more: str) -> str:
        """Run a script; what it printed."""
        variables = environment(**self.variables, **more)
        done = subprocess.run(
            ["bash", "-euc", script], cwd=self.folder, env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
