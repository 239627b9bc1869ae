# SPDX-License-Identifier: MPL-2.0
"""The link between somebody whom a provider vouches for and a user of ours, as it is stored.

Source: KAZOO `kz_auth_profile.erl`.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary

LINK: Final = "auth_link"


def tags(link: Document) -> list[str]:
    """Listing by user."""
    return [user_tag(link.text("pvt_linked_account_id"), link.text("pvt_linked_owner_id"))]


def user_tag(account_id: str, owner_id: str) -> str:
    """Tag of the links of a user."""
    return f"user/{account_id}/{owner_id}"


LINK_SHAPE: Final = Shape(
    LINK,
    summary=Summary("id", "scopes", "email", app="pvt_app_id", provider="pvt_app_provider_id"),
    tags=tags,
)


def linked_user(found: Document) -> tuple[str, str] | None:
    """The account and user behind a link, if there are any."""
    account_id, owner_id = found.text("pvt_linked_account_id"), found.text("pvt_linked_owner_id")
    return (account_id, owner_id) if account_id and owner_id else None
