"""Pictures from PIL: the pixels that the same file gives when it is named by its path."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.imaging.decode import check_room

_NAME: Final = "PIL image"

#: Modes of 16 bits, which ``convert`` would clip at 255; ``I`` is what PIL makes of some 16-bit files.
_DEEP: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I"})

#: Modes that take a step of their own on the way to RGB.
_STEPS: Final = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}


def from_pil(image: Any) -> npt.NDArray[np.uint8]:
    """Return a PIL image as (H, W, 3) uint8 BGR, upright; 16 bits are brought to 8 as OpenCV does it.

    Raises:
        SourceError: it is too large, cannot be decoded, or its mode has no one meaning as a colour.
    """
    from PIL import ImageOps  # there whenever the caller holds a PIL image

    check_room(f"a {_NAME}", image.size, image.width * image.height * 6, _NAME)
    if image.mode == "F":
        raise SourceError(_NAME, "mode F has no range of its own: scale it to 0–255 and convert it to L")
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode in _DEEP:
            return _from_deep(upright)
        rgb = upright.convert(_STEPS.get(upright.mode, "RGB")).convert("RGB")
    except (OSError, SyntaxError, EOFError, ValueError) as error:  # it is decoded no sooner than here
        raise SourceError(_NAME, f"of mode {image.mode} cannot be decoded ({error})") from error
    return np.ascontiguousarray(np.asarray(rgb, dtype=np.uint8)[:, :, ::-1])


def _from_deep(image: Any) -> npt.NDArray[np.uint8]:
    values = np.asarray(image)
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    if low < 0 or high > 0xFFFF:
        raise SourceError(
            _NAME, f"mode {image.mode} with values from {low} to {high}: scale it to 0–255, convert it to L"
        )
    grey = (values >> 8).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
