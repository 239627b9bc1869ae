# SPDX-License-Identifier: MPL-2.0
"""What a file is, by its contents; what it is called when it is stored.

Source: `kz_mime.erl`, `cb_modules_util:attachment_name`.
"""

from __future__ import annotations

import mimetypes
import os
from pathlib import PurePosixPath
from typing import Final

from crossbar.conversion.signatures import recognised

UNKNOWN: Final = "application/octet-stream"
AUDIO: Final = ("audio/x-wav", "audio/wav", "audio/mpeg", "audio/mp3", "audio/mpeg3", "audio/ogg")
VIDEO: Final = ("video/x-flv", "video/h264", "video/mpeg", "video/quicktime", "video/mp4", "video/webm")
PAPER: Final = ("image/tiff", "application/pdf", "application/x-pdf")

_SYNONYMS: Final = {
    "audio/mp3": "audio/mpeg",
    "audio/mpeg3": "audio/mpeg",
    "audio/wav": "audio/x-wav",
    "audio/mp4": "video/mp4",
    "application/x-pdf": "application/pdf",
}
_EXTENSIONS: Final = {
    "audio/mpeg": ".mp3",
    "audio/x-wav": ".wav",
    "audio/ogg": ".ogg",
    "video/x-flv": ".flv",
    "video/h264": ".h264",
    "image/tiff": ".tiff",
    UNKNOWN: "",
}


def true_type(declared: str, contents: bytes) -> str:
    """The type to store a file under: the declared one, unless the contents show that it is another.

    Several names of one format are as good as each other. Contents that show nothing are taken at their word.
    """
    found = recognised(contents)
    if found is None or same_format(declared, found):
        return declared
    return found


def same_format(one: str, other: str) -> bool:
    """Whether two media types are names of one format."""
    return _SYNONYMS.get(one, one) == _SYNONYMS.get(other, other)


def extension(content_type: str) -> str:
    """The usual extension of a media type with its dot, or nothing."""
    format_name = _SYNONYMS.get(content_type, content_type)
    known = _EXTENSIONS.get(format_name)
    return known if known is not None else mimetypes.guess_extension(format_name) or ""


def attachment_name(filename: str, content_type: str) -> str:
    """The name of a stored file: its own, else 16 random hex digits; with an extension in any case."""
    name = filename.strip() or os.urandom(8).hex()
    return name if PurePosixPath(name).suffix else name + extension(content_type)
