# SPDX-License-Identifier: MPL-2.0
"""Comments on a port request: who may see and make which. None is ever changed or taken away.

Source: KAZOO `cb_port_requests:validate_comments`, `filter_private_comments`.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.access.identity import Identity
from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.shape import collate
from crossbar.errors import JSON, Forbidden, Invalid
from crossbar.resources.numbers.domain.port_request import TRANSITIONS
from crossbar.resources.ports.domain.port_authority import is_authority
from crossbar.resources.ports.domain.port_transition import PortActor
from crossbar.runtime import Runtime
from crossbar.wire.request_values import is_true

OLD_PRIVATE: Final = "superduper_comment"
"""What `is_private` was called once."""
NOT_ALLOWED: Final = "you're not allowed to make private comment or set action_required"
NOT_PRIVATE: Final = "setting action_required on private comment is not allowed"

Comment = dict[str, Any]


def comments_of(request: Document) -> list[Comment]:
    """All comments, the oldest first."""
    return [comment for comment in as_list(request.at("comments")) if isinstance(comment, dict)]


def is_private(comment: Comment) -> bool:
    """Whether a comment is for those alone who decide."""
    return is_true(comment.get("is_private")) or is_true(comment.get(OLD_PRIVATE))


def visible(identity: Identity, request: Document) -> list[Comment]:
    """The comments that the caller may read."""
    private_too = is_authority(identity, request)
    return [comment for comment in comments_of(request) if private_too or not is_private(comment)]


def later(stored: list[Comment], given: JSON) -> list[Any]:
    """Those of the comments in a request's data that are new: clients send back what they were shown."""
    newest = max((_time(comment) for comment in stored), default=None)
    return [comment for comment in as_list(given) if newest is None or _time(comment) > newest]


def unknown(stored: list[Comment], given: JSON) -> list[Any]:
    """Those of the comments sent to be added that are not there yet: of two people who write at once, both count."""
    known = {(_time(comment), collate(comment.get("content"))) for comment in stored}
    return [
        comment
        for comment in as_list(given)
        if (_time(comment), collate(as_object(comment).get("content"))) not in known
    ]


def merged(stored: list[Comment], new: list[Comment]) -> list[Comment]:
    """Stored and new comments, the oldest first."""
    return sorted([*stored, *new], key=_time)


def checked(runtime: Runtime, identity: Identity, request: Document, new: list[Any], actor: PortActor) -> list[Comment]:
    """New comments as they are kept, signed by who makes them. Raises 400 for what is no comment, 403 for what only
    the authority may say."""
    if not new:
        return []
    comments: list[Comment] = runtime.valid("comments", {"comments": new})["comments"]
    if not is_authority(identity, request):
        if any(is_private(comment) or is_true(comment.get("action_required")) for comment in comments):
            raise Forbidden(comments={"forbidden": {"message": NOT_ALLOWED, "cause": "comments"}})
    elif any(is_private(comment) and is_true(comment.get("action_required")) for comment in comments):
        raise Invalid.field("comments", "rejected", NOT_PRIVATE, cause="comments")
    return [_signed(comment, actor) for comment in comments]


def _signed(comment: Comment, actor: PortActor) -> Comment:
    kept = {key: value for key, value in comment.items() if key not in (OLD_PRIVATE, "user_id")}
    signed = {**kept, "account_id": actor.account_id, "is_private": is_private(comment)}
    if actor.user is not None:
        signed |= {"user_id": actor.user.id, "author": actor.full_name or comment["author"]}
    return signed


def timeline(identity: Identity, request: Document) -> list[dict[str, Any]]:
    """Comments and moves, the oldest first; of one second the comments go before the moves."""
    moves = reversed(request.fields.get(TRANSITIONS, ()))
    return sorted([*visible(identity, request), *moves], key=_time)


def _time(entry: JSON) -> str:
    return collate(as_object(entry).get("timestamp"))
