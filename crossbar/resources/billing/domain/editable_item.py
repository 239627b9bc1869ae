# SPDX-License-Identifier: MPL-2.0
"""What service plans may price: categories, their items, and the schema of an item.

Source: KAZOO `cb_service_plans.erl` (`editable`).
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.schemas import Schemas

EDITABLE: Final[dict[str, tuple[str, ...]]] = {
    "account_apps": (),
    "branding": ("whitelabel",),
    "conferences": ("conference",),
    "devices": (
        "application",
        "ata",
        "cellphone",
        "ctu",
        "fax",
        "landline",
        "mobile",
        "sip_device",
        "sip_uri",
        "smartphone",
        "softphone",
    ),
    "faxes": ("mailbox",),
    "ips": ("dedicated",),
    "limits": ("inbound_trunks", "outbound_trunks", "twoway_trunks"),
    "number_carriers": ("inventory", "local", "mdn", "other", "reserved"),
    "number_services": ("cnam", "e911", "failover", "force_outbound", "port", "prepend", "ringback"),
    "phone_numbers": ("caribbean", "did_us", "emergency", "international", "toll_us", "tollfree_us", "unknown"),
    "port_request": ("canceled", "completed", "pending", "rejected", "scheduled", "submitted", "unconfirmed"),
    "user_apps": (),
    "users": ("admin", "user"),
    "voicemails": ("mailbox", "transcription"),
}
"""Category → the items that plans may price."""


def editable_items(schemas: Schemas) -> dict[str, dict[str, Any]]:
    """What plans may price, with the schema of each item; only `_all` has a name of its own (`as`)."""
    schema = schemas.get("service_plan.item") or {}
    properties: dict[str, Any] = schema.get("properties", {})
    plain = {key: value for key, value in properties.items() if key != "as"}
    return {category: {"_all": properties, **dict.fromkeys(items, plain)} for category, items in EDITABLE.items()}
