# SPDX-License-Identifier: MPL-2.0
"""What a file is, whatever it is said to be."""

from __future__ import annotations

import re

import pytest

from crossbar.conversion.media_types import attachment_name, extension, true_type
from tests.samples import MP3, OGG, PDF, WAV


@pytest.mark.parametrize(
    ("declared", "contents", "stored"),
    [
        ("audio/mp3", MP3, "audio/mp3"),
        ("audio/wav", WAV, "audio/wav"),
        ("audio/mp3", WAV, "audio/x-wav"),
        ("audio/mp3", PDF, "application/pdf"),
        ("audio/mp3", b"nothing well known", "audio/mp3"),
        ("application/octet-stream", OGG, "audio/ogg"),
    ],
)
def test_contents_go_before_what_is_declared(declared: str, contents: bytes, stored: str) -> None:
    assert true_type(declared, contents) == stored


def test_a_stored_file_has_a_name_with_an_extension() -> None:
    assert attachment_name("greeting.mp3", "audio/mpeg") == "greeting.mp3"
    assert attachment_name("greeting", "audio/wav") == "greeting.wav"
    assert attachment_name("greeting", "application/octet-stream") == "greeting"
    assert re.fullmatch(r"[0-9a-f]{16}\.mp3", attachment_name(" ", "audio/mp3"))


@pytest.mark.parametrize(
    ("content_type", "ending"),
    [
        ("audio/mpeg3", ".mp3"),
        ("video/mp4", ".mp4"),
        ("application/x-pdf", ".pdf"),
        ("image/tiff", ".tiff"),
        ("a/b", ""),
    ],
)
def test_extension(content_type: str, ending: str) -> None:
    assert extension(content_type) == ending
