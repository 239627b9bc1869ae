# SPDX-License-Identifier: MPL-2.0
"""Groups: users and devices that ring together.

Source: KAZOO `cb_groups`.
"""

from __future__ import annotations

from collections.abc import Iterator

from crossbar.documents.document import Document, as_object
from crossbar.documents.document_types import GROUP, USER
from crossbar.documents.shape import Shape, Summary, or_default
from crossbar.endpoint import Collection, Context, Lists, Reply, answer_listing
from crossbar.resources.identity.domain.call_features import smartpbx_features


def features(group: Document) -> list[str]:
    """The SmartPBX features that are on, and `music_on_hold`."""
    return [*smartpbx_features(group), *(["music_on_hold"] if group.at("music_on_hold.media_id") else [])]


def endpoint_count(group: Document) -> int:
    """How many users and devices the group has."""
    return len(as_object(group.at("endpoints")))


def tags(group: Document) -> Iterator[str]:
    """The listing of each user who is an endpoint of the group."""
    for endpoint_id, endpoint in as_object(group.at("endpoints")).items():
        if isinstance(endpoint, dict) and endpoint.get("type") == USER:
            yield f"user/{endpoint_id}"


groups = Collection(
    "groups",
    "/accounts/{account_id}/groups/{group_id}",
    Shape(
        GROUP,
        summary=Summary("id", "name", features=features, endpoints=endpoint_count, flags=or_default("flags", [])),
        tags=tags,
    ),
    schema="groups",
)


@groups.get("/accounts/{account_id}/users/{user_id}/groups", lists=Lists.PAGES)
async def list_of_user(context: Context) -> Reply:
    """The groups that a user belongs to."""
    return await answer_listing(context, GROUP, tag=f"user/{context.parents['users'].id}")
