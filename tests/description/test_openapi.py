# SPDX-License-Identifier: MPL-2.0
"""The OpenAPI description: valid, complete, and its examples fit what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import jsonschema_rs
import orjson
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from openapi_spec_validator.schemas import schema_v31

from crossbar.app import WINGS
from crossbar.description.conversion import component, converted, partial_id
from crossbar.description.openapi import openapi
from crossbar.description.operations import operations
from crossbar.description.yaml_text import yaml_text
from crossbar.documents.schemas import Schemas
from tests.description.conformance import Conformance, Part, request_example, whole

DESCRIPTION = whole()
CONFORMANCE = Conformance(DESCRIPTION)
SCHEMAS = DESCRIPTION["components"]["schemas"]
VERBS = ("get", "put", "post", "patch", "delete")
DRAFT = {"$ref": "https://json-schema.org/draft/2020-12/schema"}


def described() -> Iterator[tuple[str, str, Part]]:
    """Verb, path, operation."""
    for path, item in DESCRIPTION["paths"].items():
        yield from ((verb.upper(), path, item[verb]) for verb in VERBS if verb in item)


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_every_route_is_described_and_none_is_too_many() -> None:
    assert sorted((verb, path) for verb, path, _ in described()) == sorted(
        (one.verb, one.path) for one in operations(WINGS)
    )


def test_it_has_the_form_of_openapi_3_1() -> None:
    assert not [
        str(error)[:500] for error in jsonschema_rs.Draft202012Validator(dict(schema_v31)).iter_errors(DESCRIPTION)
    ]


@pytest.mark.parametrize("wing", WINGS, ids=lambda wing: wing.__name__.rpartition(".")[2])
def test_the_validator_of_openapi_finds_nothing(wing: ModuleType) -> None:
    """A wing at a time: the whole takes it longer than all of these, and is looked at by `make trials`."""
    assert not [str(error)[:500] for error in OpenAPIV31SpecValidator(openapi([wing])).iter_errors()]


def test_all_references_lead_somewhere() -> None:
    for reference in set(references(DESCRIPTION)):
        CONFORMANCE.resolved({"$ref": reference})


def test_the_arguments_of_a_path_are_those_it_has() -> None:
    for path, item in DESCRIPTION["paths"].items():
        assert [given["name"] for given in item["parameters"]] == re.findall(r"\{(\w+)\}", path)


def test_no_two_paths_are_the_same_but_for_names() -> None:
    shapes = [re.sub(r"\{\w+\}", "{}", path) for path in DESCRIPTION["paths"]]
    assert len(set(shapes)) == len(shapes)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_one_of_2020_12(name: str) -> None:
    jsonschema_rs.meta.validate(SCHEMAS[name])


def test_every_example_of_a_request_fits_its_schema_and_the_servers() -> None:
    schemas, known = Schemas.load(), {(one.verb, one.path): one for one in operations(WINGS)}
    wrong, seen = [], set()
    for verb, path, operation in described():
        example = request_example(operation)
        if example is None:
            continue
        content = operation["requestBody"]["content"]["application/json"]
        if (text := orjson.dumps(content)) in seen:
            continue
        seen.add(text)
        wrong += [
            (verb, path, error.message) for error in CONFORMANCE.validator(content["schema"]).iter_errors(example)
        ]
        body = known[verb, path].body
        if body is not None and body.schema is not None:
            _, errors = schemas.errors(body.schema, example["data"], strict=True)
            wrong += [(verb, path, errors)] if errors else []
    assert wrong == []


def test_every_example_of_an_answer_fits_its_schema() -> None:
    wrong, seen = [], set()
    for verb, path, operation in described():
        for status, response in operation["responses"].items():
            content = CONFORMANCE.resolved(response).get("content", {}).get("application/json")
            if content is not None and (text := orjson.dumps(content)) not in seen:
                seen.add(text)
                found = CONFORMANCE.complaints(
                    verb, path, int(status), "application/json", orjson.dumps(content["example"])
                )
                wrong += [(verb, path, status, *found)] if (found := list(found)) else []
    assert wrong == []


# Conversion


def test_a_schema_of_draft_4_becomes_one_of_2020_12() -> None:
    assert converted(
        {
            "id": "x",
            "$schema": "http://json-schema.org/draft-04/schema#",
            "type": "object",
            "required": ["a"],
            "properties": {
                "a": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 9},
                "b": {"$ref": "caller_id", "support_level": "beta"},
                "name": {"type": "string", "kazoo-validation": True},
                "list": {"type": "array", "items": {"$ref": "b.c"}, "default": [], "minItems": 1},
            },
        }
    ) == {
        "type": "object",
        "required": ["a"],
        "properties": {
            "a": {"type": "integer", "exclusiveMinimum": 0, "maximum": 9},
            "b": {"$ref": component("caller_id"), "x-support-level": "beta"},
            "name": {"type": "string", "x-kazoo-validation": True},
            "list": {"type": "array", "items": {"$ref": component("b.c")}, "minItems": 1},
        },
    }


def test_an_unknown_keyword_is_not_dropped_unseen() -> None:
    with pytest.raises(ValueError, match="'contains' has no counterpart"):
        converted({"contains": {}})


def test_every_schema_file_can_be_converted() -> None:
    schemas = Schemas.load()
    for schema_id in schemas.ids():
        converted(schemas.get(schema_id) or {})


def test_what_is_shown_need_not_have_every_field() -> None:
    assert "required" in SCHEMAS["menus"]
    assert "required" not in SCHEMAS[partial_id("menus")]
    assert SCHEMAS[partial_id("menus")]["properties"] == SCHEMAS["menus"]["properties"]


def test_the_data_of_a_step_are_of_the_schema_of_its_module() -> None:
    by_module = SCHEMAS["callflows.action"]["x-data-of-modules"]
    assert by_module["voicemail"] == {"$ref": component("callflows.voicemail")}


# YAML


@pytest.mark.parametrize(
    "value",
    [
        DESCRIPTION["components"],
        {
            "yes": [{"a": 1, "b": [[], {}, [1, [2]]]}],
            "404": None,
            "x": "line\nline",
            "/a/{b}": True,
            "é": "💩",
            "": "- a: b",
        },
        ["", [], {}, 1.5, "null", {"deep": {"er": ["a"]}}],
    ],
)
def test_yaml_says_what_json_says(value: Any) -> None:
    assert yaml.load(yaml_text(value), yaml.CSafeLoader) == value
