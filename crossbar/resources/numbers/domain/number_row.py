# SPDX-License-Identifier: MPL-2.0
"""A number as a row of a sheet, and what a row says of a number.

Source: KAZOO `kt_numbers.erl` (`list_number`, `public_fields`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from crossbar.documents.document import Document, value_at
from crossbar.documents.schemas.patterns import matches as fits
from crossbar.errors import JSON
from crossbar.resources.numbers.domain.carriers import known
from crossbar.resources.numbers.domain.number import MODULE, PORTED_IN, PREVIOUSLY, owner_of, state_of
from crossbar.resources.numbers.domain.number_features import ADMIN

E164: Final = "e164"
ACCOUNT_ID: Final = "account_id"
FIELDS: Final[Mapping[str, str]] = {
    "cnam.inbound": "cnam.inbound_lookup",
    "cnam.outbound": "cnam.display_name",
    "e911.locality": "e911.locality",
    "e911.name": "e911.caller_name",
    "e911.region": "e911.region",
    "e911.street_address": "e911.street_address",
    "e911.extended_address": "e911.extended_address",
    "e911.postal_code": "e911.postal_code",
    "prepend.enabled": "prepend.enabled",
    "prepend.name": "prepend.name",
    "prepend.number": "prepend.number",
    "ringback.early": "ringback.early",
    "ringback.transfer": "ringback.transfer",
    "force_outbound": "force_outbound",
    "failover.e164": "failover.e164",
    "failover.sip": "failover.sip",
}
"""Column → public field of the number."""
SWITCHES: Final = frozenset({"cnam.inbound", "prepend.enabled", "force_outbound"})
"""Columns that say `true` or `false`, always."""
COLUMNS: Final = (
    E164,
    "account_name",
    ACCOUNT_ID,
    "previously_assigned_to",
    "state",
    "created",
    "modified",
    "used_by",
    "ported_in",
    "carrier_module",
    *FIELDS,
)
OPAQUE: Final = "opaque."
"""What the columns of further public fields begin with."""


def _is_switch(cell: str) -> bool:
    return cell in ("true", "false")


CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    E164: lambda cell: cell.startswith("+"),
    ACCOUNT_ID: lambda cell: fits(r"^[0-9a-f]{32}$", cell),
    "carrier_module": lambda cell: known(cell) is not None,
    ADMIN: lambda cell: known(cell) is not None,
    "ported_in": _is_switch,
    **dict.fromkeys(SWITCHES, _is_switch),
}
"""Column → whether a cell will do."""


def row_of(number: Document, *, account_name: str | None, used_by: str | None) -> dict[str, JSON]:
    """The row of a number."""
    public = {column: value_at(number.fields, path) for column, path in FIELDS.items()}
    return {
        E164: number.id,
        "account_name": account_name,
        ACCOUNT_ID: owner_of(number),
        "previously_assigned_to": number.text(PREVIOUSLY) or None,
        "state": str(state_of(number)),
        "created": number.fields.get("pvt_created"),
        "modified": number.fields.get("pvt_modified"),
        "used_by": used_by,
        "ported_in": number.fields.get(PORTED_IN) is True,
        "carrier_module": number.text(MODULE) or None,
        **public,
        **{column: public[column] is True for column in SWITCHES},
    }


def public_fields_of(row: Mapping[str, str]) -> dict[str, JSON]:
    """The public fields that the cells of a row with something in them stand for."""
    fields: dict[str, JSON] = {}
    for column, cell in row.items():
        path = FIELDS.get(column) or (column.removeprefix(OPAQUE).strip() if column.startswith(OPAQUE) else "")
        if cell and path:
            _put(fields, path, cell == "true" if column in SWITCHES else cell)
    if carrier := row.get(ADMIN):
        fields[ADMIN] = carrier
    return fields


def _put(fields: dict[str, Any], path: str, value: JSON) -> None:
    """Lay a value at a dotted path; an object goes before text that another column has put there."""
    *steps, last = path.split(".")
    for step in steps:
        if not isinstance(fields.get(step), dict):
            fields[step] = {}
        fields = fields[step]
    fields[last] = value
