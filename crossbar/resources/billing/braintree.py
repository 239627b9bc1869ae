# SPDX-License-Identifier: MPL-2.0
"""Braintree: the means of payment that a card processor keeps. This server is connected to none.

What there is of an account is nothing, and what would change it is refused as KAZOO refuses it without keys.

Source: KAZOO `cb_braintree`.
"""

from __future__ import annotations

from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import NotFound, Plain

CARDS = "/accounts/{account_id}/braintree/cards"
ADDRESSES = "/accounts/{account_id}/braintree/addresses"
TRANSACTIONS = "/accounts/{account_id}/braintree/transactions"
CUSTOMER = "/accounts/{account_id}/braintree/customer"

braintree = Endpoint("braintree", takes_all_words=True)


@braintree.get(CUSTOMER)
async def customer(context: Context) -> Reply:
    """The account as a customer of the processor, whom it does not know."""
    return Reply({"id": context.account_id, "credit_cards": [], "addresses": []})


@braintree.get(CARDS)
@braintree.get(ADDRESSES)
@braintree.get(TRANSACTIONS)
async def nothing(_: Context) -> Reply:
    """What the processor has of the account."""
    return Reply([])


@braintree.get(f"{CARDS}/{{card_id}}")
@braintree.get(f"{ADDRESSES}/{{address_id}}")
@braintree.get(f"{TRANSACTIONS}/{{payment_id}}")
async def missing(context: Context) -> Reply:
    """One thing that the processor has of the account: there is none."""
    raise NotFound(next(value for name, value in context.path.items() if name != "account_id"))


@braintree.get("/accounts/{account_id}/braintree/client_token", refuses=(500,))
@braintree.post(CUSTOMER, refuses=(500,))
@braintree.put(CARDS, refuses=(500,))
@braintree.post(f"{CARDS}/{{card_id}}", refuses=(500,))
@braintree.delete(f"{CARDS}/{{card_id}}", refuses=(500,))
@braintree.put(ADDRESSES, refuses=(500,))
@braintree.post(f"{ADDRESSES}/{{address_id}}", refuses=(500,))
@braintree.delete(f"{ADDRESSES}/{{address_id}}", refuses=(500,))
@braintree.put("/accounts/{account_id}/braintree/credits", refuses=(500,))
async def without_processor(_: Context) -> Reply:
    """What only a processor can do."""
    raise Plain(500, "authentication", {"authentication": "Failed to authenticate with the card processor"})
