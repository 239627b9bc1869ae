# SPDX-License-Identifier: MPL-2.0
"""Examples of the wings `system`, `identity`, `records`, `tasks` and `ingest`."""

from __future__ import annotations

from typing import Final

from crossbar.description.example import Example
from crossbar.description.examples.words import ACCOUNT, NO_SUCH, NUMBER, PICTURE, UNIQUE

PERSON: Final = Example(
    {"first_name": "Ann", "last_name": "User", "username": UNIQUE, "password": UNIQUE},
    query={"send_email_on_creation": "false"},
)
OWN: Final = {"account_id": "{{own_account_id}}"}
LOOKS: Final = Example({"domain": f"{UNIQUE}.example.com"}, keeps={"whitelabel_domain": "domain"})
FAX: Final = {
    "account_id": "{{account_id}}",
    "call_id": UNIQUE,
    "from_number": NUMBER,
    "to_number": NUMBER,
    "faxbox_id": "{{faxbox_id}}",
    "owner_id": "{{user_id}}",
}
PHONE: Final = Example({"name": "Desk phone"})
STORING: Final = Example({"attachments": {}, "plan": {}})
CDR: Final = Example(
    {"account_id": "{{account_id}}", "call_id": UNIQUE, "call_direction": "inbound", "duration_seconds": 5},
    arguments={"kind": "cdrs"},
)
COMMENT: Final = {"comments": [{"author": "Ann", "content": "Hello", "timestamp": 63_900_000_000}]}
CONFIG: Final[dict[str, dict[str, str]]] = {"default": {}}

