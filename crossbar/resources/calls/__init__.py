"""What happens to a call, and what is left of it: flows, voicemail, media, conferences, queues, faxes, records."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.resource import Part, Resource
from crossbar.resources.calls import voicemail
from crossbar.resources.calls.acdc import AGENT_STATUS, CALL_STAT
from crossbar.resources.calls.acdc_call_stats import acdc_call_stats
from crossbar.resources.calls.agents import agents
from crossbar.resources.calls.blacklists import blacklists
from crossbar.resources.calls.call_events import CALL_EVENT
from crossbar.resources.calls.call_inspector import call_inspector
from crossbar.resources.calls.callflows import callflows
from crossbar.resources.calls.cccps import cccps
from crossbar.resources.calls.cdr import CDR, INTERACTION
from crossbar.resources.calls.cdrs import cdrs
from crossbar.resources.calls.clicktocall import HISTORY_SHAPE, clicktocall
from crossbar.resources.calls.comments import comments
from crossbar.resources.calls.conferences import conferences
from crossbar.resources.calls.dialplans import dialplans
from crossbar.resources.calls.directories import directories
from crossbar.resources.calls.fax import FAX
from crossbar.resources.calls.faxboxes import faxboxes
from crossbar.resources.calls.faxes import FAX_SMTP_LOG, faxes
from crossbar.resources.calls.files import workshop
from crossbar.resources.calls.freeswitch import CALL_ROOT, freeswitch
from crossbar.resources.calls.functions import functions
from crossbar.resources.calls.ingest_files import ingest
from crossbar.resources.calls.ingest_tokens import ingest_tokens
from crossbar.resources.calls.lists import ENTRY_SHAPE, lists
from crossbar.resources.calls.media import media
from crossbar.resources.calls.menus import menus
from crossbar.resources.calls.messages import MMS, SMS
from crossbar.resources.calls.metaflows import metaflows
from crossbar.resources.calls.mms import mms
from crossbar.resources.calls.pivot import DEBUG_SHAPE, pivot
from crossbar.resources.calls.queues import queues
from crossbar.resources.calls.recordings import recordings
from crossbar.resources.calls.retention import retention
from crossbar.resources.calls.sip_messages import INSPECTION
from crossbar.resources.calls.sms import sms
from crossbar.resources.calls.tasks.endpoint import tasks
from crossbar.resources.calls.tasks.job import JOB_SHAPE
from crossbar.resources.calls.tasks.runner import task_runner
from crossbar.resources.calls.tasks.task import PIECE_SHAPE
from crossbar.resources.calls.temporal_rules import temporal_rules
from crossbar.resources.calls.temporal_rules_sets import temporal_rules_sets
from crossbar.resources.calls.vmboxes import vmboxes

RESOURCES: Final[tuple[Resource, ...]] = (
    acdc_call_stats,
    agents,
    blacklists,
    call_inspector,
    callflows,
    cccps,
    cdrs,
    clicktocall,
    comments,
    conferences,
    dialplans,
    directories,
    faxboxes,
    faxes,
    freeswitch,
    functions,
    ingest,
    ingest_tokens,
    lists,
    media,
    menus,
    metaflows,
    mms,
    pivot,
    queues,
    recordings,
    sms,
    tasks,
    temporal_rules,
    temporal_rules_sets,
    vmboxes,
)
SHAPES: Final[tuple[Shape, ...]] = (
    AGENT_STATUS,
    CALL_EVENT,
    CALL_ROOT,
    CALL_STAT,
    CDR,
    DEBUG_SHAPE,
    ENTRY_SHAPE,
    FAX,
    FAX_SMTP_LOG,
    HISTORY_SHAPE,
    INSPECTION,
    INTERACTION,
    JOB_SHAPE,
    MMS,
    PIECE_SHAPE,
    SMS,
    voicemail.SHAPE,
)
PARTS: Final[tuple[Part, ...]] = (
    retention,
    task_runner,
    workshop,
)
