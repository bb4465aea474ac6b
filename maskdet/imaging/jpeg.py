"""A JPEG's header and its ends, read without decoding (ITU T.81, annex B), with a decoder's leniency.

Decoders pass over stray bytes between segments; a header reader that does not would see another picture than they do.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: Frame headers of all coding processes, without DHT, JPG and DAC, whose numbers lie between theirs.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

#: Coding processes whose coefficients are all kept until the last scan.
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})

#: Markers that stand alone: TEM, RSTn, SOI and EOI.
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xDA)})

#: A marker within a scan: there a stuffed zero, a restart or a fill byte stands behind FF.
_SCAN_END: Final = rb"\xff[^\x00\xff\xd0-\xd7]"

#: A marker, stray bytes, stuffed zeros and padding before it passed over.
_MARKER: Final = re.compile(rb"\xff[^\x00\xff]")

#: Segments looked at: a hundred times what the largest profile is cut into.
_MOST_SEGMENTS: Final = 20_000

#: What writers put between the pictures of a recording: nothing, zeros, line ends, a multipart head.
_LONGEST_GAP: Final = 1024


class JpegHeader(NamedTuple):
    """What stands before a JPEG's first scan.

    Attributes:
        frame: the frame header's marker, which tells the kind of compression; None where there is none.
        size: (width, height) in pixels as stored; None likewise.
        samples: how many samples a pixel the components have together, 3 without subsampling and 1.5 in 4:2:0.
        buffered: the decoder keeps all coefficients, since a scan holds less than the whole picture.
        exif: the body of the first Exif segment, a TIFF; empty where there is none.
        several: an index of several pictures in one file stands in it (MPF: a stereo pair, a preview, a gain map).
    """

    frame: int | None
    size: tuple[int, int] | None
    scan: int | None
    samples: float = 0.0
    buffered: bool = False
    exif: bytes = b""
    several: bool = False


def read_header(data: bytes, start: int = 0) -> JpegHeader:
    """Go through the header of a JPEG, which begins with its start marker at ``start``."""
    at, frame, size, samples, components, exif, several = start + 2, None, None, 0.0, 0, b"", False
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None or found.start() + 4 > len(data):
            break
        at = found.start()
        marker = data[at + 1]
        if marker == 0xDA:
            buffered = frame in _PROGRESSIVE or (at + 4 < len(data) and data[at + 4] < components)
            return JpegHeader(frame, size, at, samples, buffered, exif, several)
        if marker in {0xD8, 0xD9}:  # another picture, or the end before any scan
            break
        if marker in _ALONE:
            at += 2
        else:
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            if marker in _FRAMES:
                frame = marker
                if at + 10 <= len(data):
                    size = int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
                    components = data[at + 9]
                    samples = _samples(data[at + 10 : at + 10 + 3 * components])
            if marker == 0xE1 and not exif and data[at + 4 : at + 10] == b"Exif\0\0":
                exif = data[at + 10 : at + 2 + length]
            several |= marker == 0xE2 and data[at + 4 : at + 8] == b"MPF\0"
            at += 2 + max(length, 2)
    return JpegHeader(frame, size, None, samples, frame in _PROGRESSIVE, exif, several)


def scans(data: bytes) -> int:
    """Return how many scans a JPEG has, those of a preview included: each may be a pass over the picture."""
    return data.count(b"\xff\xda")


def end(data: bytes, header: JpegHeader) -> int | None:
    """Return where the JPEG of this header ends, behind its end marker; None where it has none."""
    scan_end, at = re.compile(_SCAN_END), header.scan
    for _ in range(_MOST_SEGMENTS):
        if at is None or at + 4 > len(data):
            break
        marker = data[at + 1]
        if data[at] != 0xFF or marker == 0xD8:
            return None
        if marker == 0xD9:
            return at + 2
        at += 2 if marker in _ALONE else 2 + max(int.from_bytes(data[at + 2 : at + 4], "big"), 2)
        found = scan_end.search(data, at)
        at = found.start() if found else None
    return at + 2 if at is not None and data[at : at + 2] == b"\xff\xd9" else None


def next_start(data: bytes, behind: int) -> int | None:
    """Return where the next JPEG of a recording begins, close behind the end of one; None where there is none."""
    at = data.find(b"\xff\xd8\xff", behind, behind + _LONGEST_GAP)
    return at if at >= 0 else None


def is_recording(data: bytes) -> bool:
    """Whether a second JPEG of the same size stands behind the first: the frames of a camera, one behind another.

    A preview or gain map behind a photo has another size, or an index that names it.
    """
    if data.find(b"\xff\xd8\xff", 2) < 0:
        return False
    first = read_header(data)
    behind = end(data, first)
    if first.several or behind is None:
        return False
    start = next_start(data, behind)
    return start is not None and read_header(data, start).size == first.size


def _samples(components: bytes) -> float:
    """Return the samples a pixel of a frame header's components, three bytes each."""
    factors = [(byte >> 4) * (byte & 15) for byte in components[1::3]]
    across = max((byte >> 4 for byte in components[1::3]), default=1)
    down = max((byte & 15 for byte in components[1::3]), default=1)
    return sum(factors) / max(across * down, 1)
