# SPDX-License-Identifier: MPL-2.0
"""Request bodies: what each content type makes of the same bytes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar import clock
from crossbar.errors import JSON, FieldErrors, Invalid
from crossbar.wire.body import RequestBody, UploadedFile, parse_body
from crossbar.wire.decoding import BodyLimits
from crossbar.wire.query import Query

FORM = "application/x-www-form-urlencoded"
NOW = 1_714_558_830.0
DEFAULT_NAME = f"uploaded_file_{int(NOW) + clock.GREGORIAN_OFFSET}"


def refusal(body: bytes, content_type: str | None = None, **options: Any) -> FieldErrors:
    with pytest.raises(Invalid) as raised:
        parse_body(body, content_type, **options)
    assert (raised.value.status, raised.value.message) == (400, "validation error")
    return raised.value.fields


def malformed(text: str) -> FieldErrors:
    return {"json": {"invalid": {"message": text, "target": "body"}}}


# JSON


@pytest.mark.parametrize(
    "content_type", [None, "", "application/json", "application/x-json", "Application/JSON; charset=utf-8", FORM]
)
def test_json_is_an_envelope(content_type: str | None) -> None:
    body = parse_body(b' {"data": {"name": "a=b&c"}, "accept_charges": true}', content_type)
    assert body == RequestBody({"accept_charges": True}, {"name": "a=b&c"}, [])


@pytest.mark.parametrize("content_type", [None, "application/json", FORM, "multipart/form-data", "audio/mp3", "x"])
def test_an_empty_body_is_empty_data(content_type: str | None) -> None:
    assert parse_body(b"", content_type) == RequestBody({}, {}, [])


def test_keys_of_the_envelope_are_normalised_and_nulls_dropped() -> None:
    body = parse_body(b'{"Auth-Token": "t", "VERB": null, "data": {"Auth-Token": null, "X-Y": {"A-B": 1}}}', None)
    assert body.envelope == {"auth_token": "t"}
    assert body.data == {"Auth-Token": None, "X-Y": {"A-B": 1}}


def test_private_keys_of_data_are_dropped_on_the_top_level_only() -> None:
    body = parse_body(
        b'{"data": {"_id": 1, "pvt_type": 2, "id": 3, "pvt": 4, "": 5, "a": {"_b": 6, "pvt_c": 7}}}', None
    )
    assert body.data == {"id": 3, "pvt": 4, "": 5, "a": {"_b": 6, "pvt_c": 7}}


def test_data_may_be_a_list() -> None:
    assert parse_body(b'{"data": [{"_id": 1}, 2]}', None).data == [{"_id": 1}, 2]


@pytest.mark.parametrize("data", ["", '"data": null, '])
def test_data_is_required(data: str) -> None:
    assert refusal(f'{{{data}"Verb": "GET"}}'.encode()) == {
        "data": {"required": {"message": "Field is required but missing", "value": {"verb": "GET"}}}
    }


def test_data_is_an_object_or_a_list() -> None:
    assert refusal(b'{"data": "x"}') == {
        "data": {
            "type": {
                "message": "Value did not match type(s): object, array",
                "target": "object, array",
                "value": "x",
            }
        }
    }


def test_an_endpoint_may_do_without_the_envelope() -> None:
    assert parse_body(b'{"event": "x"}', None, envelope_required=False) == RequestBody({"event": "x"}, {}, [])


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1", b"null"])
def test_json_is_an_object(body: bytes) -> None:
    assert refusal(body) == malformed("All JSON must be valid")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{", "truncated_json around 2"),
        (b"  ", "truncated_json around 1"),
        (b"nonsense", "invalid_literal around 1"),
        (b'{"data":x}', "invalid_json around 9"),
        ('{"é":x}'.encode(), "invalid_json around 7"),
        (b"{data:{}}", "invalid_object_member_key around 2"),
        (b'{"data":{}}x', "invalid_trailing_data around 12"),
        (b'{"data":01}', "invalid_number around 9"),
        (b'{"data":"\x01"}', "invalid_string around 10"),
        (b'{"data":"\\ud800"}', "invalid_string around 10"),
        (b'{"data":tru}', "invalid_literal around 9"),
        (b"[" * 5000, "too many nested levels"),
    ],
)
def test_malformed_json(body: bytes, text: str) -> None:
    assert refusal(body) == malformed(text)


def test_latin_1_is_understood() -> None:
    assert parse_body('{"data": {"name": "Müller"}}'.encode("latin-1"), None).data == {"name": "Müller"}
    assert refusal('{"data": {"name": "Müller"}'.encode("latin-1")) == malformed("truncated_json around 29")


def test_the_last_of_duplicate_keys_wins() -> None:
    assert parse_body(b'{"data": {"a": 1, "a": 2}}', None).data == {"a": 2}


def test_too_many_levels() -> None:
    nested = b'{"data":' + b'{"a":' * 199 + b"1" + b"}" * 200
    assert parse_body(nested, None).data
    assert refusal(nested, limits=BodyLimits(depth=199)) == malformed("more than 199 nested levels")
    assert parse_body(b'{"data":[%s]}' % b",".join([b"[]"] * 500), None).data == [[]] * 500


@pytest.mark.parametrize("number", [b"9223372036854775808", b"-9223372036854775809", b"1" * 30, b"-" + b"1" * 30])
def test_integers_the_store_cannot_hold(number: bytes) -> None:
    assert refusal(b'{"data":{"n":[%s]}}' % number) == malformed(
        f"integer {number.decode()[:20]} does not fit in 64 bits"
    )


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 1e300, 0.12345678901234567890])
def test_numbers_the_store_can_hold(number: float) -> None:
    assert parse_body(json.dumps({"data": {"n": number, "s": "1" * 40}}).encode(), None).data["n"] == number


def test_nul_may_stand_in_texts_but_not_in_keys() -> None:
    assert parse_body(b'{"data":{"a":["\\u0000"]}}', None).data == {"a": ["\0"]}
    assert refusal(b'{"data":[{"a":{"x\\u0000":1}}]}') == malformed("keys must not contain NUL")


def test_size_is_limited_for_every_type() -> None:
    expected = {"file": {"maxSize": {"message": "Payload or Files must not be more than 4 bytes", "target": 4}}}
    for content_type in (None, FORM, "audio/mp3", "multipart/mixed; boundary=x"):
        assert refusal(b"12345", content_type, limits=BodyLimits(size=4)) == expected


# Forms


def test_a_form_is_its_own_envelope_and_its_data_only_text() -> None:
    assert refusal(b"a=1&b=2", FORM)["data"]["required"]["value"] == {"a": "1", "b": "2"}
    assert refusal(b"data=x&b=2", FORM)["data"]["type"]["value"] == "x"
    assert parse_body(b"a=1&b=2", FORM, envelope_required=False).envelope == {"a": "1", "b": "2"}


def test_a_lone_word_is_malformed_json() -> None:
    assert refusal(b"nonsense", FORM) == malformed("invalid_literal around 1")
    assert refusal(b"a=1&" * 2000, FORM) == malformed("invalid_json around 1")


def test_a_blank_form_is_an_empty_body() -> None:
    assert parse_body(b"\n", FORM) == RequestBody()


# Uploads


def test_a_raw_body_is_a_file() -> None:
    with clock.frozen(NOW):
        body = parse_body(b"RIFF", "audio/x-wav; rate=8000")
    assert body == RequestBody({}, {}, [UploadedFile(DEFAULT_NAME, "audio/x-wav", b"RIFF")])


def test_the_query_names_a_file() -> None:
    body = parse_body(b"%PDF", "application/pdf", query=Query.parse("filename=loa.pdf"))
    assert body.files == [UploadedFile("loa.pdf", "application/pdf", b"%PDF")]


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        (b"aGVsbG8=", "application/octet-stream"),
        (b"aGVs\r\nbG8", "application/octet-stream"),
        (b"data:audio/mp3;base64,aGVs bG8=", "audio/mp3"),
        (b"data:Audio/MP3;codec=x;base64,aGVsbG8", "audio/mp3"),
        (b"data:;base64,aGVsbG8=", "application/octet-stream"),
        (b"data:application/base64;base64,aGVsbG8=", "application/octet-stream"),
    ],
)
@pytest.mark.parametrize("base64_type", ["application/base64", "application/x-base64"])
def test_base64(base64_type: str, text: bytes, content_type: str) -> None:
    [file] = parse_body(text, base64_type).files
    assert (file.content_type, file.contents) == (content_type, b"hello")


def test_any_type_may_come_in_base64() -> None:
    [plain] = parse_body(b"aGVsbG8=", "application/pdf", transfer_encoding="Base64").files
    assert (plain.content_type, plain.contents) == ("application/pdf", b"hello")
    [uri] = parse_body(b"data:image/png;base64,aGVsbG8=", "application/pdf", transfer_encoding="base64").files
    assert (uri.content_type, uri.contents) == ("image/png", b"hello")


@pytest.mark.parametrize("text", [b"a", b"****", b"aGVs=bG8", "é".encode(), b"data:audio/mp3;base64", b"data:,a*"])
def test_undecodable_base64(text: bytes) -> None:
    assert refusal(text, "application/base64") == {"file": {"encoding": {"message": "failed to decode base64 data"}}}


@given(st.binary(min_size=1))
def test_what_was_encoded_comes_back(contents: bytes) -> None:
    [file] = parse_body(base64.b64encode(contents).rstrip(b"="), "application/base64").files
    assert file.contents == contents


# Multipart


def multipart(*parts: tuple[str, bytes], boundary: str = "multipart-message-boundary") -> bytes:
    lines = b"".join(
        f"--{boundary}\r\n".encode() + (headers + "\r\n" if headers else "").encode() + b"\r\n" + content + b"\r\n"
        for headers, content in parts
    )
    return lines + f"--{boundary}--\r\n".encode()


MIXED = "multipart/mixed; boundary=multipart-message-boundary"
ENVELOPE = b'{"data": {"to_number": "+15550100"}, "accept_charges": true}'


def test_a_fax_with_its_document() -> None:
    body = multipart(
        ("Content-Type: application/json", ENVELOPE),
        ("Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64", b"aGVsbG8="),
    )
    with clock.frozen(NOW):
        assert parse_body(body, MIXED) == RequestBody(
            {"accept_charges": True},
            {"to_number": "+15550100"},
            [UploadedFile(DEFAULT_NAME, "application/pdf", b"hello")],
        )


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=XX", 'multipart/related; boundary="XX"'])
def test_a_part_without_type_is_json_and_files_keep_their_names(content_type: str) -> None:
    binary = bytes(range(256)) + b"\r\n--X\r\n--XX"[:8]
    body = b"preamble\r\n" + multipart(
        ('Content-Disposition: form-data; name="a"; filename="C:\\fake\\é.wav"\r\nContent-Type: audio/wav', binary),
        ('Content-Disposition: form-data; name="json"', ENVELOPE),
        ('content-disposition: form-data; filename="../../x.bin"\r\ncontent-type: application/x-base64', b"aGVsbG8"),
        boundary="XX",
    )
    parsed = parse_body(body, content_type)
    assert parsed.data == {"to_number": "+15550100"}
    assert parsed.files == [
        UploadedFile("é.wav", "audio/wav", binary),
        UploadedFile("x.bin", "application/octet-stream", b"hello"),
    ]


def test_the_filename_asked_for_names_the_first_file() -> None:
    body = multipart(
        ('Content-Type: audio/wav\r\nContent-Disposition: attachment; filename="own.wav"', b"1"),
        ('Content-Type: audio/wav\r\nContent-Disposition: attachment; filename="own.wav"', b"2"),
        ("Content-Type: application/json", b'{"data": {"filename": "asked.wav"}}'),
    )
    assert [file.name for file in parse_body(body, MIXED).files] == ["asked.wav", "own.wav"]


def test_parts_may_be_multipart_themselves() -> None:
    inner = multipart(("", ENVELOPE), ("Content-Type: image/tiff", b"II*"), boundary="inner")
    body = multipart(("Content-Type: multipart/mixed; boundary=inner", inner))
    parsed = parse_body(body, MIXED)
    assert parsed.envelope == {"accept_charges": True}
    assert [file.contents for file in parsed.files] == [b"II*"]


def test_multipart_cannot_be_nested_for_ever() -> None:
    body = b"x"
    for level in range(6):
        body = multipart((f"Content-Type: multipart/mixed; boundary=b{level - 1}", body), boundary=f"b{level}")
    assert "too many levels" in refusal(body, "multipart/mixed; boundary=b5")["body"]["invalid"]["message"]


def test_files_alone_leave_data_empty() -> None:
    parsed = parse_body(multipart(("Content-Type: image/png", b"PNG")), MIXED)
    assert (parsed.envelope, parsed.data) == ({}, {})


def test_a_part_is_checked_like_a_body() -> None:
    assert "required" in refusal(multipart(("", b'{"verb": "GET"}')), MIXED)["data"]
    assert refusal(multipart(("", b"{")), MIXED) == malformed("truncated_json around 2")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (multipart(("", b"{}")), "multipart/mixed"),
        (multipart(("", b"{}")), "multipart/mixed; boundary=other"),
        (multipart(("", b"{}")), "multipart/mixed; boundary=" + "x" * 1000),
        (multipart(("", b"{}"))[:-6], MIXED),
        (multipart(("Bad Header: x", b"{}")), MIXED),
        (multipart(*[("Content-Type: image/png", b"x")] * 1001), MIXED),
    ],
)
def test_malformed_multipart(body: bytes, content_type: str) -> None:
    assert refusal(body, content_type)["body"]["invalid"]["message"].startswith("malformed multipart body: ")


# Whatever comes

TEXTS = st.text(st.characters(codec="utf-8"))
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=10,
)


@given(JSON_VALUES.filter(lambda value: isinstance(value, dict | list)))
def test_data_arrives_as_it_was_sent(data: JSON) -> None:
    expected = data
    if isinstance(data, dict):
        expected = {key: value for key, value in data.items() if not key.startswith(("_", "pvt_"))}
    assert parse_body(json.dumps({"data": data}).encode(), None).data == expected


@given(
    st.binary(max_size=80) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([None, "application/json", FORM, "application/base64", MIXED, "multipart/", "x/y", "\udcff"]),
    st.sampled_from([None, "base64", "binary"]),
)
def test_no_body_crashes(body: bytes, content_type: str | None, transfer_encoding: str | None) -> None:
    try:
        parse_body(body, content_type, transfer_encoding=transfer_encoding)
    except Invalid as error:
        assert error.status == 400
