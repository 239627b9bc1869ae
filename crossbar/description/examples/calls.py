# SPDX-License-Identifier: MPL-2.0
"""Examples of the wing `calls`."""

from __future__ import annotations

from itertools import product
from typing import Final

from crossbar.description.example import Example
from crossbar.description.examples.words import ACCOUNT, NO_CALL, NO_SUCH, NUMBER, PICTURE, SOUND, UNIQUE

TEXT: Final = Example({"to": "1001", "from": "1000", "body": "Lunch?"})
PICTURES: Final = Example(
    {"to": "1001", "from": "1000", "body": "Content-Type: text/plain\r\n\r\nLunch?"},
    keeps={"mms_message_id": "message_id"},
)
FAX: Final = Example({"document": {"url": "http://127.0.0.1:9/fax.pdf", "method": "get"}, "from_name": "Ann",
                      "from_number": NUMBER, "to_name": "Bo", "to_number": NUMBER, "retries": 0},
                     keeps={"fax_job_id": "id"})  # fmt: skip
FLOW: Final = Example({"numbers": [UNIQUE], "flow": {"module": "hangup", "data": {}, "children": {}}})
METAFLOWS: Final = Example({"numbers": {"1": {"module": "hangup", "data": {}}}})
RULE: Final = Example({"name": "Weekends", "cycle": "weekly", "interval": 1, "wdays": ["saturday", "sunday"]})
CALLBACK: Final = Example({"cid": "{{fresh_number}}", "active": True})

