# SPDX-License-Identifier: MPL-2.0
"""A fresh checkout, and a person in it who types what the documents say."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.e2e.document_blocks import ROOT
from tests.e2e.installed import PATIENCE_S, environment

MARK = "\x1e"
"""Printed after each command, before and after its exit status."""
SERVES = re.compile(r"(make run|crossbar serve)\b")
ASSIGNS = re.compile(r"(\w+)=\S*\n")


def check_out(folder: Path) -> None:
    """All files of this checkout as somebody gets them who clones it, with a `.venv` as `make install` leaves it.

    Only the packages are not installed anew: the command is run by the Python that runs the tests.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and not name.startswith(("tests/", "schemas/")) and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "schemas").symlink_to(ROOT / "schemas")
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, arguments in {"python": "", "crossbar": "-m crossbar "}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {arguments}"$@"\n')
        (programs / name).chmod(0o755)
    (programs / "activate").write_text(f"PATH={programs}:$PATH\n")
    (folder / ".venv" / "installed").touch()


@dataclass
class Terminal:
    """A shell in a checkout; `given` are variables that a person sets to what the server has shown, or to what is
    there."""

    folder: Path
    given: dict[str, str] = field(default_factory=dict)
    _shell: subprocess.Popen[str] = field(init=False)
    _complaints: IO[str] = field(init=False)

    def __enter__(self) -> Terminal:
        self._complaints = (self.folder.parent / f"{self.folder.name}.stderr").open("w+")
        self._shell = subprocess.Popen(
            ["bash", "--norc"],
            cwd=self.folder,
            env=surroundings(self.folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.kill()
        self._shell.communicate()
        self._complaints.close()

    def type(self, command: str) -> str:
        """Run a command; what it printed. It has to end well."""
        if (assigned := ASSIGNS.fullmatch(command)) and assigned[1] in self.given:
            command = f"{assigned[1]}={self.given[assigned[1]]}\n"
        assert self._shell.stdin
        assert self._shell.stdout
        self._shell.stdin.write(f"{{ {command}}} </dev/null; printf '{MARK}%d\\n' $?\n")
        self._shell.stdin.flush()
        printed = ""
        too_long = threading.Timer(PATIENCE_S, self._shell.kill)
        too_long.start()
        while MARK not in printed:
            line = self._shell.stdout.readline()
            assert line, f"{command}{printed}{self.complained()}"
            printed += line
        too_long.cancel()
        output, _, status = printed.rpartition(MARK)
        assert int(status) == 0, f"{command}{output}{self.complained()}"
        return output

    def complained(self) -> str:
        """What came on standard error so far."""
        self._complaints.flush()
        return Path(self._complaints.name).read_text()


@dataclass
class Serving:
    """A server that was started as a page says."""

    process: subprocess.Popen[str]
    printed: str
    """What it printed until it served."""

    @property
    def shown(self) -> dict[str, str]:
        """The variables of the pages, as the first start shows their values."""
        rows = dict(re.findall(r"│ (Account id|Password) +(\S+)", self.printed))
        (url,) = re.findall(r"Serving (\S+)", self.printed)
        return {"SERVER": url, "ACCOUNT_ID": rows["Account id"], "PASSWORD": rows["Password"]}

    def press_ctrl_c(self) -> str:
        """Stop it as a person does; what it printed then."""
        os.killpg(self.process.pid, signal.SIGINT)
        printed, _ = self.process.communicate(timeout=60)
        return printed


def start(command: str, folder: Path, log: Path) -> Serving:
    """Start a server as a person does in a terminal of its own, on ports that are free."""
    process = subprocess.Popen(
        ["bash", "-c", f". .venv/bin/activate; {command}"],
        cwd=folder,
        env=surroundings(folder),
        stdout=subprocess.PIPE,
        stderr=log.open("w"),
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    printed = ""
    while "Sockets at " not in printed:
        line = process.stdout.readline()
        assert line, log.read_text()
        printed += line
    return Serving(process, printed)


def surroundings(folder: Path) -> Mapping[str, str]:
    """The variables of a person's shell, but for ports: other tests run at the same time."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        sockets = str(free.getsockname()[1])
    ports = environment(CROSSBAR_SERVER__PORT="0", CROSSBAR_BLACKHOLE__PORT=sockets)
    return ports | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
