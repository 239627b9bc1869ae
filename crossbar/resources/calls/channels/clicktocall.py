# SPDX-License-Identifier: MPL-2.0
"""Click to call: a link or button that connects an extension with whoever pressed it.

Source: KAZOO `cb_clicktocall`. No switch is connected, so no call comes of it: each attempt answers with the request a
switch would get and is kept in the history as one that nobody took.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import quote

from crossbar import clock
from crossbar.access.authorship import stamps
from crossbar.dialing import normalize
from crossbar.documents.document import Document, as_list
from crossbar.documents.document_types import CLICK2CALL
from crossbar.documents.schemas.patterns import matches
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Lists, Reply, answer_listing
from crossbar.errors import JSON, Invalid, Plain
from crossbar.ids import monthly_id, new_secret
from crossbar.resources.calls.channels.domain.channel_variables import AUTHORIZATION
from crossbar.wire.request_values import is_false, is_true

HISTORY: Final = "c2c_history"
HISTORY_SHAPE: Final = Shape(
    HISTORY,
    summary=Summary("id", "timestamp", "contact", "result", "call_id", "cause"),
    sort="timestamp",
    tags=lambda item: [f"of/{item.fields['pvt_clicktocall_id']}"],
    stored_in="records",
)
NOBODY: Final = "no resources"
"""Why an attempt fails while no switch listens."""
LONGEST_CONTACT: Final = 255
"""Characters: what somebody unknown can have kept in the history must be bounded."""
EXPORTED: Final = (*AUTHORIZATION, "Loopback-Request-URI", "From-URI", "Request-URI")
VARIABLE: Final = "cav_"
"""Prefix of the query parameters that become variables of the call."""

clicktocall = Collection(
    "clicktocall",
    "/accounts/{account_id}/clicktocall/{click2call_id}",
    Shape(CLICK2CALL, summary=Summary("id", "name", "extension")),
    schema="clicktocall",
    history="versions",  # its history is that of its calls
)
PRESSED: Final = {
    "contact": "Whom to connect",
    "blocking": "`true`: answer what came of it",
    "auto_answer": "`false`: the first side does not answer by itself",
}


async def is_public(context: Context) -> bool:
    """Whether anybody may press the button."""
    button = await context.store.get(context.account_id, CLICK2CALL, context.path["click2call_id"])
    return button is not None and button.at("auth_required") is False


async def may_press(context: Context) -> bool | None:
    """Anybody, or who may use the button's account."""
    return True if await is_public(context) else None


@clicktocall.get(
    "/accounts/{account_id}/clicktocall/{click2call_id}/connect",
    who=may_press,
    open_if=is_public,
    options=PRESSED,
)
@clicktocall.post(
    "/accounts/{account_id}/clicktocall/{click2call_id}/connect",
    who=may_press,
    open_if=is_public,
    options=PRESSED,
)
async def connect(context: Context) -> Reply:
    """Ask for a call; answers the request for it, or with `blocking` what came of it."""
    button = await clicktocall.life.load(context, context.path["click2call_id"])
    contact = _contact(context)
    whitelist = [pattern for pattern in as_list(button.at("whitelist")) if isinstance(pattern, str)]
    if whitelist and not any(matches(pattern, contact) for pattern in whitelist):
        raise Plain(400, "Contact doesn't match whitelist", contact)
    item = await _remember(context, button, contact)
    if is_true(context.values.get("blocking")):
        return Reply(item.public)
    return Reply(originate_request(context, button, contact))


def _contact(context: Context) -> str:
    """Whom to connect, as it can stand in an address."""
    contact = context.values.get("contact")
    if contact in (None, "") or isinstance(contact, bool | dict | list):
        message = "The contact extension for this click to call has not been set"
        raise Invalid.field("contact", "required", message)
    if len(str(contact)) > LONGEST_CONTACT:
        message = f"String must not be more than {LONGEST_CONTACT} characters"
        raise Invalid.field("contact", "maxLength", message, target=LONGEST_CONTACT)
    return normalize(quote(str(contact), safe="+*"))


async def _remember(context: Context, button: Document, contact: str) -> Document:
    fields: dict[str, JSON] = {"timestamp": clock.now(), "contact": contact, "result": "error", "cause": NOBODY}
    item = Document(context.account_id, HISTORY, monthly_id(), {**fields, "pvt_clicktocall_id": button.id})
    item.fields.update(stamps(context.author, item))
    return await context.store.insert(item)


class _Party(NamedTuple):
    """One side of a call: where it is reached, and how it is shown to the other."""

    route: str
    number: str
    name: str


def originate_request(context: Context, button: Document, contact: str) -> dict[str, Any]:
    """What a switch would be asked to do."""
    get, realm = button.at, context.account.realm
    extension = normalize(str(get("extension")))
    person = _Party(contact, get("caller_id_number", contact), get("name"))
    inside = _Party(
        extension,
        normalize(get("outbound_callee_id_number", extension)),
        get("outbound_callee_id_name", extension),
    )
    then, first = (inside, person) if get("dial_first") == "contact" else (person, inside)
    call_id = f"c2c-{button.id}-{new_secret(5)}"
    request = {
        "application_name": "transfer",
        "application_data": {"route": then.route},
        "call_id": call_id,
        "endpoints": [
            {"invite_format": "loopback", "route": first.route, "to_did": first.route, "to_realm": realm},
        ],
        "timeout": get("timeout", 30),
        "ignore_early_media": get("media.ignore_early_media", True),
        "bypass_media": get("bypass_media"),
        "hold_media": get("music_on_hold.media_id"),
        "presence_id": get("presence_id"),
        "outbound_callee_id_name": first.name,
        "outbound_callee_id_number": first.number,
        "outbound_caller_id_name": then.name,
        "outbound_caller_id_number": then.number,
        "outbound_call_id": call_id,
        "origination_call_id": call_id,
        "ringback": get("ringback"),
        "dial_endpoint_method": "single",
        "continue_on_fail": True,
        "custom_sip_headers": get("custom_sip_headers"),
        "custom_channel_vars": {
            "account_id": context.account_id,
            "auto_answer_loopback": not is_false(context.query.get("auto_answer")),
            "authorizing_id": button.id,
            "authorizing_type": "clicktocall",
            "loopback_request_uri": f"{person.number}@{realm}",
            "from_uri": f"{inside.number}@{realm}",
            "request_uri": f"{person.number}@{realm}",
            "inherit_codec": False,
            "retain_cid": True,
        },
        "custom_application_vars": _variables(context),
        "export_custom_channel_vars": EXPORTED,
        "simplify_loopback": False,
        "loopback_bowout": False,
        "start_control_process": False,
    }
    return {key: value for key, value in request.items() if value is not None}


def _variables(context: Context) -> dict[str, JSON]:
    return {name.removeprefix(VARIABLE): value for name, value in context.query.pairs if name.startswith(VARIABLE)}


@clicktocall.get("/accounts/{account_id}/clicktocall/{click2call_id}/history", lists=Lists.TIMES)
async def history(context: Context) -> Reply:
    """The attempts to call, newest first."""
    tag = f"of/{context.path['click2call_id']}"
    return await answer_listing(context, HISTORY, tag=tag, time_range=context.config.api.maximum_range)
