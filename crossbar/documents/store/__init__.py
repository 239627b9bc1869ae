# SPDX-License-Identifier: MPL-2.0
"""The store: documents in, documents out. `Store` (`contract.py`) is all that others see of its parts."""

from crossbar.documents.store.conflicts import Duplicate, Retries, Stale
from crossbar.documents.store.connection import Connection, DatabaseUnusable, Outage, driver_errors
from crossbar.documents.store.contract import Store
from crossbar.documents.store.event_log import EventLog, ListeningDocument, RelayPosition, RelayState, TakenOver
from crossbar.documents.store.live import FOREVER, MICROSECONDS, Live, Switch, Telling
from crossbar.documents.store.reading import Raw
from crossbar.documents.store.revocations import REVOCATION
from crossbar.documents.store.snapshot import Snapshot
from crossbar.documents.store.transaction import Transaction, Write

__all__ = [
    "FOREVER",
    "MICROSECONDS",
    "REVOCATION",
    "Connection",
    "DatabaseUnusable",
    "Duplicate",
    "EventLog",
    "ListeningDocument",
    "Live",
    "Outage",
    "Raw",
    "RelayPosition",
    "RelayState",
    "Retries",
    "Snapshot",
    "Stale",
    "Store",
    "Switch",
    "TakenOver",
    "Telling",
    "Transaction",
    "Write",
    "driver_errors",
]
