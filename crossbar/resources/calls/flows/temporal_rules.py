# SPDX-License-Identifier: MPL-2.0
"""Temporal rules: when a branch of a callflow is taken, by time of day and by calendar.

Source: KAZOO `cb_temporal_rules`.
"""

from __future__ import annotations

from crossbar.documents.shape import Shape, Summary, or_default
from crossbar.endpoint import Collection

temporal_rules = Collection(
    "temporal_rules",
    "/accounts/{account_id}/temporal_rules/{temporal_rule_id}",
    Shape("temporal_rule", summary=Summary("id", "name", "type", flags=or_default("flags", []))),
    schema="temporal_rules",
)
