# SPDX-License-Identifier: MPL-2.0
"""What validation adds and mends when it accepts."""

import copy

import pytest

from crossbar.documents.schemas import Schemas
from tests.samples import MENU_DEFAULTS

schemas = Schemas.load()


def test_missing_members_get_their_defaults():
    assert schemas.validate("menus", {"name": "Main"}) == {"name": "Main", **MENU_DEFAULTS}


def test_a_default_object_gets_the_defaults_of_its_members():
    conference = schemas.validate("conferences", {"name": "c"})
    assert conference["member"] == {"join_deaf": False, "join_muted": True, "numbers": [], "pins": []}
    assert "profile" not in conference


def test_a_missing_object_without_a_default_stays_missing():
    assert "call_forward" not in schemas.validate("users", {"first_name": "a", "last_name": "b"})


def test_a_present_object_gets_the_defaults_of_its_members():
    user = schemas.validate("users", {"first_name": "a", "last_name": "b", "call_forward": {}})
    assert user["call_forward"]["require_keypress"] is True


def test_items_of_lists_get_defaults():
    resource = schemas.validate("resources", {"name": "r", "gateways": [{"server": "s"}]})
    assert resource["gateways"][0]["port"] == 5060


def test_members_matched_by_pattern_get_defaults():
    resource = schemas.validate("resources", {"name": "r", "gateways": [], "classifiers": {"did_us": {}}})
    assert resource["classifiers"]["did_us"] == {"emergency": False, "enabled": True, "weight_cost": 50}


def test_a_default_beside_a_reference_counts():
    assert schemas.validate("list_entries", {"list_id": "x"})["profile"] == {}


def test_a_default_without_a_type_is_only_a_remark():
    assert schemas.validate("callflows.send_dtmf", {"digits": "1"}) == {"digits": "1"}


def test_a_required_member_with_a_default_never_fails():
    assert schemas.validate("callflows.record_call", {})["action"] == "start"


def test_a_default_is_validated_like_any_value():
    assert list(schemas.errors("callflows.audio_macro", {})[1]) == ["macros"]


def test_of_alternatives_the_valid_one_gives_its_defaults():
    macro = schemas.validate("callflows.audio_macro", {"macros": [{"macro": "tts", "text": "hi"}, {"macro": "play"}]})
    assert [sorted(entry) for entry in macro["macros"]] == [
        ["macro", "terminators", "text", "voice"],
        ["endless_playback", "macro", "terminators"],
    ]


def test_modules_fill_their_data():
    callflow = schemas.validate("callflows", {"flow": {"module": "user", "data": {"id": "u"}}})
    assert callflow["flow"]["data"] == {"id": "u", "delay": 0, "strategy": "simultaneous", "timeout": 20}
    assert callflow["numbers"] == []


def test_a_node_without_data_gets_that_of_its_module():
    callflow = schemas.validate("callflows", {"flow": {"module": "sleep"}})
    assert callflow["flow"]["data"] == {"duration": 0, "unit": "s"}


def test_the_document_given_is_left_alone():
    given = {
        "numbers": ["1"],
        "flow": {"module": "user", "data": {"timeout": "5"}, "children": {"_": {"module": "menu"}}},
    }
    before = copy.deepcopy(given)
    assert schemas.validate("callflows", given) != before
    assert given == before


def test_defaults_are_fresh_each_time():
    first = schemas.validate("callflows.play", {})
    first["terminators"].clear()
    assert len(schemas.validate("callflows.play", {})["terminators"]) == 12


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("3", 3),
        ("+3", 3),
        ("2.6", 3),
        ("2.5", 3),
        (2.5, 3),
        (2.4, 2),
        (3.0, 3),
    ],
)
def test_integers_are_mended(given, made):
    retries = schemas.validate("menus", {"name": "m", "retries": given})["retries"]
    assert retries == made
    assert type(retries) is int


@pytest.mark.parametrize("given", ["", "three", " 3", "3 ", "3.", ".5", "1e1", "٣", "0x3", True, None, [3], "9" * 30])
def test_what_is_no_integer_is_left_and_refused(given):
    completed, errors = schemas.errors("menus", {"name": "m", "retries": given})
    assert completed["retries"] is given
    assert errors["retries"]["type"]["target"] == "integer"


@pytest.mark.parametrize(("given", "made"), [("1.5", 1.5), ("2", 2), ("-0.5e1", -5.0)])
def test_numbers_are_mended(given, made):
    assert schemas.validate("accounts", {"name": "a", "topup": {"threshold": given}})["topup"]["threshold"] == made


@pytest.mark.parametrize("given", ["x", "", "1e5", "1.0e999", True, "nan", "inf"])
def test_what_is_no_number_is_refused(given):
    assert "topup.threshold" in schemas.errors("accounts", {"name": "a", "topup": {"threshold": given}})[1]


@pytest.mark.parametrize(("given", "made"), [("true", True), ("false", False)])
def test_booleans_are_mended(given, made):
    assert schemas.validate("menus", {"name": "m", "hunt": given})["hunt"] is made


@pytest.mark.parametrize("given", ["yes", "True", "", 1, 0, None])
def test_what_is_no_boolean_is_refused(given):
    assert "hunt" in schemas.errors("menus", {"name": "m", "hunt": given})[1]


def test_items_and_nodes_are_mended():
    rule = schemas.validate("temporal_rules", {"name": "r", "cycle": "monthly", "days": ["1", 2.0]})
    assert rule["days"] == [1, 2]
    callflow = schemas.validate("callflows", {"flow": {"module": "user", "data": {"timeout": "12"}}})
    assert callflow["flow"]["data"]["timeout"] == 12


def test_nothing_else_is_mended():
    assert list(schemas.errors("menus", {"name": 5})[1]) == ["name"]
    assert list(schemas.errors("conferences", {"name": "c", "play_entry_tone": 1})[1]) == ["play_entry_tone"]
    assert schemas.validate("conferences", {"name": "c", "play_entry_tone": "true"})["play_entry_tone"] == "true"


def test_a_mended_value_must_still_fit():
    assert schemas.errors("menus", {"name": "m", "retries": "50"})[1]["retries"]["maximum"]["value"] == 50


def test_strictly_nothing_is_mended():
    completed, errors = schemas.errors("menus", {"name": "m", "retries": "3", "hunt": "true"}, strict=True)
    assert set(errors) == {"retries", "hunt"}
    assert completed["retries"] == "3"


def test_strictly_a_whole_float_is_no_integer():
    assert "retries" in schemas.errors("menus", {"name": "m", "retries": 3.0}, strict=True)[1]
