# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/transactions`, `/accounts/{A}/services/topup` and `/accounts/{A}/braintree`."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar import clock
from crossbar.documents.document import Document
from tests.harness import ABSENT, RunningServer, Tenant, new_person

FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})
NO_PROCESSOR = (500, "500", "authentication", {"authentication": "Failed to authenticate with the card processor"})


async def keep_books_elsewhere(server: RunningServer, tenant: Tenant, vendor_id: str) -> dict[str, Any]:
    """Give the account a bookkeeper that this server does not reach."""
    bookkeeper = {"id": "keeper", "type": "braintree", "vendor_id": vendor_id}
    await server.runtime.store.insert(Document(tenant.id, "services", "services", {"bookkeeper": bookkeeper}))
    return bookkeeper


@pytest.mark.parametrize(("kind", "text"), [("sale", "more than"), ("refund", "greater than")])
async def test_nobody_charges(kind: str, text: str, tenant: Tenant, master: Tenant) -> None:
    path = f"/accounts/{tenant.id}/transactions/{kind}"
    assert (await tenant.api.put(f"/transactions/{kind}", {"amount": 5})).error() == FORBIDDEN
    for body in ({}, {"amount": "5"}, {"amount": True}):
        assert (await master.root.put(path, body)).data == {"amount": {"required": {"message": "Amount is required"}}}
    for amount in (0, -1, 0.9):
        refused = await master.root.put(path, {"amount": amount})
        assert refused.invalid() == {"amount": {"minimum": {"message": f"Amount must be {text} 0"}}}
    assert (await master.root.put(path, {"amount": 5})).error() == (
        500,
        "500",
        "invalid_bookkeeper",
        {"message": "invalid_bookkeeper"},
    )
    assert (await tenant.api.get("/transactions")).data == []


