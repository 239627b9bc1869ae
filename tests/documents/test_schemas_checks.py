# SPDX-License-Identifier: MPL-2.0
"""Keywords of KAZOO's own, the meaning of patterns, and input made to hurt."""

import json

import pytest

from crossbar.documents.schemas import ClientUrls, Schemas
from crossbar.documents.schemas.patterns import compiles, matches

schemas = Schemas.load()
ATTACHMENTS = "a" * 32
CONNECTION = "c" * 32


def errors(schema_id, data, **options):
    return schemas.errors(schema_id, data, **options)[1]


@pytest.mark.parametrize(
    ("schema_id", "data", "field"),
    [
        ("webhooks", {"name": "h", "hook": "all", "uri": "http://localhost/"}, "uri"),
        ("callflows.webhook", {"uri": "ftp://example.com/"}, "uri"),
        ("callflows.pivot", {"voice_url": "http://127.0.0.1/"}, "voice_url"),
        ("metaflows.pivot", {"voice_url": "http://0.0.0.0/"}, "voice_url"),
        ("callflows.record_call", {"url": "https://localhost:8443/"}, "url"),
        ("callflows.record_caller", {"url": "//example.com"}, "url"),
        ("metaflows.record_call", {"url": "http://127.1/"}, "url"),
        ("call_recording.parameters", {"url": "http://LOCALHOST./"}, "url"),
        (
            "faxbox",
            {"name": "f", "notifications": {"inbound": {"callback": {"url": "http://localhost/"}}}},
            "notifications.inbound.callback.url",
        ),
        (
            "faxbox",
            {"name": "f", "notifications": {"outbound": {"callback": {"url": "http://localhost/"}}}},
            "notifications.outbound.callback.url",
        ),
        (
            "storage.attachment.http",
            {"handler": "http", "settings": {"url": "https://ignore@me:0.0.0.0"}},
            "settings.url",
        ),
    ],
)
def test_urls_the_server_must_not_call(schema_id, data, field):
    found = errors(schema_id, data)
    assert list(found) == [field]
    assert found[field]["error"]["message"] == "invalid client URL"


def test_a_url_in_a_referenced_schema():
    user = {"first_name": "a", "last_name": "b", "call_recording": {"any": {"any": {"url": "http://localhost/"}}}}
    assert errors("users", user) == {
        "call_recording.any.any.url": {"error": {"message": "invalid client URL", "value": "http://localhost/"}}
    }


def test_a_refused_url_among_alternatives_fails_the_alternatives():
    handler = {"handler": "http", "settings": {"url": "http://127.0.0.1/"}}
    found = errors("storage", {"attachments": {ATTACHMENTS: handler}})
    assert found == {
        f"attachments.{ATTACHMENTS}": {
            "not_one_schema_valid": {
                "message": "failed to validate",
                "value": handler,
            }
        }
    }
    handler = {"handler": "http", "settings": {"url": "https://files.example.com/"}}
    stored = schemas.validate("storage", {"attachments": {ATTACHMENTS: handler}})
    assert stored["attachments"][ATTACHMENTS]["settings"]["verb"] == "put"


def test_a_policy_of_ones_own():
    hook = {"name": "h", "hook": "all", "uri": "http://localhost/"}
    assert Schemas.load(client_urls=ClientUrls((), ())).validate("webhooks", hook)["uri"] == hook["uri"]
    strict = Schemas.load(client_urls=ClientUrls(("example.com",), ("10.0.0.0/8",)))
    assert "uri" in strict.errors("webhooks", {**hook, "uri": "http://10.1.2.3/"})[1]


def test_a_regular_expression_must_compile():
    box = {"name": "f", "smtp_permission_list": [".*@example\\.com", "(?<user>\\w+)@\\Qexample.com\\E", "(a"]}
    assert errors("faxbox", box) == {
        "smtp_permission_list.2": {"error": {"message": "invalid regular expression: '(a'", "value": "(a"}}
    }


