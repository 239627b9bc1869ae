# SPDX-License-Identifier: MPL-2.0
"""Files in requests and answers: the one that was uploaded, and an attachment as a download.

Source: `cb_modules_util.erl` (`attachment_name`), `crossbar_doc:load_attachment`.
"""

from __future__ import annotations

from crossbar.documents.attachments import Attachment
from crossbar.endpoint.context import Context
from crossbar.endpoint.reply import Binary
from crossbar.errors import Invalid
from crossbar.wire.body import UploadedFile
from crossbar.wire.disposition import content_disposition


def only_file(context: Context) -> UploadedFile | None:
    """The file that came with the request, if one did. Raises 400 `file.maxItems` for several."""
    if len(context.files) > 1:
        raise Invalid.field("file", "maxItems", "Please provide a single media file")
    return context.files[0] if context.files else None


async def download(
    context: Context, attachment: Attachment, *, name: str | None = None, kind: str = "attachment"
) -> Binary:
    """An attachment as a file to save (`kind="attachment"`) or to show (`"inline"`), under its own name or another."""
    answer = await Binary.attachment(context, attachment)
    answer.disposition = content_disposition(name or attachment.name, kind)
    return answer
