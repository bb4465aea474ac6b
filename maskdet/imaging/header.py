"""A picture's size and what decoding it takes, from its header alone, for every kind that OpenCV reads.

A decoder makes room for what a header says before it looks for the body, so a file of some bytes can ask for gigabytes:
what cannot be told here is not decoded. Where a file says its size in several places, the largest counts.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from maskdet.imaging import jpeg
from maskdet.imaging.first_bytes import picture_kind

#: Bytes a pixel that every picture takes: decoded, and once more while it is handed over or turned upright.
_DECODED: Final = 6

#: Passes over a progressive JPEG, in scans times pixels: ten seconds at most. Ten scans are usual.
_MOST_SCANNED: Final = 2_500_000_000


class PictureHeader(NamedTuple):
    """What a picture's header says.

    Attributes:
        kind: such as ``JPEG``; see ``maskdet.imaging.first_bytes``.
        size: (width, height) in pixels as stored.
        memory: bytes that decoding it to 8-bit colour takes, the file itself not counted.
    """

    kind: str
    size: tuple[int, int]
    memory: int


class DamagedHeaderError(ValueError):
    """A header that ends early or says what cannot be; its text is what is wrong."""


def read_picture_header(data: bytes) -> PictureHeader | None:
    """Read the header of a picture file held in memory; return None where it is no picture that OpenCV reads.

    Raises:
        DamagedHeaderError: the size cannot be told, or the file is shorter than its parts say.
    """
    kind = picture_kind(data[:64])
    reader = None if kind is None else _jpeg if kind == "JPEG" else _reader(kind)
    if kind is None or reader is None:
        return None
    try:
        width, height, extra = reader(data)
    except (struct.error, IndexError) as error:
        raise DamagedHeaderError("damaged or cut short") from error
    if min(width, height) < 1:
        raise DamagedHeaderError("damaged or cut short")
    return PictureHeader(kind, (width, height), round(width * height * _DECODED + extra))


def jpeg_orientation(header: jpeg.JpegHeader) -> int:
    """Return the Exif orientation of a JPEG, 1 to 8; 1 where it has none that is one."""
    from maskdet.imaging.kinds import tiff_tags

    try:
        orientation = tiff_tags(header.exif).get(274, 1)
    except (struct.error, IndexError):
        return 1
    return orientation if 1 <= orientation <= 8 else 1


#: Width, height, and the bytes that this kind takes beside ``_DECODED``.
Facts = tuple[int, int, float]


def _reader(kind: str) -> Callable[[bytes], Facts] | None:
    from maskdet.imaging.kinds import READERS  # most pictures are JPEGs

    return READERS.get(kind)


def _jpeg(data: bytes) -> Facts:
    header = jpeg.read_header(data)
    if header.size is None:
        raise DamagedHeaderError("damaged or cut short")
    width, height = header.size
    if header.buffered and jpeg.scans(data) * width * height > _MOST_SCANNED:
        raise DamagedHeaderError(f"damaged: {jpeg.scans(data):,} scans of {width:,}×{height:,} pixels")
    # Coefficients of two bytes are kept beside the pixels, but let go before these are handed over.
    return width, height, width * height * max(header.samples * 2 - 3, 0) if header.buffered else 0
