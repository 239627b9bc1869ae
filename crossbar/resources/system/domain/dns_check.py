# SPDX-License-Identifier: MPL-2.0
"""The name server entries that a whitelabel domain needs, and whether it has them.

Source: KAZOO `kzd_domains.erl`, `cb_whitelabel:test_dns_entries`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from dns.asyncresolver import Resolver
from dns.exception import DNSException

from crossbar.documents.document import as_object
from crossbar.errors import JSON

Template = dict[str, dict[str, dict[str, Any]]]
"""Record type → host → `{name, mapping: [value], zone?}`, in which `{{domain}}` stands for the domain."""

PLACEHOLDER: Final = "{{domain}}"
LONGEST_WAIT: Final = 5.0
"""Seconds for all answers to one question."""

TEMPLATE: Final[Template] = {
    "A": {"sip.{{domain}}": {"name": "SIP proxy", "mapping": ["127.0.0.1"], "zone": "local"}},
    "CNAME": {
        "api.{{domain}}": {"name": "API", "mapping": ["sip.{{domain}}"]},
        "portal.{{domain}}": {"name": "Web portal", "mapping": ["sip.{{domain}}"]},
    },
    "MX": {"{{domain}}": {"name": "Fax by mail", "mapping": ["10 sip.{{domain}}"]}},
    "NAPTR": {
        "proxy.{{domain}}": {"name": "SIP services", "mapping": ['10 100 "S" "SIP+D2U" "" _sip._udp.proxy.{{domain}}']}
    },
    "SRV": {"_sip._udp.proxy.{{domain}}": {"name": "SIP over UDP", "mapping": ["10 10 5060 sip.{{domain}}"]}},
    "TXT": {"{{domain}}": {"name": "Mail senders", "mapping": ["v=spf1 mx -all"]}},
}
"""What a domain needs as long as nobody said otherwise."""


def filled(template: JSON, domain: str) -> Template:
    """The template with a domain put in; what is no record type, host or entry is left out."""

    def fill(value: JSON) -> JSON:
        match value:
            case str():
                return value.replace(PLACEHOLDER, domain)
            case list():
                return [fill(item) for item in value]
            case dict():
                return {fill(key): fill(item) for key, item in value.items()}
            case _:
                return value

    entries = {record: as_object(hosts) for record, hosts in as_object(fill(template)).items()}
    return {
        record: {host: entry for host, entry in hosts.items() if isinstance(entry, dict)}
        for record, hosts in entries.items()
    }


def new_resolver() -> Resolver:
    """The system's name servers."""
    return Resolver()


async def compare(wanted: Template, *, tcp: bool = False) -> Template:
    """Record type → host → `{name, expected, actual}`; a host without an answer has nothing in `actual`."""
    questions = [(record, host) for record, hosts in wanted.items() for host in hosts]
    answers = await asyncio.gather(*(_ask(host, record, tcp=tcp) for record, host in questions))
    compared: Template = {}
    for (record, host), actual in zip(questions, answers, strict=True):
        entry = wanted[record][host]
        told = {"name": entry.get("name"), "expected": entry.get("mapping", []), "actual": actual}
        compared.setdefault(record, {})[host] = told
    return compared


async def _ask(host: str, record: str, *, tcp: bool) -> list[str]:
    try:
        answer = await new_resolver().resolve(host, record, tcp=tcp, lifetime=LONGEST_WAIT, search=False)
    except DNSException:
        return []
    return sorted(_text(entry.to_text(), record) for entry in answer)


def _text(entry: str, record: str) -> str:
    """A record as templates write it: without the quotes of a text, and the dot that ends a full name."""
    return entry.strip('"') if record == "TXT" else entry.removesuffix(".")
