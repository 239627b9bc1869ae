# SPDX-License-Identifier: MPL-2.0
"""The one validation pipeline: complete a document, judge it fast, and only if it fails find out why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from pathlib import Path as Folder
from typing import Any, TypedDict, Unpack

from jsonschema import ValidationError

from crossbar.documents.schemas import checks
from crossbar.documents.schemas.client_urls import ClientUrls
from crossbar.documents.schemas.defaults import nested_defaults
from crossbar.documents.schemas.details import code_and_detail, field_name
from crossbar.documents.schemas.fast import modules_verdict, verdict
from crossbar.documents.schemas.library import Library, Schema, shipped_folder
from crossbar.documents.schemas.nodes import NODES, Path, inside
from crossbar.documents.schemas.plan import Accept, Plans
from crossbar.documents.schemas.reference import finder
from crossbar.errors import CrossbarError, FieldErrors, Invalid

MOST_ERRORS = 100
"""After this many fields no further error is looked for: the answer must not outgrow the request without limit."""


class ValidationOptions(TypedDict, total=False):
    """What a validation may be asked for; see `Schemas.errors` for the defaults."""

    strict: bool
    """Leave types alone."""
    stability_level: str | None
    """Refuse parameters less stable than this (`stable`, `beta`, `alpha`)."""
    oauth_doc_exists: Callable[[str], bool]
    """Whether the system knows an OAuth document."""


class Schemas:
    """The schemas of a folder, and validation against them.

    Nothing is read or compiled before it is needed. Source: `cb_context:validate_request_data`, `kz_json_schema`.
    """

    def __init__(self, library: Library, client_urls: ClientUrls) -> None:
        self._library = library
        self._ids = library.ids
        self._client_urls = client_urls
        self._find = finder(library, self._large_part)
        self._plans = Plans(library, partial(verdict, library), mend=True)
        self._strict_plans = Plans(library, partial(verdict, library), mend=False)
        self._whole: dict[str, Accept] = {}
        self._parts: dict[str, Accept] = {}
        self._inner: dict[int, Accept] = {}  # by the identity of parts of prepared schemas, which stay

    @classmethod
    def load(cls, folder: Folder | None = None, *, client_urls: ClientUrls | None = None) -> Schemas:
        """The schemas of `folder` (`<id>.json`), by default those shipped with the package.

        `client_urls` is the policy for URLs the server will call for a client.
        """
        return cls(Library(folder or shipped_folder()), client_urls or ClientUrls())

    def ids(self) -> list[str]:
        """All schema ids, sorted."""
        return list(self._ids)

    def get(self, schema_id: str) -> Schema | None:
        """A fresh copy of a schema document with its `id`; None when there is none."""
        return self._library.document(schema_id)

    def defaults(self, schema_id: str) -> dict[str, Any]:
        """The schema's defaults at every depth, under objects that are absent too; nothing where there is no schema."""
        return nested_defaults(self.get(schema_id) or {}, self.get)

    def bundle(self) -> Schema:
        """One self-contained draft-04 schema with every schema under `definitions`."""
        return self._library.bundle()

    def validate(self, schema_id: str, data: dict[str, Any], **options: Unpack[ValidationOptions]) -> dict[str, Any]:
        """`data` completed with defaults and mended types; `data` itself is left as it is.

        Raises `Invalid` with all field errors, and `CrossbarError` 500 when there is no such schema.
        """
        completed, fields = self.errors(schema_id, data, **options)
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
        if schema_id not in self._ids:
            text = f"schema {schema_id} not found."
            raise CrossbarError(500, text, {"message": text})
        completed = data.copy()
        now = checks.Circumstances(self._ids, completed, self._client_urls, oauth_doc_exists, stability_level)
        token = checks.circumstances.set(now)
        try:
            modules = (self._strict_plans if strict else self._plans).complete(schema_id, completed)
            if stability_level is None and self._accepts(schema_id, completed, modules):
                return completed, {}
            return completed, self._explained(schema_id, completed, every_part=stability_level is not None)
        finally:
            checks.circumstances.reset(token)

    def _accepts(self, schema_id: str, data: dict[str, Any], modules: list[dict[str, Any]]) -> bool:
        accepts = self._whole.get(schema_id)
        if accepts is None:
            accepts = verdict(self._library, self._library.prepared(schema_id), whole=True)
            self._whole[schema_id] = accepts
        return accepts(data) and (not modules or self._accepts_modules(modules))

    @cached_property
    def _accepts_modules(self) -> Accept:
        return modules_verdict(self._library)

    def _explained(self, schema_id: str, data: dict[str, Any], *, every_part: bool) -> FieldErrors:
        """What is wrong with a document. Its tree nodes and their data are looked at one by one, parents first.

        Unless `every_part` is wanted, those the fast verdict finds valid are passed over.
        """
        fields: FieldErrors = {}
        rest: list[tuple[str, Any, Path]] = [(schema_id, data, ())]
        while rest and len(fields) < MOST_ERRORS:
            name, value, path = rest.pop()
            if name in NODES:
                rest.extend(inside(name, value, path))
            if name in self._ids and (every_part or not self._is_fine(name, value)):
                rest.extend(self._explain(name, value, path, fields))
        return fields

    def _explain(self, name: str, value: Any, path: Path, fields: FieldErrors) -> Iterator[tuple[str, Any, Path]]:
        """Note the errors of a value. Yields the nodes found in it."""
        try:
            for error in self._find(self._library.prepared(name), value):
                where = (*path, *error.path)
                if error.validator == "x-node":
                    if name not in NODES:
                        yield str(error.validator_value), error.instance, where
                elif len(fields) < MOST_ERRORS:
                    _note(error, where, fields)
                else:
                    return
        except RecursionError:
            fields[field_name(path)] = {"error": {"message": "Value is nested too deeply"}}

    def _large_part(self, schema: Schema) -> Accept:
        """The fast verdict on each of many values under one schema, for the reference to pass over what is valid."""
        if checks.circumstances.get().stability_level is not None:
            return _never
        accepts = self._inner.get(id(schema))
        if accepts is None:
            hides = NODES.keys() & self._library.reachable(schema, nodes=True)
            accepts = self._inner[id(schema)] = _never if hides else verdict(self._library, schema)
        return accepts

    def _is_fine(self, name: str, value: Any) -> bool:
        """Whether a part can be passed over: it is valid, and hides no nodes that only explaining it would find."""
        if name not in self._parts:
            schema = self._library.prepared(name)
            hides = name not in NODES and NODES.keys() & self._library.reachable(schema, nodes=True)
            self._parts[name] = _never if hides else verdict(self._library, schema)
        return self._parts[name](value)


def _never(_value: Any) -> bool:
    return False


def _note(error: ValidationError, path: Path, fields: FieldErrors) -> None:
    """The last error on a field stays. Of missing schemas the outermost node's stays, being KAZOO's last."""
    code, detail = code_and_detail(error)
    if code == "schema":
        fields.setdefault("schema", {code: detail})
    else:
        fields[field_name(path)] = {code: detail}
