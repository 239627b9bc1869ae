# SPDX-License-Identifier: MPL-2.0
"""What validation says when it refuses: every code, with its whole detail."""

import json
import sys
from collections import Counter

import pytest

from crossbar.documents.schemas import Schemas
from crossbar.documents.schemas.pipeline import MOST_ERRORS
from crossbar.errors import CrossbarError, Invalid

schemas = Schemas.load()
USER = {"first_name": "Ada", "last_name": "Lovelace"}


def errors(schema_id, data, **options):
    return schemas.errors(schema_id, data, **options)[1]


def flow(module, data, children=None):
    return {"module": module, "data": data, "children": children or {}}


@pytest.fixture
def custom(tmp_path):
    """Schemas written for one test."""

    def load(**documents):
        for schema_id, document in documents.items():
            (tmp_path / f"{schema_id}.json").write_text(json.dumps({"_id": schema_id, **document}))
        return Schemas.load(tmp_path)

    return load


def test_required():
    assert errors("users", {"first_name": "Ada"}) == {
        "last_name": {"required": {"message": "Field is required but missing", "value": "last_name"}}
    }


def test_required_inside():
    assert errors("phone_numbers", {"e911": {"region": "CA", "locality": "x", "postal_code": "9"}}) == {
        "e911.street_address": {"required": {"message": "Field is required but missing", "value": "street_address"}}
    }


def test_type():
    assert errors("menus", {"name": 7}) == {
        "name": {"type": {"message": "Value did not match type(s): string", "target": "string", "value": 7}}
    }


def test_null_is_no_string():
    assert errors("menus", {"name": None})["name"]["type"]["value"] is None


def test_type_out_of_several():
    device = {"name": "d", "provision": {"combo_keys": {"1": "x"}}}
    assert errors("devices", device) == {
        "provision.combo_keys.1": {
            "type": {"message": "Value did not match type(s): object, null", "target": "object, null", "value": "x"}
        }
    }


def test_enum():
    assert errors("users", {**USER, "priv_level": "god"}) == {
        "priv_level": {
            "enum": {
                "message": "Value not found in enumerated list of values",
                "target": ["user", "admin"],
                "value": "god",
            }
        }
    }


def test_min_length():
    assert errors("users", {**USER, "first_name": ""}) == {
        "first_name": {
            "minLength": {"message": "String must be at least 1 characters", "target": 1, "cause": "", "value": ""}
        }
    }


def test_max_length():
    long = "a" * 36
    assert errors("users", {**USER, "caller_id": {"internal": {"name": long}}}) == {
        "caller_id.internal.name": {
            "maxLength": {
                "message": "String must not be more than 35 characters",
                "target": 35,
                "cause": long,
                "value": long,
            }
        }
    }


def test_lengths_are_counted_in_characters_but_the_code_in_bytes():
    assert errors("users", {**USER, "first_name": "é" * 128}) == {}
    assert list(errors("devices", {"name": "d", "sip": {"password": "éé"}})["sip.password"]) == ["minLength"]
    assert list(errors("devices", {"name": "d", "sip": {"password": "ééé"}})["sip.password"]) == ["maxLength"]


def test_the_code_is_min_length_where_there_is_no_other_bound():
    assert list(errors("app", {"i18n": {"en-US": {"description": "é"}}})["i18n.en-US.description"]) == ["minLength"]


def test_minimum():
    assert errors("menus", {"name": "m", "retries": 0}) == {
        "retries": {"minimum": {"message": "Value must be at least 1", "target": 1, "value": 0}}
    }


def test_maximum():
    assert errors("menus", {"name": "m", "retries": 11}) == {
        "retries": {"maximum": {"message": "Value must be at most 10", "target": 10, "value": 11}}
    }


def test_fractional_bounds_are_shown_as_they_are():
    assert errors("metaflows.sound_touch", {"pitch": 0.5}) == {
        "pitch": {"minimum": {"message": "Value must be at least 1.0", "target": 1.0, "value": 0.5}}
    }


def test_min_items():
    assert errors("temporal_rules_sets", {"name": "s", "temporal_rules": []}) == {
        "temporal_rules": {"minItems": {"message": "The list must have at least 1 items", "target": 1, "value": []}}
    }


def test_max_items(custom):
    found = custom(few={"type": "object", "properties": {"a": {"type": "array", "maxItems": 1}}})
    assert found.errors("few", {"a": [1, 2]})[1] == {
        "a": {"maxItems": {"message": "The list is more than 1 items", "target": 1, "value": [1, 2]}}
    }


def test_unique_items():
    assert errors("callflows", {"numbers": ["1", "1"]}) == {
        "numbers": {"uniqueItems": {"message": "List of items is not unique", "value": ["1", "1"]}}
    }


