# SPDX-License-Identifier: MPL-2.0
"""The path of a file in a store: the fields of `field_list`, joined.

Source: KAZOO `kz_att_util.erl` (`format_url`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from crossbar.documents.document import as_list, public_fields
from crossbar.errors import JSON
from crossbar.resources.system.domain.file_store import OutgoingFile

DEFAULT_FIELDS: Final = ({"arg": "account_id"}, {"field": "owner_id"}, {"arg": "id"}, {"arg": "attachment"})
UPWARDS: Final = frozenset({".", ".."})

Encoding = Callable[[str], str]


def url_part(text: str) -> str:
    """Text as one step of a URL's path."""
    return quote(text, safe="")


def file_path(settings: dict[str, Any], file: OutgoingFile, folder: str, encode: Encoding) -> str:
    """The path of a file below `folder_base_path`, the plan's `folder` and what `field_list` makes of the document.

    `encode` is done to what comes from the document; constants stand as they are.
    """
    listed = settings.get("field_list")
    fields = DEFAULT_FIELDS if listed is None else as_list(listed)
    separator = settings.get("field_separator", "/")
    parts = [part for field in fields if (part := _part(field, file, encode))]
    folders = [text.strip("/") for text in (str(settings.get("folder_base_path") or ""), folder)]
    return "/".join(filter(None, (*folders, str(separator).join(parts))))


def _part(field: JSON, file: OutgoingFile, encode: Encoding) -> str:
    """One field's text, empty where the document has none."""
    if isinstance(field, str):
        return field
    if not isinstance(field, dict):
        return ""
    if "group" in field:
        return "".join(_part(inner, file, encode) for inner in as_list(field["group"]))
    if "const" in field:
        return str(field["const"])
    if "arg" in field:
        return encode(_step(_argument(str(field["arg"]), file)))
    value = public_fields(file.document.fields).get(str(field.get("field")))
    return "" if value is None or isinstance(value, dict | list) else encode(_step(str(value)))


def _step(text: str) -> str:
    """Text that leads to no folder above."""
    return text.replace(".", "_") if text in UPWARDS else text


def _argument(name: str, file: OutgoingFile) -> str:
    document = file.document
    known = {"account_id": document.partition, "id": document.id, "attachment": file.name, "db": document.partition}
    return known.get(name, "")
