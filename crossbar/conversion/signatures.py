# SPDX-License-Identifier: MPL-2.0
"""What the first bytes of a file say it is.

A table of the formats that come to a telephone system: sounds, films, papers, pictures, archives, programs. What is
not in it is not guessed at. Beginnings of fewer than three bytes are taken only together with what has to follow, so
that words and noise are not taken for files.
"""

from __future__ import annotations

import re
from typing import Final

LOOKED_AT: Final = 4096
"""Bytes at the beginning of a file that decide."""

_MP3_RATES: Final = b"".join(b"\\x%x0-\\x%xb" % (rate, rate) for rate in range(1, 15))
"""The third byte of an MP3 frame with a bit rate and a sample rate that there are."""
_SIGNATURES: Final = tuple(
    (media_type, re.compile(pattern, re.DOTALL))
    for media_type, pattern in (
        ("audio/x-wav", rb"RIFF....WAVE|RF64....WAVE"),
        ("video/x-msvideo", rb"RIFF....AVI "),
        ("image/webp", rb"RIFF....WEBP"),
        ("audio/ogg", rb"OggS\x00[\x00-\x07].{8}"),
        # a tag, or a frame of layer III
        ("audio/mpeg", rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][" + _MP3_RATES + rb"]"),
        ("audio/aac", rb"\xff[\xf0\xf1\xf8\xf9][\x40-\x7f]"),
        ("audio/x-flac", rb"fLaC"),
        ("audio/amr", rb"#!AMR"),
        ("audio/midi", rb"MThd\x00\x00\x00\x06"),
        ("audio/x-aiff", rb"FORM....AIF[FC]"),
        ("audio/basic", rb"\.snd\x00\x00"),
        ("audio/mp4", rb"....ftypM4[AB]"),
        ("image/heic", rb"....ftyp(?:heic|heix|hevc|mif1|msf1)"),
        ("image/avif", rb"....ftypavi[fs]"),
        ("video/quicktime", rb"....ftypqt  |....moov"),
        ("video/mp4", rb"....ftyp[\w ]{4}"),
        ("video/webm", rb"\x1aE\xdf\xa3.{1,60}?\x42\x82[\x81-\x8f]webm"),
        ("video/x-matroska", rb"\x1aE\xdf\xa3.{1,60}?\x42\x82[\x81-\x8f]matroska"),
        ("video/x-flv", rb"FLV\x01[\x00-\x05]"),
        ("video/mpeg", rb"\x00\x00\x01[\xb3\xba]"),
        ("video/x-ms-wmv", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
        ("application/pdf", rb"(?:\xef\xbb\xbf)?%PDF-"),
        ("application/postscript", rb"%!PS-Adobe"),
        ("application/rtf", rb"\{\\rtf1"),
        ("image/tiff", rb"II\*\x00|MM\x00\*"),
        ("image/png", rb"\x89PNG\r\n\x1a\n"),
        ("image/jpeg", rb"\xff\xd8\xff"),
        ("image/gif", rb"GIF8[79]a"),
        ("image/bmp", rb"BM.{4}\x00{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00"),
        ("application/zip", rb"PK\x03\x04|PK\x05\x06"),
        ("application/gzip", rb"\x1f\x8b\x08"),
        ("application/x-bzip2", rb"BZh[1-9]\x31AY&SY"),
        ("application/x-xz", rb"\xfd7zXZ\x00"),
        ("application/zstd", rb"\x28\xb5\x2f\xfd"),
        ("application/x-7z-compressed", rb"7z\xbc\xaf\x27\x1c"),
        ("application/x-rar-compressed", rb"Rar!\x1a\x07"),
        ("application/x-tar", rb".{257}ustar"),
        ("application/x-executable", rb"\x7fELF[\x01\x02]"),
        ("application/x-msdownload", rb"MZ.{58}[\x40-\xff][\x00-\x0f]\x00\x00"),
        ("application/x-mach-binary", rb"[\xce\xcf]\xfa\xed\xfe"),
        ("application/x-sqlite3", rb"SQLite format 3\x00"),
    )
)


def recognised(contents: bytes) -> str | None:
    """The media type that the first bytes show, or None for what has no well-known beginning."""
    beginning = contents[:LOOKED_AT]
    return next((media_type for media_type, pattern in _SIGNATURES if pattern.match(beginning)), None)
