# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/whitelabel` and `/whitelabel/{DOMAIN}`."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import dns.message
import dns.rrset
import pytest
from dns.asyncresolver import Resolver

from crossbar.resources.system.domain import dns_check
from tests.harness import Api, RunningServer, Tenant

PNG = b"\x89PNG\r\n\x1a\n"
DEFAULTS = {"hide_credits": False, "hide_powered": False, "hide_registration": False}


async def test_create_replace_delete(tenant: Tenant) -> None:
    missing = (404, "404", "bad_identifier", {"cause": "whitelabel", "message": "bad identifier"})
    assert (await tenant.api.get("/whitelabel")).error() == missing
    assert (await tenant.api.post("/whitelabel", {})).error() == missing
    domain = f"{tenant.id[:8]}.Example.COM"
    created = await tenant.api.put("/whitelabel", {"domain": domain, "brandColor": "#fff"})
    expected = {**DEFAULTS, "id": "whitelabel", "domain": domain.lower(), "brandColor": "#fff"}
    assert (created.status, created.data) == (201, expected)
    again = await tenant.api.put("/whitelabel", {})
    assert again.error()[:3] == (409, "409", "datastore_conflict")
    replaced = await tenant.api.post("/whitelabel", {"domain": domain, "company_name": "Acme"})
    assert replaced.data == {**DEFAULTS, "id": "whitelabel", "domain": domain.lower(), "company_name": "Acme"}
    deleted = await tenant.api.delete("/whitelabel")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert (await tenant.api.get("/whitelabel")).error() == missing


async def test_a_domain_belongs_to_one_account(tenant: Tenant, stranger: Tenant, anonymous: Api) -> None:
    domain = f"{tenant.id[:8]}.example.com"
    await tenant.api.put("/whitelabel", {"domain": domain})
    refused = await stranger.api.put("/whitelabel", {"domain": domain.upper()})
    assert refused.error()[3] == {
        "domain": {"unique": {"message": "White label domain is already in use", "cause": domain}}
    }
    found = await anonymous.get(f"/whitelabel/{domain.upper()}")
    assert (found.status, found.data["domain"]) == (200, domain)
    await tenant.api.delete("/whitelabel")
    gone = await anonymous.get(f"/whitelabel/{domain}")
    assert gone.error() == (404, "404", "bad_identifier", {"cause": domain, "message": "bad identifier"})
    assert (await stranger.api.put("/whitelabel", {"domain": domain})).status == 201


async def test_everybody_sees_the_looks(tenant: Tenant, anonymous: Api) -> None:
    domain = f"{tenant.id[:8]}.example.com"
    assert (await tenant.api.post("/whitelabel/logo", body=PNG, content_type="image/png")).status == 404
    await tenant.api.put("/whitelabel", {"domain": domain})
    places = (
        f"/accounts/{tenant.id}/whitelabel",
        f"/whitelabel/{domain}",
        f"/accounts/{tenant.id}/whitelabel/{domain}",
    )
    for place in places:
        assert (await anonymous.get(f"{place}/logo")).status == 404

    saved = await tenant.api.post("/whitelabel/logo", body=PNG, content_type="image/png", query={"filename": "l.png"})
    assert (saved.status, saved.data) == (200, {**DEFAULTS, "id": "whitelabel", "domain": domain})
    for place in places:
        logo = await anonymous.get(f"{place}/logo")
        assert (logo.status, logo.raw, logo.headers["Content-Type"]) == (200, PNG, "image/png")
        assert logo.headers["Content-Disposition"] == 'attachment; filename="logo-l.png"'
    assert (await anonymous.get(f"/accounts/{tenant.id}/whitelabel/any.where")).data["domain"] == domain

    page = b"<h1>Welcome</h1>"
    await tenant.api.post("/whitelabel/welcome", body=page, content_type="text/html")
    welcome = await anonymous.get(f"/whitelabel/{domain}/welcome", headers={"Accept": "text/html"})
    assert (welcome.raw, welcome.headers["Content-Type"]) == (page, "text/html")


async def test_an_upload_replaces_the_one_before(server: RunningServer, tenant: Tenant, anonymous: Api) -> None:
    await tenant.api.put("/whitelabel", {})
    uri = b"data:image/x-icon;base64," + base64.b64encode(b"first")
    first = await tenant.api.post("/whitelabel/icon", body=uri, content_type="application/x-base64")
    assert first.status == 200
    icon = await anonymous.get(f"/accounts/{tenant.id}/whitelabel/icon")
    assert (icon.raw, icon.headers["Content-Type"]) == (b"first", "image/x-icon")
    plain = base64.b64encode(b"second")
    await tenant.api.post(
        "/whitelabel/icon", body=plain, content_type="application/base64", query={"filename": "second"}
    )
    icon = await anonymous.get(f"/accounts/{tenant.id}/whitelabel/icon")
    assert (icon.raw, icon.headers["Content-Type"]) == (b"second", "application/octet-stream")
    document = await server.runtime.store.get(tenant.id, "whitelabel", "whitelabel")
    assert document is not None
    assert [kept.name for kept in await server.runtime.attachments.all(document)] == ["icon-second.bin"]


