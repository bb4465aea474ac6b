"""Pictures and Matplotlib figures as encoded files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.files.atomic import write_bytes
from maskdet.files.signature import sign

#: Endings that are written as they are; any other picture becomes a PNG.
WRITABLE: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


def encode_picture(image: npt.NDArray[np.uint8], ending: str, origin: str | Path = "picture") -> bytes:
    """Return ``image`` (H, W, 3) uint8 BGR as a file of the kind that ``ending`` names, such as ``.jpg``.

    Raises:
        SourceError: it is too large for this kind.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, 92] if ending in {".jpg", ".jpeg"} else []
    done, data = cv2.imencode(ending, image, options)
    if not done:
        raise SourceError(origin, "cannot be encoded")
    return sign(data.tobytes())


def write_picture(path: Path, image: npt.NDArray[np.uint8]) -> Path:
    """Encode ``image`` (H, W, 3) uint8 BGR by the ending of ``path`` and write it, whole or not at all.

    Raises:
        SourceError: the ending is unknown, or the folder cannot be written.
    """
    if path.suffix.lower() not in WRITABLE:
        raise SourceError(path, f"unknown kind of picture; use one of {', '.join(sorted(WRITABLE))}")
    return write_bytes(path, encode_picture(image, path.suffix.lower(), path))


def png(figure: Any, *, dpi: int = 110) -> bytes:
    """Return a ``matplotlib.figure.Figure`` as PNG, the same bytes for the same figure; ``dpi`` pixels an inch."""
    buffer = io.BytesIO()
    # Without matplotlib's version in it, which would change the file with every release.
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return sign(buffer.getvalue())