async def test_a_bookkeeper_that_does_not_answer(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    bookkeeper = await keep_books_elsewhere(server, tenant, master.id)
    path = f"/accounts/{tenant.id}/transactions"
    before = clock.now()
    sold = await master.root.put(
        f"{path}/sale", {"amount": 5.9, "description": "x", "order_id": "7", "metadata": {"a": 1}}
    )
    failed = {"status": "failed", "reason": "timeout", "message": "The bookkeeper did not answer"}
    assert (sold.status, sold.data) == (
        201,
        {
            "id": sold.id,
            "account": {"id": tenant.id, "name": tenant.realm[:-5]},
            "amount": 5.0,
            "type": "sale",
            "status": "failed",
            "description": "x",
            "order_id": "7",
            "metadata": {"a": 1},
            "executor": {"trigger": "crossbar", "module": "cb_transactions"},
            "bookkeeper": {**bookkeeper, **failed},
        },
    )
    refunded = await master.root.put(f"{path}/refund", {"amount": 2})
    assert (refunded.data["amount"], refunded.data["type"]) == (-2.0, "refund")
    listed = await tenant.api.get("/transactions", query={"paginate": "false", "reason": "no_calls"})
    rows = {row["id"]: row for row in listed.data}
    created = rows[sold.id]["created"]
    assert before <= created <= clock.now()
    shown = {key: sold.data[key] for key in sold.data if key not in ("account", "order_id")}
    assert rows[sold.id] == {**shown, "created": created}
    assert set(rows) == {sold.id, refunded.id}
    read = await tenant.api.get(f"/transactions/{sold.id}")
    assert (read.status, read.data) == (200, sold.data)
    for wrong in ("x", "202601-0"):
        missing = {"message": "bad identifier", "cause": wrong}
        assert (await tenant.api.get(f"/transactions/{wrong}")).error() == (404, "404", "bad_identifier", missing)
    assert (await tenant.api.get("/ledgers/total")).data == {"amount": 0.0}
    assert (await tenant.api.post("/services/topup", {"amount": 5})).error() == (
        402,
        "402",
        "no_payment_token",
        {"message": "no payment method available"},
    )


async def test_only_the_vendor_charges(server: RunningServer, tenant: Tenant, stranger: Tenant) -> None:
    await keep_books_elsewhere(server, tenant, stranger.id)
    assert (await tenant.api.put("/transactions/sale", {"amount": 1})).error() == FORBIDDEN
    # The vendor is not above the account; only its rule lets it in.
    assert (await stranger.root.put(f"/accounts/{tenant.id}/transactions/sale", {"amount": 1})).status == 201


async def test_what_older_clients_ask(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    path = f"/accounts/{tenant.id}/transactions"
    credited = await master.root.put(f"{path}/credit", {"amount": 7.25, "description": "Gift", "credit_type": "free"})
    assert (credited.status, {**credited.data, "id": ABSENT, "created": ABSENT}) == (
        201,
        {
            "id": ABSENT,
            "amount": 7.25,
            "type": "credit",
            "reason": "manual_addition",
            "created": ABSENT,
            "description": "Gift",
            "metadata": {},
            "version": 2,
        },
    )
    debited = await master.root.delete(f"{path}/debit", {"amount": 0.5, "reason": "admin_discretion"})
    assert (debited.status, debited.data["amount"], debited.data["type"]) == (200, 0.5, "debit")
    for verb, last in (("PUT", "credit"), ("DELETE", "debit")):
        assert (await tenant.api.request(verb, f"/transactions/{last}", {"amount": 1})).error() == FORBIDDEN
        assert (await master.root.request(verb, f"{path}/{last}", {})).status == 400
    assert (await tenant.api.get("/transactions/current_balance")).data == {"balance": 6.75}
    for last in ("monthly_recurring", "subscriptions"):
        assert (await tenant.api.get(f"/transactions/{last}")).data == []
    entry = (await tenant.api.get(f"/ledgers/payments/{credited.id}")).data
    assert (entry["amount"], entry["executor"]["module"]) == (7.25, "cb_transactions")


async def test_topup(server: RunningServer, tenant: Tenant) -> None:
    topped = await tenant.api.post("/services/topup", {"amount": 12.5})
    assert (topped.status, set(topped.data)) == (200, {"ledger"})
    entry = topped.data["ledger"]
    assert (entry["amount"], entry["source"]["service"], entry["description"]) == (12.5, "payments", "Manual top-up")
    assert entry["usage"] == {"type": "credit", "quantity": 0, "unit": "dollars"}
    assert (await tenant.api.get(f"/ledgers/payments/{entry['id']}")).data == entry
    assert (await tenant.api.get("/ledgers/total")).data == {"amount": 12.5}
    for body in ({}, {"amount": 0}, {"amount": -3}, {"amount": "5"}, {"amount": 0.00001}):
        refused = await tenant.api.post("/services/topup", body)
        assert refused.invalid() == {"amount": {"required": {"message": "Field is required but missing"}}}
    plain = await new_person(server, tenant)
    assert (await plain.api.post("/services/topup", {"amount": 1})).error() == FORBIDDEN


async def test_no_card_processor(tenant: Tenant) -> None:
    api = tenant.api
    assert (await api.get("/braintree/customer")).data == {"id": tenant.id, "credit_cards": [], "addresses": []}
    for kind in ("cards", "addresses", "transactions"):
        listed = await api.get(f"/braintree/{kind}")
        assert (listed.status, listed.data) == (200, [])
        missing = {"message": "bad identifier", "cause": "users"}
        assert (await api.get(f"/braintree/{kind}/users")).error() == (404, "404", "bad_identifier", missing)
    for verb, path in (
        ("GET", "client_token"),
        ("POST", "customer"),
        ("PUT", "cards"),
        ("POST", "cards/x"),
        ("DELETE", "cards/x"),
        ("PUT", "addresses"),
        ("POST", "addresses/x"),
        ("DELETE", "addresses/x"),
        ("PUT", "credits"),
    ):
        assert (await api.request(verb, f"/braintree/{path}", {})).error() == NO_PROCESSOR
