# SPDX-License-Identifier: MPL-2.0
"""What all of XiVO REST 1.1 has in common: how it refuses, and how its routes are declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from crossbar.dialects.declaration import Declaration
from crossbar.dialects.dialect_dispatcher import Dialect
from crossbar.dialects.refusals import Refusal
from crossbar.dialects.routes import DialectHandler, DialectRoute
from crossbar.errors import JSON, CrossbarError, FieldErrors, Invalid

PREFIXES: Final = ("/1.1", "/api/confd/1.1")


def refusal(error: CrossbarError) -> Refusal:
    """What 1.1 says to an error of the protocol."""
    match error.status:
        case 401 | 403 | 423:
            return Refusal(401, ["Unauthorized"])
        case 404:
            return Refusal(404, ["Resource Not Found - The path was not found"])
        case 405:
            return Refusal(405, ["Method Not Allowed"])
        case 406 | 412 | 415:
            return Refusal(error.status)
    if isinstance(error, Invalid):
        return Refusal(400, _texts(error.fields))
    text = error.data.get("message") if isinstance(error.data, dict) else None
    return Refusal(error.status, [f"Unexpected error: {text or error.message}"])


DIALECT: Final = Dialect(
    "XiVO REST 1.1", PREFIXES, "confd", refusal, cross_origin=True, tenants=True, digest=True, title="wazo-confd"
)


def input_error(text: str) -> Refusal:
    """400: what was sent is wrong."""
    return Refusal(400, [f"Input Error - {text}"])


def resource_error(text: str, **facts: JSON) -> Refusal:
    """400: what was sent is right, but not with what there is."""
    return Refusal(400, [f"Resource Error - {text}{_facts(facts)}"])


def not_found(title: str, **facts: JSON) -> Refusal:
    """404: there is no such object in the path."""
    return Refusal(404, [f"Resource Not Found - {title} was not found{_facts(facts)}"])


def no_such(field: str, title: str, **facts: JSON) -> Refusal:
    """400: a body names an object that there is not."""
    return input_error(f"field '{field}': {title} was not found{_facts(facts)}")


def _facts(facts: dict[str, JSON]) -> str:
    return f" ({', '.join(f'{name!r}: {value!r}' for name, value in facts.items())})" if facts else ""


def translated(error: Invalid, declaration: Declaration) -> Refusal:
    """What a life cycle found wrong, in the words of the properties."""
    if error.status != 400:
        return refusal(error)
    taken = [path for path, codes in error.fields.items() if "unique" in codes]
    if taken:
        (name, *_) = declaration.named(taken)
        cause = next(iter(error.fields[taken[0]].values())).get("cause")
        return resource_error(f"{declaration.title} already exists", **{name: cause})
    names = declaration.named(error.fields)
    return Refusal(400, _texts(dict(zip(names, error.fields.values(), strict=False))))


def _texts(fields: FieldErrors) -> list[str]:
    return [
        f"Input Error - {name}: {detail.get('message')}" for name, codes in fields.items() for detail in codes.values()
    ]


def route(
    method: str,
    *templates: str,
    summary: str = "",
    body: Mapping[str, JSON] | None = None,
    is_list: bool = False,
) -> Callable[[DialectHandler], DialectHandler]:
    """Declare what a method of some paths does. GET and POST answer JSON; POST and PUT take it, if they have a body."""

    def register(handler: DialectHandler) -> DialectHandler:
        for template in templates:
            DIALECT.table.add(
                DialectRoute(
                    method,
                    template,
                    handler,
                    answers_json=method in ("GET", "POST"),
                    takes_json=method in ("POST", "PUT"),
                    needs_body=method == "POST",
                    summary=summary,
                    body=body,
                    is_list=is_list,
                )
            )
        return handler

    return register


def listed(names: Iterable[str]) -> str:
    """Names with commas between them."""
    return ", ".join(names)


def links(base: str, *targets: tuple[str, str, JSON]) -> list[dict[str, str]]:
    """`links` of an object: a relation, a path and an id each."""
    return [{"rel": rel, "href": f"{base}/{path}/{key}"} for rel, path, key in targets]
