"""One request on its way through the house: who calls, what is asked, and the services that answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

from crossbar.access.authorship import Author
from crossbar.access.directory import Account, Directory
from crossbar.access.identity import Identity
from crossbar.config import Config
from crossbar.documents.document import Document
from crossbar.documents.store import Store
from crossbar.errors import JSON, FieldErrors, Invalid, InvalidCredentials
from crossbar.runtime import Runtime
from crossbar.wire.body import UploadedFile
from crossbar.wire.negotiation import CSV_TYPES, JSON_TYPES
from crossbar.wire.paths import Noun
from crossbar.wire.query import Query
from crossbar.wire.request_values import Values

Service = TypeVar("Service")


@dataclass(slots=True)
class RequestFacts:
    """The request as access decisions see it (`crossbar.access.request_facts.Asked`)."""

    client_ip: str
    verb: str
    nouns: tuple[Noun, ...]

    @property
    def account_id(self) -> str | None:
        """The account named in the path, whether or not it exists."""
        first = self.nouns[0] if self.nouns else None
        return first.args[0] if first and first.name == "accounts" and first.args else None

    @property
    def scope(self) -> str:
        """The names of the nouns before the last, as routes name their scope.

        Each of them names one thing (an account may have a word of its own after it, `descendants`); a path in which
        one does not is in a scope that no route has.
        """
        before = self.nouns[:-1]
        if all(len(noun.args) == 1 or (noun.args and noun.name == "accounts") for noun in before):
            return "/".join([noun.name for noun in before])
        return "?"


@dataclass(slots=True)
class Context:
    """A request as a handler sees it.

    `verb` is the one to act on (verb tunnelling done); `path` has the named arguments of the route; `data` is the
    envelope's `data` with private keys dropped; `parents` has the documents of the nouns between the account and the
    endpoint, by noun name; `media` is the type the answer will have. `gate` is called between checking and writing
    with the revision of the stored document.
    """

    runtime: Runtime
    request: web.Request
    request_id: str
    verb: str
    nouns: tuple[Noun, ...]
    path: dict[str, str]
    data: JSON
    envelope: dict[str, JSON]
    files: list[UploadedFile]
    query: Query
    values: Values
    asked: RequestFacts
    caller: Identity | None = None
    target: Account | None = None
    media: str = JSON_TYPES[0]
    parents: dict[str, Document] = field(default_factory=dict)
    gate: Callable[[str | None], None] | None = None

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

    @property
    def client_ip(self) -> str:
        """The client's address."""
        return self.asked.client_ip

    @property
    def identity(self) -> Identity:
        """Who calls. Raises 401 on a public route without a token."""
        if self.caller is None:
            raise InvalidCredentials
        return self.caller

    @property
    def author(self) -> Author:
        """Who writes what this request changes."""
        return Author(self.request_id, self.caller)

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

    @property
    def object(self) -> dict[str, Any]:
        """`data` as an object; an array counts as empty."""
        return self.data if isinstance(self.data, dict) else {}

    @property
    def wants_csv(self) -> bool:
        """Whether the answer is to be a sheet."""
        return self.verb == "GET" and self.media in CSV_TYPES

    def service(self, key: web.AppKey[Service]) -> Service:
        """A wing's service, by its key."""
        return self.request.app[key]

    def schema_errors(self, schema_id: str, data: dict[str, Any]) -> tuple[dict[str, Any], FieldErrors]:
        """`data` with defaults and casts, and what the schema finds wrong with it."""
        api = self.config.api
        return self.runtime.schemas.errors(
            schema_id, data, strict=api.schema_strict_validation, stability_level=api.stability_level
        )

    def valid(self, schema_id: str, data: dict[str, Any]) -> dict[str, Any]:
        """`data` with defaults and casts. Raises 400 with everything the schema finds wrong."""
        data, errors = self.schema_errors(schema_id, data)
        if errors:
            raise Invalid(errors)
        return data

    def ready_to_write(self, revision: str | None = None) -> None:
        """All checks are done: judge the preconditions (412) and the content type (415) before anything changes.

        `revision` is that of the document about to change, None for one about to be created.
        """
        if self.gate is not None:
            self.gate(revision)
