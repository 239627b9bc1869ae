"""Letters: from a template and what it tells to a message, with text and HTML side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any, Final

from jinja2 import PackageLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from crossbar import clock

TEMPLATES: Final = ImmutableSandboxedEnvironment(
    loader=PackageLoader("crossbar.events", "templates"),
    autoescape=lambda name: name is not None and name.endswith(".html"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
LONGEST_SUBJECT: Final = 200


class BadAddress(ValueError):
    """Text that is no single address a message could be sent to."""


def letter(template: str, *, sender: str, to: str, told: Mapping[str, Any]) -> EmailMessage:
    """The message of a template (`<template>/subject.txt`, `text.txt`, `page.html`) that tells `told`.

    Whatever `told` holds stays inside its place: control characters never reach a header, markup is escaped in HTML.
    Raises BadAddress.
    """
    return composed(
        sender=sender,
        to=[to],
        subject=_rendered(f"{template}/subject.txt", told),
        text=_rendered(f"{template}/text.txt", told),
        page=_rendered(f"{template}/page.html", told),
    )


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
) -> EmailMessage:
    """A message of finished texts; control characters of the subject become blanks. Raises BadAddress.

    The addresses of `bcc` stand in the message as it lies in the spool, and not in what is delivered.
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
    message["Message-ID"] = make_msgid(domain=message["From"].addresses[0].domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if page is not None:
        message.add_alternative(page, subtype="html")
    return message


def _rendered(name: str, told: Mapping[str, Any]) -> str:
    return TEMPLATES.get_template(name).render(told)


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
