"""The documents that benchmarks write and read."""

from __future__ import annotations

import random
from typing import Any


def device(number: int, random_: random.Random) -> dict[str, Any]:
    """A device as a provisioning client sends it: about 1.6 KB of JSON."""
    mac = f"{random_.getrandbits(48):012x}"
    return {
        "name": f"Desk phone {number}",
        "device_type": "sip_device",
        "mac_address": mac,
        "enabled": True,
        "owner_id": f"{random_.getrandbits(128):032x}",
        "sip": {
            "username": f"user_{mac}",
            "password": f"{random_.getrandbits(64):016x}",
            "method": "password",
            "invite_format": "contact",
            "expire_seconds": 300,
        },
        "media": {
            "audio": {"codecs": ["OPUS", "G722", "PCMU", "PCMA"]},
            "video": {"codecs": []},
            "encryption": {"enforce_security": False, "methods": []},
        },
        "caller_id": {
            "internal": {"name": f"Desk {number}", "number": str(1000 + number % 9000)},
            "external": {"name": "Acme Corporation", "number": "+14155550100"},
            "emergency": {"name": "Acme Corporation", "number": "+14155550111"},
        },
        "call_forward": {"enabled": False, "keep_caller_id": True, "direct_calls_only": False},
        "provision": {
            "endpoint_brand": "yealink",
            "endpoint_family": "t5x",
            "endpoint_model": "t54w",
            "feature_keys": {
                str(key): {"type": "presence", "value": f"{random_.getrandbits(128):032x}"} for key in range(6)
            },
        },
        "ui_metadata": {"version": "4.3.0", "ui": "monster-ui", "origin": "voip"},
        "flags": ["office", "floor-3"],
    }
