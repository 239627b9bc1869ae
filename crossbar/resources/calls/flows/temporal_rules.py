"""Temporal rules: when a branch of a callflow is taken, by time of day and by calendar.

Source: KAZOO `cb_temporal_rules`.
"""

from __future__ import annotations

from crossbar.documents.shape import Summary, or_default
from crossbar.endpoint import Resource

temporal_rules = Resource(
    "temporal_rules",
    document_type="temporal_rule",
    schema="temporal_rules",
    summary=Summary("id", "name", "type", flags=or_default("flags", [])),
)
