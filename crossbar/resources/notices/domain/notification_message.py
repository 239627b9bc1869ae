# SPDX-License-Identifier: MPL-2.0
"""What is sent from a template: the texts, and the macros of a preview.

Source: KAZOO `cb_notifications.erl` (`handle_preview`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from crossbar.documents.document import merge
from crossbar.errors import JSON
from crossbar.resources.notices.domain.mail_template import HTML, TEXT
from crossbar.resources.notices.domain.notification_template import FoundTemplate, NotificationTemplates
from crossbar.resources.notices.domain.sent_mail import Writing


async def writing_of(
    templates: NotificationTemplates,
    found: FoundTemplate,
    data: Mapping[str, Any],
    given: Mapping[str, JSON],
    *,
    default_sender: str,
) -> Writing:
    """A template as `data` describes it, with the texts that are given (`plain`, `html`) in place of its own."""
    bodies = {}
    for content_type, key in ((TEXT, "plain"), (HTML, "html")):
        text = given.get(key)
        stored = await templates.body(found, content_type)
        bodies[content_type] = _decoded(text) if isinstance(text, str) else (stored or b"").decode()
    sender = data.get("from") or default_sender
    return Writing(found.template_id, sender, data.get("reply_to"), str(data["subject"]), bodies[TEXT], bodies[HTML])


def named_macros(found: FoundTemplate) -> dict[str, Any]:
    """Values of a template's macros for a preview: each shows its own name."""
    told: dict[str, Any] = {}
    for name in found.public.get("macros", {}):
        told = merge(told, _nested(name))
    return told


def _nested(name: str) -> dict[str, Any]:
    """An object in which the dotted `name` leads to its own text."""
    value: JSON = name
    for step in reversed(name.split(".")):
        value = {step: value}
    return dict(value)


def _decoded(text: str) -> str:
    """Text that may have been sent as base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text
