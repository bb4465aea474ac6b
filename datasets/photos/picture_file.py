"""Looking at a picture file once: its size, how it is turned, whether it is whole, and a thumbnail.

Decoding would be the slow part of a conversion, so without a thumbnail each format gets the cheapest check that still
tells a whole file from a broken one: a common JPEG must be complete from its header to its end marker (what lies
between, the decoder accepts whatever it is, and mostly it is not even read), PNG has a checksum in every chunk, and the
rest is decoded. With a thumbnail everything is decoded, JPEG at an eighth of its size.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskdet.errors import SourceError
from maskdet.files.opening import open_file
from maskdet.imaging.decode import check_header, decode_bytes, read_rest
from maskdet.imaging.first_bytes import picture_kind
from maskdet.imaging.header import jpeg_orientation
from maskdet.imaging.jpeg import read_header
from maskdet.sessions.processor import MAX_WORKERS, usable_cores

#: Side of the square thumbnail in pixels.
THUMB_SIDE = 32

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Baseline, extended and progressive JPEG with Huffman codes: what every decoder reads.
_COMMON_FRAMES = frozenset({0xC0, 0xC1, 0xC2})

#: Bytes of a JPEG that are looked at first: tables and sizes, and the end marker with what little may follow it.
_HEAD, _TAIL = 4096, 64

#: Pixels that are within every limit.
_SURELY_SMALL: Final = 20_000_000

#: Pixels that a side of a picture must have for ultralytics to train on it.
MIN_SIDE: Final = 10

#: Kinds that every training takes, each with the ending that it gets where its own is none of theirs; others are
#: written anew.
KINDS: Final = {"JPEG": ".jpg", "PNG": ".png", "BMP": ".bmp", "WebP": ".webp", "TIFF": ".tif", "other": ".png"}

#: The kind that OpenCV does not read: Pillow does, with a plugin.
HEIC: Final = "HEIC"

#: OpenCV's ``IMREAD_COLOR``; OpenCV itself is imported where a picture is decoded: most are not.
_COLOUR: Final = 1


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What is known of a picture file.

    Attributes:
        size: width, height in pixels as people see it (EXIF orientation applied).
        stored_size: width, height in pixels as stored.
        orientation: the EXIF orientation, 1–8; 1 where the file has none.
        sha256: of the file's bytes; None unless a thumbnail was asked for.
        thumb: (32, 32, 3) uint8 BGR, squeezed to a square; None unless it was asked for.
        kind: by its first bytes, such as ``JPEG``; see ``maskdet.imaging.first_bytes``.
    """

    path: Path
    size: tuple[int, int]
    stored_size: tuple[int, int]
    orientation: int = 1
    sha256: str | None = None
    thumb: NDArray[np.uint8] | None = None
    kind: str = "JPEG"


