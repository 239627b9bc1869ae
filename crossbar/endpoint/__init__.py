"""What all endpoints share: a declaration in, routes out, and the one life of a request."""

from crossbar.endpoint.computed_list import answer_computed
from crossbar.endpoint.context import Context
from crossbar.endpoint.document_list import answer_listing
from crossbar.endpoint.hooks import Draft
from crossbar.endpoint.lifecycle import Lifecycle, chosen_id
from crossbar.endpoint.reply import ABSENT, Binary, Reply, Stream
from crossbar.endpoint.routing import ACCOUNT, ANY_DOCUMENT, BARE, Handler, Resource, Route, Rule, Who
from crossbar.endpoint.singleton import Singleton

__all__ = [
    "ABSENT",
    "ACCOUNT",
    "ANY_DOCUMENT",
    "BARE",
    "Binary",
    "Context",
    "Draft",
    "Handler",
    "Lifecycle",
    "Reply",
    "Resource",
    "Route",
    "Rule",
    "Singleton",
    "Stream",
    "Who",
    "answer_computed",
    "answer_listing",
    "chosen_id",
]
