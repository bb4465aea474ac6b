from __future__ import annotations

import numpy as np
import pytest

from maskdet.chain.agreement import LISTED, Agreement, agrees, side_of
from maskdet.chain.disagreements import TILE, draw_disagreements, draw_tile
from maskdet.classes import CLASS_COLOURS, CLASS_NAMES
from maskdet.imaging.sheet import COLUMNS, draw_sheet
from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo


def face_of(first: int, second: int, box: tuple[float, float, float, float]) -> Face:
    answer = {"name": CLASS_NAMES[second], "confidence": 0.75, "probabilities": {}, "agrees": first == second}
    return Face(CLASS_NAMES[first], first, 0.5, box, classifier=answer)


def result_of(path: str, *faces: Face, frame: int | None = None) -> MaskResult:
    return MaskResult(list(faces), ImageInfo(path, 200, 100, frame), ModelInfo("m", 64, 0.25), 1.0)


SMALL, MIDDLE, LARGE = (0, 0, 10, 10), (0, 0, 9, 36), (0, 0, 40, 40)


def test_what_is_counted() -> None:
    agreement = Agreement()
    agreement.add(result_of("a.jpg", face_of(0, 0, SMALL), face_of(0, 1, MIDDLE)))
    agreement.add(result_of("b.jpg"))
    agreement.add(result_of("clip.mp4", face_of(2, 2, LARGE), frame=0))
    agreement.add(result_of("clip.mp4", face_of(2, 0, LARGE), frame=7))
    total = agreement.total
    assert (total.pictures, total.faces, total.disagree, total.agreement) == (4, 4, 2, 0.5)
    assert {path: (count.pictures, count.faces, count.disagree) for path, count in agreement.sources.items()} == {
        "a.jpg": (1, 2, 1),
        "b.jpg": (1, 0, 0),
        "clip.mp4": (2, 2, 1),
    }
    assert agreement.sources["b.jpg"].agreement is None
    assert dict(total.detector) == {"with_mask": 2, "mask_weared_incorrect": 2}
    assert dict(total.classifier) == {"with_mask": 2, "without_mask": 1, "mask_weared_incorrect": 1}
    # 9 × 36 px count as 18 × 18.
    assert {size: (count.faces, count.disagree) for size, count in agreement.sizes.items()} == {
        "<16 px": (1, 0),
        "16-32 px": (1, 1),
        ">32 px": (2, 1),
    }
    first, second = agreement.listed
    assert (first.path, first.frame, first.side, first.second) == ("a.jpg", None, 18, ("without_mask", 0.75))
    assert (second.path, second.frame, second.face.name) == ("clip.mp4", 7, "mask_weared_incorrect")


def test_each_face_counts_in_one_size() -> None:
    agreement = Agreement()
    agreement.add(result_of("a.jpg", face_of(0, 0, (0, 0, 16, 16)), face_of(0, 0, (0, 0, 32, 32))))
    assert [count.faces for count in agreement.sizes.values()] == [1, 1, 0]


def test_a_run_without_end_needs_no_memory() -> None:
    agreement = Agreement()
    for frame in range(LISTED + 5):
        agreement.add(result_of("rtsp://door", face_of(0, 1, SMALL), frame=frame))
    assert (len(agreement.listed), agreement.total.disagree) == (LISTED, LISTED + 5)


def test_a_face_without_a_second_answer_is_no_disagreement() -> None:
    face = Face("with_mask", 0, 0.9, (0, 0, 4, 9))
    assert agrees(face)
    assert side_of(face) == 6


def colours(image: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(pixel) for pixel in image.reshape(-1, 3).tolist()}


def test_two_boxes_for_two_answers_a_thin_one_for_one() -> None:
    image = np.full((300, 400, 3), 128, np.uint8)
    drawn = draw_disagreements(image, [face_of(0, 1, (100, 100, 160, 180)), face_of(2, 2, (250, 100, 310, 180))])
    assert (image == 128).all()
    green, red, yellow = CLASS_COLOURS
    # Down the middle of the left edges: outside the detector's colour, then the classifier's, nothing within.
    assert [tuple(drawn[140, x].tolist()) for x in (99, 100, 101)] == [green, red, (128, 128, 128)]
    assert [tuple(drawn[140, x].tolist()) for x in (249, 250, 251)] == [(128, 128, 128), yellow, (128, 128, 128)]
    # Labels only where they disagree: above and below the left face.
    assert green in colours(drawn[80:98, 100:200]) and red in colours(drawn[183:200, 100:200])
    assert colours(drawn[60:98, 250:400]) == {(128, 128, 128)}


@pytest.mark.parametrize("top", [0, 250])
def test_labels_at_the_pictures_edge_do_not_leave_it(top: int) -> None:
    image = np.full((300, 400, 3), 128, np.uint8)
    drawn = draw_disagreements(image, [face_of(0, 1, (100, top, 150, top + 50))])
    beyond = [drawn[y, 152:170].tolist() for y in range(300)]
    assert any(list(CLASS_COLOURS[0]) in row for row in beyond)
    assert any(list(CLASS_COLOURS[1]) in row for row in beyond)


def test_the_sheet_has_a_tile_a_face() -> None:
    image = np.zeros((50, 60, 3), np.uint8)
    image[10:30, 20:40] = (200, 100, 50)
    tile = draw_tile(image, face_of(0, 2, (20, 10, 40, 30)))
    assert tile.shape[1] == TILE
    # The face and a quarter around it: 30 × 30 px, enlarged to the whole tile.
    assert tile[TILE // 2, TILE // 2].tolist() == [200, 100, 50]
    assert tile[4, 4].tolist() == [0, 0, 0]
    assert [tuple(tile[row, 2].tolist()) for row in (TILE + 8, TILE + 25)] == [CLASS_COLOURS[0], CLASS_COLOURS[2]]
    corner = draw_tile(image, face_of(0, 2, (59.6, 49.6, 60, 50)))
    assert corner.shape == tile.shape
    one, many = draw_sheet([tile]), draw_sheet([tile] * (COLUMNS + 1))
    assert many.shape[0] > 2 * tile.shape[0] > one.shape[0]
    assert many.shape[1] > COLUMNS * TILE > one.shape[1]
