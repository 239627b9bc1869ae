# SPDX-License-Identifier: MPL-2.0
"""What must hold for every document: the fast path and the reference are of one mind."""

import copy

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from crossbar.documents.schemas import Schemas, patterns
from crossbar.documents.schemas.fast import verdict
from crossbar.documents.schemas.library import Library, parts, shipped_folder
from tests.documents.jesse import Jesse
from tests.documents.schema_documents import IDS, TEXTS, TRICKY, documents

schemas = Schemas.load()
jesse = Jesse()
MET_MOST = [
    "callflows",
    "users",
    "devices",
    "accounts",
    "storage",
    "resources",
    "callflows.audio_macro",
    "connectivity",
]
PATIENT = {
    "phases": [Phase.explicit, Phase.reuse, Phase.generate],  # a failing document is short work by hand
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
PICKED = st.one_of(st.sampled_from(MET_MOST), st.sampled_from(IDS))


@settings(**PATIENT)
@given(data=st.data(), schema_id=PICKED)
def test_both_paths_find_the_same(data, schema_id):
    document = data.draw(documents(schema_id))
    completed, errors = schemas.errors(schema_id, document)
    assert schemas.errors(schema_id, document, stability_level="alpha") == (completed, errors)


@settings(**PATIENT)
@given(data=st.data(), schema_id=PICKED)
def test_both_paths_find_the_same_without_mending(data, schema_id):
    document = data.draw(documents(schema_id))
    found = schemas.errors(schema_id, document, strict=True)
    assert schemas.errors(schema_id, document, strict=True, stability_level="alpha") == found


@settings(**PATIENT)
@given(data=st.data(), schema_id=PICKED)
def test_documents_are_completed_as_described(data, schema_id):
    document = data.draw(documents(schema_id))
    completed, _ = schemas.errors(schema_id, document)
    expected = jesse.complete(schema_id, document)
    assert completed == expected
    assert repr(sorted_deep(completed)) == repr(sorted_deep(expected))  # True is not 1, 1 is not 1.0


def sorted_deep(value):
    if isinstance(value, dict):
        return {name: sorted_deep(value[name]) for name in sorted(value)}
    return [sorted_deep(item) for item in value] if isinstance(value, list) else value


@settings(**PATIENT)
@given(data=st.data(), schema_id=PICKED)
def test_completing_leaves_the_document_alone_and_is_done_once(data, schema_id):
    document = data.draw(documents(schema_id))
    before = copy.deepcopy(document)
    completed, errors = schemas.errors(schema_id, document)
    assert document == before
    assert schemas.errors(schema_id, completed) == (completed, errors)


def everywhere(schema):
    yield schema
    for part in parts(schema):
        yield from everywhere(part)


library = Library(shipped_folder())
SCHEMAS = [part for schema_id in library.ids for part in everywhere(library.prepared(schema_id))]
TEXT_PATTERNS = sorted({part["pattern"] for part in SCHEMAS if "pattern" in part})
NAME_PATTERNS = sorted({name for part in SCHEMAS for name in part.get("patternProperties", ())})


def texts(pattern):
    anything = st.text(max_size=4, alphabet=st.characters(codec="utf-8"))
    return st.one_of(TRICKY, TEXTS, st.from_regex(pattern), anything)


@pytest.mark.parametrize("pattern", TEXT_PATTERNS)
def test_the_fast_path_accepts_no_text_the_reference_refuses(pattern):
    accepts = verdict(library, {"pattern": pattern})

    @given(texts(pattern))
    def check(text):
        assert accepts(text) <= patterns.matches(pattern, text)

    check()


@pytest.mark.parametrize("pattern", NAME_PATTERNS)
def test_both_engines_match_the_same_names(pattern):
    accepts = verdict(library, {"patternProperties": {pattern: {"type": "null"}}})

    @example("\r")
    @example("\n")
    @example("\u2028")
    @given(texts(pattern))
    def check(name):
        assert accepts({name: 0}) is not patterns.matches(pattern, name)

    check()
