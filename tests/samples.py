# SPDX-License-Identifier: MPL-2.0
"""What several tests use: small files of each kind, made and not kept; defaults that schemas add; an app."""

from __future__ import annotations

import wave
from io import BytesIO
from typing import Any, Final

from PIL import Image

MP3: Final = b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x64" + bytes(413)
"""An empty tag and a frame of silence."""
OGG: Final = b"OggS\x00\x02" + bytes(54)


def wav(milliseconds: int = 100) -> bytes:
    """Silence, 8,000 samples of 16 bits a second."""
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(bytes(16 * milliseconds))
    return file.getvalue()


def pages(count: int, file_format: str = "TIFF") -> bytes:
    """White fax pages with a black band, half as many lines an inch as dots."""
    sheets = [Image.new("1", (1728, 1100), 1) for _ in range(count)]
    for number, sheet in enumerate(sheets):
        sheet.paste(0, (0, number, 1728, number + 10))
    file = BytesIO()
    options: dict[str, Any] = {"compression": "group4", "dpi": (204, 98)} if file_format == "TIFF" else {}
    sheets[0].save(file, file_format, save_all=True, append_images=sheets[1:], **options)
    return file.getvalue()


WAV: Final = wav()
TIFF: Final = pages(1)
PDF: Final = pages(1, "PDF")


def png(width: int, height: int) -> bytes:
    """A picture of one colour."""
    file = BytesIO()
    Image.new("RGB", (width, height), "#d9822b").save(file, "PNG")
    return file.getvalue()


MENU_DEFAULTS: Final[dict[str, Any]] = {
    "allow_record_from_offnet": False,
    "hunt": True,
    "max_extension_length": 4,
    "media": {},
    "retries": 3,
    "suppress_media": False,
}
"""What the schema of menus adds."""
DEVICE_DEFAULTS: Final[dict[str, Any]] = {
    "call_restriction": {},
    "contact_list": {},
    "enabled": True,
    "exclude_from_queues": False,
    "music_on_hold": {},
    "mwi_unsolicited_updates": True,
    "register_overwrite_notify": False,
    "ringtones": {},
    "suppress_unregister_notifications": False,
}
"""What the schema of devices adds."""
APP_METADATA: Final[dict[str, Any]] = {
    "name": "voip",
    "i18n": {"en-US": {"label": "SmartPBX", "description": "Manage a phone system"}},
    "tags": ["end-user"],
    "author": "Somebody",
    "version": "1.0",
    "license": "-",
    "price": 0,
    "icon": "voip.png",
}
"""The `app.json` of an app of a user interface."""
