"""Phone numbers inside documents, in E.164 form.

Source: `knm_converters:normalize`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import phonenumbers

from crossbar.errors import JSON

DEFAULT_REGION = "US"
_SHORTEST = 7


@lru_cache(maxsize=10_000)
def normalize(number: str, region: str = DEFAULT_REGION) -> str:
    """E.164 form of `number` as it would be dialled in `region`; what is no phone number comes back unchanged."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return number
    if len(str(parsed.national_number)) < _SHORTEST:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def normalize_at(data: dict[str, Any], path: str) -> None:
    """Normalise in place the number at a dotted path of `data`, if there is one."""
    *steps, last = path.split(".")
    holder: JSON = data
    for step in steps:
        holder = holder.get(step) if isinstance(holder, dict) else None
    if isinstance(holder, dict) and isinstance(number := holder.get(last), str):
        holder[last] = normalize(number)
