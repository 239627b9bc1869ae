# SPDX-License-Identifier: MPL-2.0
"""An account with something of everything, and all that a server answers about one."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import orjson

from crossbar import app
from tests.e2e.office import Office
from tests.harness import Api, RunningServer, Tenant, new_tenant
from tests.numbers import own
from tests.samples import MP3
from tests.voicemail import leave

ACCOUNT: Final = "/v2/accounts/{account_id}"
LEFT_OUT: Final = (
    "/about",
    "/apps_link",
    "/audit",
    "/clicktocall/{click2call_id}/connect",
    "/dialplans",
    "/events",
    "/history",
    "/migrations",
    "/quickcall/",
    "/schemas",
    "/versions",
    "/search",
    "/notifications/smtplog",
    "/siblings",
    "/system_configs",
    "/user_auth",
    "/phone_numbers/prefix",
    "/{collection}/",
)
"""What is no state of an account's, or does something."""
OF_THE_REQUEST: Final = {"auth_token", "node", "request_id", "revision", "timestamp", "tokens"}
NOW: Final = "current_timestamp"
MOST: Final = 15
"""Documents of a list that are read one by one."""
PHOTO: Final = b"\xff\xd8\xff\xe0" + b"a face" * 100


@dataclass
class World:
    """The account, as its administrator sees it, and the account below it."""

    office: Office
    tenant: Tenant
    below: Tenant
    number: str
    """A phone number of the account's."""

    @property
    def id(self) -> str:
        """The account's id."""
        return self.tenant.id


async def furnished(server: RunningServer) -> World:
    """An office with voicemail, a photo, a number, a webhook, a list, and an account below it."""
    office = await (await Office.opened(server.master, f"moving{uuid.uuid4().hex[:8]}")).build()
    token = office.ui.api.token or ""
    tenant = Tenant(office.id, f"{office.name}.test", office.admin_id, token, office.ui.api)
    for person in office.people[:2]:
        await leave(tenant, person.vmbox_id, MP3)
    sent = await tenant.api.post(f"/users/{office.people[0].id}/photo", body=PHOTO, content_type="image/jpeg")
    assert sent.status == 200, sent.envelope
    (number,) = await own(server.master, tenant, 1)
    numbers = await tenant.api.put("/lists", {"name": "Friends"})
    await tenant.api.put(f"/lists/{numbers.id}/entries", {"number": "+14155550100", "name": "Ada"})
    hook = {"name": "told", "uri": "https://198.51.100.7/hook", "http_verb": "post", "hook": "channel_create"}
    assert (await tenant.api.put("/webhooks", hook)).status == 201
    below = await new_tenant(server, tenant, f"below{uuid.uuid4().hex[:8]}")
    assert (await below.api.put("/menus", {"name": "below"})).status == 201
    return World(office, tenant, below, number)


async def answers(server: RunningServer, account_id: str) -> dict[str, Any]:
    """What the superduper administrator reads about an account, by path: whatever there is to GET."""
    api, found = server.master.root, dict[str, Any]()
    templates = {
        route.template
        for endpoint in app.ENDPOINTS
        for route in endpoint.routes
        if route.verb == "GET" and route.template.startswith(ACCOUNT)
    }
    for template in sorted(templates):
        rest = template.removeprefix(ACCOUNT)
        if any(word in rest for word in LEFT_OUT):
            continue
        async for path in _paths(api, f"/accounts/{account_id}", [part for part in rest.split("/") if part]):
            found[path] = await _answer(api, path, server.master.id)
    return found


async def _paths(api: Api, start: str, rest: list[str]) -> AsyncIterator[str]:
    """The paths that a template stands for, its names filled in with what the lists above them have."""
    for at, part in enumerate(rest):
        if part.startswith("{"):
            for one in await _ids(api, start):
                async for path in _paths(api, f"{start}/{quote(one, safe='')}", rest[at + 1 :]):
                    yield path
            return
        start = f"{start}/{part}"
    yield start


async def _ids(api: Api, path: str) -> list[str]:
    answer = await api.get(path, query={"paginate": "false"})
    rows = answer.data if answer.status == 200 else []
    if isinstance(rows, dict):
        return sorted(rows.get("numbers", {}))
    if not isinstance(rows, list):
        return []
    named = [row.get("id") or row.get("media_id") for row in rows if isinstance(row, dict)]
    return sorted(one for one in named if isinstance(one, str))[:MOST]


async def _answer(api: Api, path: str, master_id: str) -> Any:
    """Status and body of a GET, without what differs between installations."""
    answer = await api.get(path, query={"paginate": "false"})
    if not answer.envelope:
        return answer.status, answer.raw
    if isinstance(answer.data, dict):
        answer.data.pop(NOW, None)
    told = {key: value for key, value in answer.envelope.items() if key not in OF_THE_REQUEST}
    text = orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()
    return answer.status, orjson.loads(text.replace(master_id, "the master account"))


def credentials(username: str, password: str) -> str:
    """The hash with which a user logs in."""
    return hashlib.md5(f"{username}:{password}".encode()).hexdigest()
