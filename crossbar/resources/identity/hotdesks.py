# SPDX-License-Identifier: MPL-2.0
"""Hotdesks: who is logged in at which device.

Source: KAZOO `cb_hotdesks`, views `hotdesks/crossbar_listing` and `users/list_by_id`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crossbar.documents.document import Document
from crossbar.documents.document_types import DEVICE, USER
from crossbar.documents.listing import Listing
from crossbar.documents.shape import SEPARATOR
from crossbar.endpoint import Context, Endpoint, Lists, Reply, answer_computed, answer_listing
from crossbar.resources.identity.devices import HOTDESKED, hotdesked_to, hotdesked_users
from crossbar.resources.identity.domain.call_features import OF_HOTDESKED, smartpbx_features, switched_on
from crossbar.resources.identity.users import ROW

hotdesks = Endpoint("hotdesks")


@hotdesks.get("/accounts/{account_id}/hotdesks", lists=Lists.PAGES)
async def list_all(context: Context) -> Reply:
    """One row for each user at each device, by user."""
    devices = await context.store.all(Listing(context.account_id, DEVICE, tag=HOTDESKED))
    return answer_computed(context, _pairs(devices))


@hotdesks.get("/accounts/{account_id}/users/{user_id}/hotdesks", lists=Lists.PAGES)
async def list_of_user(context: Context) -> Reply:
    """The devices at which one user is logged in."""
    return await answer_listing(
        context, DEVICE, tag=hotdesked_to(context.parents["users"].id), rows_hooks=[_as_device_rows]
    )


@hotdesks.get("/accounts/{account_id}/devices/{device_id}/hotdesks", lists=Lists.PAGES)
async def list_of_device(context: Context) -> Reply:
    """The users who are logged in at one device."""
    users = await context.store.get_many(context.account_id, USER, hotdesked_users(context.parents["devices"]))
    return answer_computed(context, ((user.id, user, _user_row(user)) for user in users.values()))


def _pairs(devices: list[Document]) -> Iterator[tuple[str, Document, dict[str, Any]]]:
    for device in devices:
        for user_id in hotdesked_users(device):
            row = {"device_id": device.id, "device_name": device.at("name")}
            yield f"{user_id}{SEPARATOR}{device.id}", device, row


async def _as_device_rows(_: Context, rows: list[dict[str, Any]]) -> None:
    rows[:] = [{"device_id": row["id"], "device_name": row.get("name")} for row in rows]


def _user_row(user: Document) -> dict[str, Any]:
    row = ROW.of(user)
    row.pop("flags", None)
    row["features"] = [*smartpbx_features(user), *switched_on(user, OF_HOTDESKED)]
    return row
