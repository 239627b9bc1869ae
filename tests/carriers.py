# SPDX-License-Identifier: MPL-2.0
"""What a carrier's document has besides what it was given."""

GATEWAY_DEFAULTS = {
    "channel_selection": "ascending",
    "enabled": True,
    "endpoint_type": "sip",
    "force_port": False,
    "invite_format": "route",
    "port": 5060,
    "skype_rr": True,
}
CARRIER_DEFAULTS = {
    "emergency": False,
    "enabled": True,
    "flags": [],
    "from_account_realm": False,
    "grace_period": 5,
    "rules": [],
    "rules_test": [],
    "weight_cost": 50,
}
