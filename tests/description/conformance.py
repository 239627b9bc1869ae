# SPDX-License-Identifier: MPL-2.0
"""Holds answers to a description: whether their status, type and body are among those it has for the operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import orjson
from jsonschema_rs import Draft202012Validator

from crossbar.app import WINGS
from crossbar.description.openapi import openapi

Part = dict[str, Any]


@cache
def whole() -> Part:
    """The description of everything; to be looked at, and not changed."""
    return openapi(WINGS)


class Conformance:
    """A description, against which answers are held."""

    def __init__(self, description: Part) -> None:
        self.description = description
        self._validators: dict[tuple[str, str, int], Draft202012Validator] = {}

    def complaints(self, verb: str, path: str, status: int, content_type: str | None, body: bytes) -> Iterator[str]:
        """What of an answer to a request of the templated `path` the description does not allow."""
        responses = self.description["paths"][path][verb.lower()]["responses"]
        if str(status) not in responses:
            yield f"the status {status} is not described: {body[:300]!r}"
            return
        content = self.resolved(responses[str(status)]).get("content")
        if content is None:
            if body:
                yield f"{status} has a body"
            return
        kind = (content_type or "").partition(";")[0]
        if not any(_covers(known, kind) for known in content):
            yield f"the type {kind} of {status} is not described"
        elif kind == "application/json" and kind in content:
            validator = self._validator(verb, path, status, content[kind]["schema"])
            answer = orjson.loads(body)
            yield from (f"{status} {list(error.instance_path)}: {error.message[:300]}"
                        for error in validator.iter_errors(answer))  # fmt: skip

    def resolved(self, part: Part) -> Part:
        """A part, or what it names."""
        while "$ref" in part:
            named: Any = self.description
            for step in part["$ref"].removeprefix("#/").split("/"):
                named = named[step]
            part = named
        return part

    def validator(self, schema: Part) -> Draft202012Validator:
        """What judges values by a schema of the description."""
        return Draft202012Validator({"components": self.description["components"], "allOf": [schema]})

    def _validator(self, verb: str, path: str, status: int, schema: Part) -> Draft202012Validator:
        key = (verb, path, status) if status < 400 else ("", "", status)
        if key not in self._validators:
            self._validators[key] = self.validator(schema)
        return self._validators[key]


def _covers(known: str, kind: str) -> bool:
    return known in ("*/*", kind) or (known.endswith("/*") and kind.startswith(known[:-1]))


def request_example(operation: Mapping[str, Any]) -> Any:
    """The JSON body that a description gives as an example; None for an operation without one."""
    body = operation.get("requestBody")
    return None if body is None else body["content"]["application/json"]["example"]
