# SPDX-License-Identifier: MPL-2.0
"""Letters made of finished texts."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from crossbar.events.letters import BadAddress, Enclosure, composed, is_address


def made(**fields: Any) -> EmailMessage:
    usual = {"sender": "no-reply@example.com", "to": ["ann@example.com"], "subject": "Hello", "text": "Dear Ann"}
    return composed(**usual | fields)


def test_text_and_html_stand_side_by_side() -> None:
    letter = made(page="<p>Dear Ann</p>")
    assert (letter["From"], letter["To"], letter["Subject"]) == ("no-reply@example.com", "ann@example.com", "Hello")
    assert (letter["Auto-Submitted"], letter.get_content_type()) == ("auto-generated", "multipart/alternative")
    text, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert page is not None
    assert (text.get_content(), page.get_content()) == ("Dear Ann\n", "<p>Dear Ann</p>\n")


def test_files_come_beside_the_texts() -> None:
    files = [Enclosure("a.mp3", "audio/mpeg", b"\xff\xfb"), Enclosure("naïve \r\nX: y.bin", "odd", b"")]
    letter = made(page="<p>Dear Ann</p>", enclosures=files)
    assert letter.get_content_type() == "multipart/mixed"
    first, second = letter.iter_attachments()
    assert (first.get_content_type(), first.get_filename(), first.get_content()) == ("audio/mpeg", "a.mp3", b"\xff\xfb")
    assert second.get_content_type() == "application/octet-stream"
    assert b"\nX: y" not in letter.as_bytes()
    assert letter["X"] is None


def test_a_letter_that_is_made_again_can_be_known() -> None:
    assert made(message_id="n.0")["Message-ID"] == made(message_id="n.0")["Message-ID"] == "<n.0@example.com>"
    assert made()["Message-ID"] != made()["Message-ID"]


def test_a_subject_with_line_breaks_makes_no_header() -> None:
    letter = made(subject="Acme\r\nBcc: everybody@example.com")
    assert letter["Subject"] == "Acme Bcc: everybody@example.com"
    assert letter["Bcc"] is None


@pytest.mark.parametrize(
    "to",
    [
        "ann@example.com\r\nBcc: x",
        "ann@example.com, bob@example.com",
        "ann@example.com bob",
        "Ann <ann@example.com>",
        "@example.com",
        "ann@",
        "",
        "ann",
    ],
)
def test_only_one_plain_address_is_written_to(to: str) -> None:
    assert not is_address(to)
    assert is_address("ann@example.com")
    with pytest.raises(BadAddress):
        made(to=[to])
