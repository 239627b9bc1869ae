# SPDX-License-Identifier: MPL-2.0
"""The API as a Postman collection (format 2.1), whose requests can be sent from the first to the last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from crossbar.description.example import Example
from crossbar.description.examples import ARGUMENTS, EXAMPLES, MAKERS
from crossbar.description.openapi import ABOUT_THE_API, Components
from crossbar.description.operations import ApiOperation, operations
from crossbar.description.postman_items import Items
from crossbar.description.postman_order import ordered
from crossbar.description.postman_scripts import (
    AFTER_BEGIN,
    AFTER_END,
    AFTER_LOG_IN,
    BEFORE_END,
    BEFORE_LOG_IN,
    event,
    making,
)
from crossbar.description.postman_variables import ACCOUNT, TOKEN, Variables
from crossbar.description.subjects import endpoint_subject
from crossbar.documents.schemas.library import Library, shipped_folder

Part = dict[str, Any]
SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
BEGIN: Final = ("PUT /v2/user_auth", "PUT /v2/accounts")
END: Final = (f"DELETE {ACCOUNT}", "DELETE /v2/token_auth")
AROUND: Final[dict[str, tuple[str, str]]] = {
    "PUT /v2/user_auth": (BEFORE_LOG_IN, AFTER_LOG_IN),
    "PUT /v2/accounts": ("", AFTER_BEGIN),
    f"DELETE {ACCOUNT}": (BEFORE_END, AFTER_END),
}
"""What these do before and after beside what all do."""
LOG_IN: Final = {
    "base_url": ("http://localhost:8000", "Where the server is"),
    "account_name": ("master", "The account that logs in, by its name"),
    "user": ("admin", "Who logs in"),
    "password": ("", "With which password"),
}
KEPT: Final = {
    TOKEN: ("", "The token; the log-in notes it"),
    "account_id": ("", "The account that requests speak of; the log-in notes it, and whatever creates one to work in"),
}


def collection(wings: Iterable[ModuleType]) -> Part:
    """The whole collection."""
    wings = list(wings)
    listed = operations(wings)
    variables = Variables(listed)
    components = Components(Library(shipped_folder()))
    items = Items(variables, EXAMPLES, ARGUMENTS, lambda schema: components.example(components.name(schema)))
    by_name = {_key(operation): operation for operation in listed}
    inside = [operation for operation in listed if _key(operation) not in (*BEGIN, *END)]
    return {
        "info": {
            "_postman_id": str(uuid5(NAMESPACE_URL, "kazoo-crossbar")),
            "name": "kazoo-crossbar",
            "description": ABOUT_THE_API,
            "schema": SCHEMA,
        },
        "auth": {
            "type": "apikey",
            "apikey": [
                {"key": "key", "value": "X-Auth-Token", "type": "string"},
                {"key": "value", "value": f"{{{{{TOKEN}}}}}", "type": "string"},
                {"key": "in", "value": "header", "type": "string"},
            ],
        },
        "event": [event("prerequest", [making(_makers(items, by_name))])],
        "variable": [_variable(name, value, text) for name, (value, text) in {**LOG_IN, **KEPT}.items()],
        "item": [
            _folder(
                "Begin", "Log in, and create an account to work in.", [_item(items, by_name[key]) for key in BEGIN]
            ),
            *_wings(wings, inside, items),
            _folder("End", "Delete the account, and log out.", [_item(items, by_name[key]) for key in END]),
        ],
    }


def environment() -> Part:
    """What differs from server to server, to be filled in."""
    return {
        "id": str(uuid5(NAMESPACE_URL, "kazoo-crossbar environment")),
        "name": "kazoo-crossbar",
        "values": [
            {
                "key": name,
                "value": value,
                "type": "secret" if name in ("password", TOKEN) else "default",
                "enabled": True,
            }
            for name, (value, _) in {**LOG_IN, **KEPT}.items()
        ],
        "_postman_variable_scope": "environment",
    }


def _key(operation: ApiOperation) -> str:
    return f"{operation.verb} {operation.path}"


def _variable(name: str, value: str, text: str) -> Part:
    return {"key": name, "value": value, "type": "string", **({"description": text} if text else {})}


def _folder(name: str, text: str, inside: Sequence[Part]) -> Part:
    return {"name": name, "description": text, "item": list(inside)}


def _wings(wings: Iterable[ModuleType], listed: Sequence[ApiOperation], items: Items) -> Iterable[Part]:
    for wing in wings:
        name = wing.__name__.rpartition(".")[2]
        text = " ".join((wing.__doc__ or "").partition("\n\n")[0].split())
        endpoints = []
        for endpoint in wing.ENDPOINTS:
            subject = endpoint_subject(wing, endpoint)
            here = [one for one in listed if (one.wing, one.endpoint) == (name, endpoint.name)]
            told = "\n\n".join(filter(None, (subject.title, subject.text)))
            endpoints.append(_folder(endpoint.name, told, [_item(items, one) for one in ordered(here)]))
        yield _folder(name, text, endpoints)


def _item(items: Items, operation: ApiOperation) -> Part:
    item = items.item(operation)
    before, after = AROUND.get(_key(operation), ("", ""))
    if before:
        item["event"].insert(0, event("prerequest", [before]))
    if after:
        item["event"][-1]["script"]["exec"] += after.split("\n")
    return item


def _makers(items: Items, by_name: dict[str, ApiOperation]) -> dict[str, dict[str, str]]:
    """Variable → the request that makes what it stands for."""
    made = {
        name: _maker(items, maker, "id")
        for name, maker in items.variables.made_by.items()
        if name != "account_id" and name not in items.arguments
    }
    return made | {name: _maker(items, by_name[key], path, example) for name, (key, path, example) in MAKERS.items()}


def _maker(items: Items, operation: ApiOperation, path: str, example: Example | None = None) -> dict[str, str]:
    if example is not None:
        items = Items(items.variables, {_key(operation): example}, items.arguments, items.sample)
    own = items.example(operation)
    asked = "&".join(f"{name}={value}" for name, value in own.query.items())
    return {
        "verb": operation.verb,
        "path": items.path(operation) + (f"?{asked}" if asked else ""),
        "body": items.body(operation),
        "field": path,
    }
