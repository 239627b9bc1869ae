# SPDX-License-Identifier: MPL-2.0
"""When numbers are to move: a time, or a date and a clock in some time zone.

Source: KAZOO `cb_port_requests:maybe_set_scheduled_date_from_schedule_on`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crossbar import clock
from crossbar.documents.document import as_object
from crossbar.errors import Invalid

FORM: Final = "%Y-%m-%d %H:%M"
NOT_LISTED: Final = "Value not found in enumerated list of values"


def scheduled(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with the `scheduled_date` (Gregorian seconds) that their `schedule_on` stands for.

    What has no form of a date is left to the schema. Raises 400 for a day or a time zone that does not exist.
    """
    wanted = as_object(fields.get("schedule_on"))
    zone, text = wanted.get("timezone"), wanted.get("date_time")
    if not (isinstance(zone, str) and isinstance(text, str)):
        return fields
    try:
        moment = datetime.strptime(text, FORM).replace(tzinfo=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, OSError):  # a part of a name, as `America`, is a folder
        raise Invalid.field("schedule_on.timezone", "enum", NOT_LISTED, value=zone) from None
    except ValueError:
        # Either is malformed: a zone's name may be refused before it is looked for.
        field, value = ("timezone", zone) if _is_date(text) else ("date_time", text)
        raise Invalid.field(f"schedule_on.{field}", "invalid", "No such date", value=value) from None
    return {**fields, "scheduled_date": clock.gregorian(moment.timestamp())}


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, FORM)
    except ValueError:
        return False
    return True
