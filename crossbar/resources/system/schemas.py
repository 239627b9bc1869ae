# SPDX-License-Identifier: MPL-2.0
"""Schemas: the JSON Schema documents that requests are validated against.

Source: KAZOO `cb_schemas`.
"""

from __future__ import annotations

from typing import Final

from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.errors import CrossbarError, NotFound

INTERNAL: Final = ("kapi.", "ingest", "system_config.dialplans")
"""Beginnings of the ids listed only on request: the schemas of KAZOO's message bus, and those that KAZOO has not."""

schemas = Endpoint("schemas", takes_all_words=True)
CHOICE: Final = {"format": "`bundle`: all schemas in one document", "internals": "`true`: those of other programs, too"}


@schemas.get(
    "/schemas",
    who=Who.ANONYMOUS,
    options=CHOICE,
)
@schemas.get(
    "/accounts/{account_id}/schemas",
    options=CHOICE,
)
async def index(context: Context) -> Reply:
    """The ids of all schemas; with `format=bundle` all of them in one self-contained document."""
    if context.values.get("format") == "bundle":
        return Reply(context.runtime.schemas.bundle())
    internals = context.values.is_true("internals")
    return Reply([name for name in context.runtime.schemas.ids() if internals or not name.startswith(INTERNAL)])


@schemas.get("/schemas/{schema_id}", who=Who.ANONYMOUS)
@schemas.get("/accounts/{account_id}/schemas/{schema_id}")
async def read(context: Context) -> Reply:
    """One schema, with its `id`."""
    schema_id = context.path["schema_id"]
    schema = context.runtime.schemas.get(schema_id)
    if schema is None:
        raise NotFound(schema_id)
    return Reply(schema)


@schemas.put("/schemas/{schema_id}/validation", "/accounts/{account_id}/schemas/{schema_id}/validation", refuses=(500,))
async def validate(context: Context) -> Reply:
    """The request's data with defaults filled in, or what is wrong with it."""
    schema_id = context.path["schema_id"]
    if context.runtime.schemas.get(schema_id) is None:
        text = f"schema {schema_id} not found."
        raise CrossbarError(500, text, {"message": text})
    return Reply(context.runtime.schemas.validate(schema_id, dict(context.object)))
