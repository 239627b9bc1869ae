# SPDX-License-Identifier: MPL-2.0
"""The description of the API as OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, Final

from crossbar import __version__
from crossbar.description.conversion import (
    PARTIAL,
    component,
    converted,
    partial_id,
    references,
    with_modules,
    without_required,
)
from crossbar.description.openapi_parts import (
    ABOUT_EXAMPLE,
    IF_MATCH,
    IF_NONE_MATCH,
    RANGE,
    SECURITY,
    Part,
    argument,
    envelopes,
    option,
    parameters,
    refusals,
    security_schemes,
    tags,
)
from crossbar.description.operations import Answer, AnswerKind, ApiOperation, Body, operations
from crossbar.description.parameters import list_parameters
from crossbar.description.samples import SAMPLE_ID, Sampler
from crossbar.description.status_texts import NO_ROWS, NOT_MODIFIED, PART
from crossbar.description.subjects import endpoint_subject
from crossbar.documents.schemas.library import Library, shipped_folder
from crossbar.documents.schemas.nodes import NODES
from crossbar.endpoint.dry_runs import OPTION as DRY_RUN
from crossbar.endpoint.routing import Lists
from crossbar.wire.negotiation import CSV_TYPES, MULTIPART_TYPES

JSON_TYPE: Final = "application/json"
ABOUT_THE_API: Final = """\
Every answer that is no file is an envelope around `data`, and so is every request with a body. A log-in
(`PUT /v2/user_auth`) answers with the token that all other requests present.

Each request may say `pretty_print=true`, `accept` (`json`, `csv`, `pdf` or a whole type, in place of the header) and
`X-Request-ID`. A `POST` whose envelope has a `verb` counts as a request with that verb."""


class Components:
    """The schemas that operations name, and what these name, each once."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.schemas: dict[str, Part] = envelopes()
        self._sampler = Sampler(self.find)

    def name(self, schema_id: str, *, partial: bool = False) -> str:
        """Take a schema in; where a description has it."""
        name = partial_id(schema_id) if partial else schema_id
        waiting = [name]
        while waiting:
            wanted = waiting.pop()
            if wanted not in self.schemas:
                self.schemas[wanted] = self._made(wanted)
                waiting += references(self.schemas[wanted])
        return component(name)

    def find(self, reference: str) -> Part:
        """The schema that a reference names."""
        return self.schemas[reference.rpartition("/")[2]]

    def example(self, reference: str) -> Any:
        """Data that fit the schema that a reference names."""
        return self._sampler.of({"$ref": reference})

    def _made(self, name: str) -> Part:
        schema_id = name.removesuffix(f".{PARTIAL}")
        document = self._library.document(schema_id)
        if document is None:
            raise LookupError(f"there is no schema {schema_id}")
        schema = converted(document)
        if name != schema_id:
            return without_required(schema)
        return with_modules(schema_id, schema, self._library.ids) if schema_id in NODES else schema


def openapi(wings: Iterable[ModuleType]) -> dict[str, Any]:
    """The whole description."""
    wings = list(wings)
    components = Components(Library(shipped_folder()))
    paths: dict[str, Part] = {}
    for operation in operations(wings):
        path = paths.setdefault(operation.path, {"parameters": list(map(argument, operation.arguments))})
        path[operation.verb.lower()] = _operation(operation, components)
    subjects = [endpoint_subject(wing, endpoint) for wing in wings for endpoint in wing.ENDPOINTS]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kazoo-crossbar",
            "version": __version__,
            "summary": "A KAZOO Crossbar-compatible API",
            "description": ABOUT_THE_API,
            "license": {"name": "MPL 2.0", "identifier": "MPL-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": SECURITY,
        "tags": tags((subject.endpoint, subject.title, subject.text) for subject in subjects),
        "x-tagGroups": [
            {
                "name": wing.__name__.rpartition(".")[2],
                "tags": [endpoint.name for endpoint in wing.ENDPOINTS],
            }
            for wing in wings
        ],
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {
            "schemas": dict(sorted(components.schemas.items())),
            "responses": refusals(),
            "parameters": parameters(),
            "securitySchemes": security_schemes(),
        },
    }


def _operation(operation: ApiOperation, components: Components) -> Part:
    callers = f"Who may: {operation.callers.rstrip('.')}."
    if operation.need is not None:
        callers += f" A user has to be {operation.need}."
    described: Part = {
        "operationId": operation.name,
        "tags": [operation.endpoint],
        "summary": operation.summary,
        "description": f"{operation.text}\n\n{callers}".strip(),
    }
    if given := list(_parameters(operation)):
        described["parameters"] = given
    if operation.body is not None:
        described["requestBody"] = _request_body(operation, operation.body, components)
    described["responses"] = dict(_responses(operation, components))
    if not operation.needs_token:
        described["security"] = [{}, *SECURITY]
    return described


