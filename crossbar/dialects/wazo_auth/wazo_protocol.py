# SPDX-License-Identifier: MPL-2.0
"""What all of wazo-auth has in common: its two shapes of errors, and how its routes are declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from crossbar import clock
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.dialect_dispatcher import Dialect
from crossbar.dialects.refusals import Refusal
from crossbar.dialects.routes import DialectHandler, DialectRoute
from crossbar.errors import JSON, CrossbarError, Invalid

PREFIXES: Final = ("/0.1", "/api/auth/0.1")
TITLES: Final = {404: "Not found", 405: "Method not allowed"}


def reason(status: int, text: str) -> Refusal:
    """The first shape, of tokens and policies."""
    return Refusal(status, {"reason": [text], "timestamp": [clock.unix_now()], "status_code": status})


def problem(status: int, error_id: str, message: str, resource: str | None = None, **details: JSON) -> Refusal:
    """The second shape, of everything else."""
    body: dict[str, JSON] = {
        "error_id": error_id,
        "message": message,
        "details": details,
        "timestamp": clock.unix_now(),
    }
    return Refusal(status, body | ({"resource": resource} if resource else {}))


def refusal(error: CrossbarError) -> Refusal:
    """What wazo-auth says to an error of the protocol."""
    details: dict[str, Any] = error.data if isinstance(error.data, dict) else {}
    match error.status:
        case 401 | 403 | 423:
            if "tenant_uuid" in details:
                named = {"tenant_uuid": details["tenant_uuid"]}
                return problem(401, "unauthorized-tenant", "Unauthorized tenant", **named)
            return problem(401, "unauthorized", "Unauthorized", **_of_token(details))
        case 404 | 405:
            return problem(error.status, "not-found" if error.status == 404 else "method", TITLES[error.status])
    if isinstance(error, Invalid):
        return invalid("requests", {name: _said(codes) for name, codes in error.fields.items()})
    return problem(error.status, "unexpected-error", str(details.get("message") or error.message))


def _of_token(details: dict[str, Any]) -> dict[str, JSON]:
    return {
        "invalid_token": details.get("invalid_token", ""),
        "required_access": details.get("required_access"),
        "reason": details.get("reason", "not_allowed"),
    }


def _said(codes: dict[str, dict[str, JSON]]) -> str:
    return "; ".join(str(detail.get("message")) for detail in codes.values())


def invalid(resource: str, wrong: dict[str, str], constraint: str = "type") -> Refusal:
    """400: what is wrong with each field."""
    details = {
        name: {"message": text, "constraint_id": constraint, "constraint": constraint} for name, text in wrong.items()
    }
    return problem(400, "invalid-data", "Sent data is invalid", resource, **details)


def conflict(resource: str, field: str, value: JSON) -> Refusal:
    """409: somebody else has it."""
    details = {field: {"constraint_id": "unique", "message": f'"{field}" "{value}" is already used'}}
    return problem(409, "conflict", "Conflict detected", resource, **details)


def unknown(resource: str, uuid: str) -> Refusal:
    """404: there is no such user, group, tenant."""
    one = resource.removesuffix("s")
    return problem(404, f"unknown-{one}", f'No such {one}: "{uuid}"', resource, uuid=uuid)


DIALECT: Final = Dialect("wazo-auth", PREFIXES, "auth", refusal, cross_origin=True, tenants=True)


def route(
    method: str,
    *templates: str,
    is_open: bool = False,
    action: str | None = None,
    summary: str = "",
    body: Mapping[str, JSON] | None = None,
) -> Callable[[DialectHandler], DialectHandler]:
    """Declare what a method of some paths does; `action` where its access ends otherwise than the method says."""

    def register(handler: DialectHandler) -> DialectHandler:
        for template in templates:
            is_list = method == "GET" and "{" not in template and not is_open
            DIALECT.table.add(
                DialectRoute(
                    method,
                    template,
                    handler,
                    is_open,
                    action=action,
                    summary=summary,
                    body=body,
                    is_list=is_list,
                )
            )
        return handler

    return register


def require_held(context: DialectContext, elements: list[str]) -> None:
    """Raise 401 where somebody hands out an access that he has not himself."""
    lacking = None if context.caller is None else context.caller.accesses.missing(elements)
    if lacking is not None:
        raise problem(401, "unauthorized", "Unauthorized", **_of_token({"required_access": lacking}))
