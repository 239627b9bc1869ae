# SPDX-License-Identifier: MPL-2.0
"""What is told of faxes: that one was received or sent, or that this failed.

Source: KAZOO `fax_worker.erl` (`notify_emails`), `fax_request.erl` (`notify_success`, `notify_failure`).
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import Document, as_object
from crossbar.events.notices import notice

INBOUND: Final = "inbound_fax"
OUTBOUND: Final = "outbound_fax"
ERROR: Final = "_error"
NOT_SHOWN: Final = frozenset({"success", "error_message", "result_code"})


def fax_notice(fax: Document, job_id: str | None = None) -> Document:
    """The notice of a fax that is done: its `tx_result` or `rx_result`, if it has one, says whether it failed."""
    inbound = fax.at("folder") == "inbox"
    result = as_object(fax.at("rx_result" if inbound else "tx_result"))
    failed = bool(result) and result.get("success") is not True
    caller = {"number": fax.at("from_number"), "name": fax.at("from_name")}
    callee = {"number": fax.at("to_number"), "name": fax.at("to_name")}
    payload: dict[str, Any] = {
        "fax_id": fax.id,
        "fax_jobid": job_id,
        "faxbox_id": fax.at("faxbox_id"),
        "owner_id": fax.at("owner_id"),
        "call_id": fax.at("call_id"),
        **{f"caller_id_{key}": value for key, value in caller.items()},
        **{f"callee_id_{key}": value for key, value in callee.items()},
        "fax_info": {key: value for key, value in result.items() if key not in NOT_SHOWN} or None,
        "fax_notifications": fax.at("notifications"),
        "fax_timestamp": fax.at("pvt_created"),
        "fax_timezone": fax.at("fax_timezone"),
    }
    if failed:
        payload["fax_error"] = result.get("error_message") or "unknown error"
        payload["fax_result_code"] = result.get("result_code")
    event = (INBOUND if inbound else OUTBOUND) + (ERROR if failed else "")
    return notice(event, fax.partition, {key: value for key, value in payload.items() if value is not None})
