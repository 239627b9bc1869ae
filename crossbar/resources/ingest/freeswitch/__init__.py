# SPDX-License-Identifier: MPL-2.0
"""CDRs of FreeSWITCH, as its `mod_json_cdr` posts them: raw JSON, or a form field `cdr` with it as text or base64.

The variables that KAZOO sets on its channels (`ecallmgr_…`) become channel variables of the CDR. A switch without
KAZOO is understood, too: its realms name the account, and the legs of a bridged call share an interaction.

Source: `mod_json_cdr.c` (`process_cdr`), `switch_ivr_generate_json_cdr`; `ecallmgr_call_events.erl` for the names.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.errors import Invalid
from crossbar.resources.ingest.domain.freeswitch_realms import REALMS
from crossbar.resources.ingest.ingest import PostedAccounts
from crossbar.resources.records.domain.cdr import cdr_of, insert_once, keep_cdrs, kept_fields
from crossbar.resources.records.domain.cdr_row import CCV, whole
from crossbar.wire.decoding import BodyLimits, decode_json, invalid_json

BASE64_FORM: Final = "application/x-www-form-base64-encoded"
"""What the module calls a body `cdr=<base64>`."""

KAZOO_PREFIX: Final = "ecallmgr_"
CALL_ROOT_SHAPE: Final = Shape("call_root", summary=Summary("id"), sort="pvt_created", stored_in="records")
"""Which interaction the legs of a FreeSWITCH call belong to, by the id of the leg that began it."""

_ENCODED_AWAY: Final = frozenset(' "#%&+:;<=>?@[\\]^`{|}') - {"%"}
"""Characters that no value contains when the module's `encode-values` is on."""
_FIELDS: Final = {
    "caller_id_name": ("caller_id_name", "effective_caller_id_name"),
    "caller_id_number": ("caller_id_number", "effective_caller_id_number"),
    "callee_id_name": ("callee_id_name", "effective_callee_id_name"),
    "callee_id_number": ("callee_id_number", "effective_callee_id_number", "destination_number"),
    "digits_dialed": ("digits_dialed",),
    "disposition": ("endpoint_disposition",),
    "from": ("sip_from_uri",),
    "from_uri": ("sip_from_uri",),
    "from_tag": ("sip_from_tag",),
    "to": ("sip_to_uri",),
    "to_uri": ("sip_to_uri",),
    "to_tag": ("sip_to_tag",),
    "request": ("sip_req_uri",),
    "user_agent": ("sip_user_agent",),
    "hangup_cause": ("hangup_cause",),
    "hangup_code": ("proto_specific_hangup_cause",),
    "channel_name": ("channel_name",),
    "local_sdp": ("rtp_local_sdp_str",),
    "remote_sdp": ("switch_r_sdp",),
    "presence_id": ("presence_id",),
    "other_leg_call_id": ("bridge_uuid", "signal_bond", "originator"),
    "fax_result_code": ("fax_result_code",),
    "fax_result_text": ("fax_result_text",),
    "fax_success": ("fax_success",),
    "fax_total_pages": ("fax_document_total_pages",),
    "fax_transferred_pages": ("fax_document_transferred_pages",),
}
"""Field of the CDR → the variables, or entries of the caller's profile, that it is taken from."""

freeswitch = Endpoint("freeswitch", who=Who.INGEST, version="hooks")


@freeswitch.post("/freeswitch/cdr", accepts=(BASE64_FORM,))
async def cdr(context: Context) -> Reply:
    """Keep the CDR of one leg."""
    report = Report.read(context)
    account_id = await _account_of(context, report)
    data = context.valid("ingest.cdr", report.fields())
    if not report.kazoo_variables.get("call_interaction_id"):
        data["interaction_id"] = await _interaction_of(context.store, account_id, report)
    document = cdr_of(account_id, data)
    (fresh,) = await keep_cdrs(context.store, [document])
    return Reply({"id": document.id, "account_id": account_id, "new": fresh})


