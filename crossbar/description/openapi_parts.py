# SPDX-License-Identifier: MPL-2.0
"""The parts of an OpenAPI description that operations share: envelopes, refusals, security, parameters of lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from crossbar.description.operations import Argument
from crossbar.description.parameters import ListParameter, list_parameters
from crossbar.description.samples import SAMPLE_ID
from crossbar.description.status_texts import CODED, REFUSALS
from crossbar.documents.filters import FILTERS
from crossbar.endpoint.dry_runs import EFFECT as DRY_RUN_TEXT
from crossbar.endpoint.dry_runs import OPTION as DRY_RUN
from crossbar.endpoint.routing import Lists
from crossbar.wire.conditions import IF_MATCH_TEXT, IF_NONE_MATCH_TEXT
from crossbar.wire.ranges import RANGE_TEXT

Part = dict[str, Any]


def _text(description: str) -> Part:
    """The schema of a text."""
    return {"type": "string", "description": description}


ACCOUNT_ID: Final = "account_id"
EXAMPLE_TOKENS: Final = {"consumed": 1, "remaining": 99}
ABOUT: Final[Part] = {
    "request_id": _text("`X-Request-ID` of the request, or one made for it"),
    "auth_token": _text("The token that was presented, or the new one of a log-in"),
    "node": _text("The server that answered"),
    "version": _text("Its version, told to callers with a token"),
    "timestamp": _text("When it answered, in UTC"),
    "tokens": {
        "type": "object",
        "description": "What the request cost the caller's token bucket, and what is left in it",
        "required": ["consumed", "remaining"],
        "properties": {"consumed": {"type": "integer"}, "remaining": {"type": "integer"}},
    },
}
"""What every envelope says of its request."""
ALWAYS: Final = ["request_id", "node", "timestamp", "tokens", "status"]
ABOUT_EXAMPLE: Final[Part] = {
    "request_id": SAMPLE_ID,
    "node": "qO6zTzWqJzI1GXXdKXyYmQ",
    "timestamp": "2026-03-01T09:00:00Z",
    "tokens": EXAMPLE_TOKENS,
}


def envelopes() -> dict[str, Part]:
    """The schemas of envelopes: of an answer, of a page, of an error."""
    return {
        "Success": {
            "type": "object",
            "description": "The envelope around `data`",
            "required": ALWAYS,
            "properties": {
                "status": {"const": "success"},
                "data": {},
                "revision": _text("The revision of the document, for `If-Match`"),
                "metadata": {"description": "What is known of `data` beside it"},
                DRY_RUN: {"const": True, "description": "The change was tried only"},
                **ABOUT,
            },
        },
        "Page": {
            "allOf": [{"$ref": "#/components/schemas/Success"}],
            "description": "The envelope around the rows of a list",
            "properties": {
                "page_size": {"type": "integer", "description": "How many rows there are"},
                "start_key": _text("Where the page begins"),
                "next_start_key": _text("`start_key` of the next page, if there is one"),
            },
        },
        "Error": {
            "type": "object",
            "description": "The envelope of an error",
            "required": [*ALWAYS, "data", "error", "message"],
            "properties": {
                "status": {"const": "error"},
                "error": {"type": "string", "pattern": "^[45][0-9]{2}$", "description": CODED},
                "message": _text("A word for programs, or a sentence"),
                "data": {"description": "What is known of the error beside it"},
                **ABOUT,
            },
        },
        "Invalid": {
            "allOf": [{"$ref": "#/components/schemas/Error"}],
            "description": "The envelope of data that are not valid",
            "properties": {
                "message": {"const": "validation error"},
                "data": {
                    "type": "object",
                    "description": "Field (a path joined by dots) → rule that it breaks → what is to say of it",
                    "additionalProperties": {
                        "type": "object",
                        "additionalProperties": {"$ref": "#/components/schemas/BrokenRule"},
                    },
                },
            },
        },
        "BrokenRule": {
            "type": "object",
            "properties": {
                "message": {"type": "string"},
                "cause": {"description": "The value at fault"},
                "target": {"description": "What the rule asks for"},
                "value": {"description": "The value, or the name of the field that is missing"},
            },
        },
    }


def refusals() -> dict[str, Part]:
    """The answers of errors, by status."""
    return {str(status): _refusal(status, text) for status, text in REFUSALS.items()}


def _refusal(status: int, text: str) -> Part:
    error: Part = {"$ref": "#/components/schemas/Error"}
    example: Part = {"data": {}, "status": "error", "error": str(status), "message": text, **ABOUT_EXAMPLE}
    if status == 400:
        error = {"anyOf": [{"$ref": "#/components/schemas/Invalid"}, error]}
        broken = {"name": {"required": {"message": "Field is required but missing", "value": "name"}}}
        example |= {"message": "validation error", "data": broken}
    return {"description": text, "content": {"application/json": {"schema": error, "example": example}}}


def security_schemes() -> dict[str, Part]:
    """How a caller says who it is."""
    return {
        "token": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Auth-Token",
            "description": "A token as a log-in (`PUT /v2/user_auth`, `PUT /v2/api_auth`) hands it out",
        },
        "token_in_query": {
            "type": "apiKey",
            "in": "query",
            "name": "auth_token",
            "description": "The same, where no header can be set",
        },
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "The id of an account, and the MD5 sum of `username:password`",
        },
        "bearer": {"type": "http", "scheme": "bearer", "description": "The id of a stored token"},
    }


SECURITY: Final[list[Part]] = [{name: []} for name in security_schemes()]

IF_MATCH: Final = "If-Match"
IF_NONE_MATCH: Final = "If-None-Match"
RANGE: Final = "Range"


def parameters() -> dict[str, Part]:
    """What requests say beside their data, by name."""
    listed = {parameter.name: parameter for lists in Lists for parameter in list_parameters(lists)}
    headers = {IF_MATCH: IF_MATCH_TEXT, IF_NONE_MATCH: IF_NONE_MATCH_TEXT, RANGE: RANGE_TEXT}
    return {
        **{name: _list_parameter(parameter) for name, parameter in listed.items()},
        DRY_RUN: {"name": DRY_RUN, "in": "query", "description": DRY_RUN_TEXT, "schema": {"type": "boolean"}},
        **{
            name: {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        },
    }


def _list_parameter(parameter: ListParameter) -> Part:
    schemas: dict[str, Part] = {
        "text": {"type": "string"},
        "number": {"type": "integer", "minimum": 1},
        "switch": {"type": "boolean"},
        "filters": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {f"^{name.replace('{field}', '.+')}$": _text(text) for name, text in FILTERS.items()},
        },
    }
    part: Part = {
        "name": parameter.name,
        "in": "query",
        "description": parameter.text,
        "schema": schemas[parameter.kind],
    }
    if parameter.kind == "filters":
        example = {name.replace("{field}", "name"): "name" for name in ("has_key",)}
        part |= {"style": "form", "explode": True, "example": example}
    return part


def argument(given: Argument) -> Part:
    """A part of the path."""
    schema: Part = {"type": "string", "minLength": 1}
    if given.name == ACCOUNT_ID:
        schema |= {"minLength": 32, "maxLength": 32}
    if given.choices:
        schema = {"type": "string", "enum": list(given.choices)}
    example = given.choices[0] if given.choices else SAMPLE_ID if given.name.endswith("_id") else "example"
    return {
        "name": given.name,
        "in": "path",
        "required": True,
        "description": given.text,
        "schema": schema,
        "example": example,
    }


def option(name: str, effect: str) -> Part:
    """A parameter of the query string that only some operations have."""
    return {"name": name, "in": "query", "description": effect, "schema": {"type": "string"}}


def tags(named: Iterable[tuple[str, str, str]]) -> list[Part]:
    """Endpoint, title, text → tags."""
    return [{"name": name, "description": "\n\n".join(filter(None, (title, text)))} for name, title, text in named]
