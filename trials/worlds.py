# SPDX-License-Identifier: MPL-2.0
"""Accounts to try things in, with something of everything, and the callers who do it."""

from __future__ import annotations

import itertools
import uuid
from typing import Any, Final

from crossbar import clock
from tests.harness import RunningServer, Tenant, issue_token, new_tenant
from trials.fuzz import World

CALLERS: Final = ("operator", "admin", "user", "stranger")
"""A superduper admin of the master account,
an admin of the account, one of its plain users, an admin of another account."""
MADE: Final[dict[str, dict[str, Any]]] = {
    "users": {"first_name": "Ann", "last_name": "User", "username": "ann", "password": "correct horse"},
    "devices": {"name": "phone"},
    "vmboxes": {"name": "box", "mailbox": "1001"},
    "callflows": {"name": "flow", "numbers": ["1001"], "flow": {"module": "hangup", "data": {}}},
    "groups": {"name": "all", "endpoints": {}},
    "queues": {"name": "queue"},
    "conferences": {"name": "room"},
    "media": {"name": "sound"},
    "lists": {"name": "list"},
    "external_numbers": {"number": "+12025550197"},
    "port_requests": {"name": "port"},
    "resources": {"name": "carrier", "gateways": [{"server": "sip.example.com"}]},
}
"""Documents whose ids stand in paths: past the first look-up there is more to go wrong."""
KNOWN: Final = {
    "notification_id": "voicemail_to_email",
    "schema_id": "devices",
    "number": "+12025550198",
    "kind": "cdrs",
    "extension": "1001",
    "participant_id": "1",
    "category": "callflow",
    "node": "default",
    "provider_id": "google",
    "index": "0",
    "ip": "192.0.2.7",
}
"""What stands in paths and is there in every installation, or need not be."""
RECORDS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "cdrs": ("cdr_id", {"call_direction": "inbound", "duration_seconds": 5, "custom_channel_vars": {"rate": "5"}}),
    "call_stats": ("stat_id", {"queue_id": "queue_id", "status": "handled", "entered_timestamp": 63_900_000_000}),
    "agent_statuses": ("status_id", {"agent_id": "user_id", "status": "ready"}),
    "call_events": ("event_id", {"event_name": "CHANNEL_CREATE"}),
    "sms": ("sms_id", {"message_id": "m", "from": "1", "to": "2", "direction": "inbound"}),
    "sip_messages": ("leg_id", {"src": "a:1", "dst": "b:1", "raw": "INVITE sip:a@b SIP/2.0"}),
    "recordings": ("recording_id", {"name": "recording"}),
    "faxes": ("fax_id", {"from_number": "+12025550199", "to_number": "+12025550198"}),
    "voicemails": ("message_id", {"vmbox_id": "vmbox_id"}),
}
"""Kind of record → the name of its id in templates, and its fields; of ids the names."""
SINGULAR: Final = {"vmboxes": "vmbox", "media": "media"}


async def made_in(tenant: Tenant) -> dict[str, str]:
    """Make a document of many kinds in an account; their ids by the name that templates have for them."""
    ids = {"account_id": tenant.id, "collection": "devices", **KNOWN}
    for endpoint, document in MADE.items():
        data = {**document, "numbers": {new_number(): {}}} if endpoint == "port_requests" else document
        made = await tenant.api.put(f"/{endpoint}", data)
        if made.status != 201:
            raise RuntimeError(f"cannot make {endpoint}: {made.envelope}")
        ids[f"{SINGULAR.get(endpoint, endpoint.removesuffix('s'))}_id"] = made.id
    return ids


_COUNT: Final = itertools.count()


def new_number() -> str:
    """A number that nobody else has: the next one of this process, whose servers are its own."""
    return f"+1212{next(_COUNT) % 10**7:07}"


async def handed_in(server: RunningServer, ids: dict[str, str]) -> None:
    """Have a switch tell of a record of each kind; notes their ids."""
    told = {"account_id": ids["account_id"], "call_id": "call", "timestamp": clock.now()}
    for kind, (name, fields) in RECORDS.items():
        owned = {key: ids[value] for key, value in fields.items() if key in ("vmbox_id", "agent_id", "queue_id")}
        data = {**told, **fields, **owned}
        if kind == "recordings":
            data["start"] = data.pop("timestamp")
        kept = await server.master.root.post(f"/ingest/{kind}", data)
        if kept.status != 200:
            raise RuntimeError(f"cannot hand in {kind}: {kept.envelope}")
        ids[name] = kept.id


async def new_world(server: RunningServer, caller: str) -> World:
    """A new account with a document of many kinds, as one of the `CALLERS` gets at it."""
    tenant = await new_tenant(server, server.master, f"trial{uuid.uuid4().hex[:12]}")
    ids = await made_in(tenant)
    await handed_in(server, ids)
    tokens = {"operator": server.master.token, "admin": tenant.token}
    if caller == "user":
        tokens["user"] = await issue_token(server, tenant.id, ids["user_id"])
    if caller == "stranger":
        tokens["stranger"] = (await new_tenant(server, server.master, f"other{uuid.uuid4().hex[:12]}")).token
    headers = {"X-Auth-Token": tokens[caller], "Content-Type": "application/json"}

    async def send(verb: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        url = f"{server.url}{path}"
        async with tenant.api.session.request(verb, url, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.read()

    return World(ids, send)