class Report:
    """What FreeSWITCH says of one leg."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        variables = _object(document.get("variables"))
        self.variables = _decoded({name: value for name, value in variables.items() if isinstance(value, str)})
        flows = document.get("callflow")
        # A leg that was transferred has several, the last one first; older releases repeat the key instead.
        self._flows = [_object(flow) for flow in (flows if isinstance(flows, list) else [flows])]
        self._profile = _object(self._flows[0].get("caller_profile")) if self._flows else {}
        self._channel = _object(document.get("channel_data"))
        self._switch = document.get("switchname")

    @classmethod
    def read(cls, context: Context) -> Report:
        """The report in a request's body, in any of the forms in which the module sends it. Raises 400."""
        if isinstance(context.data, list):
            raise invalid_json("All JSON must be valid")
        if context.files:
            return cls(_json_of(context, context.files[0].contents.partition(b"cdr=")[2]))
        if isinstance(text := context.envelope.get("cdr"), str):
            return cls(_json_of(context, text.encode()))
        return cls(context.envelope)

    @property
    def uuid(self) -> str:
        """The id of the leg."""
        return self.variables.get("uuid") or str(self._profile.get("uuid") or "")

    @property
    def root(self) -> str:
        """The id of the leg that began the call."""
        return self.variables.get("call_uuid") or self.variables.get("originator") or self.uuid

    @property
    def kazoo_variables(self) -> dict[str, str]:
        """The channel variables that KAZOO set."""
        return {
            name.removeprefix(KAZOO_PREFIX).replace("-", "_").lower(): value
            for name, value in self.variables.items()
            if name.startswith(KAZOO_PREFIX)
        }

    @property
    def realms(self) -> Iterator[str]:
        """What may be the realm of the account."""
        return filter(None, (self.variables.get(name) for name in REALMS))

    @property
    def created(self) -> int:
        """When the leg began, in microseconds since the Unix epoch; 0 if it is not said."""
        times = [whole(_object(flow.get("times")).get("created_time")) for flow in self._flows]
        told = [time for time in times if time > 0]
        return min(told, default=whole(self.variables.get("start_uepoch")))

    def fields(self) -> dict[str, Any]:
        """The CDR as KAZOO words it."""
        fields: dict[str, Any] = {
            "call_id": self.uuid,
            "call_direction": self.variables.get("direction") or self._channel.get("direction"),
            "timestamp": clock.gregorian(whole(self.variables.get("end_epoch")) or int(clock.unix_now())),
            "duration_seconds": whole(self.variables.get("duration")),
            "billing_seconds": whole(self.variables.get("billsec")),
            "ringing_seconds": whole(self.variables.get("progresssec")),
            "channel_created_time": self.created,
            "media_server": self._switch,
            CCV: self.kazoo_variables,
            **{field: self._first(sources) for field, sources in _FIELDS.items()},
        }
        return {name: value for name, value in fields.items() if value not in (None, "")}

    def _first(self, sources: tuple[str, ...]) -> Any:
        found = (self._profile.get(source) or self.variables.get(source) for source in sources)
        return next(filter(None, found), None)


async def _account_of(context: Context, report: Report) -> str:
    """The account: named by KAZOO's variable, else by a realm, else that of the caller's token."""
    accounts = PostedAccounts(context)
    if account_id := report.kazoo_variables.get("account_id"):
        return await accounts.of({"account_id": account_id})
    for realm in report.realms:
        if await accounts.of_realm(realm):
            return await accounts.of({"account_realm": realm})
    return await accounts.of({})


async def _interaction_of(store: Store, account_id: str, report: Report) -> str:
    """The interaction of a call without KAZOO: the leg told of first, whichever that is, decides its name."""
    begun = clock.gregorian(report.created / 1_000_000 if report.created else clock.unix_now())
    digest = hashlib.md5(report.root.encode(), usedforsecurity=False).hexdigest()
    root = Document(account_id, CALL_ROOT_SHAPE.type, report.root, kept_fields(account_id, CALL_ROOT_SHAPE.type, begun))
    root.fields["interaction_id"] = f"{begun}-{digest[:8]}"
    if not await insert_once(store, root):
        root = await store.get(account_id, CALL_ROOT_SHAPE.type, report.root) or root
    return str(root.fields["interaction_id"])


def _json_of(context: Context, text: bytes) -> Mapping[str, Any]:
    """The JSON object that is a text, or a text in base64."""
    options = context.config.limits
    limits = BodyLimits(options.max_upload_size, options.max_json_depth, options.max_json_values)
    if not text.lstrip().startswith(b"{"):
        try:
            # In a form the plus signs of base64 arrive as blanks.
            text = text.replace(b" ", b"+").rstrip(b"=")
            text = binascii.a2b_base64(text + b"=" * (-len(text) % 4))
        except binascii.Error:
            raise Invalid.field("cdr", "encoding", "failed to decode base64 data") from None
    return _object(decode_json(text, limits))


def _decoded(variables: dict[str, str]) -> dict[str, str]:
    """Variables without the percent encoding that the module gives each value, unless told not to."""
    if any(not _ENCODED_AWAY.isdisjoint(value) for value in variables.values()):
        return variables
    return {name: unquote_to_bytes(value).decode(errors="replace") for name, value in variables.items()}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
