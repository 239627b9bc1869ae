# SPDX-License-Identifier: MPL-2.0
"""The texts of the mail templates as shipped, until an installation or an account writes its own.

Each begins with the subject and says what happened; most go on with everything that is known of it. Lines of a text
are paragraphs of the page.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from crossbar.resources.notices.domain.mail_template import TEMPLATES, TEXT

WHOLE: Final[dict[str, str]] = {
    "customer_update": "Hello {{user.first_name}},",
    "fax_outbound_smtp_error_to_email": "The mail could not be turned into a fax.\n\n"
    "{% for error in errors %}{{error}}\n{% endfor %}",
    "new_account": "The account {{account.name}} was created"
    "{% if account.parent_name %} below {{account.parent_name}}{% endif %}.\n\n"
    "Name:  {{account.name}}\nRealm: {{account.realm}}\nId:    {{account.id}}",
    "new_user": "Hello {{user.first_name}},\n\n"
    "you are now a user of {{account.name}}.\n\n"
    "{% if user.username %}Your user name: {{user.username}}\n{% endif %}Account name: {{account.name}}\n\n"
    "{% if user.username %}Whoever made this user for you will tell you the password; with this address you can also"
    " ask for a new one.{% endif %}",
    "password_recovery": "Hello {{user.first_name}},\n\n"
    "somebody, probably you, asked for a way back into your account {{account.name}} (user name {{user.username}}).\n\n"
    "Open this link to set a new password. It leads to {{site}}, works once, and for two days:\n\n"
    "{{link}}\n\n"
    "If it was not you, or you do not know {{site}}, leave the link alone: nothing has changed.",
    "skel": "",
    "system_alert": "{{message}}",
    "voicemail_full": "The voicemail box {{voicemail.name}} ({{voicemail.mailbox}}) has {{voicemail.message_count}}"
    " messages, which is all that it takes. Delete some, so that callers can leave new ones.",
    "voicemail_to_email": "{{caller_id.name_number}} left a message ({{voicemail.length}}) on"
    " {{date_called.local}}.\n\n"
    "{% if voicemail.transcription %}{{voicemail.transcription}}\n\n{% endif %}"
    "{% if voicemail.file_name %}It is attached: {{voicemail.file_name}}{% endif %}",
    "missed_call": "{{caller_id.name_number}} called {{callee_id.name_number}} on {{date_called.local}}, and nobody"
    " answered.{% if missed_call.reason %}\n\nReason: {{missed_call.reason}}{% endif %}",
}
"""Letters that say all there is to say."""
LEAD: Final[dict[str, str]] = {
    "account_zone_change": "The zones of account {{account.name}} were changed.",
    "bill_reminder": "The next bill of {{account.name}} is about to be due.",
    "cnam_request": "{{account.name}} wants {{cnam.display_name}} to be shown as the caller's name of"
    " {{request.number}}.",
    "denied_emergency_bridge": "An emergency call of {{account.name}} was refused.",
    "deregister": "The device {{last_registration.username}} is not registered any more.",
    "emergency_bridge": "An emergency call of {{account.name}} was made.",
    "fax_inbound_error_to_email": "A fax from {{caller_id.name_number}} could not be received.",
    "fax_inbound_error_to_email_filtered": "A fax from {{caller_id.name_number}} was not received whole.",
    "fax_inbound_to_email": "A fax from {{caller_id.name_number}} was received; it is attached.",
    "fax_outbound_error_to_email": "The fax to {{callee_id.name_number}} could not be sent.",
    "fax_outbound_to_email": "The fax to {{callee_id.name_number}} was sent; it is attached.",
    "first_occurrence": "{{account.name}} made its first {{event}}.",
    "low_balance": "The balance of {{account.name}} is {{current_balance}}, below its threshold of {{threshold}}.",
    "number_feature_manual_action": "The feature {{feature.name}} of {{request.number}} has to be set up by hand.",
    "port_cancel": "The port request {{port_request.name}} was canceled.",
    "port_comment": "There is a new comment on the port request {{port_request.name}}:\n\n"
    "{{port_request.comment.content}}",
    "port_pending": "The port request {{port_request.name}} is with the carrier.",
    "port_rejected": "The port request {{port_request.name}} was rejected.",
    "port_request": "The port request {{port_request.name}} was submitted.",
    "port_request_admin": "{{account.name}} submitted the port request {{port_request.name}}.",
    "port_scheduled": "The numbers of the port request {{port_request.name}} will be moved on"
    " {{port_request.port_scheduled_date.local}}.",
    "port_unconfirmed": "The port request {{port_request.name}} was not submitted yet.",
    "ported": "The numbers of the port request {{port_request.name}} are in service.",
    "service_added": "The services of {{affected.name}} were changed.",
    "topup": "Credit was added to {{account.name}}; the balance is {{balance}}.",
    "transaction": "A payment of {{account.name}} was made.",
    "transaction_failed": "A payment of {{account.name}} failed.",
    "voicemail_deleted": "The message that {{caller_id.name_number}} left on {{date_called.local}} was deleted.",
    "webhook_disabled": "The webhook {{hook.name}} failed too often and was turned off.",
}
"""How letters begin that go on with everything that is known."""
ITEMS: Final = {
    "service_added": "{% for item in invoice.items %}\n{{item.category}} {{item.item}}: {{item.quantity}}"
    "{% if item.changes.quantity %} ({{item.changes.quantity}}){% endif %}{% endfor %}",
    "bill_reminder": "{% for item in invoice.items %}\n{{item.category}} {{item.item}}: {{item.quantity}} x"
    " {{item.rate}} = {{item.total}}{% endfor %}",
}
"""Lists that some tell of."""

_LINK: Final = "{{link}}"


@cache
def shipped_body(template_id: str, content_type: str) -> bytes:
    """A body of a template as shipped."""
    template = TEMPLATES[template_id]
    known = [key for key in template.keys if "[" not in key]
    if (whole := WHOLE.get(template_id)) is not None:
        lead, known = whole, []
    else:
        lead = LEAD[template_id] + ITEMS.get(template_id, "")
    if content_type == TEXT:
        lines = "".join(f"{{% if {key} %}}{key}: {{{{{key}}}}}\n{{% endif %}}" for key in known)
        return "\n".join([template.subject, "", lead, "", lines]).encode()
    paragraphs = "".join(f"<p>{_markup(part)}</p>" for part in lead.split("\n\n"))
    rows = "".join(f"{{% if {key} %}}<tr><th>{key}</th><td>{{{{{key}}}}}</td></tr>{{% endif %}}" for key in known)
    table = f"<table>{rows}</table>" if rows else ""
    return f"<html><body><h1>{template.subject}</h1>{paragraphs}{table}</body></html>".encode()


def _markup(paragraph: str) -> str:
    """A paragraph of a text as HTML."""
    if paragraph.strip() == _LINK:
        return f'<a href="{_LINK}">{_LINK}</a>'
    return paragraph.strip("\n").replace("\n", "<br>")
