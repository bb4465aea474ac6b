from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np

from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo
from maskdet.results.draw import MAX_SIDE

MODEL = ModelInfo("m", 64, 0.25)


class Page(HTMLParser):
    """Notes the tags and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def photo(path: str | None, width: int = 64, height: int = 48, frame: int | None = None) -> MaskResult:
    pixels = np.full((height, width, 3), 90, np.uint8)
    faces = [Face("with_mask", 0, 0.9, (4, 4, 30, 30)), Face("without_mask", 1, 0.5, (34, 4, 60, 30))]
    return MaskResult(faces, ImageInfo(path, width, height, frame), MODEL, 1.0, pixels)


def test_the_picture_and_the_counts() -> None:
    result = photo("clip.mp4", 640, 480, frame=3)
    page = Page(result._repr_html_())
    assert page.tags == ["img", "div", "b"]
    assert page.words == (
        "clip.mp4, frame 3 (640×480): with_mask 1, without_mask 1, mask_weared_incorrect 0, compliance 50%"
    )
    found = re.search(r'src="data:image/jpeg;base64,([^"]*)"', result._repr_html_())
    assert found is not None
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(found[1]), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown.astype(int) - result.plot()).mean() < 2


def test_the_png_is_the_plot() -> None:
    result = photo(None)
    data = result._repr_png_()
    assert data is not None
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), result.plot())


def test_a_large_picture_is_shown_smaller() -> None:
    data = photo("a.jpg", 3000, 7)._repr_png_()
    assert data is not None
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (2, MAX_SIDE, 3)


def test_a_result_without_its_picture_and_without_faces() -> None:
    result = MaskResult([], ImageInfo(None, 4, 3), MODEL, 1.0)
    assert result._repr_png_() is None
    page = Page(result._repr_html_())
    assert page.tags == ["div", "b"]
    assert page.words == "array (4×3): with_mask 0, without_mask 0, mask_weared_incorrect 0"


def test_a_name_is_never_markup() -> None:
    name = "<script>alert(1)</script>&\"'\x1b[31m\u202e\n.jpg"
    page = Page(photo(name).without_pixels()._repr_html_())
    assert page.tags == ["div", "b"]
    assert page.words.startswith("<script>alert(1)</script>&\"'\\x1b[31m\\u202e\\n.jpg (64×48)")
