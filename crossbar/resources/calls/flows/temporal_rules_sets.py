# SPDX-License-Identifier: MPL-2.0
"""Sets of temporal rules, used together as one (holidays). The ids in a set are not verified.

Source: KAZOO `cb_temporal_rules_sets`.
"""

from __future__ import annotations

from crossbar.documents.shape import Shape, Summary, or_default
from crossbar.endpoint import Collection

temporal_rules_sets = Collection(
    "temporal_rules_sets",
    "/accounts/{account_id}/temporal_rules_sets/{temporal_rule_set_id}",
    Shape("temporal_rule_set", summary=Summary("id", "name", rules="temporal_rules", flags=or_default("flags", []))),
    schema="temporal_rules_sets",
)
