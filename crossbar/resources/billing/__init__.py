# SPDX-License-Identifier: MPL-2.0
"""What an account has of paid things, and what it pays."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.billing.allotments import allotments
from crossbar.resources.billing.braintree import braintree
from crossbar.resources.billing.domain.bookkeeper import TRANSACTION_SHAPE
from crossbar.resources.billing.domain.call_charges import debit_calls
from crossbar.resources.billing.domain.charge_quote import check, has_services
from crossbar.resources.billing.domain.ledger import LEDGER_SHAPE
from crossbar.resources.billing.domain.ledger_sum import BALANCE_SHAPE, MONTH_SHAPE
from crossbar.resources.billing.domain.service_audit import AUDIT_SHAPE
from crossbar.resources.billing.ledgers import ledgers
from crossbar.resources.billing.limits import limits
from crossbar.resources.billing.service_plans import service_plans
from crossbar.resources.billing.services import services
from crossbar.resources.billing.transactions import transactions
from crossbar.resources.numbers.domain.charge_check import asked_of, charges_where
from crossbar.resources.records.domain.cdr import also_noted
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    allotments,
    braintree,
    ledgers,
    limits,
    service_plans,
    services,
    transactions,
)
SHAPES: Final[tuple[Shape, ...]] = (AUDIT_SHAPE, BALANCE_SHAPE, LEDGER_SHAPE, MONTH_SHAPE, TRANSACTION_SHAPE)
LIFESPANS: Final[tuple[Lifespan, ...]] = ()

asked_of(check)
charges_where(has_services)
also_noted(debit_calls)
