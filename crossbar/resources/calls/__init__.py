# SPDX-License-Identifier: MPL-2.0
"""What happens to a call: flows, voicemail, faxes, conferences, queues, messages, media."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.calls.channels.channels import channels
from crossbar.resources.calls.channels.clicktocall import HISTORY_SHAPE, clicktocall
from crossbar.resources.calls.channels.parked_calls import PARKED_CALL_SHAPE, parked_calls
from crossbar.resources.calls.channels.quickcall import quickcall
from crossbar.resources.calls.conferences.conferences import conferences
from crossbar.resources.calls.fax.domain.fax import FAX_SHAPE
from crossbar.resources.calls.fax.faxboxes import faxboxes
from crossbar.resources.calls.fax.faxes import FAX_SMTP_LOG_SHAPE, faxes
from crossbar.resources.calls.flows.blacklists import blacklists
from crossbar.resources.calls.flows.callflows import callflows
from crossbar.resources.calls.flows.cccps import cccps
from crossbar.resources.calls.flows.dialplans import dialplans
from crossbar.resources.calls.flows.directories import directories
from crossbar.resources.calls.flows.domain.pivot_cdr import PIVOT_CALL_SHAPE
from crossbar.resources.calls.flows.domain.pivot_request import pivot_requests
from crossbar.resources.calls.flows.functions import functions
from crossbar.resources.calls.flows.lists import lists
from crossbar.resources.calls.flows.menus import menus
from crossbar.resources.calls.flows.metaflows import metaflows
from crossbar.resources.calls.flows.pivot import DEBUG_SHAPE, pivot
from crossbar.resources.calls.flows.temporal_rules import temporal_rules
from crossbar.resources.calls.flows.temporal_rules_sets import temporal_rules_sets
from crossbar.resources.calls.media.domain.media_file import media_converter
from crossbar.resources.calls.media.media import media
from crossbar.resources.calls.media.recordings import recordings
from crossbar.resources.calls.messages.domain.message import MMS, SMS_SHAPE
from crossbar.resources.calls.messages.mms import mms
from crossbar.resources.calls.messages.sms import sms
from crossbar.resources.calls.queues.acdc_call_stats import acdc_call_stats
from crossbar.resources.calls.queues.agents import agents
from crossbar.resources.calls.queues.domain.acdc import AGENT_STATUS_SHAPE, CALL_STAT_SHAPE
from crossbar.resources.calls.queues.queues import queues
from crossbar.resources.calls.voicemail.domain import voicemail_message
from crossbar.resources.calls.voicemail.vmboxes import mailbox_messages, vmboxes  # noqa: F401 - adds its paths
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    acdc_call_stats,
    agents,
    blacklists,
    callflows,
    cccps,
    channels,
    clicktocall,
    conferences,
    dialplans,
    directories,
    faxboxes,
    faxes,
    functions,
    lists,
    media,
    menus,
    metaflows,
    mms,
    parked_calls,
    pivot,
    queues,
    quickcall,
    recordings,
    sms,
    temporal_rules,
    temporal_rules_sets,
    vmboxes,
)
SHAPES: Final[tuple[Shape, ...]] = (
    AGENT_STATUS_SHAPE,
    CALL_STAT_SHAPE,
    DEBUG_SHAPE,
    FAX_SHAPE,
    FAX_SMTP_LOG_SHAPE,
    HISTORY_SHAPE,
    MMS,
    PARKED_CALL_SHAPE,
    PIVOT_CALL_SHAPE,
    SMS_SHAPE,
    voicemail_message.MAILBOX_MESSAGE_SHAPE,
)
LIFESPANS: Final[tuple[Lifespan, ...]] = (media_converter, pivot_requests)
