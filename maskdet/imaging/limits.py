"""How much is read at most, by maskdet and by the decoders below it.

Hostile files ask for gigabytes in a few bytes. One number bounds them all: the pixels of a picture, from which follow
the bytes that decoding it may take. ``MASKDET_MAX_MEGAPIXELS`` moves it.
"""

from __future__ import annotations

import os
from typing import Final

#: The environment's variable that moves the limit.
MEGAPIXELS_VARIABLE: Final = "MASKDET_MAX_MEGAPIXELS"

#: Above the 108 megapixels of phones and the 102 of medium format.
_MEGAPIXELS: Final = 120

#: Room for a picture three times in 8-bit colour: decoded, turned upright or with boxes, and what the decoder holds.
#: Beside Python, OpenCV, the model and the runtime the process stays below 1 GB.
_BYTES_A_PIXEL: Final = 6

#: Of videos: 8K has 33 megapixels, and decoders hold a dozen frames.
MAX_FRAME_PIXELS: Final = 50_000_000

#: Bytes within which a frame of a recording without a container must end; one of 50 megapixels does.
MAX_FRAME_BYTES: Final = 1 << 25

#: Largest encoded picture taken from a pipe or the network, in bytes: four bytes a pixel of a 50-megapixel photo.
MAX_ENCODED_BYTES: Final = 200 * 2**20


def max_pixels() -> int:
    """Return how many pixels a picture may have; nonsense in the environment counts as not set.

    >>> max_pixels()
    120000000
    """
    asked = os.environ.get(MEGAPIXELS_VARIABLE, "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
    megapixels = number if 0 < number <= 1000 else _MEGAPIXELS
    return megapixels * 1_000_000


def max_decoding_bytes() -> int:
    """Return how many bytes a picture may take while it is decoded, its file included."""
    return max_pixels() * _BYTES_A_PIXEL


def limit_opencv() -> None:
    """Tell OpenCV, before it loads, of the same limit, for pictures whose header says something else than their body.

    What the environment says already is kept, if it is a number: OpenCV ends the process at anything else.
    """
    name = "OPENCV_IO_MAX_IMAGE_PIXELS"
    if not os.environ.get(name, "").rstrip("MKBmkb").isdecimal():
        os.environ[name] = str(max_pixels())
