"""Pictures written as files, by the ending of their names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.files.atomic import write_bytes
from maskdet.files.signature import sign

#: Endings that are written as they are; any other picture becomes a PNG.
WRITABLE: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


def write_picture(path: Path, image: npt.NDArray[np.uint8]) -> Path:
    """Encode ``image`` (H, W, 3) uint8 BGR by the ending of ``path`` and write it, whole or not at all.

    Raises:
        SourceError: the ending is unknown, or the folder cannot be written.
    """
    if path.suffix.lower() not in WRITABLE:
        raise SourceError(path, f"unknown kind of picture; use one of {', '.join(sorted(WRITABLE))}")
    options = [cv2.IMWRITE_JPEG_QUALITY, 92] if path.suffix.lower() in {".jpg", ".jpeg"} else []
    done, data = cv2.imencode(path.suffix.lower(), image, options)
    if not done:
        raise SourceError(path, "cannot be encoded")
    return write_bytes(path, sign(data.tobytes()))
