"""From bytes to an upright picture: (H, W, 3) uint8 BGR.

OpenCV decodes, as in YOLO, so that both see the same pixels: EXIF orientation applied, 16 bits brought to 8, grey and
palettes spread to three channels, transparency dropped, the first frame of an animation.
"""

from __future__ import annotations

import io
import os
from importlib.util import find_spec
from io import FileIO
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.files.opening import open_file
from maskdet.imaging.first_bytes import HEAD_BYTES, kind_of, picture_kind
from maskdet.imaging.header import DamagedHeaderError, PictureHeader, read_picture_header
from maskdet.imaging.limits import MEGAPIXELS_VARIABLE, max_decoding_bytes, max_pixels

# fmt: on

_WAY_OUT: Final = f"scale it down, or raise {MEGAPIXELS_VARIABLE}"


class TooLargeError(SourceError):
    """A picture larger than the limits."""


def decode_bytes(data: bytes, origin: str | Path) -> npt.NDArray[np.uint8]:
    """Decode a picture file held in memory, which messages call ``origin``: (H, W, 3) uint8 BGR, upright.

    Raises:
        SourceError: empty, not a picture, damaged, or larger than the limits (told from its header alone).
    """
    if picture_kind(data[:64]) == "HEIC":
        return _decode_heif(data, origin)
    check_header(data, origin)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # raised, rather than None returned, where OpenCV's own size limits are passed
        image = None
    if image is None:
        raise SourceError(origin, "damaged or cut short")
    if image.dtype != np.uint8:
        raise SourceError(origin, f"unsupported pixel type {image.dtype}")
    return np.asarray(image, dtype=np.uint8)


def reads_heif() -> bool:
    """Whether pillow-heif is installed, which reads the photos of iPhones."""
    return find_spec("pillow_heif") is not None and find_spec("PIL") is not None


def _decode_heif(data: bytes, origin: str | Path) -> npt.NDArray[np.uint8]:
    if not reads_heif():
        raise SourceError(origin, "a HEIC picture: pip install pillow-heif, or convert it to JPEG")
    import pillow_heif  # type: ignore[import-not-found, unused-ignore]
    from PIL import Image, ImageOps

    pillow_heif.register_heif_opener()
    try:
        with Image.open(io.BytesIO(data)) as image:
            # As Pillow holds it, turned and in another order.
            check_room("HEIC picture", image.size, image.width * image.height * 12 + len(data), origin)
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, EOFError, RuntimeError, Image.DecompressionBombError) as error:
        raise SourceError(origin, "damaged or cut short") from error
    return np.ascontiguousarray(np.asarray(upright, dtype=np.uint8)[:, :, ::-1])


def check_header(data: bytes, origin: str | Path) -> PictureHeader:
    """Make sure that a picture may be decoded: OpenCV reads its kind, and its header asks for no more than is given."""
    if not data:
        raise SourceError(origin, "the file is empty (0 bytes)")
    try:
        header = read_picture_header(data)
    except DamagedHeaderError as error:
        raise SourceError(origin, str(error)) from error
    if header is None:
        raise SourceError(origin, f"not a picture that can be read, but {kind_of(data[:HEAD_BYTES]).name}")
    check_room(header.kind, header.size, header.memory + len(data), origin)
    return header


def check_room(kind: str, size: tuple[int, int], needed: int, origin: str | Path) -> None:
    """Make sure that a picture of (width, height) pixels is within the limits; ``needed`` bytes with its file."""
    width, height = size
    if width * height > max_pixels():
        megapixels = f"{max_pixels() // 1_000_000} megapixels read"
        raise TooLargeError(origin, f"{width:,}×{height:,} pixels is more than the {megapixels}; {_WAY_OUT}")
    if needed > max_decoding_bytes():
        room = f"{max_decoding_bytes() // 1_000_000} MB that a picture may take"
        what = f"{kind} of {width:,}×{height:,} pixels"
        raise TooLargeError(
            origin, f"{what} takes {needed // 1_000_000:,} MB to decode, more than the {room}; {_WAY_OUT}"
        )


def decode_file(path: Path) -> npt.NDArray[np.uint8]:
    """Decode a picture file; see ``decode_bytes``."""
    return decode_bytes(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        SourceError: the file is missing, too large, no file (a pipe, a device, a folder), or cannot be read.
    """
    try:
        with open_file(path) as file:
            return read_rest(file, path)
    except FileNotFoundError:
        raise SourceError(path, "no such file") from None
    except OSError as error:
        raise SourceError(path, f"cannot be read ({error.strerror})") from error


def read_rest(file: FileIO, path: Path) -> bytes:
    """Return what is left of a file, up to the end that it has now: what grows is not followed.

    Raises:
        OSError: it cannot be read.
        SourceError: it is larger than a picture may be.
    """
    left = os.fstat(file.fileno()).st_size - file.tell()
    if left > max_decoding_bytes():
        raise SourceError(path, f"larger than the {max_decoding_bytes() // 1_000_000} MB read; {_WAY_OUT}")
    parts = []
    while left > 0 and (part := file.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
