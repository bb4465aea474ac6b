from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.classes import CLASS_COLOURS
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.evaluation.mistake_pictures import TILE, draw_gallery, draw_tile
from maskdet.detector.evaluation.mistakes import Mistake, count_mistakes, find_mistakes, worst_first
from maskdet.detector.evaluation.operating_point import operating_point
from maskdet.detector.inference.postprocess import Detections

pytest.importorskip("faster_coco_eval")

#: A mask of 40 px, a bare face of 10 px, a mask of 20 px.
TRUTH = Truth(np.array([[0, 0, 40, 40], [100, 0, 110, 10], [200, 0, 220, 20]], float), np.array([0, 1, 0]))


def found(*rows: tuple[list[float], float, int]) -> Detections:
    boxes, confidences, class_ids = zip(*rows, strict=True)
    return Detections(np.array(boxes, np.float32), np.array(confidences, np.float32), np.array(class_ids))


FOUND = found(
    ([0, 0, 40, 40], 0.6, 0),  # the first mask again, less sure
    ([0, 0, 40, 40], 0.9, 2),  # first: worn wrongly
    ([100, 0, 110, 10], 0.1, 1),  # the bare face, below the threshold
    ([200, 10, 220, 30], 0.5, 0),  # half beside the third: IoU 1/3
    ([300, 0, 320, 20], 0.8, 1),  # no face there
)


def test_every_kind_by_hand() -> None:
    mistakes = worst_first(find_mistakes([TRUTH], [FOUND], conf=0.25))
    rows = [(one.kind, one.label, one.found, one.confidence and round(one.confidence, 2)) for one in mistakes]
    assert rows == [
        ("wrong_class", 0, 2, 0.9),
        ("no_face", None, 1, 0.8),
        ("twice", 0, 0, 0.6),
        ("misplaced", 0, 0, 0.5),
        ("missed", 0, None, None),
        ("missed", 1, 1, 0.1),
    ]
    assert [one.doubtful for one in mistakes] == [True, True, False, False, False, False]
    misplaced = mistakes[3]
    assert misplaced.iou == pytest.approx(1 / 3)
    assert misplaced.box == (200, 0, 220, 20)
    assert (misplaced.side, misplaced.size) == (20, "16-32 px")
    counts = count_mistakes([TRUTH], mistakes)
    assert counts["faces"]["all"] == {"with_mask": 2, "without_mask": 1, "mask_weared_incorrect": 0}
    assert counts["mistakes"]["missed"]["<16 px"]["without_mask"] == 1
    assert counts["mistakes"]["no_face"]["16-32 px"] == {"with_mask": 0, "without_mask": 1, "mask_weared_incorrect": 0}
    assert counts["doubtful"] == {"wrong_class": 1, "no_face": 1}


CONFIDENCES = st.integers(1, 100).map(lambda hundredths: hundredths / 100)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=5),
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 2), CONFIDENCES),
        min_size=1,
        max_size=8,
    ),
)
def test_they_add_up_to_the_confusion_matrix(faces: list[tuple[int, int]], boxes: list[tuple[int, int, float]]) -> None:
    def place(at: int) -> list[float]:
        return [at * 30, 0, at * 30 + 40, 40]

    truth = Truth(np.array([place(at) for at, _ in faces], float).reshape(-1, 4), np.array([c for _, c in faces], int))
    detected = found(*((place(at), confidence, class_id) for at, class_id, confidence in boxes))
    confusion = operating_point([truth], [detected], conf=0.25).confusion
    kinds = [one.kind for one in find_mistakes([truth], [detected], conf=0.25)]
    assert kinds.count("missed") == confusion[:3, 3].sum()
    assert kinds.count("wrong_class") == confusion[:3, :3].sum() - np.trace(confusion[:3, :3])
    assert len(kinds) - kinds.count("missed") - kinds.count("wrong_class") == confusion[3, :3].sum()


def test_a_tile_shows_the_face_and_both_boxes() -> None:
    image = np.full((200, 200, 3), 200, np.uint8)
    mistake = Mistake(0, "wrong_class", 1, 2, 0.9, 1.0, (75, 75, 125, 125))
    truth = Truth(np.array([[75, 75, 125, 125]], float), np.array([1]))
    tile = draw_tile(image, mistake, truth, found(([75, 75, 125, 125], 0.9, 2)), "a")
    assert tile.shape == (TILE + 32, TILE, 3)
    # 150 px of the photo fill the tile: one pixel each, the face from 50 to 100.
    assert tile[75, 50].tolist() == list(CLASS_COLOURS[1])
    assert CLASS_COLOURS[2] in {tuple(pixel) for pixel in tile[60:90, 48].tolist()}
    assert tile[75, 75].tolist() == [200, 200, 200]


def test_a_gallery_has_a_row_for_every_size_and_class() -> None:
    mistakes = find_mistakes([TRUTH], [FOUND], conf=0.25)
    tile = np.zeros((10, 20, 3), np.uint8)
    shown: list[Mistake] = []

    def tile_of(mistake: Mistake) -> np.ndarray:
        shown.append(mistake)
        return tile

    gallery = draw_gallery(mistakes, tile_of)
    assert gallery is not None
    assert sorted(map(id, shown)) == sorted(map(id, mistakes))
    # Small bare faces, middling masks, middling bare faces, large masks: four titles and four rows of tiles.
    assert gallery.shape[0] == 4 * (24 + 6 + 10 + 6)
    assert draw_gallery([], tile_of) is None
