# SPDX-License-Identifier: MPL-2.0
"""What a dialect tells clients of itself: Swagger 2.0, made of its routes and declarations.

JSON is YAML, too: the description is written as JSON, and served under both names.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from crossbar import __version__
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.dialect_dispatcher import Dialect
from crossbar.dialects.routes import DialectRoute

TYPES: Final = {"api.yml": "application/x-yaml", "api.json": "application/json"}
LIST_PARAMETERS: Final = {
    "search": "string",
    "order": "string",
    "direction": "string",
    "limit": "integer",
    "offset": "integer",
    "recurse": "boolean",
}


def describe(dialect: Dialect) -> None:
    """Let a dialect answer with its description, to whoever asks."""
    for name in TYPES:
        handler = partial(_answer, dialect)
        dialect.table.add(DialectRoute("GET", f"/api/{name}", handler, is_open=True))


async def _answer(dialect: Dialect, context: DialectContext) -> web.Response:
    described = description(dialect, urlsplit(context.base).path)
    body = orjson.dumps(described, option=orjson.OPT_INDENT_2)
    return web.Response(body=body, content_type=TYPES[context.words[-1]], charset="utf-8")


def description(dialect: Dialect, base_path: str) -> dict[str, Any]:
    """A dialect's description, as it is reached below a path."""
    paths: dict[str, dict[str, Any]] = {}
    for route in dialect.table.routes:
        if not route.template.startswith("/api/"):
            paths.setdefault(route.template, {})[route.method.lower()] = _operation(route)
    definitions = {
        "wazo_auth_token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
        "wazo_auth_basic": {"type": "basic"},
    }
    return {
        "swagger": "2.0",
        "info": {"title": dialect.title or dialect.name, "version": base_path.rpartition("/")[2],
                 "description": f"Served by kazoo-crossbar {__version__}"},
        "basePath": base_path,
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": definitions,
        "security": [{"wazo_auth_token": []}],
        "tags": [{"name": tag} for tag in sorted({path.split("/")[1] for path in paths})],
        "paths": paths,
    }  # fmt: skip


def _operation(route: DialectRoute) -> dict[str, Any]:
    named = re.findall(r"\{(\w+)\}", route.template)
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "type": "string"} for name in named
    ]
    if route.is_list:
        parameters += [{"name": name, "in": "query", "type": kind} for name, kind in LIST_PARAMETERS.items()]
    if route.body is not None:
        parameters.append({"name": "body", "in": "body", "schema": route.body})
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.template}").strip("_"),
        "summary": route.summary,
        "tags": [route.template.split("/")[1]],
        "parameters": parameters,
        "responses": {"default": {"description": "The answer, or what was wrong"}},
    }
    if route.is_open:
        signs_in = route.method == "POST" and "{" not in route.template
        operation["security"] = [{"wazo_auth_basic": []}] if signs_in else []
    return operation
