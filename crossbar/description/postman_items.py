# SPDX-License-Identifier: MPL-2.0
"""Requests of a Postman collection: an item an operation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from crossbar.description.example import BY_SCHEMA, Example
from crossbar.description.examples import EARLIER
from crossbar.description.openapi_parts import IF_MATCH
from crossbar.description.operations import AnswerKind, ApiOperation
from crossbar.description.parameters import list_parameters
from crossbar.description.postman_scripts import checks, event, forgetting, keeping
from crossbar.description.postman_variables import Variables
from crossbar.endpoint import Who
from crossbar.endpoint.dry_runs import EFFECT as DRY_RUN_TEXT
from crossbar.endpoint.dry_runs import OPTION as DRY_RUN
from crossbar.wire.conditions import IF_MATCH_TEXT

Part = dict[str, Any]
BASE: Final = "{{base_url}}"
UNIQUE: Final = "{{$randomAlphaNumeric}}{{$randomAlphaNumeric}}{{$randomAlphaNumeric}}{{$randomAlphaNumeric}}"
NO_EXAMPLE: Final = Example()


@dataclass(frozen=True, slots=True)
class Items:
    """Makes the items; `sample` gives data that fit a schema."""

    variables: Variables
    examples: Mapping[str, Example]
    arguments: Mapping[str, str]
    sample: Callable[[str], Any]

    def item(self, operation: ApiOperation) -> Part:
        """The whole item."""
        example = self.example(operation)
        return {
            "name": f"{operation.verb} {operation.path}",
            "event": [event("test", self._after(operation, example))],
            "request": self._request(operation, example),
            "response": [],
        }

    def example(self, operation: ApiOperation) -> Example:
        """What its example says; a document is changed with what it is made of, unless there is another."""
        own = self.examples.get(f"{operation.verb} {operation.path}")
        if own is not None:
            return own
        if operation.path.endswith("/{revision}"):
            return EARLIER if operation.verb != "GET" else replace(EARLIER, data=BY_SCHEMA)
        maker = self.variables.made_by.get(self.variables.last(operation.path) or "")
        if operation.verb not in ("POST", "PATCH") or maker is None:
            return NO_EXAMPLE
        return Example(self.examples.get(f"{maker.verb} {maker.path}", NO_EXAMPLE).data)

    def path(self, operation: ApiOperation) -> str:
        """The path with its variables in place."""
        path = operation.path
        for name, value in self._values(operation, self.example(operation)).items():
            path = path.replace(f"{{{name}}}", value)
        return path

    def body(self, operation: ApiOperation) -> str:
        """The text of the body; nothing where there is none."""
        example = self.example(operation)
        if example.file is not None:
            return example.file[1]
        if operation.body is None and example.data is BY_SCHEMA:
            return ""
        data = self._data(operation, example)
        return json.dumps({"data": data} if operation.is_enveloped else data, indent=2, ensure_ascii=False)

    # Parts of the request

    def _request(self, operation: ApiOperation, example: Example) -> Part:
        request: Part = {
            "method": operation.verb,
            "header": list(_headers(operation, example)),
            "url": self._url(operation, example),
            "description": _described(operation, example),
        }
        if operation.callers == Who.ANONYMOUS.value:
            request["auth"] = {"type": "noauth"}
        if text := self.body(operation):
            language = "json" if example.file is None else "text"
            request["body"] = {"mode": "raw", "raw": text, "options": {"raw": {"language": language}}}
        return request

    def _url(self, operation: ApiOperation, example: Example) -> Part:
        values = self._values(operation, example)
        steps = [f":{step.strip('{}')}" if step.startswith("{") else step for step in operation.path.split("/")[1:]]
        query = list(_query(operation, example))
        given = "&".join(f"{one['key']}={one['value']}" for one in query if not one.get("disabled"))
        url: Part = {
            "raw": f"{BASE}/{'/'.join(steps)}" + (f"?{given}" if given else ""),
            "host": [BASE],
            "path": steps,
        }
        if query:
            url["query"] = query
        if operation.arguments:
            url["variable"] = [
                {"key": one.name, "value": values[one.name], "description": one.text} for one in operation.arguments
            ]
        return url

    def _values(self, operation: ApiOperation, example: Example) -> dict[str, str]:
        named = self.variables.of(operation.path)
        return {
            name: example.arguments.get(name, self.arguments.get(variable, f"{{{{{variable}}}}}"))
            for name, variable in named.items()
        }

    def _data(self, operation: ApiOperation, example: Example) -> Any:
        if example.data is not BY_SCHEMA:
            return example.data
        if operation.body is None or operation.body.schema is None:
            return {}
        made = self.sample(operation.body.schema)
        if isinstance(made, dict) and isinstance(made.get("name"), str):
            made = {**made, "name": UNIQUE}
        return made

    # Scripts

    def _after(self, operation: ApiOperation, example: Example) -> Iterator[str]:
        succeeding = operation.answer.statuses
        described = (*succeeding, *operation.refusals) if example.refused else succeeding
        yield from checks(operation, described)
        made = [
            name for name, maker in self.variables.made_by.items() if maker == operation and name not in self.arguments
        ]
        yield from keeping(example.keeps or dict.fromkeys(made, "id"))
        if operation.verb == "DELETE":
            last = self.variables.last(operation.path)
            yield from forgetting([*example.forgets, *([last] if last else [])])


def _headers(operation: ApiOperation, example: Example) -> Iterator[Part]:
    is_file = operation.answer.kind is AnswerKind.FILE or not operation.is_enveloped
    yield {"key": "Accept", "value": "*/*" if is_file else "application/json"}
    if example.file is not None:
        yield {"key": "Content-Type", "value": example.file[0]}
    elif operation.body is not None:
        yield {"key": "Content-Type", "value": "application/json"}
    if operation.is_conditional:
        yield {"key": IF_MATCH, "value": "", "description": IF_MATCH_TEXT, "disabled": True}


def _query(operation: ApiOperation, example: Example) -> Iterator[Part]:
    known = {one.name: one.text for one in list_parameters(operation.lists)} | dict(operation.options)
    if operation.can_be_dry:
        known[DRY_RUN] = DRY_RUN_TEXT
    for name, value in example.query.items():
        yield {"key": name, "value": value, "description": known.get(name, "")}
    for name, text in known.items():
        if name not in example.query:
            yield {"key": name, "value": "", "description": text, "disabled": True}


def _described(operation: ApiOperation, example: Example) -> str:
    texts = [operation.summary, operation.text, f"For {operation.callers.rstrip('.')}."]
    if example.refused:
        texts.append(f"By itself this request is refused: {example.refused}.")
    return "\n\n".join(filter(None, texts))
