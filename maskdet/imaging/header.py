"""A picture's size and what decoding it takes, from its header alone, for every kind that OpenCV reads.

A decoder makes room for what a header says before it looks for the body, so a file of some bytes can ask for gigabytes:
what cannot be told here is not decoded. Where a file says its size in several places, the largest counts.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from maskdet.imaging import jpeg
from maskdet.imaging.first_bytes import picture_kind

#: Bytes a pixel that every picture takes: decoded, and once more while it is handed over or turned upright.
_DECODED: Final = 6

#: Passes over a progressive JPEG, in scans times pixels: ten seconds at most. Ten scans are usual.
_MOST_SCANNED: Final = 2_500_000_000


#: Width, height, and the bytes that this kind takes beside ``_DECODED``.
_Facts = tuple[int, int, float]


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
    reader = None if kind is None else _READERS.get(kind)
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
    try:
        orientation = tiff_tags(header.exif).get(274, 1)
    except (struct.error, IndexError):
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def _jpeg(data: bytes) -> _Facts:
    header = jpeg.read_header(data)
    if header.size is None:
        raise DamagedHeaderError("damaged or cut short")
    width, height = header.size
    if header.buffered and jpeg.scans(data) * width * height > _MOST_SCANNED:
        raise DamagedHeaderError(f"damaged: {jpeg.scans(data):,} scans of {width:,}×{height:,} pixels")
    # Coefficients of two bytes are kept beside the pixels, but let go before these are handed over.
    return width, height, width * height * max(header.samples * 2 - 3, 0) if header.buffered else 0


#: Blocks of a GIF's comments and the like, 255 bytes each.
_MOST_BLOCKS: Final = 100_000

#: Bytes that OpenJPEG keeps for a tile, and for each component of one.
_J2K_TILE, _J2K_COMPONENT = 6_000, 1_200

# Compiled where such a picture comes: most are JPEGs.
_PNM: Final = rb"P([1-6])(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)\s"
_PFM: Final = rb"P[Ff]\s+(\d+)\s+(\d+)\s"
_HDR: Final = rb"\n[-+][XY] (\d+) [-+][XY] (\d+)\n"


def _png(data: bytes) -> _Facts:
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    if data[12:16] != b"IHDR":
        raise DamagedHeaderError("damaged or cut short")
    at, animated = 8, False
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            raise DamagedHeaderError("damaged or cut short")
        animated |= kind == b"acTL"
        if kind == b"IEND":
            break
        at += 12 + length
    interlaced = data[28] == 1
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 4)
    whole = channels * depth / 8 if interlaced or depth == 16 else 0
    return width, height, width * height * (whole + (8 if animated else 0))


def _bmp(data: bytes) -> _Facts:
    (length,) = struct.unpack_from("<I", data, 14)
    if length == 12:  # OS/2's
        width, height = struct.unpack_from("<HH", data, 18)
        return width, height, 0
    if length < 36:  # what no decoder knows
        raise DamagedHeaderError("damaged, or a BMP of unknown kind")
    width, height = struct.unpack_from("<ii", data, 18)
    return width, abs(height), 0  # below zero: from top to bottom


def _gif(data: bytes) -> _Facts:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    blocks = 0
    while data[at] == 0x21:  # extensions
        at += 2
        while data[at]:
            at += data[at] + 1
            blocks += 1
            if blocks > _MOST_BLOCKS:
                raise DamagedHeaderError("damaged: comments without end")
        at += 1
    left, top, across, down = struct.unpack_from("<4H", data, at + 1)
    width, height = max(width, left + across), max(height, top + down)
    return width, height, width * height * 8


def _tiff(data: bytes) -> _Facts:
    tags = tiff_tags(data)
    width, height = tags.get(256, 0), tags.get(257, 0)
    samples, bits = tags.get(277, 1), tags.get(258, 1)
    across, down = tags.get(322, 0), tags.get(323, 0)
    if not across or not down:  # strips; one without rows is the whole picture
        across, down = width, min(tags.get(278, 0) or height, height)
    # One strip or tile at a time, as it is stored and unpacked; OpenCV spreads it to four samples.
    part = across * down * max(samples, 4) * max(bits, 8) / 8
    deep = width * height * 3 * (bits / 8 - 1) if bits > 16 else 0
    return width, height, part + deep


def tiff_tags(data: bytes) -> dict[int, int]:
    """Return the first value of each short or long entry in the first directory of a TIFF; the largest of repeated."""
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    where, counter, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    (at,) = struct.unpack_from(order + where, data, 8 if big else 4)
    (count,) = struct.unpack_from(order + counter, data, at)
    at += 8 if big else 2
    tags: dict[int, int] = {}
    for number in range(min(count, 4096)):
        tag, kind, values = struct.unpack_from(order + "HH" + where, data, at + number * entry)
        form = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(kind)
        if form is None:
            continue
        value_at = at + number * entry + entry - (8 if big else 4)
        if struct.calcsize(form) * values > (8 if big else 4):
            if tag not in {256, 257, 258, 277, 278, 322, 323}:
                continue
            (value_at,) = struct.unpack_from(order + where, data, value_at)
        tags[tag] = max(tags.get(tag, 0), struct.unpack_from(order + form, data, value_at)[0])
    return tags


def _webp(data: bytes) -> _Facts:
    width = height = at = 0
    lossless = animated = False
    at = 12
    while at + 18 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        body = at + 8
        if kind == b"VP8X":
            size = 1 + _uint24(data, body + 4), 1 + _uint24(data, body + 7)
            animated = bool(data[body] & 2)
        elif kind == b"VP8L":
            (packed,) = struct.unpack_from("<I", data, body + 1)
            size, lossless = (1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)), True
        elif kind == b"VP8 ":
            across, down = struct.unpack_from("<HH", data, body + 6)
            size = across & 0x3FFF, down & 0x3FFF
        elif kind == b"ANMF":
            size = 1 + _uint24(data, body + 6), 1 + _uint24(data, body + 9)
        else:
            size = 0, 0
        width, height = max(width, size[0]), max(height, size[1])
        if kind in {b"VP8L", b"VP8 ", b"ANMF"}:
            break
        at = body + length + (length & 1)
    return width, height, width * height * (4 * lossless + 12 * animated + 2)


def _jpeg2000(data: bytes) -> _Facts:
    at = data.find(b"\xff\x4f\xff\x51")
    if at < 0:
        raise DamagedHeaderError("damaged or cut short")
    right, bottom, left, top, across, down, tile_x, tile_y, components = struct.unpack_from(">8IH", data, at + 8)
    width, height = right - left, bottom - top
    if not across or not down or min(width, height) < 1:
        raise DamagedHeaderError("damaged or cut short")
    tiles = -(-(right - tile_x) // across) * -(-(bottom - tile_y) // down)
    # Four bytes a sample, in the picture and once more in a tile that is not all of it. The pixels are made thereafter.
    part = min(across, width) * min(down, height) if tiles > 1 else 0
    samples = (width * height + part) * max(components, 1) * 4 - width * height * 3
    return width, height, samples + tiles * (_J2K_TILE + components * _J2K_COMPONENT)


def _pnm(data: bytes) -> _Facts:
    found = re.match(_PNM, data[:65536])
    if found is None:
        raise DamagedHeaderError("damaged or cut short")
    return int(found[2]), int(found[3]), 0


def _pam(data: bytes) -> _Facts:
    head = data[: data.find(b"ENDHDR") + 1][:65536].decode("latin-1")
    named = {
        name: int(value) for name, value in re.findall(r"^(WIDTH|HEIGHT|DEPTH|MAXVAL)\s+(\d{1,9})\s*$", head, re.M)
    }
    width, height = named.get("WIDTH", 0), named.get("HEIGHT", 0)
    return width, height, width * height * named.get("DEPTH", 1) * (2 if named.get("MAXVAL", 255) > 255 else 1)


def _pfm(data: bytes) -> _Facts:
    found = re.match(_PFM, data[:256])
    if found is None:
        raise DamagedHeaderError("damaged or cut short")
    width, height = int(found[1]), int(found[2])
    return width, height, width * height * 18


def _hdr(data: bytes) -> _Facts:
    found = re.search(_HDR, data[:65536])
    if found is None:
        raise DamagedHeaderError("damaged or cut short")
    height, width = int(found[1]), int(found[2])
    return width, height, width * height * 18


def _sun_raster(data: bytes) -> _Facts:
    width, height = struct.unpack_from(">II", data, 4)
    return width, height, 0


def _avif(data: bytes) -> _Facts:
    from maskdet.imaging.av1 import sequence_sizes

    # The picture's own header counts beside the container's: the decoder makes room by it.
    sizes = [*_declared_sizes(data), *sequence_sizes(data)]
    if not sizes:
        raise DamagedHeaderError("damaged or cut short")
    width, height = max(size[0] for size in sizes), max(size[1] for size in sizes)
    return width, height, width * height * 16  # planes of up to two bytes, the decoder's threads, and transparency


def _declared_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (width, height) of every image spatial extent (``ispe``) of a HEIF container."""
    for found in re.finditer(b"ispe", data):
        yield struct.unpack_from(">II", data, found.end() + 4)


def _uint24(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")


_READERS: Final[dict[str, Callable[[bytes], _Facts]]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "BMP": _bmp,
    "GIF": _gif,
    "TIFF": _tiff,
    "WebP": _webp,
    "JPEG 2000": _jpeg2000,
    "PNM": _pnm,
    "PAM": _pam,
    "PFM": _pfm,
    "Radiance HDR": _hdr,
    "Sun raster": _sun_raster,
    "AVIF": _avif,
}
