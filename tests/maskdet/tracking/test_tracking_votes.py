from __future__ import annotations

import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.results import Face
from maskdet.tracking import VoteBook


def face(track_id: int | None, class_id: int, confidence: float) -> Face:
    return Face(CLASS_NAMES[class_id], class_id, confidence, (0, 0, 9, 9), track_id)


def test_confidence_outweighs_the_number_of_frames() -> None:
    book = VoteBook()
    for frame, (class_id, confidence) in enumerate([(1, 0.3), (1, 0.3), (0, 0.9)], start=7):
        book.add(face(4, class_id, confidence), frame, "a.mp4")
    (vote,) = book.votes()
    # Two frames without a mask sum up to 0.6, one with a mask to 0.9: 0.9 of 1.5 is 0.6.
    assert (vote.track_id, vote.name, vote.class_id, vote.frames) == (4, "with_mask", 0, 3)
    assert (vote.first_frame, vote.last_frame, vote.path) == (7, 9, "a.mp4")
    assert vote.weights == pytest.approx((0.9, 0.6, 0.0))
    assert vote.share == pytest.approx(0.6)
    assert vote.to_dict() == {
        "track_id": 4,
        "path": "a.mp4",
        "name": "with_mask",
        "class": 0,
        "share": 0.6,
        "frames": 3,
        "first_frame": 7,
        "last_frame": 9,
    }


def test_people_are_counted_once_closed_or_not() -> None:
    book = VoteBook()
    for frame in range(5):
        book.add(face(1, 0, 0.9), frame)
        book.add(face(2, 1, 0.8), frame)
        book.add(face(None, 1, 0.8), frame)
    book.close(1)
    book.add(face(3, 0, 0.5), 5)
    assert book.counts == {"with_mask": 2, "without_mask": 1, "mask_weared_incorrect": 0}
    assert (book.people, book.compliance) == (3, pytest.approx(2 / 3))
    assert [vote.track_id for vote in book.votes()] == [1, 2, 3]


def test_nobody() -> None:
    assert (VoteBook().votes(), VoteBook().people, VoteBook().compliance) == ([], 0, None)


def test_equal_sums_go_to_the_first_class() -> None:
    book = VoteBook()
    book.add(face(1, 2, 0.5), 0)
    book.add(face(1, 1, 0.5), 1)
    assert book.votes()[0].name == "without_mask"


def test_counts_go_on_beyond_the_history() -> None:
    book = VoteBook(history=2)
    for track_id in range(1, 6):
        book.add(face(track_id, 0, 0.9), track_id)
        book.close(track_id)
    assert [vote.track_id for vote in book.votes()] == [4, 5]
    assert book.counts["with_mask"] == 5
