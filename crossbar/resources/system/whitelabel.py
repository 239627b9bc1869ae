"""Whitelabel: the looks that an account gives to user interfaces, by the domain they are reached under.

Source: KAZOO `cb_whitelabel`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crossbar.documents.document import Document
from crossbar.documents.shape import Unique
from crossbar.resource import Singleton

TYPE: Final = "whitelabel"
DOMAIN_TAKEN: Final = "White label domain is already in use"


def domain_claim(domain: str) -> Unique:
    """The claim on a domain, which holds across all accounts."""
    return Unique("whitelabel.domain", domain, "domain", DOMAIN_TAKEN, cause=domain, system=True)


def _claims(whitelabel: Document) -> Iterator[Unique]:
    if isinstance(domain := whitelabel.at("domain"), str) and domain:
        yield domain_claim(domain)


whitelabel = Singleton(
    "whitelabel",
    document_type=TYPE,
    document_id=TYPE,
    schema="whitelabel",
    unique=_claims,
    operations=("read", "create", "replace", "delete"),
    must_exist=True,
)
