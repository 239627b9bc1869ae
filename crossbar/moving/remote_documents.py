# SPDX-License-Identifier: MPL-2.0
"""What an API shows of a document, as it is to be kept: private fields that follow from public ones, nothing computed.

Source: the `show` hooks of this server's endpoints, and KAZOO's modules of the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from crossbar import clock
from crossbar.dialing import ASSIGNED_TO, NUMBER, NUMBERS
from crossbar.documents.document import ACCOUNTS, TREE, Document, as_object, public_fields
from crossbar.documents.document_types import ACCOUNT, CALLFLOW, DIRECTORY, FAXBOX, LIMITS, QUEUE
from crossbar.errors import JSON
from crossbar.moving.private_fields import MODIFIED
from crossbar.moving.secrets import API_KEY, OPENED
from crossbar.resources.calls.fax.domain import fax
from crossbar.resources.calls.fax.faxboxes import ADDRESS
from crossbar.resources.calls.voicemail.domain import voicemail_message
from crossbar.resources.notices.domain.webhook_hook import WEBHOOK_SHAPE
from crossbar.resources.numbers.domain import number, port_request
from crossbar.resources.records.domain.cdr import CDR_SHAPE, cdr_of

Fields = dict[str, Any]
CREATED: Final = "pvt_created"
MESSAGES: Final = ("sms", "mms")
NOT_AS_EXPECTED: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What making a document of something raises that has another form than Crossbar's APIs show."""
UNREADABLE: Final = "it is shown in a form that is not understood"
COMPUTED: Final[Mapping[str, tuple[str, ...]]] = {
    CALLFLOW: ("metadata",),
    DIRECTORY: ("users",),
    LIMITS: ("allow_postpay", "max_postpay_amount"),
    QUEUE: ("agents",),
    WEBHOOK_SHAPE.type: ("disable_reason", "signed"),
}
"""Fields of answers that are worked out when they are asked for, by type."""
FROM_ROW: Final[Mapping[str, tuple[str, ...]]] = {
    FAXBOX: ("smtp_email_address",),
    fax.TYPE: ("created", "status"),
    **dict.fromkeys(MESSAGES, ("key",)),
}
"""Fields that lists alone tell, by type."""
ACCOUNT_FIELDS: Final[Mapping[str, str]] = {
    "enabled": "pvt_enabled",
    "created": CREATED,
    "superduper_admin": "pvt_superduper_admin",
    "wnm_allow_additions": "pvt_wnm_allow_additions",
    "is_reseller": "pvt_reseller",
}
"""Public field of an account's answer → the private field that it shows."""
ACCOUNT_COMPUTED: Final = (
    "api_key",
    "billing_mode",
    "descendants_count",
    "knm_allow_additions",
    "notification_preference",
    "reseller_id",
    "trial_time_left",
)
PORT_COMPUTED: Final = ("created", "updated", "port_state", "sent", "uploads", "account_id", "account_name")


def document_of(account_id: str, document_type: str, shown: Fields) -> Document:
    """A document of an account as `shown` by the API, its id among the fields."""
    shape = SHAPED.get(document_type)
    if shape is not None:
        return shape(account_id, shown)
    fields = public_fields(shown)
    for name in COMPUTED.get(document_type, ()):
        fields.pop(name, None)
    return Document(account_id, document_type, str(fields.pop("id")), fields)


def is_whole(document_type: str, row: JSON, shown: JSON) -> bool:
    """Whether a row of a list says of a document what its own answer says."""
    ignored = {*COMPUTED.get(document_type, ()), *FROM_ROW.get(document_type, ())}

    def compared(value: JSON) -> Fields:
        return {key: item for key, item in public_fields(as_object(value)).items() if key not in ignored}

    return compared(row) == compared(shown)


def account_of(shown: Fields, tree: list[str], api_key: str | None) -> Document:
    """An account's definition."""
    fields = public_fields(shown)
    account_id = str(fields.pop("id"))
    for name in ACCOUNT_COMPUTED:
        fields.pop(name, None)
    private = {kept: fields.pop(name) for name, kept in ACCOUNT_FIELDS.items() if fields.get(name) is not None}
    fields |= private | {TREE: tree}
    if (left := shown.get("trial_time_left")) is not None:
        fields["pvt_trial_expires"] = clock.now() + int(left)
    if api_key:
        fields[API_KEY] = OPENED + api_key
    return Document(ACCOUNTS, ACCOUNT, account_id, fields)