@pytest.mark.parametrize("source", ["(" * 100_000, "((a{1000}){1000}){1000}", "[[:nope:]]", "*", "\\"])
def test_patterns_that_do_not_compile(source):
    assert not compiles(source)


def test_a_pattern_that_would_run_for_ever_is_given_up():
    assert not matches("^(a+)+$", "a" * 5000 + "b")


def test_storage_plans_refer_to_what_the_document_has():
    plan = {"modb": {"types": {"fax": {"connection": CONNECTION, "attachments": {"handler": ATTACHMENTS}}}}}
    assert errors("storage", {"plan": plan}) == {
        "plan.modb.types.fax.connection": {
            "error": {"message": f"invalid reference '{CONNECTION}' to connections", "value": CONNECTION}
        },
        "plan.modb.types.fax.attachments.handler": {
            "error": {"message": f"invalid reference '{ATTACHMENTS}' to attachments", "value": ATTACHMENTS}
        },
    }
    s3 = {"handler": "s3", "settings": {"bucket": "bucket", "key": "k", "secret": "s"}}
    couch = {"driver": "kazoo_couch", "settings": {"ip": "10.0.0.1", "port": 5984}}
    whole = {"plan": plan, "attachments": {ATTACHMENTS: s3}, "connections": {CONNECTION: couch}}
    assert errors("storage", whole) == {}


def test_oauth_documents_must_exist():
    dropbox = {"handler": "dropbox", "settings": {"oauth_doc_id": "grant"}}
    assert errors("storage.attachment.dropbox", dropbox) == {
        "settings.oauth_doc_id": {"error": {"message": "Invalid oauth_doc_id: grant", "value": "grant"}}
    }
    known = {"grant"}
    assert errors("storage.attachment.dropbox", dropbox, oauth_doc_exists=known.__contains__) == {}
    assert errors("storage", {"attachments": {ATTACHMENTS: dropbox}}, oauth_doc_exists=known.__contains__) == {}


@pytest.fixture
def staged(tmp_path):
    document = {
        "_id": "staged",
        "type": "object",
        "properties": {
            "old": {"type": "string", "stability_level": "stable"},
            "new": {"type": "string", "stability_level": "alpha"},
        },
    }
    (tmp_path / "staged.json").write_text(json.dumps(document))
    return Schemas.load(tmp_path)


def test_unstable_parameters_are_refused_where_the_system_asks_for_stability(staged):
    data = {"old": "x", "new": "y"}
    assert staged.errors("staged", data)[1] == {}
    assert staged.errors("staged", data, stability_level="alpha")[1] == {}
    assert staged.errors("staged", data, stability_level="beta")[1] == {
        "new": {
            "error": {
                "message": "Disallowed parameter, it has lower stability level (alpha)"
                " than system's stability level (beta)",
                "value": "y",
            }
        }
    }
    assert staged.errors("staged", {"old": "x"}, stability_level="stable")[1] == {}


@pytest.mark.parametrize(
    ("realm", "valid"),
    [
        ("a.example.com", True),
        ("é.example.com", False),  # \w is ASCII
        ("a.example.com\n", True),  # $ stands before a final newline
        ("a.example.com\n\n", False),
    ],
)
def test_patterns_mean_what_they_mean_in_kazoo(realm, valid):
    assert (errors("accounts", {"name": "a", "realm": realm}) == {}) is valid


def test_digits_are_ascii():
    assert list(errors("conferences", {"name": "c", "conference_numbers": ["\u0661"]})) == ["conference_numbers.0"]


def test_the_names_of_formatters_are_letters_digits_and_underscores():
    assert list(errors("accounts", {"name": "a", "formatters": {"from_1": 5}})) == ["formatters.from_1"]
    assert errors("accounts", {"name": "a", "formatters": {"from-1": 5, "é": 5}}) == {}


def test_a_name_with_a_final_newline_matches_its_pattern_too():
    assert list(errors("storage", {"attachments": {ATTACHMENTS + "\n": 5}})) == [f"attachments.{ATTACHMENTS}\n"]


