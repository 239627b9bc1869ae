# SPDX-License-Identifier: MPL-2.0
"""Phone numbers for tests, and what the server says of them."""

from __future__ import annotations

from itertools import count
from typing import Any

from crossbar.documents.document import ACCOUNTS
from tests.harness import ABSENT, Answer, RunningServer, Tenant

_next = count(2_000_000)
NOT_FOUND = (404, "404", "bad_identifier", {"message": "bad identifier", "not_found": "The number could not be found"})


def fresh() -> str:
    """A number that no other test knows."""
    return f"+1415{next(_next)}"


def refusal(code: int, error: str, message: str, cause: Any = ABSENT) -> tuple[int, str, str, Any]:
    data = {"code": code, "error": error, "message": message}
    return code, str(code), error, data if cause is ABSENT else {**data, "cause": cause}


FORBIDDEN = refusal(403, "forbidden", "requestor is unauthorized to perform operation")


async def add(master: Tenant, account: Tenant, number: str, **data: Any) -> Answer:
    """Create a number for an account, as the superduper admin."""
    created = await master.root.put(f"/accounts/{account.id}/phone_numbers/{number}", data)
    assert created.status == 201, created.envelope
    return created


async def allow_additions(server: RunningServer, account: Tenant) -> None:
    """Let an account add numbers, which only the installation's owner can."""

    def change(document: Any) -> None:
        document.fields["pvt_wnm_allow_additions"] = True

    assert await server.runtime.store.update(ACCOUNTS, "account", account.id, change)


async def stock(master: Tenant, *numbers: str) -> None:
    """Fill the inventory."""
    body = {"numbers": list(numbers), "carrier_name": "inventory", "create_with_state": "available"}
    assert (await master.api.put("/phone_numbers/collection", body)).status == 201


async def own(master: Tenant, account: Tenant, count: int) -> list[str]:
    """Numbers of an account."""
    numbers = [fresh() for _ in range(count)]
    for number in numbers:
        await add(master, account, number)
    return numbers
