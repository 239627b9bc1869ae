# SPDX-License-Identifier: MPL-2.0
"""The programs behind conversions: what they make, and how they are held to their limits."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import wave
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from crossbar.conversion.converter import AudioFormat, MediaConverter
from crossbar.conversion.media_types import recognised
from crossbar.conversion.tools import ToolError, run
from tests.samples import PDF, WAV, pages

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


@pytest.fixture
def media_converter() -> MediaConverter:
    return MediaConverter(seconds=60, largest=10_000_000, at_once=2)


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path on which only what the test puts there is found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


async def test_a_program_gets_the_contents_and_only_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSBAR_SECURITY__PASSWORD_PEPPER", "secret")
    script = "import os, sys; print(sys.stdin.read(), *(name for name in os.environ if name.startswith('CROSSBAR')))"
    assert await run((sys.executable, "-I", "-c", script), b"hello", seconds=60, largest=1000) == b"hello\n"


@pytest.mark.parametrize(
    ("script", "seconds", "complaint"),
    [
        ("exit 3", 60, r"sh failed \(3\): $"),
        ("echo no such codec >&2; exit 1", 60, r"sh failed \(1\): no such codec"),
        ("kill -9 $$", 60, r"sh failed \(-9\)"),
        ("exec cat /dev/zero", 60, "sh produced more than 100000 bytes"),
        ("exec sleep 60", 0.05, r"sh took more than 0.05 s"),
    ],
)
async def test_a_program_is_held_to_its_limits(script: str, seconds: float, complaint: str) -> None:
    with pytest.raises(ToolError, match=complaint):
        await run(("/bin/sh", "-c", script), b"x" * 1_000_000, seconds=seconds, largest=100_000)


async def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ToolError, match="absent cannot be started: No such file or directory"):
        await run(("/nowhere/absent",), b"", seconds=1, largest=1)


async def test_a_program_ends_with_the_request_that_wanted_it(tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    work = asyncio.create_task(
        run(("/bin/sh", "-c", f"echo $$ > {started}; exec sleep 600"), b"", seconds=600, largest=1)
    )
    process_id = (await asyncio.to_thread(started.read_text)).strip()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    with pytest.raises(ProcessLookupError):
        os.kill(int(process_id), 0)


@pytest.mark.parametrize("count", [1, 3])
async def test_a_fax_becomes_a_pdf_of_its_shape(media_converter: MediaConverter, count: int) -> None:
    fax = await media_converter.fax(pages(count))
    assert fax.pages == count
    sheets = PdfReader(BytesIO(fax.pdf)).pages
    assert len(sheets) == count
    width, height = sheets[0].mediabox.width, sheets[0].mediabox.height
    assert (round(width), round(height)) == (round(1728 / 204 * 72), round(1100 / 98 * 72))


async def test_a_pdf_stays_as_it_is(media_converter: MediaConverter) -> None:
    fax = await media_converter.fax(PDF)
    assert (fax.pdf, fax.pages) == (PDF, 1)


@pytest.mark.parametrize("contents", [b"", b"no paper", PDF[:40], WAV, b"II*\x00" + bytes(100)])
async def test_what_is_no_paper_is_refused(media_converter: MediaConverter, contents: bytes) -> None:
    with pytest.raises(ToolError):
        await media_converter.fax(contents)


@needs_ffmpeg
@pytest.mark.parametrize(("wanted", "made"), [("mp3", "audio/mpeg"), ("mp4", "video/mp4"), ("wav", "audio/x-wav")])
async def test_sound_is_converted(media_converter: MediaConverter, wanted: AudioFormat, made: str) -> None:
    assert recognised(await media_converter.convert(WAV, wanted)) == made


@needs_ffmpeg
async def test_a_playlist_leads_nowhere(media_converter: MediaConverter, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(WAV)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{tmp_path}/secret.wav\n#EXT-X-ENDLIST\n"
    with pytest.raises(ToolError, match="ffmpeg failed"):
        await media_converter.convert(playlist.encode(), "wav")


async def test_without_ffmpeg_nothing_is_converted(media_converter: MediaConverter, bare_path: Path) -> None:
    with pytest.raises(ToolError, match="ffmpeg is not available to convert media"):
        await media_converter.convert(WAV, "mp3")


@needs_espeak
@pytest.mark.parametrize("voice", ["female/en-US", "male/de-DE", "female/us-US", "en-GB-Wavenet-B", "female/zh-CN"])
async def test_text_is_spoken(media_converter: MediaConverter, voice: str) -> None:
    with wave.open(BytesIO(await media_converter.speak("one two three", voice))) as sound:
        assert sound.getnframes() > sound.getframerate() // 2


async def test_flite_speaks_english_where_there_is_no_espeak(media_converter: MediaConverter, bare_path: Path) -> None:
    program(bare_path, "flite", 'echo "$@"; read -r text; echo "$text"')
    said = b"-voice %b -f /dev/stdin -o /dev/stdout\nhello\n"
    assert await media_converter.speak("hello\n", "female/en-GB") == said % b"slt"
    assert await media_converter.speak("hello\n", "male/en-US") == said % b"rms"
    with pytest.raises(ToolError, match="flite is not available to create TTS media"):
        await media_converter.speak("hallo", "female/de-DE")


async def test_without_an_engine_nobody_speaks(media_converter: MediaConverter, bare_path: Path) -> None:
    with pytest.raises(ToolError, match="flite is not available to create TTS media"):
        await media_converter.speak("hello", "female/en-US")


async def test_an_engine_that_says_nothing_has_failed(media_converter: MediaConverter, bare_path: Path) -> None:
    program(bare_path, "espeak-ng", "exit 0")
    with pytest.raises(ToolError, match="no sound was made"):
        await media_converter.speak("hello", "female/en-US")
