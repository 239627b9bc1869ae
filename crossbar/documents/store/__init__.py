"""The store: documents in, documents out. `Store` (`contract.py`) is all that others see of its parts."""

from crossbar.documents.store.conflicts import Duplicate, Retries, Stale
from crossbar.documents.store.connection import Connection, DatabaseUnusable, Outage, driver_errors
from crossbar.documents.store.contract import Store
from crossbar.documents.store.event_log import EventLog, ListeningDocument, RelayPosition, RelayState, TakenOver
from crossbar.documents.store.listing_reads import SearchField
from crossbar.documents.store.reading import Raw
from crossbar.documents.store.revocations import REVOCATION
from crossbar.documents.store.transaction import Transaction

__all__ = [
    "REVOCATION",
    "Connection",
    "DatabaseUnusable",
    "Duplicate",
    "EventLog",
    "ListeningDocument",
    "Outage",
    "Raw",
    "RelayPosition",
    "RelayState",
    "Retries",
    "SearchField",
    "Stale",
    "Store",
    "TakenOver",
    "Transaction",
    "driver_errors",
]
