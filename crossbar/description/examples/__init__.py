# SPDX-License-Identifier: MPL-2.0
"""Examples of requests, where schemas say too little, keyed by verb and path."""

from __future__ import annotations

from typing import Final

from crossbar.description.example import Example
from crossbar.description.examples import calls, lower, upper
from crossbar.description.examples.words import ACCOUNT, NUMBER, UNIQUE

BEGIN: Final = {
    "PUT /v2/accounts": Example({"name": f"postman-{UNIQUE}"}, query={"send_email_on_creation": "false"}),
}
EXAMPLES: Final[dict[str, Example]] = {**BEGIN, **upper.EXAMPLES, **calls.EXAMPLES, **lower.EXAMPLES}
EARLIER: Final = Example({"action": "restore"}, refused="it takes the revision of an earlier version of the document")
"""For all that is done with an earlier version, which only the document's history tells of."""
UNKNOWN: Final = (
    *("apps_store_app_id", "system_apps_store_app_id", "attempt_id", "audit_id", "debug_id", "error_id", "link_id"),
    *("system_link_id", "selector_id", "system_selector_id", "smtplog_attempt_id", "smtplog_entry_id", "socket_id"),
)
"""What a new account has none of."""
ARGUMENTS: Final[dict[str, str]] = {
    "agents_user_id": "{{user_id}}",
    "status_user_id": "{{user_id}}",
    "document_id": "{{user_id}}",
    "collection": "users",
    "token": "{{auth_token}}",
    "system_token": "{{auth_token}}",
    "call_inspector_call_id": "example",
    "channels_call_id": "example",
    "leg_id": "{{cdr_id}}",
    "classifiers_number": "+14155550100",
    "fix_number": "{{phone_numbers_number}}",
    "number_number": "+442079460000",
    "quickcall_number": "1001",
    "screenshot_number": "0",
    "system_screenshot_number": "0",
    "configs_category": "webhooks",
    "system_configs_category": "example",
    "system_system_configs_category": "doodle",
    "system_notification_id": "voicemail_to_email",
    "sms_message_id": "f" * 32,
    "mms_message_id": "f" * 32,
    "node": "default",
    "system_node": "default",
    "domain": "{{whitelabel_domain}}",
    "system_domain": "{{whitelabel_domain}}",
    "extension": "1001",
    "first": "1",
    "second": "2",
    "third": "3",
    "module": "kz_nodes",
    "function": "status",
    "handler_id": "example",
    "ip": "{{system_ip}}",
    "kind": "cdrs",
    "language": "en-us",
    "system_language": "en-us",
    "prompt_id": "agent-enter_callback",
    "system_prompt_id": "agent-enter_callback",
    "migration_id": "notify_to_teletype",
    "month": "202603",
    "participant_id": "1",
    "resource_resource_id": "{{resource_id}}",
    "system_resource_resource_id": "{{system_resource_id}}",
    "schema_id": "devices",
    "system_schema_id": "devices",
    "selector_name": "example",
    "system_selector_name": "example",
    "services_plan_id": "{{service_plans_plan_id}}",
    "available_plan_id": "{{service_plans_plan_id}}",
    "source": "users",
    "source_service": "per-minute-voip",
    "username": "example",
    "attachment_id": "bill.pdf",
    "comment_id": "0",
    "address_id": "example",
    "card_id": "example",
    "payment_id": "example",
    **dict.fromkeys(UNKNOWN, "f" * 32),
    **dict.fromkeys(("history_revision", "system_history_revision", "versions_revision"), f"1-{'f' * 32}"),
}
"""Variable → what is said in its place, where no request makes it."""
MAKERS: Final[dict[str, tuple[str, str, Example]]] = {
    "api_key": (f"GET {ACCOUNT}/api_key", "api_key", Example()),
    "key_id": ("GET /v2/auth/keys", "0", Example()),
    "provider_id": ("POST /v2/auth/providers/{provider_id}", "id", upper.PROVIDER),
    "app_id": ("POST /v2/auth/apps/{app_id}", "id", upper.SSO_APP),
    "other_ip": ("PUT /v2/ips", "_read_only.id", upper.EXAMPLES["PUT /v2/ips"]),
    "child_account_id": (f"PUT {ACCOUNT}", "id", lower.EXAMPLES[f"PUT {ACCOUNT}"]),
    "phone_numbers_number": (f"PUT {ACCOUNT}/phone_numbers/{{number}}", "id", Example(
        {}, arguments={"number": NUMBER})),
    "other_port_request_id": (f"PUT {ACCOUNT}/port_requests", "id", upper.PORT),
    "sample_id": (f"GET {ACCOUNT}/webhooks/samples", "0", Example()),
    "system_sample_id": ("GET /v2/webhooks/samples", "0", Example()),
    "cdr_id": ("POST /v2/ingest/{kind}", "id", lower.CDR),
    "recording_id": ("POST /v2/ingest/recordings", "id", lower.EXAMPLES["POST /v2/ingest/recordings"]),
    "inbox_fax_id": ("POST /v2/ingest/faxes", "id", Example(lower.FAX)),
    "incoming_fax_id": ("POST /v2/ingest/faxes", "id", Example(lower.FAX)),
    "outbox_fax_id": ("POST /v2/ingest/faxes", "id", Example({**lower.FAX, "folder": "outbox"})),
    "system_ip": ("PUT /v2/ips", "_read_only.id", upper.EXAMPLES["PUT /v2/ips"]),
    "whitelabel_domain": (f"PUT {ACCOUNT}/whitelabel", "domain", Example({"domain": f"{UNIQUE}.example.com"})),
    "transaction_id": (f"PUT {ACCOUNT}/transactions/credit", "id", Example({"amount": 5})),
    "ledger_id": (f"PUT {ACCOUNT}/ledgers/credit", "id", Example(upper.LEDGER)),
    "message_id": (f"PUT {ACCOUNT}/vmboxes/{{vmbox_id}}/messages", "id", Example({"caller_id_name": "Ann"})),
    "task_id": (f"PUT {ACCOUNT}/tasks", "_read_only.id", lower.EXAMPLES[f"PUT {ACCOUNT}/tasks"]),
    "system_task_id": ("PUT /v2/tasks", "_read_only.id", lower.EXAMPLES["PUT /v2/tasks"]),
}  # fmt: skip
"""Variable → the request that makes what it stands for, where it is no document's own collection."""
