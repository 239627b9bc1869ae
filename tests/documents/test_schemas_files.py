# SPDX-License-Identifier: MPL-2.0
"""The schema files themselves: complete, well formed, and sound."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from crossbar.documents.schemas import Schemas
from crossbar.documents.schemas.library import parts, shipped_folder

FILES = sorted(shipped_folder().glob("*.json"))
TYPES = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}


def read(path: Path) -> dict:
    return json.loads(path.read_text())


OWN = ("external_numbers", "ingest", "services.", "storage.attachment.ftp", "system_config.dialplans", "tokens")
"""How the ids begin of schemas that KAZOO has not."""


def everywhere(schema: dict):
    yield schema
    for part in parts(schema):
        yield from everywhere(part)


def test_every_schema_is_there():
    ids = [path.stem for path in FILES if not path.stem.startswith(OWN)]
    assert len(ids) == 374
    assert sum(schema_id.startswith("system_config.") for schema_id in ids) == 149
    assert sum(schema_id.startswith("callflows.") for schema_id in ids) == 82


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_a_draft_4_schema_under_its_own_id_with_sorted_keys(path):
    text = path.read_text()
    schema = json.loads(text)
    Draft4Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert schema["_id"] == path.stem
    assert text == json.dumps(schema, indent=4, sort_keys=True, ensure_ascii=False) + "\n"


def test_every_reference_names_a_schema():
    ids = {path.stem for path in FILES}
    references = {part["$ref"] for path in FILES for part in everywhere(read(path)) if "$ref" in part}
    assert references
    assert references <= ids


def test_every_default_fits_its_type():
    for path in FILES:
        for part in everywhere(read(path)):
            if "default" in part and "type" in part:
                assert type(part["default"]) is not bool or part["type"] == "boolean", path.stem
                assert isinstance(part["default"], TYPES[part["type"]]), path.stem


def test_every_enum_offers_its_own_default():
    for path in FILES:
        for part in everywhere(read(path)):
            if "default" in part and "enum" in part:
                assert part["default"] in part["enum"], path.stem


def test_every_property_clients_meet_is_described():
    for path in FILES:
        if path.stem.startswith("system_config."):
            continue
        for part in everywhere(read(path)):
            for name, described in part.get("properties", {}).items():
                assert len(described.get("description", "")) > 3, f"{path.stem}: {name}"


def test_a_schema_is_served_with_its_id():
    menus = Schemas.load().get("menus")
    assert menus is not None
    assert menus["id"] == "menus"
    assert "_id" not in menus
    assert menus["properties"]["name"]["maxLength"] == 128


def test_what_is_served_can_be_changed_without_harm():
    schemas = Schemas.load()
    schemas.get("menus")["properties"].clear()
    assert "name" in schemas.get("menus")["properties"]


def test_no_schema_of_an_unknown_id():
    assert Schemas.load().get("../setup") is None


def test_ids_are_sorted():
    assert Schemas.load().ids() == sorted(path.stem for path in FILES)


def test_the_bundle_is_one_self_contained_schema():
    bundle = Schemas.load().bundle()
    Draft4Validator.check_schema(bundle)
    assert len(bundle["definitions"]) == len(FILES)
    for part in everywhere(bundle):
        if "$ref" in part:
            assert list(part) == ["$ref"]
            assert part["$ref"].removeprefix("#/definitions/") in bundle["definitions"]
    validator = Draft4Validator({"$ref": "#/definitions/users", "definitions": bundle["definitions"]})
    assert validator.is_valid({"first_name": "Ada", "last_name": "Lovelace"})
    assert not validator.is_valid({"first_name": "Ada", "caller_id": {"internal": {"name": "x" * 36}}})


def test_local_definitions_are_followed(tmp_path):
    (tmp_path / "boxes.json").write_text(
        json.dumps(
            {
                "_id": "boxes",
                "type": "object",
                "properties": {"lid": {"$ref": "#/definitions/part"}, "floor": {"$ref": "#/definitions/part"}},
                "definitions": {"part": {"type": "object", "properties": {"width": {"type": "integer", "default": 3}}}},
            }
        )
    )
    schemas = Schemas.load(tmp_path)
    assert schemas.validate("boxes", {"lid": {}}) == {"lid": {"width": 3}}
    assert schemas.errors("boxes", {"lid": {"width": []}})[1]["lid.width"]["type"]["target"] == "integer"
    pointer = schemas.bundle()["definitions"]["boxes"]["properties"]["lid"]["$ref"]
    assert pointer == "#/definitions/boxes/definitions/part"
