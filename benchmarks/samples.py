# SPDX-License-Identifier: MPL-2.0
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


def unnamed_device(number: int, random_: random.Random) -> dict[str, Any]:
    """A device that no other is in conflict with, however often it is sent."""
    made = device(number, random_)
    del made["mac_address"], made["sip"]["username"]
    return made


def call_legs(account_id: str, number: int, started: int, chance: random.Random) -> list[dict[str, Any]]:
    """The CDRs of one call, both legs, as a KAZOO switch hands them in; `started` in Gregorian seconds."""
    talked, rang = chance.randint(5, 600), chance.randint(1, 20)
    caller, callee = f"+1415555{chance.randrange(10_000):04}", str(1000 + chance.randrange(200))
    owner = f"{int(callee):032x}"
    cause = chance.choices(["NORMAL_CLEARING", "USER_BUSY", "NO_ANSWER", "CALL_REJECTED"], [88, 6, 5, 1])[0]
    ended = started + rang + talked
    ids = [f"{chance.getrandbits(128):032x}@10.0.0.{leg}" for leg in (1, 2)]
    common = {
        "timestamp": ended,
        "interaction_id": f"{started}-{number:08x}",
        "caller_id_name": f"Caller {caller[-4:]}",
        "caller_id_number": caller,
        "callee_id_name": f"Desk {callee}",
        "callee_id_number": callee,
        "from": f"{caller}@pbx.example.com",
        "to": f"{callee}@pbx.example.com",
        "request": f"{callee}@pbx.example.com",
        "from_uri": f"{caller}@pbx.example.com",
        "to_uri": f"{callee}@pbx.example.com",
        "from_tag": f"{chance.getrandbits(40):x}",
        "to_tag": f"{chance.getrandbits(40):x}",
        "hangup_cause": cause,
        "hangup_code": "sip:200",
        "disposition": "SUCCESS",
        "user_agent": f"Phone T{chance.randrange(40, 60)} 66.84.0.{chance.randrange(1000)}",
        "media_server": "fs1.pbx.example.com",
        "app_name": "ecallmgr",
        "app_version": "4.0.0",
        "node": "ecallmgr@apps1.example.com",
    }
    variables = {"account_id": account_id, "bridge_id": ids[0], "account_billing": "flat_rate", "rate_name": "did_us"}
    return [
        {
            **common,
            "call_id": ids[leg],
            "other_leg_call_id": ids[1 - leg],
            "call_direction": ("inbound", "outbound")[leg],
            "duration_seconds": talked + rang * (1 - leg),
            "billing_seconds": talked,
            "ringing_seconds": rang,
            "channel_created_time": (started - 62_167_219_200 + rang * leg) * 1_000_000,
            "custom_channel_vars": {**variables, "owner_id": owner, "authorizing_id": owner} if leg else variables,
        }
        for leg in (0, 1)
    ]
