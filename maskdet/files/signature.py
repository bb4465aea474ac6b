"""How a picture, video or model that maskdet wrote is known again: a mark in the file, where readers pass over it."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Final

#: Stands in a JPEG's comment, a PNG's text, or behind the end of other files.
MARK: Final = b"written by maskdet"

#: Where the mark is looked for: it stands near the beginning or at the very end.
_HEAD, _TAIL = 4096, 256

#: What ONNX files that maskdet writes say of themselves.
_MODEL_KEYS: Final = (b"maskdet-model/", b"maskdet_int8", b"maskdet_training")

#: Model files carry their own description, last of all: a few kilobytes, or what a network trains on again.
_MODEL_TAIL: Final = 2**20


def sign(data: bytes) -> bytes:
    """Return an encoded picture with the mark in it; its pixels are the same.

    >>> sign(b"BM...")
    b'BM...written by maskdet'
    """
    if data[:3] == b"\xff\xd8\xff":
        # Behind JFIF's own segment, which must come first.
        at = 4 + int.from_bytes(data[4:6], "big") if data[2:4] == b"\xff\xe0" else 2
        return data[:at] + b"\xff\xfe" + struct.pack(">H", len(MARK) + 2) + MARK + data[at:]
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        at = 8 + 12 + int.from_bytes(data[8:12], "big")
        chunk = b"tEXtSoftware\0" + MARK
        return data[:at] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[at:]
    return data + MARK


def video_tail(suffix: str) -> bytes:
    r"""Return what is put behind the end of a video: an element of its container that holds the mark and no content.

    >>> video_tail(".avi")
    b'JUNK\x12\x00\x00\x00written by maskdet'
    """
    if suffix == ".mkv":
        return b"\xec" + bytes([0x80 | len(MARK)]) + MARK
    if suffix == ".avi":
        return b"JUNK" + struct.pack("<I", len(MARK)) + MARK
    return struct.pack(">I", len(MARK) + 8) + b"free" + MARK


def is_signed(path: Path) -> bool:
    """Whether a picture or video has the mark."""
    with path.open("rb") as file:
        if MARK in file.read(_HEAD):
            return True
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _TAIL))
        return MARK in file.read()


def is_our_model(path: Path) -> bool:
    """Whether an ONNX file has maskdet's description."""
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _MODEL_TAIL))
        tail = file.read()
        return any(key in tail for key in _MODEL_KEYS)
