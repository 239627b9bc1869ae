# SPDX-License-Identifier: MPL-2.0
"""Schemathesis against a server: requests made of its description, and answers that have to be among those it allows.

Requests are drawn anew from the same seed for each operation, half of them as the description wants them and half not.
Where the path names something, it is mostly something that is there.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.request import urlopen

import orjson
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from trials.fuzz import ENDS_THE_CALLER, is_meant_message

CHECKS: Final = (status_code_conformance, content_type_conformance, response_schema_conformance)
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
THERE: Final = 0.8
"""How often a name in a path is that of something there."""
CREDENTIALS: Final = frozenset({"auth_token", "authorization"})
PATIENCE_S: Final = 30
LONGEST_TOLD: Final = 600


@dataclass
class Outcome:
    """What came of the requests: answers by status, and by operation the first that the description does not allow."""

    statuses: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)


@dataclass
class Caller:
    """Who sends the requests, where to, and what is there: ids by the name that paths have for them."""

    url: str
    token: str
    ids: Mapping[str, str]


def served(url: str) -> dict[str, Any]:
    """The description that a server hands out."""
    with urlopen(f"{url}/openapi.json", timeout=PATIENCE_S) as answer:
        described: dict[str, Any] = orjson.loads(answer.read())
    return described


def mistakes(description: dict[str, Any]) -> list[str]:
    """What the validator of OpenAPI finds wrong with a description."""
    return [str(error)[:LONGEST_TOLD] for error in OpenAPIV31SpecValidator(description).iter_errors()]


def operations_of(description: dict[str, Any]) -> Iterator[Any]:
    """The operations that can be tried without ending the caller."""
    found: Iterator[Any] = schemathesis.openapi.from_dict(description).get_all_operations()
    for result in found:
        operation = result.ok()
        if (operation.method.upper(), operation.path) not in ENDS_THE_CALLER:
            yield operation


def try_operation(operation: Any, caller: Caller, outcome: Outcome, *, examples: int, start: int) -> None:
    """Send `examples` requests of each mode that the operation has, drawn from the seed `start`."""
    chance = random.Random(f"{start} {operation.label}")
    for mode in MODES:
        strategy = operation.as_strategy(generation_mode=mode)
        with suppress(Unsatisfiable):  # there is nothing about it that could be wrong
            _draw(strategy, lambda case: _send(case, caller, chance, outcome), examples=examples, start=start)


def _draw(strategy: Any, send: Callable[[Any], None], *, examples: int, start: int) -> None:
    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def draw(case: Any) -> None:
        send(case)

    draw()


def _send(case: Any, caller: Caller, chance: random.Random, outcome: Outcome) -> None:
    for name in case.path_parameters or {}:
        if name in caller.ids and (name == "account_id" or chance.random() < THERE):
            case.path_parameters[name] = caller.ids[name]
    for sent in (case.query, case.headers):
        for name in [name for name in sent or {} if name.lower() in CREDENTIALS]:
            del sent[name]
    case.cookies = {}
    try:
        answer = case.call(
            base_url=caller.url, headers={"X-Auth-Token": caller.token}, timeout=PATIENCE_S,
            allow_redirects=False, stream=False,
        )  # fmt: skip
    except (OSError, ValueError) as error:  # what no client can send
        outcome.statuses[type(error).__name__] += 1
        return
    outcome.statuses[str(answer.status_code)] += 1
    if complaint := _complaint(case, answer):
        request = f"{case.method} {answer.request.url} {str(answer.request.body)[:LONGEST_TOLD]}"
        label = case.operation.label
        outcome.wrong.setdefault(label, f"{label}: {complaint}\n  {request}\n  {answer.text[:LONGEST_TOLD]}")


def _complaint(case: Any, answer: Any) -> str | None:
    try:
        case.validate_response(answer, checks=list(CHECKS))
    except FailureGroup as group:
        return "; ".join(failure.title for failure in group.exceptions if isinstance(failure, Failure))
    except Failure as failure:
        return str(failure.title)
    if answer.status_code >= 500 and not is_meant_message(case.operation.path, _message(answer)):
        return "a fault of the server"
    return None


def _message(answer: Any) -> str:
    try:
        return str(orjson.loads(answer.content).get("message"))
    except (orjson.JSONDecodeError, AttributeError):
        return ""
