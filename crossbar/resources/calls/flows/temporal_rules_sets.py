"""Sets of temporal rules, used together as one (holidays). The ids in a set are not verified.

Source: KAZOO `cb_temporal_rules_sets`.
"""

from __future__ import annotations

from crossbar.documents.shape import Summary, or_default
from crossbar.endpoint import Resource

temporal_rules_sets = Resource(
    "temporal_rules_sets",
    document_type="temporal_rule_set",
    schema="temporal_rules_sets",
    summary=Summary("id", "name", rules="temporal_rules", flags=or_default("flags", [])),
)