def _parameters(operation: ApiOperation) -> Iterator[Part]:
    named = [parameter.name for parameter in list_parameters(operation.lists)]
    if operation.is_conditional:
        named.append(IF_MATCH)
    elif operation.verb == "GET":
        named.append(RANGE if operation.answer.kind is AnswerKind.FILE else IF_NONE_MATCH)
    if operation.can_be_dry:
        named.append(DRY_RUN)
    yield from ({"$ref": f"#/components/parameters/{name}"} for name in named)
    yield from (option(name, effect) for name, effect in operation.options.items() if name not in named)


# Requests


def _request_body(operation: ApiOperation, body: Body, components: Components) -> Part:
    data = _data(operation, body, components)
    envelope = _enveloped(data) if operation.is_enveloped else data
    content: Part = {JSON_TYPE: {"schema": envelope, "example": _request_example(operation, body, components)}}
    for kind in body.files:
        content[kind] = {"schema": {"type": "string", "format": "binary"}}
    if body.files:
        content[MULTIPART_TYPES[0]] = {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}, "envelope": envelope},
            },
            "encoding": {"envelope": {"contentType": JSON_TYPE}},
        }
    return {"content": content}


def _data(operation: ApiOperation, body: Body, components: Components) -> Part:
    if body.schema is not None:
        return {"$ref": components.name(body.schema, partial=operation.verb == "PATCH")}
    if body.options is not None:
        return {
            "type": "object",
            "properties": {name: {"description": effect} for name, effect in body.options.items()},
        }
    return {"type": ["object", "array"]}


def _enveloped(data: Part) -> Part:
    return {"type": "object", "required": ["data"], "properties": {"data": data}}


def _request_example(operation: ApiOperation, body: Body, components: Components) -> Any:
    data = {} if body.schema is None else components.example(components.name(body.schema))
    return {"data": data} if operation.is_enveloped else data


# Answers


def _responses(operation: ApiOperation, components: Components) -> Iterator[tuple[str, Part]]:
    answer = operation.answer
    for status in answer.statuses:
        yield str(status), _response(operation, answer, components)
    if operation.verb == "GET":
        if CSV_TYPES[0] in answer.files:
            yield "204", {"description": NO_ROWS}
        if binary := [kind for kind in answer.files if kind != CSV_TYPES[0] or answer.kind is AnswerKind.FILE]:
            yield "206", {"description": PART, "content": {kind: {} for kind in binary}}
        yield "304", {"description": NOT_MODIFIED}
    for status in operation.refusals:
        yield str(status), {"$ref": f"#/components/responses/{status}"}


def _response(operation: ApiOperation, answer: Answer, components: Components) -> Part:
    content: Part = {}
    if answer.kind is not AnswerKind.FILE:
        content[JSON_TYPE] = _json_answer(operation, answer, components)
    content |= {kind: {} for kind in answer.files}
    return {"description": answer.kind.value.capitalize(), "content": content}


def _json_answer(operation: ApiOperation, answer: Answer, components: Components) -> Part:
    data, example = _shown(operation, answer, components)
    envelope = "Page" if answer.kind is AnswerKind.ROWS else "Success"
    schema: Part = {"allOf": [{"$ref": component(envelope)}]}
    shown: Part = {"status": "success", **ABOUT_EXAMPLE}
    if data:
        schema["properties"] = {"data": data}
        shown = {"data": example, **shown}
    return {"schema": schema, "example": shown}


def _shown(operation: ApiOperation, answer: Answer, components: Components) -> tuple[Part, Any]:
    """The schema of the data of an answer, and an example."""
    if operation.lists is Lists.NAMED:
        return {"type": "object"}, {}
    if answer.kind is AnswerKind.ROWS:
        return _rows(operation, answer, components)
    if answer.schema is not None:
        reference = components.name(answer.schema, partial=True)
        return {"$ref": reference}, {"id": SAMPLE_ID, **components.example(components.name(answer.schema))}
    return {}, None


def _rows(operation: ApiOperation, answer: Answer, components: Components) -> tuple[Part, Any]:
    if not answer.columns:
        return {"type": "array"}, []
    row: Part = {"properties": {name: {} for name in answer.columns}}
    return {"type": "array", "items": row}, [{"id": SAMPLE_ID}]
