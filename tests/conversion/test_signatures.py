# SPDX-License-Identifier: MPL-2.0
"""What the first bytes of a file say it is."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import sqlite3
import struct
import subprocess
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from crossbar.conversion import signatures
from crossbar.conversion.signatures import recognised
from tests.samples import MP3, OGG, PDF, TIFF, WAV

FILMS = {
    "mp3": "audio/mpeg",
    "wav": "audio/x-wav",
    "ogg": "audio/ogg",
    "flac": "audio/x-flac",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "aiff": "audio/x-aiff",
    "au": "audio/basic",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "flv": "video/x-flv",
    "mpg": "video/mpeg",
    "avi": "video/x-msvideo",
    "wmv": "video/x-ms-wmv",
}
"""Made by ffmpeg, by extension."""
PICTURES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
}
OTHERS = {
    "application/pdf": PDF,
    "application/postscript": b"%!PS-Adobe-3.0\n",
    "application/rtf": rb"{\rtf1\ansi x}",
    "application/gzip": gzip.compress(b"x"),
    "application/x-bzip2": bz2.compress(b"x"),
    "application/x-xz": lzma.compress(b"x"),
    "application/zstd": b"\x28\xb5\x2f\xfd\x04\x00",
    "application/x-7z-compressed": b"7z\xbc\xaf\x27\x1c\0\4",
    "application/x-rar-compressed": b"Rar!\x1a\x07\x01\0",
    "application/x-mach-binary": b"\xcf\xfa\xed\xfe\x07\0\0\1",
    "application/x-msdownload": b"MZ" + bytes(58) + struct.pack("<I", 0x80),
    "audio/amr": b"#!AMR\n\x3c",
    "audio/midi": b"MThd\0\0\0\x06\0\1",
    "image/heic": b"\0\0\0\x18ftypheic",
    "image/avif": b"\0\0\0\x18ftypavif",
}


def archives(folder: Path) -> dict[str, bytes]:
    """One of each kind that the standard library writes."""
    file = folder / "words"
    file.write_text("words")
    with zipfile.ZipFile(folder / "zip", "w") as archive:
        archive.write(file)
    with tarfile.open(folder / "tar", "w") as tape:
        tape.add(file)
    with sqlite3.connect(folder / "sqlite") as database:
        database.execute("CREATE TABLE t (c)")
    database.close()
    return {
        "application/zip": (folder / "zip").read_bytes(),
        "application/x-tar": (folder / "tar").read_bytes(),
        "application/x-sqlite3": (folder / "sqlite").read_bytes(),
        "application/x-executable": Path(sys.executable).resolve().read_bytes()[:4096],
    }


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A second of sound, or of a test picture, in each format, by extension."""
    folder = tmp_path_factory.mktemp("films")
    sources = {"audio": "sine=d=0.2:r=8000", "video": "testsrc=d=0.2:s=64x64:r=25"}
    command = ["ffmpeg", "-loglevel", "error"]
    for source in sources.values():
        command += ["-f", "lavfi", "-i", source]
    for extension, media_type in FILMS.items():
        stream = 0 if media_type.startswith("audio") else 1
        plain = ["-write_id3v2", "0", "-id3v2_version", "0"] if extension == "mp3" else []
        command += ["-map", str(stream), *plain, str(folder / f"film.{extension}")]
    subprocess.run(command, check=True, timeout=60)
    return {extension: (folder / f"film.{extension}").read_bytes() for extension in FILMS}


def picture(form: str) -> bytes:
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, form)
    return file.getvalue()


def test_every_format_is_known_by_its_first_bytes(films: dict[str, bytes], tmp_path: Path) -> None:
    samples = [(media_type, films[extension]) for extension, media_type in FILMS.items()]
    samples += [(media_type, picture(form)) for form, media_type in PICTURES.items()]
    samples += [*OTHERS.items(), *archives(tmp_path).items()]
    samples += [("audio/mpeg", MP3), ("audio/ogg", OGG), ("audio/x-wav", WAV), ("image/tiff", TIFF)]
    assert {media_type for media_type, _ in samples} == {media_type for media_type, _ in signatures._SIGNATURES}
    assert [(media_type, recognised(contents)) for media_type, contents in samples] == [
        (media_type, media_type) for media_type, _ in samples
    ]


def test_an_mp3_needs_no_tag(films: dict[str, bytes]) -> None:
    assert not films["mp3"].startswith(b"ID3")


@pytest.mark.parametrize(
    "contents",
    [b"", b"just some words", b'{"a": 1}', b"<!doctype html>", b"<svg/>", b"function f() {}", b"\xd0" * 330],
)
def test_what_has_no_well_known_beginning_is_nothing(contents: bytes) -> None:
    assert recognised(contents) is None


def test_words_and_noise_are_no_files() -> None:
    """Not even words that some format begins with."""
    dice = random.Random(1)
    words = ["BM", "MM", "II", "MZ", "PK", "GIF", "ID3", "RIFF", "Rar", "FLV", "OggS", "FORM", "hello"]
    for _ in range(500):
        assert recognised(" ".join(dice.choices(words, k=100)).encode()) is None
        assert recognised(dice.randbytes(400)) is None