@pytest.mark.parametrize(
    ("path", "body", "content_type", "expected"),
    [
        ("logo", b"{}", "text/plain", 415),
        ("logo", b"<p>", "text/html", 415),
        ("welcome", PNG, "image/png", 415),
        ("logo", b"data:text/html;base64," + base64.b64encode(b"<p>"), "application/x-base64", 415),
        (
            "logo",
            b'{"data":{}}',
            "application/json",
            {"file": {"required": {"message": "Please provide an image file"}}},
        ),
        (
            "welcome",
            b'{"data":{}}',
            "application/json",
            {"file": {"required": {"message": "Please provide an html file"}}},
        ),
        ("logo", b"!!", "application/x-base64", {"file": {"encoding": {"message": "failed to decode base64 data"}}}),
    ],
)
async def test_what_is_no_picture(tenant: Tenant, path: str, body: bytes, content_type: str, expected: Any) -> None:
    await tenant.api.put("/whitelabel", {})
    refused = await tenant.api.post(f"/whitelabel/{path}", body=body, content_type=content_type)
    assert (refused.status if isinstance(expected, int) else refused.error()[3]) == expected


async def test_the_entries_a_domain_needs(server: RunningServer, tenant: Tenant, anonymous: Api) -> None:
    path = f"/accounts/{tenant.id}/whitelabel/domains"
    message = "No domain found to use. Supply one on the request or create one via the whitelabel API"
    assert (await anonymous.get(path)).error()[3] == {"domain": {"required": {"message": message}}}
    told = await anonymous.get("/whitelabel/domains", query={"domain": "acme.test"})
    assert list(told.data) == ["A", "CNAME", "MX", "NAPTR", "SRV", "TXT"]
    assert told.data["CNAME"]["portal.acme.test"] == {"name": "Web portal", "mapping": ["sip.acme.test"]}

    template = {"CNAME": {"ui.{{domain}}": {"name": "UI", "mapping": ["{{domain}}"]}}}
    assert (await tenant.root.post("/whitelabel/domains", template)).status == 403
    saved = await server.master.root.post("/whitelabel/domains", template)
    assert (saved.status, saved.data) == (200, template)
    wrong = await server.master.root.post("/whitelabel/domains", {"CNAME": {"ui.{{domain}}": {"name": "UI"}}})
    assert (wrong.status, wrong.envelope["message"]) == (400, "validation error")
    await tenant.api.put("/whitelabel", {"domain": f"{tenant.id[:8]}.test"})
    own = await anonymous.get(path)
    assert own.data == {"CNAME": {f"ui.{tenant.id[:8]}.test": {"name": "UI", "mapping": [f"{tenant.id[:8]}.test"]}}}
    await server.master.root.delete("/system_configs/whitelabel")


class NameServer(asyncio.DatagramProtocol):
    """Knows one alias and one text, and nothing else."""

    KNOWN = {
        ("portal.acme.test.", "CNAME"): "elsewhere.test.",
        ("acme.test.", "TXT"): '"v=spf1 mx -all"',
    }

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        query = dns.message.from_wire(data)
        response = dns.message.make_response(query)
        question = query.question[0]
        record = dns.rdatatype.to_text(question.rdtype)
        if value := self.KNOWN.get((question.name.to_text(), record)):
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", record, value))
        self.transport.sendto(response.to_wire(), address)


async def test_what_name_servers_say(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(NameServer, ("127.0.0.1", 0))

    def resolver() -> Resolver:
        own = Resolver(configure=False)
        own.nameservers, own.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
        return own

    monkeypatch.setattr(dns_check, "new_resolver", resolver)
    checked = await tenant.api.post("/whitelabel/domains", {}, query={"domain": "acme.test"})
    transport.close()
    assert checked.status == 200
    assert checked.data["CNAME"]["portal.acme.test"] == {
        "name": "Web portal",
        "expected": ["sip.acme.test"],
        "actual": ["elsewhere.test"],
    }
    assert checked.data["TXT"]["acme.test"]["actual"] == ["v=spf1 mx -all"]
    assert checked.data["A"]["sip.acme.test"]["actual"] == []