def test_a_thousand_levels_of_a_callflow():
    node = {"module": "user", "data": {"id": "u"}}
    for _ in range(1000):
        node = {"module": "user", "data": {"id": "u"}, "children": {"_": node}}
    callflow = schemas.validate("callflows", {"flow": node})
    for _ in range(1000):
        callflow["flow"] = callflow["flow"]["children"]["_"]
    assert callflow["flow"]["data"]["timeout"] == 20

    innermost = node
    while "children" in innermost:
        innermost = innermost["children"]["_"]
    innermost["data"]["timeout"] = "never"
    [field] = errors("callflows", {"flow": node})
    assert field == "flow" + ".children._" * 1000 + ".data.timeout"


def test_deep_free_form_data_is_no_trouble():
    deep = {}
    for _ in range(400):
        deep = {"a": deep}
    assert errors("lists", {"name": "l", "anything": deep}) == {}
    assert list(errors("lists", {"anything": deep})) == ["name"]
    assert list(errors("lists", {"name": deep})) == ["name"]


def test_what_is_nested_too_deeply_to_be_explained_is_refused():
    field = {"const": 5}
    for _ in range(400):
        field = {"group": [field]}
    handler = {"handler": "s3", "settings": {"bucket": "bucket", "key": "k", "secret": "s", "field_list": [field]}}
    assert errors("storage", {"attachments": {ATTACHMENTS: handler}}) == {
        "": {"error": {"message": "Value is nested too deeply"}}
    }


def test_a_great_many_equal_items_are_compared_in_one_go():
    numbers = [{"n": n} for n in range(20_000)]
    assert len(errors("callflows", {"numbers": [*numbers, numbers[0]]})) == 100


def test_values_of_different_types_are_different(tmp_path):
    document = {
        "_id": "same",
        "type": "object",
        "properties": {"one": {"enum": [1]}, "two": {"type": "array", "uniqueItems": True}},
    }
    (tmp_path / "same.json").write_text(json.dumps(document))
    found = Schemas.load(tmp_path)
    assert found.errors("same", {"one": 1, "two": [1, 1.0, "1", True]})[1] == {}
    assert list(found.errors("same", {"one": 1.0})[1]) == ["one"]
    assert list(found.errors("same", {"one": True})[1]) == ["one"]
    assert list(found.errors("same", {"two": [{"a": [1]}, {"a": [1]}]})[1]) == ["two"]


@pytest.mark.parametrize(
    ("schema_id", "data", "valid"),
    [
        ("ip", {"ip": "10.0.0.1", "zone": "z", "host": "h"}, True),
        ("ip", {"ip": "::1", "zone": "z", "host": "h"}, True),
        ("ip", {"ip": "10.0.0", "zone": "z", "host": "h"}, False),
        ("ip", {"ip": "::g", "zone": "z", "host": "h"}, False),
        ("users", {"first_name": "a", "last_name": "b", "email": "a@b"}, True),
        ("users", {"first_name": "a", "last_name": "b", "email": "a@b@c"}, False),
        ("users", {"first_name": "a", "last_name": "b", "email": "@bc"}, False),
        ("whitelabel", {"domain": "not a uri"}, True),
        ("formatters.format_options", {"regex": "("}, True),
    ],
)
def test_formats(schema_id, data, valid):
    assert (errors(schema_id, data) == {}) is valid


@pytest.mark.parametrize(
    ("time", "valid"),
    [
        ("2024-02-29T12:00:00Z", True),
        ("2024-02-29t12:00:00.123+01:00", True),
        ("2023-02-29T12:00:00Z", False),
        ("2024-02-29T25:00:00Z", False),
        ("2024-02-29T12:00:00", False),
        ("2024-02-29", False),
    ],
)
def test_times(tmp_path, time, valid):
    document = {"_id": "timed", "type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}
    (tmp_path / "timed.json").write_text(json.dumps(document))
    assert (Schemas.load(tmp_path).errors("timed", {"at": time})[1] == {}) is valid