def test_additional_properties_name_each_extra_member():
    data = {"api_key": "k" * 64, "id": "x", "ui_metadata": {}}
    detail = {
        "additionalProperties": {
            "message": "Strict checking of data is enabled; only include schema-defined properties",
            "value": data,
        }
    }
    assert errors("api_auth", data) == {"id": detail, "ui_metadata": detail}


def test_additional_items(custom):
    found = custom(pair={"type": "object", "properties": {"a": {"items": [{}], "additionalItems": False}}})
    assert found.errors("pair", {"a": [1, 2]})[1] == {
        "a": {
            "additionalItems": {
                "message": "Strict checking of data is enabled; only include schema-defined items",
                "value": [1, 2],
            }
        }
    }


def test_pattern():
    assert errors("accounts", {"name": "a", "realm": "no spaces"}) == {
        "realm": {
            "pattern": {
                "message": "Failed to match pattern '^[.\\w-]+$'",
                "target": "^[.\\w-]+$",
                "value": "no spaces",
            }
        }
    }


def test_format():
    assert errors("users", {**USER, "email": "nobody"}) == {
        "email": {
            "wrong_format": {"message": "Field is not in the correct format", "value": "nobody", "format": "email"}
        }
    }


@pytest.mark.parametrize(
    ("schema", "code", "value"),
    [
        ({"oneOf": [{"type": "string"}, {"type": "boolean"}]}, "not_one_schema_valid", 1),
        ({"oneOf": [{"type": "integer"}, {"minimum": 0}]}, "not_one_schema_valid", 1),
        ({"anyOf": [{"type": "string"}, {"type": "boolean"}]}, "any_schemas_not_valid", 1),
        ({"not": {"type": "integer"}}, "not_schema_valid", 1),
        ({"minProperties": 1}, "too_few_properties", {}),
        ({"maxProperties": 1}, "too_many_properties", {"a": 1, "b": 2}),
        ({"multipleOf": 2}, "not_multiple_of", 1),
    ],
)
def test_codes_without_an_explanation(custom, schema, code, value):
    found = custom(plain={"type": "object", "properties": {"a": schema}})
    assert found.errors("plain", {"a": value})[1] == {"a": {code: {"message": "failed to validate", "value": value}}}


def test_alternatives_are_one_error():
    conference = {"name": "c", "play_entry_tone": 5}
    assert errors("conferences", conference) == {
        "play_entry_tone": {"not_one_schema_valid": {"message": "failed to validate", "value": 5}}
    }


def test_a_port_request_needs_a_number():
    assert errors("port_requests", {"name": "p", "numbers": {}}) == {
        "numbers": {"too_few_properties": {"message": "failed to validate", "value": {}}}
    }


def test_dots_in_names_are_encoded_and_indexes_are_decimal():
    resource = {"name": "r", "gateways": [{"server": "s"}, {"server": "s", "codecs": ["PCMU", "nope"]}]}
    assert list(errors("resources", resource)) == ["gateways.1.codecs.1"]
    account = {"name": "a", "call_restriction": {"a.b": {"action": "maybe"}}}
    assert list(errors("accounts", account)) == ["call_restriction.a%2Eb.action"]


def test_the_name_of_a_member_may_be_digits_or_nothing():
    assert list(errors("accounts", {"name": "a", "call_restriction": {"0": []}})) == ["call_restriction.0"]
    assert list(errors("accounts", {"name": "a", "call_restriction": {"": []}})) == ["call_restriction."]


def test_the_last_error_of_a_field_stays():
    assert errors("callflows.language", {"language": 5}) == {
        "language": {"type": {"message": "Value did not match type(s): string", "target": "string", "value": 5}}
    }
    assert list(errors("devices", {"name": "d", "sip": {"realm": "!"}})["sip.realm"]) == ["pattern"]


def test_errors_of_different_fields_add_up():
    found = errors("menus", {"retries": 0, "timeout": 0, "hunt": []})
    assert {field: next(iter(codes)) for field, codes in found.items()} == {
        "name": "required",
        "retries": "minimum",
        "timeout": "minimum",
        "hunt": "type",
    }


def test_a_wrong_document_has_the_empty_field():
    assert errors("resource_selectors.rules", {}) == {}
    found = schemas.errors("storage.attachments.field", {"const": "a", "other": 1})[1]
    assert list(found) == [""]


def test_validate_raises_all_errors_at_once():
    with pytest.raises(Invalid) as caught:
        schemas.validate("users", {})
    assert caught.value.status == 400
    assert set(caught.value.data) == {"first_name", "last_name"}


def test_an_unknown_schema_is_the_servers_fault():
    with pytest.raises(CrossbarError) as caught:
        schemas.validate("auth.authorize", {})
    assert caught.value.status == 500
    assert caught.value.message == "schema auth.authorize not found."
    assert caught.value.data == {"message": "schema auth.authorize not found."}