def number_of(account_id: str, e164: str, shown: Fields, kind: str) -> Document:
    """A phone number of an account; `kind` is its classifier as it is kept here."""
    about, fields = as_object(shown.get("_read_only")), public_fields(shown)
    state = fields.pop("state", None) or about.get("state") or "in_service"
    names = fields.pop("features", None) or []
    for name in ("id", "used_by"):
        fields.pop(name, None)
    told = as_object(about.get("features")).get("settings")
    features = told if isinstance(told, dict) else {name: as_object(fields.get(name)) for name in names}
    carrier = about.get("carrier_module") or about.get("carrier") or number.LOCAL
    fields |= {
        number.STATE: str(state),
        number.MODULE: number.module(str(carrier)),
        number.FEATURES: features,
        ASSIGNED_TO: account_id,
    }
    if kind:
        fields[number.KIND] = kind
    for told, kept in (("created", CREATED), ("modified", MODIFIED)):
        if about.get(told):
            fields[kept] = about[told]
    return Document(NUMBERS, NUMBER, e164, fields)


def port_request_of(account_id: str, shown: Fields) -> Document:
    """A port request of an account."""
    about, fields = as_object(shown.get("_read_only")), public_fields(shown)
    told = {name: fields.pop(name, None) for name in PORT_COMPUTED}
    private = {
        port_request.OWNER: account_id,
        port_request.PORT_STATE: told["port_state"],
        port_request.OWNER_NAME: about.get("account_name") or told["account_name"],
        port_request.AUTHORITY: about.get("port_authority"),
        port_request.AUTHORITY_NAME: about.get("port_authority_name"),
        port_request.PORTED: about.get("ported_numbers"),
        port_request.SENT: told["sent"] or None,
        CREATED: told["created"],
        MODIFIED: told["updated"],
    }
    fields |= {name: value for name, value in private.items() if value is not None}
    return Document(port_request.DATABASE, port_request.TYPE, str(fields.pop("id")), fields)


def _faxbox(account_id: str, shown: Fields) -> Document:
    fields = public_fields(shown)
    address = fields.pop("smtp_email_address", None)
    return Document(account_id, FAXBOX, str(fields.pop("id")), {**fields, **({ADDRESS: address} if address else {})})


def _message(account_id: str, shown: Fields) -> Document:
    """A voicemail message: some versions answer its metadata alone."""
    fields = public_fields(shown)
    whole = isinstance(fields.get("metadata"), dict)
    metadata = fields["metadata"] if whole else {key: fields[key] for key in fields if key not in ("id", "source_id")}
    about = {key: value for key, value in fields.items() if key not in ("id", "metadata")} if whole else {}
    if metadata.get("retention"):  # what it says of the folder is for show, and so are these
        metadata = {key: value for key, value in metadata.items() if key not in ("retention", "retention_message")}
    timestamp = metadata.get("timestamp")
    fields = {
        "description": "voicemail message with media",
        "source_type": "voicemail",
        "media_source": "recording",
        "streamable": True,
        **({"utc_seconds": timestamp} if timestamp else {}),
        "source_id": shown.get("source_id"),
        **about,
        "metadata": metadata,
    }
    if timestamp:
        fields[CREATED] = timestamp
    return Document(account_id, voicemail_message.TYPE, str(metadata.get("media_id") or shown.get("id")), fields)


def _fax(account_id: str, shown: Fields) -> Document:
    fields = public_fields(shown)
    created, status = fields.pop("created", None), fields.pop("status", None)
    fields.pop("to", None)
    fields.pop("from", None)
    fields[fax.STATUS] = str(status or "completed")
    if created:
        fields[CREATED] = created
    return Document(account_id, fax.TYPE, str(fields.pop("id")), fields)


def _recording(account_id: str, shown: Fields) -> Document:
    fields = public_fields(shown)
    if start := fields.get("start"):
        fields[CREATED] = start
    return Document(account_id, "call_recording", str(fields.pop("id")), fields)


def _cdr(account_id: str, shown: Fields) -> Document:
    cdr = cdr_of(account_id, shown)
    del cdr.fields[MODIFIED]  # which is now
    return cdr


def _text_message(document_type: str) -> Callable[[str, Fields], Document]:
    def shaped(account_id: str, shown: Fields) -> Document:
        fields = public_fields(shown)
        key = fields.pop("key", None)
        if isinstance(key, list) and key and isinstance(key[0], int):
            fields[CREATED] = key[0]
        return Document(account_id, document_type, str(fields.pop("id")), fields)

    return shaped


SHAPED: Final[Mapping[str, Callable[[str, Fields], Document]]] = {
    FAXBOX: _faxbox,
    voicemail_message.TYPE: _message,
    fax.TYPE: _fax,
    "call_recording": _recording,
    CDR_SHAPE.type: _cdr,
    **{document_type: _text_message(document_type) for document_type in MESSAGES},
}
"""Types of which an API shows something else than what is kept."""
