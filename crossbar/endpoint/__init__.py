# SPDX-License-Identifier: MPL-2.0
"""What all endpoints share: a declaration in, routes out, and the stages of a request."""

from crossbar.endpoint.collection import Collection
from crossbar.endpoint.computed_list import answer_computed
from crossbar.endpoint.context import Context
from crossbar.endpoint.document_list import answer_document, answer_listing
from crossbar.endpoint.endpoint import Endpoint
from crossbar.endpoint.hooks import Draft
from crossbar.endpoint.joint_change import JointChange, jointly
from crossbar.endpoint.lifecycle import Lifecycle, chosen_id
from crossbar.endpoint.reply import ABSENT, Binary, Reply, Stream
from crossbar.endpoint.routing import Handler, Lists, Route, Rule, Who
from crossbar.endpoint.singleton import Singleton

__all__ = [
    "ABSENT",
    "Binary",
    "Collection",
    "Context",
    "Draft",
    "Endpoint",
    "Handler",
    "JointChange",
    "Lifecycle",
    "Lists",
    "Reply",
    "Route",
    "Rule",
    "Singleton",
    "Stream",
    "Who",
    "answer_computed",
    "answer_document",
    "answer_listing",
    "chosen_id",
    "jointly",
]
