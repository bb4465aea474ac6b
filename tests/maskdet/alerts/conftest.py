from __future__ import annotations

from collections.abc import Callable

import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo

MakeResult = Callable[..., MaskResult]


@pytest.fixture
def make_result() -> MakeResult:
    """Return a function that builds a result with so many faces of each class."""

    def make(*counts: int, path: str | None = "a.mp4", frame: int | None = 7) -> MaskResult:
        faces = [
            Face(CLASS_NAMES[class_id], class_id, 0.9, (0, 0, 9, 9))
            for class_id, count in enumerate(counts)
            for _ in range(count)
        ]
        return MaskResult(faces, ImageInfo(path, 64, 48, frame), ModelInfo("m", 640, 0.25), 1.0)

    return make
