# SPDX-License-Identifier: MPL-2.0
"""The document: KAZOO's unit of storage.

Source: `core/kazoo_documents/src/kz_doc.erl` (`public_fields`, `private_fields`, `is_private_key`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from crossbar.errors import JSON

TREE: Final = "pvt_tree"
"""The ids of the accounts above, the topmost first: of an account, and of a port request."""
ACCOUNTS = "accounts"
"""The partition that holds every account's definition, so that realms and names are unique by its index."""
SYSTEM_CONFIG = "system_config"
SYSTEM_AUTH = "system_auth"
SYSTEM_DATA = "system_data"
SYSTEM_MEDIA = "system_media"


_PRIVATE: Final = ("_", "pvt_")


def is_private(key: str) -> bool:
    """A key that never leaves the server: it begins with `_` or `pvt_`."""
    return key.startswith(_PRIVATE)


def public_fields(fields: Mapping[str, JSON]) -> dict[str, JSON]:
    """The part of a document that clients may see: the one place that splits public from private."""
    return {key: value for key, value in fields.items() if not key.startswith(_PRIVATE)}


def private_fields(fields: Mapping[str, JSON]) -> dict[str, JSON]:
    """The part of a document that only the server sees."""
    return {key: value for key, value in fields.items() if key.startswith(_PRIVATE)}


@dataclass(slots=True)
class Document:
    """One stored object.

    `partition` is the account id for what an account owns, else one of the system partitions (`accounts`,
    `system_config`, …). `type` is `pvt_type`. `fields` holds public and `pvt_*` keys together, without `_id` and
    `_rev`; `revision` is None for a document that was never saved.
    """

    partition: str
    type: str
    id: str
    fields: dict[str, Any]
    revision: str | None = None
    body: bytes | None = field(default=None, init=False, compare=False, repr=False)
    """`public` as JSON, of a document that was just saved."""
    takes_place_of: Document | None = field(default=None, init=False, compare=False, repr=False)
    """The deleted document of the same id that a new one replaces."""

    @property
    def key(self) -> str:
        """The `_id` under which the store keeps it."""
        return document_key(self.partition, self.type, self.id)

    @property
    def public(self) -> dict[str, JSON]:
        """Public fields and `id`, as responses show a document."""
        public = {"id": self.id, **public_fields(self.fields)}
        public["id"] = self.id  # whatever a field of this name says
        return public

    @property
    def private(self) -> dict[str, JSON]:
        """Only the `pvt_*` (and `_*`) fields."""
        return private_fields(self.fields)

    def at(self, path: str, default: JSON = None) -> JSON:
        """The value at a dotted path of `fields`, or `default` where a step is missing or not an object."""
        return value_at(self.fields, path, default)

    def text(self, path: str) -> str:
        """The text at a dotted path of `fields`; anything else there is none."""
        value = value_at(self.fields, path)
        return value if isinstance(value, str) else ""


class DocumentKey(NamedTuple):
    """Which document: its partition, type and id."""

    partition: str
    type: str
    id: str

    @classmethod
    def parse(cls, key: str) -> DocumentKey:
        """The parts of a store's `_id`."""
        return cls(*key.split("/", 2))


def document_key(partition: str, document_type: str, document_id: str) -> str:
    """The store's `_id`: partition, type and id, so that an id names one document of one type of one account."""
    return f"{partition}/{document_type}/{document_id}"


def copied(fields: dict[str, JSON]) -> dict[str, Any]:
    """A copy of fields that has nothing in common with them, at any depth."""
    copy: dict[str, Any] = orjson.loads(orjson.dumps(fields))
    return copy


def account_database(account_id: str) -> str:
    """What KAZOO calls the database of an account; clients see it in a few places."""
    return f"account%2F{account_id[:2]}%2F{account_id[2:4]}%2F{account_id[4:]}"


def value_at(fields: Mapping[str, JSON], path: str, default: JSON = None) -> JSON:
    """The value at a dotted `path`, or `default` where a step is missing or not an object."""
    value: JSON = fields
    for step in path.split("."):
        if not isinstance(value, dict | Mapping) or step not in value:  # `Mapping` alone asks a dict's class at length
            return default
        value = value[step]
    return value


def as_object(value: JSON) -> dict[str, Any]:
    """A value that should be an object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: JSON) -> list[Any]:
    """A value that should be an array; anything else is an empty one."""
    return value if isinstance(value, list) else []


def display_name(fields: Mapping[str, JSON]) -> str:
    """`name`, or for people without one their first and last name."""
    name = fields.get("name")
    if isinstance(name, str) and name:
        return name
    return "".join(str(fields.get(part) or "") for part in ("first_name", "last_name"))


def merge(stored: dict[str, JSON], changes: dict[str, JSON]) -> dict[str, JSON]:
    """PATCH: `changes` merged recursively onto `stored`, which stays untouched.

    Objects merge key by key, arrays and scalars replace, null takes the key away at any depth, and an empty object
    clears the stored one. Source: `kz_json:merge_left`.
    """
    merged = {key: value for key, value in stored.items() if value is not None}
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and value:
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, dict) else {}, value)
        else:
            merged[key] = value
    return merged
