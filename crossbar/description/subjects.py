# SPDX-License-Identifier: MPL-2.0
"""What declarations say in prose: docstrings of handlers and of endpoints' files, and what paths call things."""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from types import ModuleType

from crossbar.endpoint import Endpoint

SOURCE = re.compile(r"\bSource: [^.]*(?:\.[^\s][^.]*)*\.(?:\s|$)")
"""Where KAZOO has the same: for people who read the code."""


def docstring(of: object) -> str:
    """What a function or module says of itself, without its sources; nothing where it says nothing."""
    said = inspect.getdoc(of) or ""
    return _joined(SOURCE.sub("", said))


def _joined(said: str) -> str:
    """The paragraphs of a text, each on one line."""
    return "\n\n".join(text for paragraph in said.split("\n\n") if (text := " ".join(paragraph.split())))


def subject_of(path: str) -> tuple[str, str]:
    """What a path speaks of: one of them, and several; both are the same where the path ends in a fixed word.

    `/v2/accounts/{account_id}/menus/{menu_id}` → `("menu", "menus")`.
    """
    steps = path.strip("/").split("/")
    fixed = next((step for step in reversed(steps) if not step.startswith("{")), "")
    documents = fixed.replace("_", " ")
    last = steps[-1]
    return (last.strip("{}").removesuffix("_id").replace("_", " ") if last.startswith("{") else documents), documents


@dataclass(frozen=True, slots=True)
class Subject:
    """An endpoint as its file tells of it: a title of a few words, and a text."""

    wing: str
    endpoint: str
    title: str
    text: str


def endpoint_subject(wing: ModuleType, endpoint: Endpoint) -> Subject:
    """What the file says in which the endpoint is declared, which is named after it."""
    module = next(
        (
            module
            for name, module in list(sys.modules.items())
            if name.startswith(f"{wing.__name__}.")
            and name.endswith(f".{endpoint.name}")
            and endpoint in vars(module).values()
        ),
        wing,
    )
    title, _, text = _joined(inspect.getdoc(module) or "").partition("\n\n")
    return Subject(wing.__name__.rpartition(".")[2], endpoint.name, title, text)
