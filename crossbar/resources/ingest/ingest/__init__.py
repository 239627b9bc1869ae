# SPDX-License-Identifier: MPL-2.0
"""What a switch would write comes in here: one record as JSON, or many as one JSON document a line (NDJSON).

Each kind of record is kept once however often it is sent. An endpoint of this server alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.access.ingest_token import METHOD
from crossbar.documents.document import Document
from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.errors import JSON, CrossbarError, Forbidden, Invalid
from crossbar.resources.ingest.domain.record_kind import KINDS, RecordKind
from crossbar.wire.decoding import BodyLimits, decode_json

NDJSON_TYPES: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")
ADDRESSES: Final = ("account_id", "account_realm")
"""What says whose a record is, and is no part of it."""
AT_A_TIME: Final = 500
"""Records of a batch that are kept together."""
MOST_REFUSALS: Final = 100
"""Refused records that the answer describes; the others are counted."""

ingest = Endpoint("ingest", who=Who.INGEST, takes_all_words=True)


@ingest.post("/ingest/{kind}", accepts=NDJSON_TYPES)
async def hand_in(context: Context) -> Reply:
    """Keep one record, or a batch."""
    kind = KINDS.get(context.path["kind"])
    if kind is None:
        targets = sorted(KINDS)
        raise Invalid.field("kind", "enum", "Value not found in enumerated list of values", target=targets)
    if context.files and context.files[0].content_type in NDJSON_TYPES:
        return await _keep_batch(context, kind, lines(context))
    if isinstance(context.data, list):
        return await _keep_batch(context, kind, enumerate(context.data, 1))
    document = await make(context, kind, PostedAccounts(context), context.object)
    (fresh,) = await kind.keep(context.store, [document])
    return Reply({"id": document.id, "account_id": document.partition, "new": fresh})


class PostedAccounts:
    """Finds the account that a record belongs to, and whether the caller may write there."""

    def __init__(self, context: Context) -> None:
        self._call = context
        own = context.identity.account
        self._of_realm: dict[str, Account | None] = {own.realm.lower(): own}

    async def of(self, data: dict[str, Any]) -> str:
        """The id of the account of a record; see `account_of`."""
        return (await self.account_of(data)).id

    async def account_of(self, data: dict[str, Any]) -> Account:
        """The account of a record: the one it names by id or realm, else that of the caller's token.

        Raises Invalid where there is no such account, Forbidden where the token is another account's.
        """
        caller = self._call.identity
        account = await self._named(data)
        if account is None and caller.method == METHOD:
            return caller.account
        if account is None:
            raise Invalid.field("account_id", "required", "Field is required but missing")
        if caller.method == METHOD and account.id != caller.account_id:
            raise Forbidden
        return account

    async def _named(self, data: dict[str, Any]) -> Account | None:
        variables = data.get("custom_channel_vars")
        account_id = data.get("account_id") or (variables.get("account_id") if isinstance(variables, dict) else None)
        if account_id:
            account = await self._call.directory.account(str(account_id))
            if account is None:
                raise Invalid.field("account_id", "not_found", "There is no such account", cause=account_id)
            return account
        if realm := data.get("account_realm"):
            account = await self.of_realm(str(realm))
            if account is None:
                raise Invalid.field("account_realm", "not_found", "There is no account of this realm", cause=realm)
            return account
        return None

    async def of_realm(self, realm: str) -> Account | None:
        """The account of a realm, asked for once a batch."""
        realm = realm.lower()
        if realm not in self._of_realm:
            self._of_realm[realm] = await self._call.directory.account_of_realm(realm)
        return self._of_realm[realm]


async def make(context: Context, kind: RecordKind, accounts: PostedAccounts, data: Any) -> Document:
    """A document of what was handed in. Raises 400 for what does not fit the schema, 403 for a foreign account."""
    if not isinstance(data, dict):
        raise Invalid.field("", "type", "Value did not match type(s): object", target="object")
    account_id = await accounts.of(data)
    data = context.valid(kind.schema, data)
    document = kind.make(account_id, {key: value for key, value in data.items() if key not in ADDRESSES})
    if kind.told_by:
        document.fields[kind.told_by] = context.identity.account_id
    return document


async def _keep_batch(context: Context, kind: RecordKind, records: Iterator[tuple[int, JSON]]) -> Reply:
    """Keep what can be kept of a batch, and say what cannot and why."""
    accounts, tally = PostedAccounts(context), Tally()
    waiting: list[Document] = []
    for number, data in records:
        try:
            if isinstance(data, CrossbarError):
                raise data
            waiting.append(await make(context, kind, accounts, data))
        except CrossbarError as error:
            tally.refuse(number, error)
        if len(waiting) == AT_A_TIME:
            tally.count(await kind.keep(context.store, waiting))
            waiting = []
    tally.count(await kind.keep(context.store, waiting))
    return Reply(tally.answer)


class Tally:
    """What became of the records of a batch."""

    def __init__(self) -> None:
        self._kept = self._known = self._refused = 0
        self._refusals: list[dict[str, JSON]] = []

    def count(self, fresh: list[bool]) -> None:
        """Records were kept; each was new or was not."""
        self._kept += sum(fresh)
        self._known += len(fresh) - sum(fresh)

    def refuse(self, number: int, error: CrossbarError) -> None:
        """A record was refused."""
        self._refused += 1
        if len(self._refusals) < MOST_REFUSALS:
            about = {"record": number, "error": str(error.status), "message": error.message, "data": error.data}
            self._refusals.append(about)

    @property
    def answer(self) -> dict[str, JSON]:
        """The data of the answer."""
        return {"kept": self._kept, "known": self._known, "refused": self._refused, "refusals": self._refusals}


def lines(context: Context) -> Iterator[tuple[int, JSON | CrossbarError]]:
    """The records of an NDJSON body with the numbers of their lines; one that is no JSON as its error."""
    options = context.config.limits
    limits = BodyLimits(options.max_upload_size, options.max_json_depth, options.max_json_values)
    for number, line in enumerate(context.files[0].contents.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, decode_json(line, limits)
        except CrossbarError as error:
            yield number, error