def test_a_flood_of_errors_is_cut_short():
    assert len(errors("api_auth", {f"m{n}": n for n in range(10_000)})) == MOST_ERRORS


def test_errors_inside_a_callflow_carry_the_whole_path():
    tree = flow("menu", {"id": 5}, {"1": flow("user", {"id": "u", "timeout": "soon"}), "_": {"data": {}}})
    assert errors("callflows", {"numbers": ["1"], "flow": tree}) == {
        "flow.data.id": {"type": {"message": "Value did not match type(s): string", "target": "string", "value": 5}},
        "flow.children.1.data.timeout": {
            "type": {"message": "Value did not match type(s): integer", "target": "integer", "value": "soon"}
        },
        "flow.children._.module": {"required": {"message": "Field is required but missing", "value": "module"}},
    }


def test_an_unknown_module():
    assert errors("callflows", {"flow": flow("teleport", {})}) == {
        "flow.module": {
            "error": {"message": "unable to find callflow schema for module teleport", "value": "teleport"}
        },
        "schema": {"schema": {"message": "schema not found", "schema": "callflows.teleport"}},
    }


def test_of_unknown_modules_the_outermost_is_the_missing_schema():
    tree = flow("x", {}, {"a": flow("y", {}), "b": flow("z", {})})
    found = errors("callflows", {"flow": tree})
    assert found["schema"]["schema"]["schema"] == "callflows.x"
    assert {"flow.module", "flow.children.a.module", "flow.children.b.module"} < set(found)
    tree["module"] = "menu"
    assert errors("callflows", {"flow": tree})["schema"]["schema"]["schema"] == "callflows.z"


@pytest.mark.parametrize("module", [5, None, [], ""])
def test_a_module_that_is_no_name(module):
    assert "flow.module" in errors("callflows", {"flow": flow(module, {})})


def test_nodes_that_are_no_objects():
    found = errors("callflows", {"flow": flow("menu", [], {"1": "user"})})
    assert {field: next(iter(codes)) for field, codes in found.items()} == {
        "flow.data": "type",
        "flow.children.1": "type",
    }


def test_metaflows_are_trees_too():
    found = errors(
        "devices", {"name": "d", "metaflows": {"numbers": {"2": {"module": "hold", "data": {"moh_aleg": 1}}}}}
    )
    assert list(found) == ["metaflows.numbers.2.data.moh_aleg"]
    found = errors("devices", {"name": "d", "metaflows": {"patterns": {"^2$": {"module": "fly"}}}})
    assert found["metaflows.patterns.^2$.module"]["error"]["message"] == (
        "unable to find metaflow schema for module fly"
    )
    assert found["schema"]["schema"]["schema"] == "metaflows.fly"


def test_a_callflow_inside_a_metaflow_inside_a_callflow():
    inner = {"module": "callflow", "data": {"flow": flow("user", {"timeout": []})}}
    found = errors("callflows", {"flow": flow("menu", {}), "metaflow": {"numbers": {"1": inner}}})
    assert list(found) == ["metaflow.numbers.1.data.flow.data.timeout"]


def calls_while(work):
    """How often each function was called while `work` ran."""
    calls = Counter()
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, _: calls.update([frame.f_code.co_name] if event == "call" else []))
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


MANY_WRONG = {
    "all items": lambda: ("devices", {"name": "d", "flags": list(range(20_000))}),
    "the last item": lambda: ("devices", {"name": "d", "flags": [*map(str, range(20_000)), 1]}),
    "the last member": lambda: (
        "devices",
        {"name": "d", "sip": {"custom_sip_headers": {"out": {f"X-{i}": "v" for i in range(20_000)} | {"X": 1}}}},
    ),
    "twice the same": lambda: ("devices", {"name": "d", "flags": [[], *range(20_000)]}),
}


@pytest.mark.parametrize("made", MANY_WRONG.values(), ids=MANY_WRONG)
def test_many_values_are_not_looked_at_one_by_one(made):
    schema_id, data = made()
    assert errors(schema_id, data)
    calls = calls_while(lambda: schemas.errors(schema_id, data))
    assert sum(count for name, count in calls.items() if name in ("iter_errors", "descend", "_note")) < 1_000


@pytest.mark.parametrize("size", [3, 200])
def test_the_wrong_one_of_many_is_named(custom, size):
    part = {"type": "array", "items": {"type": "string"}}
    members = {"type": "object", "additionalProperties": {"type": "string"}}
    loaded = custom(many={"type": "object", "properties": {"list": part, "object": members}})
    data = {
        "list": [*["x"] * size, {}, "x"],
        "object": {**{f"m{i}": "x" for i in range(size)}, "bad": {}},
    }
    found = loaded.errors("many", data)[1]
    assert found.keys() == {f"list.{size}", "object.bad"}
    assert {code for codes in found.values() for code in codes} == {"type"}
