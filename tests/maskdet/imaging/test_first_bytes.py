"""Kinds are told by content: what FFmpeg and OpenCV may be given, and what everything else is called."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.imaging.first_bytes import HEAD_BYTES, kind_of


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.jpg", b"x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("head", "family", "name"),
    [
        (b"ffconcat version 1.0\nfile other.mp4\n", "other", "a list of files for FFmpeg"),
        (b"\xef\xbb\xbf#EXTM3U\n#EXT-X-VERSION:3\n", "playlist", "a playlist"),
        (b"<?xml version='1.0'?><MPD type='static'>", "playlist", "a DASH playlist"),
        (b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 10.0.0.1\n", "other", "a description of a stream"),
        (b"<!DOCTYPE html><html>", "other", "an HTML page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "other", "an SVG drawing"),
        (b"<annotation><folder/>", "other", "XML"),
        (zipped(), "other", "a ZIP archive"),
        (b"%PDF-1.7", "other", "a PDF document"),
        ("grüße\n".encode() * 300, "other", "a text"),
        (b"\1\2\3", "other", "unknown data"),
        (b"", "other", "unknown data"),
        (b"--frame\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff", "frames", "a multipart stream of pictures"),
        (b"\0\0\0\x01\x67\x42\0\x1e", "video", "a raw H.264 video"),
        (b"\0\0\x01\x40\x01\x0c\x01", "video", "a raw H.265 video"),
        (b"\0\0\x01\xba\x44", "video", "an MPEG program stream"),
        (b"\0\0\x01\xb3\x14\0", "video", "a raw MPEG video"),
        (b"xy" + (b"G" + bytes(187)) * 5, "video", "an MPEG transport stream"),
        ((bytes(4) + b"G" + bytes(187)) * 5, "video", "an MPEG transport stream"),
        (b"\x06\x0e+4\x02\x05\x01\x01\x0d", "video", "an MXF video"),
        (b"RIFF\0\0\0\0AVI LIST", "video", "an AVI video"),
        (b"RIFF\0\0\0\0WAVEfmt ", "other", "unknown data"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "picture", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "picture", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "video", "an MP4 or QuickTime video"),
        (b"BMW is no bitmap, but a make of cars", "other", "a text"),
    ],
)
def test_what_things_are(head: bytes, family: str, name: str) -> None:
    kind = kind_of(head[:HEAD_BYTES])
    assert (kind.family, kind.name) == (family, name)


@pytest.mark.parametrize("ending", ["avi", "mp4", "mkv", "mov", "ts", "mpg"])
def test_what_opencv_writes_is_a_video(ending: str, write_video: Callable[..., Path]) -> None:
    head = write_video(f"a.{ending}").read_bytes()[:HEAD_BYTES]
    assert kind_of(head).family == "video"


@given(st.binary(max_size=HEAD_BYTES))
def test_anything_has_a_kind(head: bytes) -> None:
    assert kind_of(head).name
