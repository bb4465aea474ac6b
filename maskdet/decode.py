"""From bytes to an upright picture: (H, W, 3) uint8 BGR.

OpenCV decodes, as in YOLO, so that both see the same pixels: EXIF orientation applied, 16 bits brought to 8, grey and
palettes spread to three channels, transparency dropped, the first frame of an animation.
"""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.jpeg import read_header
from maskdet.limits import MAX_PIXELS

#: Endings taken from a folder.
IMAGE_SUFFIXES: Final = frozenset(
    {".avif", ".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pgm", ".png", ".pnm", ".ppm"}
    | {".tif", ".tiff", ".webp"}
)

#: Endings that pillow-heif adds where it is installed.
HEIF_SUFFIXES: Final = frozenset({".heic", ".heics", ".heif", ".heifs", ".hif"})

#: Endings of pictures that are not read.
# fmt: off
UNREAD_SUFFIXES: Final = frozenset(
    {  # raw photos
        ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos",
        ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
    }
    | {  # JPEG 2000, XL and XR, HEVC's sisters, high dynamic range, layers
        ".avci", ".avcs", ".exr", ".hdr", ".j2c", ".j2k", ".jp2", ".jpc", ".jpf", ".jpm", ".jpx", ".jxl", ".jxr",
        ".pcx", ".pfm", ".psb", ".psd", ".ras", ".sr", ".tga", ".wdp", ".xcf",
    }
)
# fmt: on

#: The first brand of a HEIF file whose pictures are HEVC.
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})


def decode_bytes(data: bytes, origin: str | Path) -> npt.NDArray[np.uint8]:
    """Decode a picture file held in memory.

    Args:
        data: the file's bytes.
        origin: how messages call it.

    Returns:
        (H, W, 3) uint8 BGR, upright.

    Raises:
        SourceError: empty, not a picture, damaged, or larger than ``MAX_PIXELS`` (told from its header alone).
    """
    if not data:
        raise SourceError(origin, "the file is empty (0 bytes)")
    width, height = _header_size(data)
    if width * height > MAX_PIXELS:
        raise SourceError(origin, _too_large(width, height))
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # raised, rather than None returned, where OpenCV's own size limits are passed
        image = None
    if image is None and data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return _decode_heif(data, origin)
    if image is None:
        raise SourceError(origin, "damaged or cut short" if width > 0 else "not a picture that can be read")
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
            if image.width * image.height > MAX_PIXELS:
                raise SourceError(origin, _too_large(image.width, image.height))
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, EOFError, RuntimeError) as error:
        raise SourceError(origin, "damaged or cut short") from error
    return np.ascontiguousarray(np.asarray(upright, dtype=np.uint8)[:, :, ::-1])


def _too_large(width: int, height: int) -> str:
    return f"{width:,}×{height:,} pixels is more than the {MAX_PIXELS // 1_000_000} megapixels read; scale it down"


def decode_file(path: Path) -> npt.NDArray[np.uint8]:
    """Decode a picture file; see ``decode_bytes``.

    Raises:
        SourceError: missing, unreadable, or any reason of ``decode_bytes``.
    """
    return decode_bytes(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        SourceError: the file is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SourceError(path, "no such file") from None
    except OSError as error:
        raise SourceError(path, f"cannot be read ({error.strerror})") from error


def _header_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) from the header without decoding, or (-1, -1) where it is not understood."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR" and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if data[:2] == b"\xff\xd8":
        return read_header(data).size or (-1, -1)
    import imagesize  # with its way to the web it takes as long to import as OpenCV

    try:
        width, height = imagesize.get(io.BytesIO(data))
    except Exception:  # a damaged header can raise anything; decoding then says what is wrong
        return -1, -1
    return int(width), int(height)
