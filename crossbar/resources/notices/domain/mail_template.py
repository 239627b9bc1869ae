# SPDX-License-Identifier: MPL-2.0
"""The mail templates that an installation has from the start: what they are called, when they go to whom, and what
they may tell.

Source: KAZOO `applications/teletype/src/templates/*.erl`, `teletype.hrl`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

TEXT: Final = "text/plain"
HTML: Final = "text/html"

_BRACES: Final = re.compile(r"([\w.\[\]]*)\{([^{}]*)\}([\w.\[\]]*)")

ACCOUNT: Final = "account.{name,realm,id,language,timezone,parent_id,parent_name,parent_realm}"
SYSTEM: Final = "system.{hostname,encoded_hostname,node,encoded_node}"
COMMON: Final = f"{ACCOUNT} {SYSTEM}"
USER: Final = "user.{first_name,last_name,email,timezone,username}"
CALL: Final = (
    "caller_id.{number,name,name_number} callee_id.{number,name,name_number} date_called.{utc,local} from.{user,realm}"
    " to.{user,realm} call_id"
)
PORT: Final = (
    "port_request.{id,name,numbers,port_state,service_provider,customer_contact,bill_name,bill_address,street_address"
    ",bill_locality,bill_region,bill_postal_code} port_request.comment.content"
    " port_request.comment.date.{utc,local,timezone} port_request.port_scheduled_date.{utc,local,timezone}"
    " port_request.requested_port_date.{utc,local,timezone} port_request.transition_reason.content"
    " port_request.transition_reason.date.{utc,local,timezone}"
    " port_request.transition_reason.user.{first_name,last_name,email,timezone,username}"
)
TRANSACTION: Final = (
    "transaction.{amount,success,response,id,add_ons,discounts,card_last_four,tax_amount,purchase_order,currency_code}"
    " transaction.date.{local,utc,timezone}"
    " transaction.address.{first_name,last_name,company,street_address,extended_address,locality,region,postal_code"
    ",country_name,phone,email}"
)
FAX: Final = (
    "fax.{id,doc_id,media,total_pages,document_type,document_size,success,ecm_used,result_text,result_code"
    ",transferred_pages,bad_rows,transfer_rate,encoding,box_id,box_name,timestamp,remote_station_id,info}"
)
FAX_ERROR: Final = "error.{call_info,fax_info}"
_ITEM: Final = "category,discounts,item,quantity,rate,total"
_EMERGENCY: Final = (
    "call.{outbound_caller_id_name,outbound_caller_id_number,emergency_caller_id_name,emergency_caller_id_number"
    ",call_id}"
)
_PARTY: Final = "{id,name,realm,language,timezone}"
_VOICEMAIL: Final = f"voicemail.{{vmbox_id,msg_id,transcription,length,file_name,file_type,file_size}} {CALL} {USER}"


@dataclass(frozen=True, slots=True)
class Template:
    """A template as shipped; `to` says who receives it, `macros` what it may tell."""

    friendly_name: str
    category: str
    to: str
    subject: str
    macros: str

    @property
    def document(self) -> dict[str, Any]:
        """Its public fields, without the sender, which the installation decides."""
        nobody = {"type": "specified", "email_addresses": []}
        return {
            "enabled": True,
            "category": self.category,
            "friendly_name": self.friendly_name,
            "subject": self.subject,
            "to": {"type": self.to, "email_addresses": []},
            "cc": nobody,
            "bcc": nobody,
            "template_charset": "utf-8",
        }

    @property
    def keys(self) -> list[str]:
        """The macros it may use."""
        return [key for word in self.macros.split() for key in _expanded(word)]


def macros(keys: list[str]) -> dict[str, dict[str, str]]:
    """Macro → how interfaces show it."""
    return {
        key: {
            "i18n_label": key.replace(".", "_"),
            "friendly_name": key.rpartition(".")[2].replace("_", " ").capitalize(),
            "description": f"{key.replace('.', ' ').replace('_', ' ').capitalize()}",
        }
        for key in keys
    }


def _expanded(word: str) -> list[str]:
    match = _BRACES.fullmatch(word)
    return [word] if match is None else [f"{match[1]}{part}{match[3]}" for part in match[2].split(",")]


def _port(name: str, subject: str, more: str = "") -> Template:
    return Template(name, "port_request", "original", subject, f"{PORT} {more} {COMMON}")


TEMPLATES: Final[dict[str, Template]] = {
    "account_zone_change": Template(
        "Account Zone Change",
        "account",
        "admins",
        "Account '{{account.name}}' zone have changed",
        f"zones {COMMON}",
    ),
    "bill_reminder": Template(
        "Payment Reminder",
        "account",
        "admins",
        "The next bill of {{account.name}}",
        "invoice.{method,card_type,last_four,total,total_discounts} invoice.due_date.{local,timezone,utc,timestamp}"
        f" invoice.items.[item_name].{{{_ITEM}}} reseller.{_PARTY} timestamp.{{utc,local,timezone,timestamp}} {COMMON}",
    ),
    "cnam_request": Template(
        "CNAM Request",
        "account",
        "admins",
        "Caller name update request for {{request.number}}",
        f"request.{{number,number_state,local_number,acquired_for}} cnam.display_name {USER} {COMMON}",
    ),
    "customer_update": Template(
        "Customer update", "user", "original", "News for {{user.first_name}}", f"{USER} {COMMON}"
    ),
    "denied_emergency_bridge": Template(
        "Denied Emergency Bridge", "account", "admins", "An emergency call was refused", f"{_EMERGENCY} {COMMON}"
    ),
    "deregister": Template(
        "Deregister Notice",
        "registration",
        "admins",
        "Loss of Registration for '{{last_registration.username}}'",
        "last_registration.{username,status,user_agent,call_id,profile_name,presence_hosts,from_user,from_host,to_user"
        f",to_host,rpid,network_ip,network_port,contact,expires,authorizing_id}} {COMMON}",
    ),
    "emergency_bridge": Template(
        "Emergency Bridge",
        "account",
        "admins",
        "An emergency call was made",
        f"{_EMERGENCY} call.{{device_name,emergency_address_street_1,emergency_address_street_2,emergency_address_city"
        ",emergency_address_region,emergency_address_postal_code,emergency_notification_contact_emails"
        ",emergency_test_call,emergency_to_did,owner_id,user_email,user_first_name,user_last_name} "
        f"{COMMON}",
    ),
    "fax_inbound_error_to_email": Template(
        "Inbound Fax Negotiation Error to Email",
        "fax",
        "specified",
        "A fax from {{caller_id.name_number}} could not be received",
        f"{FAX_ERROR} {FAX} {CALL} {USER} {COMMON}",
    ),
    "fax_inbound_error_to_email_filtered": Template(
        "Inbound Fax Receive Error to Email",
        "fax",
        "original",
        "A fax from {{caller_id.name_number}} was received in part",
        f"{FAX_ERROR} {FAX} {CALL} {USER} {COMMON}",
    ),
    "fax_inbound_to_email": Template(
        "Inbound Fax to Email",
        "fax",
        "original",
        "New fax from {{caller_id.name_number}}",
        f"{FAX} {CALL} {USER} {COMMON}",
    ),
    "fax_outbound_error_to_email": Template(
        "Outbound Fax Error to Email",
        "fax",
        "original",
        "The fax to {{callee_id.name_number}} could not be sent",
        f"{FAX_ERROR} {FAX} {CALL} {USER} {COMMON}",
    ),
    "fax_outbound_smtp_error_to_email": Template(
        "Unable Processing Email-To-Fax", "fax", "original", "The mail could not be sent as a fax", ""
    ),
    "fax_outbound_to_email": Template(
        "Outbound Fax to Email",
        "fax",
        "original",
        "The fax to {{callee_id.name_number}} was sent",
        f"{FAX} {CALL} {USER} {COMMON}",
    ),
    "first_occurrence": Template(
        "First Occurrence", "sip", "admins", "First {{event}} of {{account.name}}", f"event {USER} {COMMON}"
    ),
    "low_balance": Template(
        "Low Balance",
        "account",
        "admins",
        "The balance of {{account.name}} is low",
        f"current_balance threshold {COMMON}",
    ),
    "missed_call": Template(
        "Missed Call",
        "sip",
        "original",
        "Missed call from {{caller_id.name_number}}",
        f"missed_call.reason {CALL} {USER} {COMMON}",
    ),
    "new_account": Template(
        "New Account",
        "account",
        "admins",
        "The account {{account.name}} was created",
        f"admin.{{first_name,last_name,email,timezone}} {COMMON}",
    ),
    "new_user": Template(
        "New User",
        "user",
        "original",
        "Welcome to {{account.name}}, {{user.first_name}}",
        f"user.password {USER} {COMMON}",
    ),
    "number_feature_manual_action": Template(
        "Number Feature Manual Action Required",
        "account",
        "original",
        "A feature of {{request.number}} has to be set up by hand",
        f"request.number feature.{{action,name,provider}} {USER} {COMMON}",
    ),
    "password_recovery": Template(
        "Password Recovery", "user", "original", "Reset your VoIP services user password", f"link {USER} {COMMON}"
    ),
    "port_cancel": _port("Port Cancel", "Port request {{port_request.name}} was canceled"),
    "port_comment": _port("Port Comment", "New comment on port request {{port_request.name}}", USER),
    "port_pending": _port("Port Pending", "Port request {{port_request.name}} is on its way"),
    "port_rejected": _port("Port Rejected", "Port request {{port_request.name}} was rejected"),
    "port_request": _port("Port Request", "Port request {{port_request.name}} was submitted"),
    "port_request_admin": Template(
        "Admin Port Request",
        "system",
        "original",
        "{{account.name}} submitted port request {{port_request.name}}",
        f"{PORT} {COMMON}",
    ),
    "port_scheduled": _port("Port Scheduled", "Port request {{port_request.name}} has a date"),
    "port_unconfirmed": _port("Port Unconfirmed", "Port request {{port_request.name}} waits to be submitted"),
    "ported": _port("Port Successful", "The numbers of port request {{port_request.name}} are in service"),
    "service_added": Template(
        "Service Change Invoice",
        "account",
        "admins",
        "The services of {{affected.name}} changed",
        f"affected.{_PARTY} cascade.{_PARTY} reseller.{_PARTY} authentication.{{type,account_id,account_name}}"
        f" invoice.{{total,total_discounts}} invoice.items.[item_name].{{{_ITEM}}}"
        f" invoice.items.[item_name].changes.{{type,quantity}} timestamp.{{utc,local}} {USER} {SYSTEM}",
    ),
    "system_alert": Template("System Notifications", "system", "specified", "System alert", f"message {USER} {COMMON}"),
    "topup": Template(
        "Top Up",
        "account",
        "original",
        "Credit was added to {{account.name}}",
        f"balance {TRANSACTION} {USER} {COMMON}",
    ),
    "transaction": Template(
        "Transaction Success",
        "account",
        "admins",
        "A payment of {{account.name}}",
        f"plan.{{id,category,item,activation_charge}} {TRANSACTION} {USER} {COMMON}",
    ),
    "transaction_failed": Template(
        "Transaction Problem",
        "account",
        "admins",
        "A payment of {{account.name}} failed",
        f"plan.{{id,category,item,activation_charge}} {TRANSACTION} {USER} {COMMON}",
    ),
    "voicemail_deleted": Template(
        "Deleted Voicemail To Email",
        "voicemail",
        "original",
        "Voicemail from {{caller_id.name_number}} was deleted",
        f"voicemail.reason {_VOICEMAIL} {COMMON}",
    ),
    "voicemail_full": Template(
        "Full Voicemail Box",
        "voicemail",
        "original",
        "Voicemail box {{voicemail.name}} is full",
        f"voicemail.{{id,name,mailbox,max_messages,message_count}} {USER} {COMMON}",
    ),
    "voicemail_to_email": Template(
        "Voicemail To Email",
        "voicemail",
        "original",
        "New voicemail from {{caller_id.name_number}}",
        f"{_VOICEMAIL} {COMMON}",
    ),
    "webhook_disabled": Template(
        "Webhook Auto-Disabled",
        "webhook",
        "admins",
        "Webhook {{hook.name}} was turned off",
        f"hook.{{id,name,uri,event,disable_reason}} {COMMON}",
    ),
}
