# SPDX-License-Identifier: MPL-2.0
"""What validating a document costs, in microseconds: `python -m benchmarks.validation`.

Prints a Markdown table. Fast is the pipeline as requests meet it (defaults and mending included); reference is the
same with jsonschema as the judge. Each figure is the best of several rounds of one run, the rounds interleaved.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from crossbar.documents.schemas import Schemas

ROUNDS = 7
BUDGET = 0.1
"""Seconds a round takes for one figure, roughly."""

USER = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "username": "ada@example.com",
    "email": "ada@example.com",
    "priv_level": "admin",
    "enabled": True,
    "timezone": "Europe/London",
    "caller_id": {
        "internal": {"name": "Ada", "number": "1001"},
        "external": {"name": "Ada Lovelace", "number": "+14155550100"},
    },
    "call_forward": {"enabled": False, "number": "+14155550101"},
    "call_restriction": {"tollfree_us": {"action": "inherit"}, "international": {"action": "deny"}},
    "media": {"audio": {"codecs": ["PCMU", "PCMA"]}, "video": {"codecs": []}, "fax_option": False},
    "vm_to_email_enabled": True,
}
DEVICE = {
    "name": "Desk",
    "device_type": "sip_device",
    "mac_address": "00:11:22:33:44:55",
    "owner_id": "a" * 32,
    "enabled": True,
    "sip": {"username": "user_abc", "password": "secret-password", "realm": "a.example.com", "expire_seconds": 300},
    "caller_id": USER["caller_id"],
    "call_forward": USER["call_forward"],
    "call_restriction": USER["call_restriction"],
    "media": USER["media"],
    "provision": {
        "endpoint_brand": "yealink",
        "endpoint_family": "t4x",
        "endpoint_model": "t46",
        "combo_keys": {"0": {"type": "line", "value": "1"}, "1": {"type": "parking", "value": 2}},
    },
}
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("user", {"id": "a" * 32, "timeout": 20, "can_call_self": False}),
    ("voicemail", {"id": "b" * 32, "action": "compose"}),
    ("play", {"id": "c" * 32}),
    ("menu", {"id": "d" * 32}),
    ("ring_group", {"name": "sales", "endpoints": [{"id": "e" * 32, "endpoint_type": "user", "timeout": 20}]}),
    ("temporal_route", {"rules": ["f" * 32]}),
    ("device", {"id": "0" * 32, "timeout": 20}),
    ("offnet", {}),
    ("callflow", {"id": "1" * 32}),
    ("record_call", {"action": "start", "format": "mp3"}),
]


def chain(length: int) -> dict[str, Any]:
    """A callflow whose steps follow one another."""
    children: dict[str, Any] = {}
    for index in range(length):
        module, data = STEPS[index % len(STEPS)]
        children = {"_": {"module": module, "data": data, "children": children}}
    return {"name": "Main", "numbers": ["+14155550100", "1000"], "flow": children["_"]}


def bush(size: int, branches: int = 10) -> dict[str, Any]:
    """A callflow whose steps branch ten ways."""
    nodes = [
        {"module": module, "data": data, "children": {}}
        for module, data in (STEPS[index % len(STEPS)] for index in range(size))
    ]
    for index in range(1, size):
        above: Any = nodes[(index - 1) // branches]
        above["children"][str(index % branches)] = nodes[index]
    return {"name": "Main", "numbers": ["+14155550100", "1000"], "flow": nodes[0]}


CASES = [
    ("user", "users", USER),
    ("device", "devices", DEVICE),
    ("callflow, 10 nodes", "callflows", chain(10)),
    ("callflow, 500 nodes in a chain", "callflows", chain(500)),
    ("callflow, 500 nodes in a bush", "callflows", bush(500)),
]


def microseconds(run: Callable[[], object], times: int) -> float:
    """What one call took on average."""
    began = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - began) / times * 1e6


def figures() -> list[tuple[str, float, float]]:
    """For each case: name, fast and reference."""
    schemas = Schemas.load()

    def runs(schema_id: str, document: dict[str, Any]) -> tuple[Callable[[], object], Callable[[], object]]:
        def fast() -> object:
            return schemas.validate(schema_id, document)

        def reference() -> object:  # no stability is less than alpha, but only the reference can tell
            return schemas.validate(schema_id, document, stability_level="alpha")

        return fast, reference

    best: dict[tuple[str, int], float] = {}
    for _ in range(ROUNDS):
        for name, schema_id, document in CASES:
            for column, run in enumerate(runs(schema_id, document)):
                run()
                once = microseconds(run, 1)
                found = microseconds(run, max(1, int(BUDGET * 1e6 / once)))
                best[name, column] = min(found, best.get((name, column), found))
    return [(name, best[name, 0], best[name, 1]) for name, _, _ in CASES]


def start_up() -> float:
    """Milliseconds to load the schemas and to compile those of a first user, device and callflow."""
    began = time.perf_counter()
    schemas = Schemas.load()
    for _, schema_id, document in CASES[:3]:
        schemas.validate(schema_id, document)
    return (time.perf_counter() - began) * 1e3


def main() -> None:
    """Print the table."""
    began = start_up()
    print("| document | fast, µs | reference, µs | ratio |")
    print("| --- | ---: | ---: | ---: |")
    for name, fast, reference in figures():
        print(f"| {name} | {fast:,.0f} | {reference:,.0f} | {reference / fast:.0f} |")
    print(f"\nLoading all schemas and compiling what these documents need: {began:.0f} ms, once.")


if __name__ == "__main__":
    main()