EXAMPLES: Final[dict[str, Example]] = {
    **{f"{verb} {ACCOUNT}{place}/{kind}/{{message_id}}": Example(refused="a message is kept when a switch tells of it")
       for verb, place, kind in product(
           ("GET", "DELETE"), ("", "/devices/{device_id}", "/users/{user_id}"), ("sms", "mms"))},
    **{f"PUT {ACCOUNT}{place}/sms": TEXT for place in ("", "/devices/{device_id}", "/users/{user_id}")},
    **{f"PUT {ACCOUNT}{place}/mms": PICTURES for place in ("", "/devices/{device_id}", "/users/{user_id}")},
    **{f"PUT {ACCOUNT}{place}": FAX for place in (
        "/faxes", "/faxes/outgoing", "/faxboxes/{faxbox_id}/faxes", "/faxboxes/{faxbox_id}/faxes/outgoing",
        "/users/{user_id}/faxes", "/users/{user_id}/faxes/outgoing")},
    **{f"{verb} {ACCOUNT}{place}/faxes/{folder}/{{fax_id}}{rest}": Example(
        {} if verb == "PUT" else Example().data, refused="no file came with the fax")
       for place, folder, (verb, rest) in product(
           ("", "/faxboxes/{faxbox_id}", "/users/{user_id}"), ("inbox", "outbox"),
           (("PUT", ""), ("GET", "/attachment"), ("DELETE", "/attachment")))},
    **{f"GET {ACCOUNT}{place}/faxes/smtplog/{{attempt_id}}": Example(refused=NO_SUCH)
       for place in ("", "/faxboxes/{faxbox_id}", "/users/{user_id}")},
    **{f"GET {ACCOUNT}{place}/faxes/incoming/{{fax_id}}": Example(refused="the fax has come in already")
       for place in ("", "/faxboxes/{faxbox_id}", "/users/{user_id}")},
    f"POST {ACCOUNT}/vmboxes/{{vmbox_id}}/messages/raw": Example(
        {"messages": ["{{message_id}}"]}, refused="no sound came with the message"),
    f"PUT {ACCOUNT}/callflows": FLOW,
    f"PATCH {ACCOUNT}/callflows/{{callflow_id}}": Example({"name": "Renamed"}),
    f"POST {ACCOUNT}/agents/{{user_id}}/queue_status": Example({"action": "login", "queue_id": "{{queue_id}}"}),
    f"POST {ACCOUNT}/agents/{{user_id}}/status": Example({"status": "login"}),
    f"POST {ACCOUNT}/agents/status/{{user_id}}": Example({"status": "login"}),
    f"PUT {ACCOUNT}/blacklists": Example({"name": "Nobody", "numbers": {"+14155550100": {}}}),
    f"PUT {ACCOUNT}/cccps": Example({"cid": NUMBER, "active": True}),
    f"PUT {ACCOUNT}/cccps/autodial": Example({}, refused=NO_CALL),
    f"PUT {ACCOUNT}/cccps/{{cccp_id}}": Example({}, refused="KAZOO has it and answers 405"),
    f"GET {ACCOUNT}/channels/{{call_id}}": Example(refused=NO_CALL),
    f"PUT {ACCOUNT}/channels/{{call_id}}": Example(
        {"module": "hangup", "data": {}}, query={"action": "metaflow"}, refused=NO_CALL),
    f"POST {ACCOUNT}/channels/{{call_id}}": Example({"action": "hangup"}, refused=NO_CALL),
    f"PUT {ACCOUNT}/clicktocall": Example({"name": "Button", "extension": "1001"}),
    f"GET {ACCOUNT}/clicktocall/{{click2call_id}}/connect": Example(query={"contact": "1002"}),
    f"POST {ACCOUNT}/clicktocall/{{click2call_id}}/connect": Example({"contact": "1002"}),
    f"PUT {ACCOUNT}/conferences": Example({"name": "Room"}),
    f"PUT {ACCOUNT}/conferences/{{conference_id}}": Example({"action": "lock"}, query={"action": "lock"}),
    f"PUT {ACCOUNT}/conferences/{{conference_id}}/participants": Example({"action": "mute"}, query={"action": "mute"}),
    f"PUT {ACCOUNT}/conferences/{{conference_id}}/participants/{{participant_id}}": Example(
        {"action": "mute"}, query={"action": "mute"}),
    f"GET {ACCOUNT}/conferences/{{conference_id}}/participants/{{participant_id}}": Example(refused=NO_CALL),
    f"PUT {ACCOUNT}/directories": Example({"name": "Staff"}),
    f"PUT {ACCOUNT}/faxboxes": Example({"name": "Fax"}),
    f"PUT {ACCOUNT}/functions": Example({"name": "Answer", "enabled": True, "function_js": "JSON.stringify({})"}),
    f"PUT {ACCOUNT}/lists": Example({"name": UNIQUE}),
    f"PUT {ACCOUNT}/lists/{{list_id}}/entries": Example({"list_id": "{{list_id}}", "number": "+14155550100",
                                                             "displayname": "Bo"}),
    f"POST {ACCOUNT}/lists/{{list_id}}/entries/{{entry_id}}/photo": Example(file=PICTURE),
    f"PUT {ACCOUNT}/media": Example({"name": UNIQUE, "media_source": "upload"}),
    "PUT /v2/media": Example({"name": UNIQUE, "media_source": "upload"}),
    f"POST {ACCOUNT}/media/{{media_id}}": Example({"name": UNIQUE, "media_source": "upload"}),
    "POST /v2/media/{media_id}": Example({"name": UNIQUE, "media_source": "upload"}),
    f"POST {ACCOUNT}/media/{{media_id}}/raw": Example(file=SOUND),
    "POST /v2/media/{media_id}/raw": Example(file=SOUND),
    f"PUT {ACCOUNT}/menus": Example({"name": "Menu"}),
    f"POST {ACCOUNT}/metaflows": METAFLOWS,
    f"POST {ACCOUNT}/{{collection}}/{{document_id}}/metaflows": METAFLOWS,
    f"GET {ACCOUNT}/pivot/debug/{{debug_id}}": Example(refused=NO_SUCH),
    f"PUT {ACCOUNT}/queues": Example({"name": "Support"}),
    f"PUT {ACCOUNT}/queues/eavesdrop": Example({"id": "{{device_id}}", "call_id": "example"}, refused=NO_CALL),
    f"PUT {ACCOUNT}/queues/{{queue_id}}/eavesdrop": Example({"id": "{{device_id}}"}, refused=NO_CALL),
    f"POST {ACCOUNT}/queues/{{queue_id}}/roster": Example(["{{user_id}}"]),
    **{f"{verb} {ACCOUNT}/{place}/quickcall/{{number}}": Example({} if verb == "POST" else Example().data,
                                                                 refused=NO_CALL)
       for verb, place in product(("GET", "POST"), ("devices/{device_id}", "users/{user_id}"))},
    f"PUT {ACCOUNT}/temporal_rules": RULE,
    f"PUT {ACCOUNT}/temporal_rules_sets": Example({"name": "Holidays", "temporal_rules": ["{{temporal_rule_id}}"]}),
    f"PUT {ACCOUNT}/vmboxes": Example({"name": "Box", "mailbox": "{{$randomBankAccount}}"}),
    f"PUT {ACCOUNT}/vmboxes/{{vmbox_id}}/messages": Example({"caller_id_name": "Ann", "folder": "new"},
                                                            keeps={"message_id": "id"}),
    f"POST {ACCOUNT}/vmboxes/{{vmbox_id}}/messages": Example({"messages": ["{{message_id}}"], "folder": "saved"}),
    f"POST {ACCOUNT}/vmboxes/{{vmbox_id}}/messages/{{message_id}}": Example({"folder": "new"}),
    f"PUT {ACCOUNT}/vmboxes/{{vmbox_id}}/messages/{{message_id}}/raw": Example(
        file=("audio/mpeg", "ID3"), refused="a recording has to be chosen as the body's file"),
    f"GET {ACCOUNT}/vmboxes/{{vmbox_id}}/messages/{{message_id}}/raw": Example(
        refused="no sound came with the message"),
}  # fmt: skip
