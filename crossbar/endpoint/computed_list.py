# SPDX-License-Identifier: MPL-2.0
"""Lists whose rows are worked out here instead of being stored.

Source: `crossbar_view.erl` (what it does with the rows of a view).
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from crossbar.documents.document import Document
from crossbar.documents.filters import Filters
from crossbar.endpoint.context import Context
from crossbar.endpoint.paging import cut
from crossbar.endpoint.reply import Reply
from crossbar.errors import JSON
from crossbar.wire.list_options import list_options

Entry = tuple[str, Document, dict[str, JSON]]
"""A row with the key it is sorted by, which no other row has, and the document that filters look at."""


def answer_computed(context: Context, entries: Iterable[Entry]) -> Reply:
    """A page of the entries' rows, as the request asks for it."""
    options = list_options(context.values, page_size=context.config.api.pagination_page_size)
    filters = Filters.parse(context.query.pairs)
    start, end = _text_key(options.start_key), _text_key(options.end_key)
    low, high = (start, end) if options.ascending else (end, start)
    kept = [
        (key, row)
        for key, document, row in entries
        if (low is None or key >= low)
        and (high is None or key <= high)
        and filters.matches({**document.fields, "id": document.id})
    ]
    kept.sort(key=itemgetter(0), reverse=not options.ascending)
    page, info = cut(kept, options, itemgetter(0))
    return Reply([row for _, row in page], page=info)


def _text_key(key: JSON) -> str | None:
    """A key of ours, or a plain one, among keys that are text."""
    if isinstance(key, list):
        key = key[0] if len(key) == 1 else None
    return key if isinstance(key, str) and key else None
