# SPDX-License-Identifier: MPL-2.0
"""Sounds and pages of the example office: spoken where something can speak here, else a tone of falling pitch."""

from __future__ import annotations

import asyncio
import math
import struct
import wave
from io import BytesIO

from PIL import Image, ImageDraw

from crossbar.conversion.converter import MediaConverter
from crossbar.conversion.tools import ToolError, ToolMissing

RATE = 8_000
"""Samples a second."""
VOICE = "female/en-US"
PAGE = (1728, 1100)
"""Dots of a fax page, in standard resolution."""


class DemoSounds:
    """Speaks each text once."""

    def __init__(self, converter: MediaConverter) -> None:
        self._converter = converter
        self._made: dict[str, bytes] = {}

    async def spoken(self, text: str) -> bytes:
        """A WAV file that says the text, or plays a tone for as long."""
        if text not in self._made:
            try:
                self._made[text] = await self._converter.speak(text, VOICE)
            except (ToolMissing, ToolError):
                self._made[text] = await asyncio.to_thread(tone, 0.06 * len(text))
        return self._made[text]


def tone(seconds: float) -> bytes:
    """A WAV file, 16 bits a sample."""
    count = int(seconds * RATE)
    samples = (int(9000 * math.sin(2 * math.pi * (660 - 220 * at / count) * at / RATE)) for at in range(count))
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(struct.pack(f"<{count}h", *samples))
    return file.getvalue()


def fax_page(*lines: str) -> bytes:
    """A TIFF file with a page of text."""
    sheet = Image.new("1", PAGE, 1)
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        pen.text((120, 100 + 40 * number), line, fill=0)
    file = BytesIO()
    sheet.save(file, "TIFF", compression="group4", dpi=(204, 98))
    return file.getvalue()