EXAMPLES: Final[dict[str, Example]] = {
    # system
    f"PUT {ACCOUNT}/skels": Example({"name": "Example"}),
    f"PUT {ACCOUNT}/schemas/{{schema_id}}/validation": Example({"name": "Desk phone"}),
    "PUT /v2/schemas/{schema_id}/validation": Example({"name": "Desk phone"}),
    f"GET {ACCOUNT}/search": Example(query={"t": "user", "q": "name", "v": "ann"}),
    "GET /v2/search": Example(query={"t": "account", "q": "name", "v": "a"}),
    f"GET {ACCOUNT}/search/multi": Example(query={"t": "account", "by_name": "a"}),
    "GET /v2/search/multi": Example(query={"t": "account", "by_name": "a"}),
    f"PUT {ACCOUNT}/storage": STORING,
    f"POST {ACCOUNT}/storage": STORING,
    f"PATCH {ACCOUNT}/storage": Example({}),
    **{f"{verb} {ACCOUNT}/storage/plans": Example(STORING.data if verb == "PUT" else Example().data, arguments=OWN)
       for verb in ("PUT", "GET")},
    f"GET {ACCOUNT}/storage/plans/{{plan_id}}/history": Example(arguments=OWN),
    **{f"{verb} {ACCOUNT}/storage/plans/{{plan_id}}": Example(
        STORING.data if verb in ("POST", "PATCH") else Example().data, arguments=OWN)
       for verb in ("GET", "POST", "PATCH", "DELETE")},
    f"PUT {ACCOUNT}/users/{{user_id}}/storage": STORING,
    f"POST {ACCOUNT}/users/{{user_id}}/storage": STORING,
    f"PATCH {ACCOUNT}/users/{{user_id}}/storage": Example({}),
    "PUT /v2/storage": STORING,
    "POST /v2/storage": STORING,
    "PATCH /v2/storage": Example({}),
    "PUT /v2/storage/plans": STORING,
    **{f"{verb} {ACCOUNT}/system_configs{path}": Example(CONFIG if verb in ("PUT", "POST", "PATCH") else Example().data,
                                                         refused="settings are the installation's")
       for verb, path in (("GET", ""), *((verb, "/{category}") for verb in ("GET", "PUT", "POST", "PATCH", "DELETE")),
                          *((verb, "/{category}/{node}") for verb in ("GET", "POST", "PATCH", "DELETE")))},
    **{f"{verb} /v2/system_configs/{{category}}/{{node}}": Example({}) for verb in ("POST", "PATCH")},
    "GET /v2/whitelabel/domains": Example(query={"domain": "example.com"}),
    **{f"GET /v2/whitelabel/{{domain}}/{file}": Example(refused="nobody has uploaded one")
       for file in ("icon", "logo", "welcome")},
    **{f"{verb} /v2/system_configs/{{category}}": Example(CONFIG) for verb in ("PUT", "POST", "PATCH")},
    **{f"{verb} {ACCOUNT}/configs/{{category}}": Example({"attempt_failure_count": 7})
       for verb in ("PUT", "POST", "PATCH")},
    f"POST {ACCOUNT}/migrations/{{migration_id}}": Example({"perform_migration": "now"}),
    f"PUT {ACCOUNT}/whitelabel": LOOKS,
    f"POST {ACCOUNT}/whitelabel": LOOKS,
    f"DELETE {ACCOUNT}/whitelabel": Example(forgets=("whitelabel_domain",)),
    f"POST {ACCOUNT}/whitelabel/domains": Example({"domain": f"{UNIQUE}.example.com"}),
    f"POST {ACCOUNT}/whitelabel/icon": Example(file=PICTURE),
    f"POST {ACCOUNT}/whitelabel/logo": Example(file=PICTURE),
    f"POST {ACCOUNT}/whitelabel/welcome": Example(file=("text/html", "<p>Welcome</p>")),
    # identity
    f"PUT {ACCOUNT}": Example({"name": UNIQUE}, query={"send_email_on_creation": "false"},
                              keeps={"child_account_id": "id"}),
    f"POST {ACCOUNT}": Example({"name": UNIQUE, "realm": f"{UNIQUE}.example.com"}),
    f"PATCH {ACCOUNT}": Example({"timezone": "Europe/Berlin"}),
    f"POST {ACCOUNT}/move": Example(
        {"to": "{{own_account_id}}"}, arguments={"account_id": "{{child_account_id}}"}
    ),
    f"PUT {ACCOUNT}/users": PERSON,
    f"PATCH {ACCOUNT}/users/{{user_id}}": Example({"timezone": "Europe/Berlin"}),
    f"POST {ACCOUNT}/users/{{user_id}}/photo": Example(file=PICTURE),
    f"PUT {ACCOUNT}/devices": PHONE,
    f"PUT {ACCOUNT}/users/{{user_id}}/devices": PHONE,
    f"PUT {ACCOUNT}/devices/{{device_id}}": Example(
        {"data": {"event": "check-sync"}}, query={"action": "notify"}),
    f"PUT {ACCOUNT}/groups": Example({"name": "Everybody", "endpoints": {"{{user_id}}": {"type": "user"}}}),
    **{f"PUT {ACCOUNT}{path}/comments": Example(COMMENT)
       for path in ("", "/port_requests/{port_request_id}", "/{collection}/{document_id}")},
    **{f"POST {ACCOUNT}{path}/comments/{{comment_id}}": Example({"content": "Goodbye"})
       for path in ("", "/port_requests/{port_request_id}", "/{collection}/{document_id}")},
    f"POST {ACCOUNT}/devices/{{device_id}}/presence": Example({"action": "set", "state": "early"}),
    f"POST {ACCOUNT}/users/{{user_id}}/presence": Example({"action": "set", "state": "early"}),
    f"POST {ACCOUNT}/presence/{{extension}}": Example({"action": "set", "state": "early"}),
    f"POST {ACCOUNT}/presence": Example({"action": "reset"}, refused="it has to be said whose"),
    f"POST {ACCOUNT}/access_lists": Example({"order": "allow,deny", "cidrs": ["10.0.0.0/8"]}),
    f"POST {ACCOUNT}/devices/{{device_id}}/access_lists": Example({"order": "allow,deny", "cidrs": ["10.0.0.0/8"]}),
    # tasks
    f"PUT {ACCOUNT}/tasks": Example(file=("text/csv", "col1\na\n"), query={"category": "skel", "action": "id1"},
                                    keeps={"task_id": "_read_only.id"}),
    "PUT /v2/tasks": Example(file=("text/csv", "col1\na\n"), query={"category": "skel", "action": "id1"},
                             keeps={"system_task_id": "_read_only.id"}),
    **{f"PATCH {place}/tasks/{{task_id}}/stop": Example(refused="the task does not run at this moment")
       for place in (ACCOUNT, "/v2")},
    # ingest
    "POST /v2/ingest/{kind}": CDR,
    "POST /v2/ingest/recordings": Example({"account_id": "{{account_id}}", "call_id": UNIQUE, "name": "recording",
         "owner_id": "{{user_id}}"}),
    "POST /v2/ingest/faxes": Example(
        FAX),
    "POST /v2/ingest/voicemails": Example(
        {"account_id": "{{account_id}}", "call_id": UNIQUE, "vmbox_id": "{{vmbox_id}}"}),
    "POST /v2/ingest/fax_results": Example(
        {"account_id": "{{account_id}}", "call_id": UNIQUE, "id": "{{fax_job_id}}", "tx_result": {"success": True}}),
    "POST /v2/ingest/pivot": Example(
        {"account_id": "{{account_id}}", "data": {"voice_url": "http://127.0.0.1:9/"},
         "call": {"call_id": UNIQUE, "from": "1000", "to": "1001"}},
        refused="the application that it asks is another program"),
    "POST /hooks/freeswitch/cdr": Example({"variables": {"uuid": UNIQUE, "ecallmgr_Account-ID": "{{account_id}}",
                                                         "start_epoch": "1800000000", "duration": "5"}}),
    "POST /hooks/freeswitch/event": Example(
        {"Event-Name": "CHANNEL_CREATE", "Unique-ID": UNIQUE, "variable_ecallmgr_Account-ID": "{{account_id}}",
         "Event-Date-Timestamp": "1800000000000000"}),
    f"DELETE {ACCOUNT}/registrations/{{username}}": Example(refused="no phone is registered"),
    "GET /v2/sup/{module}/{function}/{first}": Example(
        arguments={"module": "crossbar_maintenance", "function": "find_account_by_id", "first": "{{account_id}}"}),
    **{f"GET /v2/sup/{{module}}/{{function}}/{rest}": Example(refused="no function takes so many arguments")
       for rest in ("{first}/{second}", "{first}/{second}/{third}")},
    f"GET {ACCOUNT}/call_inspector/{{call_id}}": Example(refused="no switch has told of SIP messages"),
    **{f"{verb} {ACCOUNT}/port_requests/{{port_request_id}}/comments/{{comment_id}}": Example(
        {"content": "Goodbye"} if verb == "POST" else Example().data, refused="such comments stay as they are")
       for verb in ("GET", "POST", "DELETE")},
    f"DELETE {ACCOUNT}/port_requests/{{port_request_id}}/comments": Example(refused="such comments stay as they are"),
    # what only a switch, or time, makes
    f"GET {ACCOUNT}/att_handlers_errors/{{error_id}}": Example(refused=NO_SUCH),
}  # fmt: skip
