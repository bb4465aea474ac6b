from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.results import Face, MaskResult
from maskdet.sources import Picture
from maskdet.writers.pictures import CropWriter, cut_out


@pytest.mark.parametrize(
    ("box", "columns", "rows"),
    [
        ((4.0, 6.0, 12.0, 18.0), (4, 12), (6, 18)),
        ((4.9, 6.1, 12.1, 17.9), (4, 13), (6, 18)),  # every pixel that the box touches
        ((0.0, 0.0, 40.0, 30.0), (0, 40), (0, 30)),
        ((39.99, 29.99, 40.0, 30.0), (39, 40), (29, 30)),
        ((40.0, 30.0, 40.0, 30.0), (39, 40), (29, 30)),  # never empty
    ],
)
def test_pixels_are_those_of_the_box(
    make_picture: Callable[..., Picture],
    box: tuple[float, float, float, float],
    columns: tuple[int, int],
    rows: tuple[int, int],
) -> None:
    crop = cut_out(make_picture("a.jpg").pixels, Face("with_mask", 0, 0.5, box))
    assert (crop[:, :, 0].min(), crop[:, :, 0].max() + 1) == columns
    assert (crop[:, :, 1].min(), crop[:, :, 1].max() + 1) == rows


def test_each_face_is_a_png_in_the_folder_of_its_class(
    make_picture: Callable[..., Picture], answer: Callable[[Picture], MaskResult], tmp_path: Path
) -> None:
    picture = make_picture("p/d/a.jpg", "d/a.jpg")
    CropWriter(tmp_path).write(picture, answer(picture), Path("d/a"))
    written = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file())
    assert written == ["with_mask/d/a_1.png", "without_mask/d/a_2.png"]
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / written[0])), picture.pixels[6:18, 4:12])
