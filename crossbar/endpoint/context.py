# SPDX-License-Identifier: MPL-2.0
"""One request: what was asked, who asks, where in the account tree, and the runtime that answers it.

Source: KAZOO `cb_context.erl`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from crossbar.access.authorship import Author
from crossbar.access.directory import Account, Directory
from crossbar.access.identity import Identity
from crossbar.config import Config
from crossbar.documents.document import Document
from crossbar.documents.store import Raw, Store
from crossbar.errors import JSON, FieldErrors, InvalidCredentials, NotFound
from crossbar.runtime import Runtime
from crossbar.wire.body import RequestBody, UploadedFile
from crossbar.wire.negotiation import CSV_TYPES, JSON_TYPES
from crossbar.wire.paths import Noun, Path
from crossbar.wire.query import NO_QUERY, Query
from crossbar.wire.request_values import PresentedCredential, Values

if TYPE_CHECKING:
    from crossbar.endpoint.routing import Route

Service = TypeVar("Service")

NOT_FOUND = "unmatched"
"""What metrics and the log call a request without a route."""


@dataclass(slots=True)
class Context:
    """A request, filled in by the stages of the protocol in their order (`crossbar.endpoint.stages`).

    *parse* sets `requested` (the path as nouns, None for a path that is not the API's), `query`, `body`, `values`,
    `presented` (the credential) and `verb` (the one to act on, verb tunnelling done). *authenticate* sets `client_ip`,
    `nouns` and `caller`. *route* sets `methods`, `routes` (by verb, of this path after these nouns), `route`, `path`
    (the named arguments of the route), `cors` and `target` (the account in the path). *authorize* requires a `caller`
    where the route does. *execute* sets `media` (the type the answer will have), `parents` (the documents of the nouns
    between the account and the endpoint, by noun name) and `gate`, which is called between checking and writing with
    the revision of the stored document.
    """

    runtime: Runtime
    request: web.Request
    request_id: str

    # parse
    requested: Path | None = None
    is_magic: bool = False
    """Whether the path was hidden in a link that needs no token."""
    query: Query = NO_QUERY
    body: RequestBody = field(default_factory=RequestBody)
    values: Values = field(default_factory=Values)
    presented: PresentedCredential | None = None
    verb: str = ""
    is_heavy: bool = False
    """Whether it is one of the `HeavyRequests`, and holds others up until it is answered."""

    # authenticate
    client_ip: str = ""
    nouns: tuple[Noun, ...] = ()
    caller: Identity | None = None

    # route
    methods: tuple[str, ...] = ()
    requested_method: str | None = None
    cors: Mapping[str, str] | None = None
    routes: Mapping[str, Route] = field(default_factory=dict)
    route: Route | None = None
    path: dict[str, str] = field(default_factory=dict)
    target: Account | None = None

    # execute
    media: str = JSON_TYPES[0]
    parents: dict[str, Document] = field(default_factory=dict)
    gate: Callable[[str | None], None] | None = None

    # Where it goes

    @property
    def named_account_id(self) -> str | None:
        """The account named in the path, whether or not it exists."""
        first = self.nouns[0] if self.nouns else None
        return first.args[0] if first and first.name == "accounts" and first.args else None

    @property
    def template(self) -> str:
        """The path of the route, for the log and the metrics."""
        return NOT_FOUND if self.route is None else self.route.template

    # Who asks

    @property
    def identity(self) -> Identity:
        """Who calls. Raises 401 on a public route without a token."""
        if self.caller is None:
            raise InvalidCredentials
        return self.caller

    @property
    def is_guarded(self) -> bool:
        """Whether the caller is a plain user, and kept from what an administrator alone should do."""
        return self.runtime.access.plain_users.guards(self.caller)

    @property
    def author(self) -> Author:
        """Who writes what this request changes."""
        return Author(self.request_id, self.caller, self.client_ip)

    @property
    def account(self) -> Account:
        """The account in the path; on bare paths the caller's own is `account_id`."""
        if self.target is None:
            raise LookupError("this route has no account in its path")
        return self.target

    @property
    def account_id(self) -> str:
        """The account in the path, else the token's."""
        return self.target.id if self.target is not None else self.identity.account_id

    # What was sent

    @property
    def data(self) -> JSON:
        """The envelope's `data`, private keys dropped."""
        return self.body.data

    @property
    def envelope(self) -> dict[str, JSON]:
        """The envelope around `data`."""
        return self.body.envelope

    @property
    def files(self) -> list[UploadedFile]:
        """The files that came with the request."""
        return self.body.files

    @property
    def object(self) -> dict[str, Any]:
        """`data` as an object; an array counts as empty."""
        return self.body.data if isinstance(self.body.data, dict) else {}

    @property
    def wants_csv(self) -> bool:
        """Whether the answer is to be a sheet."""
        return self.verb == "GET" and self.media in CSV_TYPES

    # What answers it

    @property
    def config(self) -> Config:
        """The configuration in force: ask at each use, settings change while the server runs."""
        return self.runtime.config

    @property
    def store(self) -> Store:
        """Where documents are kept."""
        return self.runtime.store

    @property
    def directory(self) -> Directory:
        """Accounts and users from memory."""
        return self.runtime.access.directory

    async def document(self, document_type: str, document_id: str) -> Document:
        """A document of the account. Raises NotFound."""
        document = await self.store.get(self.account_id, document_type, document_id)
        if document is None:
            raise NotFound(document_id)
        return document

    async def raw_document(self, document_type: str, document_id: str) -> Raw:
        """The public JSON of a document of the account, as it lies in the store. Raises NotFound."""
        raw = await self.store.get_json(self.account_id, document_type, document_id)
        if raw is None:
            raise NotFound(document_id)
        return raw

    def service(self, key: web.AppKey[Service]) -> Service:
        """A wing's service, by its key."""
        return self.request.app[key]

    def schema_errors(self, schema_id: str, data: dict[str, Any]) -> tuple[dict[str, Any], FieldErrors]:
        """`data` with defaults and casts, and what the schema finds wrong with it."""
        return self.runtime.schema_errors(schema_id, data)

    def valid(self, schema_id: str, data: dict[str, Any]) -> dict[str, Any]:
        """`data` with defaults and casts. Raises 400 with everything the schema finds wrong."""
        return self.runtime.valid(schema_id, data)

    def valid_data(self, data: dict[str, Any] | None = None) -> dict[str, Any]:
        """`object`, or the part of it given, with defaults and casts by the schema that the route declares.

        Raises 400 with everything the schema finds wrong.
        """
        return self.valid(self._declared_schema, self.object if data is None else data)

    def data_errors(self, data: dict[str, Any]) -> tuple[dict[str, Any], FieldErrors]:
        """As `valid_data`, for who looks for further errors: the data, and what the schema finds wrong with them."""
        return self.schema_errors(self._declared_schema, data)

    @property
    def _declared_schema(self) -> str:
        if self.route is None or self.route.schema is None:
            raise LookupError("this route declares no schema")
        return self.route.schema

    def ready_to_write(self, revision: str | None = None) -> None:
        """All checks are done: judge the preconditions (412) and the content type (415) before anything changes.

        `revision` is that of the document about to change, None for one about to be created.
        """
        if self.gate is not None:
            self.gate(revision)
