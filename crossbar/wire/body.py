# SPDX-License-Identifier: MPL-2.0
"""Request body → envelope, data and uploaded files.

Source: `api_util:get_req_data`, `extract_multipart`, `extract_file`, `decode_base64`, `try_json`,
`normalize_envelope_keys`, `is_valid_request_envelope`; `kz_attachment:decode_base64`.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from crossbar import clock
from crossbar.errors import JSON, Invalid
from crossbar.wire.decoding import DEFAULT_LIMITS, BodyLimits, decode_json, invalid_json
from crossbar.wire.multipart import Part, malformed, split_parts
from crossbar.wire.query import NO_QUERY, Query
from crossbar.wire.request_values import Values
from crossbar.wire.text import clean

_JSON: Final = "application/json"
_JSON_TYPES: Final = frozenset({_JSON, "application/x-json"})
_FORM: Final = "application/x-www-form-urlencoded"
_BASE64_TYPES: Final = frozenset({"application/base64", "application/x-base64"})
_UNKNOWN_TYPE: Final = "application/octet-stream"
_PRIVATE: Final = ("_", "pvt_")
_BLANKS: Final = b" \t\r\n"
_MOST_FORM_FIELDS: Final = 1000
_DEEPEST_MULTIPART: Final = 4
_LARGE: Final = 64 * 1024


class UploadedFile(NamedTuple):
    """A file that came with the request, decoded."""

    name: str
    content_type: str
    contents: bytes


@dataclass(slots=True)
class RequestBody:
    """What a request body says.

    `envelope` has the normalised top-level keys without `data` (`auth_token`, `verb`, `accept_charges`, …), `data`
    the object or array to work on, without private keys.
    """

    envelope: dict[str, JSON] = field(default_factory=dict)
    data: JSON = field(default_factory=dict)
    files: list[UploadedFile] = field(default_factory=list)


class _File(NamedTuple):
    """A file that has no name yet: it may be given by an envelope that comes after it."""

    content_type: str
    contents: bytes
    own_name: str | None = None


def is_heavy(body: bytes, content_type: str | None) -> bool:
    """Whether to read a body takes time and memory worth speaking of."""
    return len(body) > _LARGE and _media_type(content_type) in (_JSON, _FORM)


def parse_body(
    body: bytes,
    content_type: str | None,
    *,
    transfer_encoding: str | None = None,
    query: Query = NO_QUERY,
    envelope_required: bool = True,
    limits: BodyLimits = DEFAULT_LIMITS,
) -> RequestBody:
    """Read a body by its `Content-Type` and `Content-Transfer-Encoding`.

    `query` may name the uploaded files. An empty body is the data `{}` and no file, whatever its type. Raises
    `Invalid` (400 `validation error`).
    """
    if not body:
        return RequestBody()
    if len(body) > limits.size:
        raise too_large(limits.size)
    media_type = _media_type(content_type)
    if media_type == _JSON or (media_type == _FORM and _looks_like_json(body)):
        return _from_json(decode_json(body, limits), envelope_required)
    if media_type == _FORM:
        return _from_form(body, envelope_required, limits)
    result, files = RequestBody(), []
    if media_type.startswith("multipart/") and content_type:
        files = _read_parts(split_parts(body, content_type), result, envelope_required, limits)
    else:
        files = [_file(body, media_type, transfer_encoding)]
    result.files = _named(files, Values(result.data, query, result.envelope).text("filename"))
    return result


def too_large(size: int) -> Invalid:
    """400 `file.maxSize`: a body of more than `size` bytes."""
    return Invalid.field("file", "maxSize", f"Payload or Files must not be more than {size} bytes", target=size)


def _media_type(content_type: str | None) -> str:
    """The type without parameters; none is JSON."""
    if not content_type or content_type == _JSON:
        return _JSON
    media_type = clean(content_type.partition(";")[0].strip().lower())
    return _JSON if media_type in _JSON_TYPES or not media_type else media_type


def _looks_like_json(body: bytes) -> bool:
    """curl names its `-d` bodies a form; what begins like JSON is JSON all the same."""
    return body.lstrip(_BLANKS)[:1] in (b"{", b"[")


def _from_json(value: JSON, envelope_required: bool) -> RequestBody:
    if isinstance(value, list) and not envelope_required:
        return RequestBody(data=value)
    if not isinstance(value, dict):
        raise invalid_json("All JSON must be valid")
    return _from_envelope(
        {key.lower().replace("-", "_"): item for key, item in value.items() if item is not None}, envelope_required
    )


def _from_envelope(envelope: dict[str, JSON], required: bool) -> RequestBody:
    data = envelope.pop("data", None)
    if data is None:
        if required:
            raise Invalid.field("data", "required", "Field is required but missing", value=envelope)
        data = {}
    elif not isinstance(data, dict | list):
        types = "object, array"
        raise Invalid.field("data", "type", f"Value did not match type(s): {types}", target=types, value=data)
    return RequestBody(envelope, _without_private(data) if isinstance(data, dict) else data)


def _without_private(data: dict[str, JSON]) -> dict[str, JSON]:
    for key in [key for key in data if key.startswith(_PRIVATE)]:
        del data[key]
    return data


def _from_form(body: bytes, envelope_required: bool, limits: BodyLimits) -> RequestBody:
    """A form is its own envelope; a lone key without value is JSON without its type."""
    if body.count(b"&") < _MOST_FORM_FIELDS:
        form = Query.parse(body.decode("utf-8", "surrogateescape").strip())
        if not form.pairs:
            return RequestBody()
        if len(form.pairs) > 1 or form.pairs[0][1] is not True:
            return _from_envelope(dict(form.first), envelope_required)
    return _from_json(decode_json(body, limits), envelope_required)


def _read_parts(
    parts: list[Part], result: RequestBody, envelope_required: bool, limits: BodyLimits, level: int = 1
) -> list[_File]:
    """Fill envelope and data from the last JSON part; every other part is a file."""
    files: list[_File] = []
    for headers, content in parts:
        content_type = headers.get("content-type")
        media_type = _media_type(content_type)
        if media_type == _JSON:
            inner = _from_json(decode_json(content, limits), envelope_required)
            result.envelope, result.data = inner.envelope, inner.data
        elif media_type.startswith("multipart/") and content_type:
            if level == _DEEPEST_MULTIPART:
                raise malformed("too many levels")
            files += _read_parts(split_parts(content, content_type), result, envelope_required, limits, level + 1)
        else:
            own_name = Part(headers, content).filename
            files.append(_file(content, media_type, headers.get("content-transfer-encoding"), own_name))
    return files


def _file(contents: bytes, media_type: str, transfer_encoding: str | None, own_name: str | None = None) -> _File:
    if media_type in _BASE64_TYPES:
        encoded_type, contents = _decode_base64(contents)
        return _File(encoded_type or _UNKNOWN_TYPE, contents, own_name)
    if transfer_encoding and transfer_encoding.strip().lower() == "base64":
        encoded_type, contents = _decode_base64(contents)
        return _File(encoded_type or media_type, contents, own_name)
    return _File(media_type, contents, own_name)


def _decode_base64(text: bytes) -> tuple[str | None, bytes]:
    """Decode base64 or a `data:<type>;base64,…` URI to (type if given, bytes); blanks and missing padding pass."""
    text = text.translate(None, _BLANKS)
    media_type = None
    if text[:5].lower() == b"data:":
        head, comma, text = text[5:].partition(b",")
        if not comma:
            raise _undecodable()
        media_type = _media_type_of_uri(head)
    text = text.rstrip(b"=")
    try:
        return media_type, binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error:
        raise _undecodable() from None


def _undecodable() -> Invalid:
    return Invalid.field("file", "encoding", "failed to decode base64 data")


def _media_type_of_uri(head: bytes) -> str | None:
    media_type = head.partition(b";")[0].decode("ascii", "replace").lower()
    return None if not media_type or media_type in _BASE64_TYPES else media_type


def _named(files: list[_File], requested: str | None) -> list[UploadedFile]:
    """Name the files: the first by the request's `filename`, else each by its own, else by the time."""
    default = f"uploaded_file_{clock.now()}"
    names = [requested if requested and not index else file.own_name for index, file in enumerate(files)]
    return [
        UploadedFile(name or default, file.content_type, file.contents) for name, file in zip(names, files, strict=True)
    ]
