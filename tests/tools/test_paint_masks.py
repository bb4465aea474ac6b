from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from maskdet.datasets.voc.parse import parse_voc

#: A face seen from the front, its eyes 40 px apart and its mouth 40 px below them.
LANDMARKS = np.array([[80, 60], [120, 60], [100, 84], [85, 100], [115, 100]], np.float64)
GREY = np.full((200, 220, 3), 128, np.uint8)


@pytest.fixture
def parts(tool: ModuleType) -> Any:
    """Return the modules behind the tool."""
    import open_photos.face_frame
    import open_photos.mask_paint

    return open_photos


@pytest.fixture
def face(tool: ModuleType, parts: Any) -> Any:
    frame = parts.face_frame.FaceFrame.of(LANDMARKS)
    return tool.Face(name="without_mask", box=np.array([60.0, 30, 140, 140]), frame=frame)


def test_a_frame_puts_its_points_where_the_landmarks_are(parts: Any) -> None:
    frame = parts.face_frame.FaceFrame.of(LANDMARKS)
    assert frame.turn == pytest.approx(0)
    assert frame.is_plain
    # Between the eyes, the nose, the mouth's middle; half an eye distance to the right of it.
    points = frame.points(np.array([[0, 0], [0, 0.6], [0, 1], [0.5, 1]]))
    assert points == pytest.approx(np.array([[100, 60], [100, 84], [100, 100], [120, 100]]))


def test_a_turned_face_is_shorter_on_its_far_side(parts: Any) -> None:
    turned = LANDMARKS.copy()
    turned[2, 0] += 8  # the nose points to the picture's right
    frame = parts.face_frame.FaceFrame.of(turned)
    assert frame.turn == pytest.approx(0.2)
    left, middle, right = frame.points(np.array([[-1, 0.6], [0, 0.6], [1, 0.6]]))[:, 0]
    assert middle == pytest.approx(108)
    assert middle - left == pytest.approx(40 * 1.2)
    assert right - middle == pytest.approx(40 * 0.8)


@pytest.mark.parametrize(
    ("wearing", "nose", "mouth"), [("worn", True, True), ("below_nose", False, True), ("on_chin", False, False)]
)
@pytest.mark.parametrize("seed", range(5))
def test_each_way_of_wearing_covers_what_it_says(parts: Any, wearing: str, nose: bool, mouth: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    style = parts.mask_paint.MaskStyle(colour=(20.0, 20.0, 20.0), folds=0, pattern=0.0, ridge=False)
    frame = parts.face_frame.FaceFrame.of(LANDMARKS)
    painted = parts.mask_paint.paint(GREY, frame, wearing, style, random)
    dark = painted.max(axis=2) < 70
    assert (bool(dark[84, 100]), bool(dark[100, 100])) == (nose, mouth)
    assert dark[124, 100]  # the chin, in every way
    assert not dark[60, 100]  # between the eyes
    assert np.array_equal(painted[:, :10], GREY[:, :10])  # far from the face nothing changes


def test_a_cut_moves_boxes_with_the_pixels(tool: ModuleType, face: Any) -> None:
    picture = GREY.copy()
    picture[30:140, 60:140] = 255
    piece, (kept,) = tool.cut(picture, [face], (40, 20, 120, 140), 70)
    assert piece.shape == (70, 60, 3)
    assert kept.box.tolist() == [10, 5, 50, 60]
    assert piece[6:59, 11:49].min() == 255
    assert tool.cut(picture, [face], (130, 20, 60, 60), 70)[1] == []  # an eighth of the face is no face


@pytest.mark.parametrize("seed", range(10))
def test_a_face_stays_inside_its_window(tool: ModuleType, face: Any, seed: int) -> None:
    x, y, wide, high = tool.window(face, GREY, np.random.default_rng(seed))
    left, top, right, bottom = face.box
    assert x <= left + 1 and y <= top + 1 and x + wide >= right - 1 and y + high >= bottom - 1


def test_what_is_written_is_read_again(tool: ModuleType, face: Any, tmp_path: Path) -> None:
    for folder in ("images", "annotations"):
        (tmp_path / folder).mkdir()
    piece, kept = tool.render(GREY, [face], 0, "below_nose", np.random.default_rng(0))
    tool.write_voc(tmp_path, "a", piece, kept)
    read = parse_voc(tmp_path / "annotations" / "a.xml")
    assert [(thing.name, list(thing.box)) for thing in read.objects] == [
        ("mask_weared_incorrect", pytest.approx(kept[0].box, abs=0.06))
    ]
    assert read.size == (piece.shape[1], piece.shape[0])
