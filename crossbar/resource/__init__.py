"""What all endpoints share: a declaration in, routes out, and the one life of a request."""

from crossbar.resource.call import Call, Part, Services
from crossbar.resource.computed import answer_computed
from crossbar.resource.declaration import ACCOUNT, ANY_DOCUMENT, BARE, Handler, Resource, Route, Rule, Who
from crossbar.resource.hooks import Draft
from crossbar.resource.lifecycle import Lifecycle, chosen_id, display_name, merge, stamps
from crossbar.resource.listings import answer_listing
from crossbar.resource.reply import ABSENT, Binary, Reply, Stream
from crossbar.resource.singleton import Singleton

__all__ = [
    "ABSENT",
    "ACCOUNT",
    "ANY_DOCUMENT",
    "BARE",
    "Binary",
    "Call",
    "Draft",
    "Handler",
    "Lifecycle",
    "Part",
    "Reply",
    "Resource",
    "Route",
    "Rule",
    "Services",
    "Singleton",
    "Stream",
    "Who",
    "answer_computed",
    "answer_listing",
    "chosen_id",
    "display_name",
    "merge",
    "stamps",
]
