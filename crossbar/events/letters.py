# SPDX-License-Identifier: MPL-2.0
"""Letters: finished texts as a message, with text and HTML side by side and files beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Final, NamedTuple

from crossbar import clock

LONGEST_SUBJECT: Final = 200
UNKNOWN: Final = ("application", "octet-stream")


class BadAddress(ValueError):
    """Text that is no single address a message could be sent to."""


class Enclosure(NamedTuple):
    """A file that goes with a letter."""

    name: str
    content_type: str
    contents: bytes


def composed(
    *,
    sender: str,
    to: Sequence[str],
    subject: str,
    text: str,
    page: str | None = None,
    reply_to: str | None = None,
    cc: Sequence[str] = (),
    bcc: Sequence[str] = (),
    enclosures: Sequence[Enclosure] = (),
    message_id: str | None = None,
) -> EmailMessage:
    """A message of finished texts; control characters of the subject become blanks. Raises BadAddress.

    The addresses of `bcc` stand in the message as it lies in the spool, and not in what is delivered. `message_id` is
    the part before the `@`: a message that is made a second time can be known by it.
    """
    message = EmailMessage()
    message["From"] = _address(sender)
    for header, addresses in (("To", to), ("Cc", cc), ("Bcc", bcc)):
        if addresses:
            message[header] = [_address(address) for address in addresses]
    if reply_to:
        message["Reply-To"] = _address(reply_to)
    message["Subject"] = " ".join(subject.split())[:LONGEST_SUBJECT]
    message["Date"] = format_datetime(datetime.fromtimestamp(clock.unix_now(), UTC))
    domain = message["From"].addresses[0].domain
    message["Message-ID"] = f"<{message_id}@{domain}>" if message_id else make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if page is not None:
        message.add_alternative(page, subtype="html")
    for enclosure in enclosures:
        main, _, sub = enclosure.content_type.partition("/")
        main, sub = (main, sub) if main and sub.isprintable() and sub else UNKNOWN
        message.add_attachment(enclosure.contents, maintype=main, subtype=sub, filename=enclosure.name)
    return message


def is_address(text: object) -> bool:
    """Whether a value is one address that a message could be sent to."""
    try:
        return isinstance(text, str) and bool(_address(text))
    except BadAddress:
        return False


def _address(text: str) -> Address:
    if not text.isprintable():
        raise BadAddress("an address has no control characters")
    try:
        address = Address(addr_spec=text)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise BadAddress("no address") from error
    if not address.username or not address.domain:
        raise BadAddress("an address has a name and a domain")
    return address
