"""Pictures and results without a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo
from maskdet.sources import Picture


@pytest.fixture
def make_picture() -> Callable[..., Picture]:
    """Return a maker of pictures of 40×30 pixels, whose pixel values are their own column and row."""

    def make(path: str, relative: str | None = None, frame: int | None = None) -> Picture:
        rows, columns = np.mgrid[0:30, 0:40]
        pixels = np.dstack([columns, rows, np.zeros_like(rows)]).astype(np.uint8)
        return Picture(pixels, ImageInfo(path, 40, 30, frame), Path(relative or Path(path).name))

    return make


@pytest.fixture
def answer() -> Callable[[Picture], MaskResult]:
    """Return a function that gives two faces for any picture."""

    def give(picture: Picture) -> MaskResult:
        faces = [
            Face("with_mask", 0, 0.75, (4.0, 6.0, 12.0, 18.0)),
            Face("without_mask", 1, 0.5, (20.5, 3.2, 39.0, 30.0)),
        ]
        return MaskResult(faces, picture.info, ModelInfo("maskdet-n", 640, 0.25), 4.0, picture.pixels)

    return give
