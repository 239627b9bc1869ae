# SPDX-License-Identifier: MPL-2.0
"""A second, slow reading of how KAZOO completes documents, written from its description rather than for speed."""

import copy
import re
from typing import Any

from crossbar.documents.schemas import ClientUrls, Schemas, checks
from crossbar.documents.schemas.library import Library, shipped_folder
from crossbar.documents.schemas.nodes import NODES, module_schema
from crossbar.documents.schemas.reference import finder

FITS = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


class Jesse:
    """Defaults while validating; then the values of type errors cast; and again, until nothing changes."""

    def __init__(self) -> None:
        self.library = Library(shipped_folder())
        self.schemas = Schemas.load()
        self.find = finder(self.library)

    def complete(self, schema_id: str, data: dict[str, Any]) -> dict[str, Any]:
        document = copy.deepcopy(data)
        while True:
            checks.circumstances.set(
                checks.Circumstances(self.library.ids, document, ClientUrls(), lambda _id: False, None)
            )
            document = self.fill(self.library.prepared(schema_id), document, schema_id)
            _, errors = self.schemas.errors(schema_id, document, strict=True, stability_level="alpha")
            mended = [self.mend(document, field, codes["type"]) for field, codes in errors.items() if "type" in codes]
            if not any(mended):
                return document

    def fill(self, schema: dict[str, Any], value: Any, owner: str | None = None) -> Any:
        if "$ref" in schema:
            value = self.fill(self.library.prepared(schema["$ref"]), value)
        if "x-node" in schema:
            value = self.fill(self.library.prepared(schema["x-node"]), value, schema["x-node"])
        for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            candidate = self.fill(branch, copy.deepcopy(value))
            if not list(self.find(branch, candidate)):
                value = candidate
                break
        if isinstance(value, list) and "items" in schema:
            value = [self.fill(schema["items"], item) for item in value]
        if isinstance(value, dict):
            self.fill_object(schema, value)
            self.fill_module(value, owner)
        return value

    def fill_object(self, schema: dict[str, Any], value: dict[str, Any]) -> None:
        properties = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        extra = schema.get("additionalProperties")
        for name in list(value):
            matching = [part for pattern, part in patterns.items() if re.search(pattern, name, re.ASCII)]
            if not matching and name not in properties and isinstance(extra, dict):
                matching = [extra]
            for part in matching:
                value[name] = self.fill(part, value[name])
        for name, part in properties.items():
            if name in value:
                value[name] = self.fill(part, value[name])
            elif "default" in part and "type" in part and FITS[part["type"]](part["default"]):
                value[name] = self.fill(part, copy.deepcopy(part["default"]))

    def fill_module(self, node: dict[str, Any], owner: str | None) -> None:
        if owner in NODES and isinstance(node.get("module"), str) and isinstance(node.get("data"), dict):
            schema_id = module_schema(owner, node["module"])
            if schema_id in self.library.ids:
                node["data"] = self.fill(self.library.prepared(schema_id), node["data"], schema_id)

    def mend(self, document: Any, field: str, error: dict[str, Any]) -> bool:
        value = cast(error["target"], error["value"])
        if value is None:
            return False
        *above, last = [part.replace("%2E", ".") for part in field.split(".")]
        for part in above:
            document = document[part] if isinstance(document, dict) else document[int(part)]
        document[last if isinstance(document, dict) else int(last)] = value
        return True


def cast(target: str, value: Any) -> Any:
    """The value a cast makes; None when there is none."""
    if target == "boolean":
        return {"true": True, "false": False}.get(value) if isinstance(value, str) else None
    if target not in ("integer", "number") or not isinstance(value, str | float):
        return None
    if isinstance(value, str):
        if re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            return int(value)
        if not re.fullmatch(r"[+-]?[0-9]{1,18}\.[0-9]{1,18}", value):
            return None
        value = float(value)
    if target == "number":
        return value
    whole, half = int(value), abs(value - int(value)) >= 0.5
    return whole + (half if value > 0 else -half)
