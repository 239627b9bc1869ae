# SPDX-License-Identifier: MPL-2.0
"""Conversions: speech from text, one audio format from another, a PDF from a fax.

Source: `kazoo_speech` (`kazoo_tts_flite.erl`), `cb_modules_util:normalize_media_upload`, `kz_fax_attachment.erl`.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import wave
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

from crossbar.conversion.tools import ToolError, ToolMissing, run

AudioFormat = Literal["mp3", "mp4", "wav"]
CONTENT_TYPES: Final[dict[AudioFormat, str]] = {"mp3": "audio/mpeg", "mp4": "video/mp4", "wav": "audio/x-wav"}

_ENCODERS: Final[dict[AudioFormat, tuple[str, ...]]] = {
    "mp3": ("-f", "mp3"),
    "mp4": ("-f", "mp4", "-movflags", "frag_keyframe+empty_moov"),
    "wav": ("-f", "wav"),
}
_READABLE: Final = "wav,mp3,ogg,flv,mpeg,mov,matroska,h264,aac,flac"
"""The formats ffmpeg may take a file for: none that leads it on to other files or to the network."""
_LANGUAGE: Final = re.compile(r"([a-z]{2,3})-([A-Z]{2})")
_PAPER_PROGRAM: Final = str(Path(__file__).with_name("paper.py"))


@dataclass(frozen=True, slots=True)
class Fax:
    """A document to fax: its PDF and how many pages it has."""

    pdf: bytes
    pages: int


class MediaConverter:
    """Runs the programs that do the work: a few at a time, each at most `seconds` long and `largest` bytes large."""

    def __init__(self, *, seconds: float, largest: int, at_once: int) -> None:
        self._seconds = seconds
        self._largest = largest
        self._slots = asyncio.Semaphore(at_once)

    async def fax(self, contents: bytes) -> Fax:
        """A TIFF or PDF, by its contents, as a PDF. Raises ToolError for anything else."""
        printed = await self._run((sys.executable, "-I", _PAPER_PROGRAM), contents)
        pages, _, pdf = printed.partition(b"\n")
        return Fax(pdf, int(pages))

    async def convert(self, contents: bytes, wanted: AudioFormat) -> bytes:
        """Sound in another format, with what else is in the file left out. Raises ToolError, ToolMissing."""
        if (ffmpeg := shutil.which("ffmpeg")) is None:
            raise ToolMissing("ffmpeg is not available to convert media")
        source = ("-protocol_whitelist", "pipe", "-format_whitelist", _READABLE, "-i", "pipe:0")
        command = (ffmpeg, "-hide_banner", "-loglevel", "error", *source, "-vn", *_ENCODERS[wanted], "pipe:1")
        made = await self._run(command, contents)
        return _with_length(made) if wanted == "wav" else made

    async def speak(self, text: str, voice: str) -> bytes:
        """`text` as a WAV file, spoken by `voice` (`female/en-US`, `de-DE-Wavenet-A`).

        Raises ToolError, and ToolMissing where no engine speaks the voice's language.
        """
        male = voice.startswith("male/")
        match = _LANGUAGE.search(voice)
        language = match[0].lower() if match and match[1] != "us" else "en-us"
        if engine := shutil.which("espeak-ng"):
            variant = "m3" if male else "f3"
            command = (engine, "-v", f"{language}+{variant}", "--stdin", "--stdout")
            return _with_length(await self._run(command, text.encode()))
        if language.startswith("en-") and (engine := shutil.which("flite")):
            flite_voice = "rms" if male else "slt"
            return await self._run(
                (engine, "-voice", flite_voice, "-f", "/dev/stdin", "-o", "/dev/stdout"), text.encode()
            )
        raise ToolMissing("flite is not available to create TTS media")

    async def _run(self, command: tuple[str, ...], contents: bytes) -> bytes:
        async with self._slots:
            return await run(command, contents, seconds=self._seconds, largest=self._largest)


def _with_length(wav: bytes) -> bytes:
    """The same sound in a file that says how long it is: a program that writes to a pipe cannot know beforehand."""
    whole = BytesIO()
    try:
        with wave.open(BytesIO(wav)) as sound, wave.open(whole, "wb") as copy:
            copy.setparams(sound.getparams()._replace(nframes=0))
            copy.writeframes(sound.readframes(sound.getnframes()))
    except (wave.Error, EOFError) as error:
        raise ToolError(f"no sound was made: {error}") from error
    return whole.getvalue()
