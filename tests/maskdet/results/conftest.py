"""Results to convert: one that a reader can check by hand, and any that can be."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from maskdet.classes import CLASS_NAMES
from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo

MODEL = ModelInfo("maskdet-n", 640, 0.25)


@pytest.fixture
def two_faces() -> MaskResult:
    """Two faces in a picture of 400×200 pixels."""
    faces = [
        Face("with_mask", 0, 0.75, (10.0, 20.0, 50.0, 100.0)),
        Face("mask_weared_incorrect", 2, 0.5, (300.25, 150.5, 400.0, 200.0)),
    ]
    return MaskResult(faces, ImageInfo("photos/a & b.jpg", 400, 200), MODEL, 41.2)


@pytest.fixture
def no_face() -> MaskResult:
    """A picture without a face."""
    return MaskResult([], ImageInfo("photos/empty.jpg", 400, 200), MODEL, 3.0)


@pytest.fixture(scope="session")
def any_result() -> st.SearchStrategy[MaskResult]:
    """Any result that the detector can give: boxes with an area inside the picture; draw it from ``st.data()``."""
    return results()


@st.composite
def results(draw: st.DrawFn) -> MaskResult:
    width, height = draw(st.integers(1, 5000)), draw(st.integers(1, 5000))
    share = st.floats(0, 1, width=32)
    faces = []
    for _ in range(draw(st.integers(0, 5))):
        edges = []
        for side in (width, height):
            low, high = sorted((draw(share) * side, draw(share) * side))
            # At least a hundredth of a pixel, which is what the JSON keeps.
            edges.append((min(low, side - 0.01), max(high, min(low, side - 0.01) + 0.01)))
        class_id = draw(st.integers(0, 2))
        (x1, x2), (y1, y2) = edges
        track_id = draw(st.none() | st.integers(1, 99))
        faces.append(Face(CLASS_NAMES[class_id], class_id, draw(share), (x1, y1, x2, y2), track_id))
    path = draw(st.none() | st.just("-") | st.text(min_size=1))
    frame = draw(st.none() | st.integers(0, 10**7))
    return MaskResult(faces, ImageInfo(path, width, height, frame), MODEL, draw(st.floats(0, 1e6)))