def look_at(path: Path, *, thumb: bool = False) -> Picture:
    """Read a picture's facts and make sure that it can be decoded; a thumbnail and checksum are for finding duplicates.

    Raises:
        SourceError: the file cannot be read, is empty, cut short, too large, or no picture.
    """
    try:
        with open_file(path) as file:
            data = b"" if thumb else file.read(_HEAD)
            known = _known_from_ends(path, data, file)
            if known is not None:
                return known
            data += read_rest(file, path)
    except OSError as error:
        raise SourceError(path, f"cannot be read: {error.strerror}") from error
    if not data:
        raise SourceError(path, "is empty (0 bytes)")
    kind = picture_kind(data[:64]) or ""
    stored = (0, 0) if kind == HEIC else check_header(data, path).size
    if data.startswith(b"\xff\xd8"):
        jpeg = read_header(data)
        # Looked for behind the header, since an embedded preview has an end marker of its own; what some cameras append
        # behind the picture does no harm.
        if jpeg.scan is None or data.rfind(b"\xff\xd9", jpeg.scan) == -1:
            raise SourceError(path, "is cut short: the JPEG's end is missing")
        orientation = jpeg_orientation(jpeg)
        size = stored[::-1] if orientation >= 5 else stored
        if not thumb and jpeg.frame in _COMMON_FRAMES and min(size) >= 1:
            return Picture(path, size, stored, orientation)
        small = _decode(path, data, _reduction(stored))
    elif data.startswith(_PNG_SIGNATURE) and not thumb and _png_is_whole(data):
        return Picture(path, stored, stored, kind="PNG")
    else:
        small = _decode(path, data, _COLOUR)
        # OpenCV turns what its decoders know to be turned, so the decoded size is the one that training sees.
        size = stored = (small.shape[1], small.shape[0])
        orientation = 1
    if min(size) < 1:
        raise SourceError(path, "has no readable size")
    if not thumb:
        return Picture(path, size, stored, orientation, kind=kind)
    import cv2

    square = cv2.resize(small, (THUMB_SIDE, THUMB_SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return Picture(path, size, stored, orientation, hashlib.sha256(data).hexdigest(), square, kind)


def _known_from_ends(path: Path, head: bytes, file: FileIO) -> Picture | None:
    """Return what the ends of a common JPEG tell, None where only the whole file can; the file stands behind its head.

    The answer is that of the whole file: what counts stands in the header, and an end marker found in the last bytes is
    the one that a search through all of them finds.
    """
    if not head.startswith(b"\xff\xd8"):
        return None
    header = read_header(head)
    # Exif may turn the picture.
    if header.scan is None or header.size is None or b"Exif" in head[: header.scan]:
        return None
    width, height = header.size
    if header.frame not in _COMMON_FRAMES or min(header.size) < 1 or width * height > _SURELY_SMALL:
        return None
    rest = file.seek(0, os.SEEK_END) - len(head)
    if rest < _TAIL:  # as a seek back could end in the header, where a preview has an end marker of its own
        whole = False
    else:
        file.seek(-_TAIL, os.SEEK_END)
        whole = b"\xff\xd9" in file.read(_TAIL)
    file.seek(len(head))
    return Picture(path, header.size, header.size) if whole else None


def look_at_all(
    paths: Sequence[Path | None], *, thumb: bool = False, threads: int | None = None
) -> Iterator[Picture | SourceError | None]:
    """Look at many pictures in threads, one a core and at most 8 by default; decoding lets go of the interpreter.

    Yields:
        For each path in order the picture, or the error that ``look_at`` raised.
    """

    def look(path: Path | None) -> Picture | SourceError | None:
        try:
            return None if path is None else look_at(path, thumb=thumb)
        except SourceError as error:
            return error

    if threads == 1:
        yield from map(look, paths)
        return
    pool = ThreadPoolExecutor(max_workers=threads or min(MAX_WORKERS, usable_cores()))
    try:
        yield from pool.map(look, paths)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def read_pixels(path: Path, flags: int = _COLOUR) -> NDArray[np.uint8]:
    """Decode a picture upright, (H, W, 3) uint8 BGR, or (H, W) with a greyscale flag, whatever its file is called.

    Raises:
        SourceError: the file cannot be read or decoded.
    """
    try:
        with open_file(path) as file:
            data = read_rest(file, path)
    except OSError as error:
        raise SourceError(path, f"cannot be read: {error.strerror}") from error
    if picture_kind(data[:64]) != HEIC:
        check_header(data, path)
    return _decode(path, data, flags)


def _decode(path: Path, data: bytes, flags: int) -> NDArray[np.uint8]:
    import cv2

    if picture_kind(data[:64]) == HEIC:
        heic = decode_bytes(data, path)
        return heic if flags else np.asarray(cv2.cvtColor(heic, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise SourceError(path, "cannot be decoded as a picture") from error
    if pixels is None:
        raise SourceError(path, "cannot be decoded as a picture")
    decoded: NDArray[np.uint8] = pixels
    return decoded


def _reduction(size: tuple[int, int]) -> int:
    """Return the decoding flag that shrinks most while at least a thumbnail's side is left."""
    import cv2

    flags = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))
    return next((int(flag) for factor, flag in flags if min(size) >= factor * THUMB_SIDE), _COLOUR)


def _png_is_whole(data: bytes) -> bool:
    """Say whether every chunk's checksum is right up to the end chunk, in a PNG that is not turned by EXIF."""
    view = memoryview(data)
    at = len(_PNG_SIGNATURE)
    while at + 12 <= len(view):
        length = int.from_bytes(view[at : at + 4], "big")
        kind = bytes(view[at + 4 : at + 8])
        end = at + 8 + length
        if kind == b"eXIf" or zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            return False
        if kind == b"IEND":
            return True
        at = end + 4
    return False
