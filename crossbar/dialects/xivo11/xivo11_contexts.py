# SPDX-License-Identifier: MPL-2.0
"""Contexts: where extensions are dialled. KAZOO has none, so they are names of the configuration alone."""

from __future__ import annotations

from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.wiring import INCOMING, INTERNAL
from crossbar.dialects.xivo11.xivo11_protocol import no_such
from crossbar.errors import JSON


def known_contexts(context: DialectContext) -> tuple[str, ...]:
    """The names of all contexts, the internal one and the incoming one first."""
    return (INTERNAL, INCOMING, *context.runtime.config.dialects.contexts)


def require_context(context: DialectContext, name: JSON) -> None:
    """Raise 400 for a context that there is not; None is not looked at."""
    if name is not None and name not in known_contexts(context):
        raise no_such("context", "Context", context=name)
