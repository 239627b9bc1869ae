"""The one validation pipeline: complete a document, judge it fast, and only if it fails find out why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path as Folder
from typing import Any

from crossbar.documents.schemas import checks
from crossbar.documents.schemas.client_urls import ClientUrls
from crossbar.documents.schemas.details import code_and_detail, field_name
from crossbar.documents.schemas.fast import verdict
from crossbar.documents.schemas.library import Library, Schema, shipped_folder
from crossbar.documents.schemas.plan import Accept, Path, Pending, Plans, Step
from crossbar.documents.schemas.reference import finder
from crossbar.errors import CrossbarError, FieldErrors, Invalid

MOST_ERRORS = 100
"""After this many fields no further error is looked for: the answer must not outgrow the request without limit."""


@dataclass(slots=True)
class _Unit:
    """A compiled schema: of a document, a tree node, or a node's data."""

    schema: Schema
    complete: Step
    complete_strictly: Step
    accepts: Accept


_Judged = tuple[_Unit, Any, Path]


class Schemas:
    """The schemas of a folder, and validation against them.

    Nothing is read or compiled before it is needed. Source: `cb_context:validate_request_data`, `kz_json_schema`.
    """

    def __init__(self, library: Library, client_urls: ClientUrls) -> None:
        self._library = library
        self._client_urls = client_urls
        self._find = finder(library)
        self._plans = Plans(library, self._compiled, mend=True)
        self._strict_plans = Plans(library, self._compiled, mend=False)
        self._units: dict[str, _Unit] = {}

    @classmethod
    def load(cls, folder: Folder | None = None, *, client_urls: ClientUrls | None = None) -> Schemas:
        """The schemas of `folder` (`<id>.json`), by default those shipped with the package.

        `client_urls` is the policy for URLs the server will call for a client.
        """
        return cls(Library(folder or shipped_folder()), client_urls or ClientUrls())

    def ids(self) -> list[str]:
        """All schema ids, sorted."""
        return list(self._library.ids)

    def get(self, schema_id: str) -> Schema | None:
        """A fresh copy of a schema document with its `id`; None when there is none."""
        return self._library.document(schema_id)

    def bundle(self) -> Schema:
        """One self-contained draft-04 schema with every schema under `definitions`."""
        return self._library.bundle()

    def validate(
        self,
        schema_id: str,
        data: dict[str, Any],
        *,
        strict: bool = False,
        stability_level: str | None = None,
        oauth_doc_exists: Callable[[str], bool] = lambda _id: False,
    ) -> dict[str, Any]:
        """`data` completed with defaults and mended types; `data` itself is left as it is.

        `strict` leaves types alone. Parameters less stable than `stability_level` (`stable`, `beta`, `alpha`) are
        refused. `oauth_doc_exists` answers whether the system knows an OAuth document. Raises `Invalid` with all
        field errors, and `CrossbarError` 500 when there is no such schema.
        """
        completed, fields = self.errors(
            schema_id, data, strict=strict, stability_level=stability_level, oauth_doc_exists=oauth_doc_exists
        )
        if fields:
            raise Invalid(fields)
        return completed

    def errors(
        self,
        schema_id: str,
        data: dict[str, Any],
        *,
        strict: bool = False,
        stability_level: str | None = None,
        oauth_doc_exists: Callable[[str], bool] = lambda _id: False,
    ) -> tuple[dict[str, Any], FieldErrors]:
        """Like `validate`, for callers with checks of their own: what it returns, and the errors so far."""
        if schema_id not in self._library.ids:
            text = f"schema {schema_id} not found."
            raise CrossbarError(500, text, {"message": text})
        completed = data.copy()
        now = checks.Circumstances(self._library.ids, completed, self._client_urls, oauth_doc_exists, stability_level)
        token = checks.circumstances.set(now)
        try:
            judged = self._complete(schema_id, completed, strict=strict)
            return completed, self._judge(judged, thoroughly=stability_level is not None)
        finally:
            checks.circumstances.reset(token)

    def _complete(self, schema_id: str, data: dict[str, Any], *, strict: bool) -> list[_Judged]:
        """Complete a document in place. What is to be judged: itself, its nodes, their data; parents first.

        Nodes wait in a list, so their depth costs no stack.
        """
        pending: Pending = [(schema_id, data, None)]
        judged: list[_Judged] = []
        while pending:
            unit_id, value, path = pending.pop()
            unit = self._units.get(unit_id) or self._unit(unit_id)
            if unit is not None:
                (unit.complete_strictly if strict else unit.complete)(value, path, pending)
                judged.append((unit, value, path))
        return judged

    def _judge(self, judged: list[_Judged], *, thoroughly: bool) -> FieldErrors:
        fields: FieldErrors = {}
        for unit, value, path in reversed(judged):
            if thoroughly or not unit.accepts(value):
                self._explain(unit.schema, value, path, fields)
        return fields

    def _explain(self, schema: Schema, value: Any, path: Path, fields: FieldErrors) -> None:
        above = _parts(path)
        try:
            for error in self._find(schema, value):
                if len(fields) >= MOST_ERRORS:
                    return
                code, detail = code_and_detail(error)
                field = code if code == "schema" else field_name([*above, *error.path])
                fields[field] = {code: detail}
        except RecursionError:
            fields[field_name(above)] = {"error": {"message": "Value is nested too deeply"}}

    def _unit(self, unit_id: str) -> _Unit | None:
        if unit_id not in self._library.ids:
            return None
        schema = self._library.prepared(unit_id)
        unit = _Unit(schema, self._plans.step(unit_id), self._strict_plans.step(unit_id), self._compiled(schema))
        self._units[unit_id] = unit
        return unit

    def _compiled(self, schema: Schema) -> Accept:
        return verdict(self._library, schema)


def _parts(path: Path) -> list[Any]:
    parts: list[Any] = []
    while path is not None:
        path, part = path
        parts.append(part)
    return parts[::-1]
