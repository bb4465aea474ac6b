from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import maskdet
from maskdet.classes import CLASS_NAMES
from maskdet.errors import MissingExtraError
from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo
from maskdet.tracking.face_tracker import FaceTracker, one_a_face, track

needs_extra = pytest.mark.usefixtures("extra")


@pytest.fixture
def extra() -> None:
    pytest.importorskip("trackers")


def face(x: float, y: float, class_id: int = 0, confidence: float = 0.8, side: float = 30) -> Face:
    return Face(CLASS_NAMES[class_id], class_id, confidence, (x, y, x + side, y + side))


def result(faces: Sequence[Face], frame: int | None, path: str | None = "a.mp4") -> MaskResult:
    return MaskResult(list(faces), ImageInfo(path, 640, 480, frame), ModelInfo("m", 640, 0.25), 1.0)


def ids(one: MaskResult) -> list[int | None]:
    return [found.track_id for found in one.faces]


@needs_extra
def test_two_people_keep_their_ids_while_their_classes_change() -> None:
    tracker = FaceTracker()
    seen = []
    for frame in range(8):
        walking = face(10 + 4 * frame, 20, class_id=int(frame == 5), confidence=0.9)
        standing = face(300, 200, class_id=1, confidence=0.6)
        # In whatever order the faces come: here the most confident is not always the first.
        faces = [walking, standing] if frame % 2 else [standing, walking]
        updated = tracker.update(result(faces, frame))
        assert [found.box for found in updated.faces] == [found.box for found in faces]
        seen.append({found.track_id for found in updated.faces if found.box[1] == 20})
    assert seen == [{None}, *[{seen[1].copy().pop()}] * 7]
    assert tracker.counts == {"with_mask": 1, "without_mask": 1, "mask_weared_incorrect": 0}
    assert (tracker.people, tracker.compliance) == (2, 0.5)
    walker = next(vote for vote in tracker.votes() if vote.name == "with_mask")
    # Seen with its id in frames 1 to 7, once of them without a mask: 6 × 0.9 to 0.9.
    assert (walker.frames, walker.first_frame, walker.last_frame) == (7, 1, 7)
    assert walker.weights == pytest.approx((5.4, 0.9, 0.0))


@needs_extra
def test_a_face_hidden_for_a_moment_is_the_same_person_and_later_another() -> None:
    tracker = FaceTracker(frame_rate=10)
    for frame in range(3):
        tracker.update(result([face(50, 50)], frame))
    for frame in range(3, 11):
        tracker.update(result([], frame))
    assert ids(tracker.update(result([face(50, 50)], 11))) == [1]
    for frame in range(12, 40):
        tracker.update(result([], frame))
    tracker.update(result([face(50, 50)], 40))
    assert ids(tracker.update(result([face(50, 50)], 41))) == [2]
    assert [(vote.frames, vote.last_frame) for vote in tracker.votes()] == [(3, 11), (1, 41)]


@needs_extra
@pytest.mark.parametrize("frame_rate", [1, 7.5, 30])
@pytest.mark.parametrize("hidden", range(0, 40, 3))
def test_a_track_is_closed_only_when_it_cannot_come_back(frame_rate: float, hidden: int) -> None:
    tracker = FaceTracker(frame_rate=frame_rate)
    for frame in range(2):
        tracker.update(result([face(50, 50)], frame))
    for frame in range(2, 2 + hidden):
        tracker.update(result([], frame))
    for frame in range(2 + hidden, 4 + hidden):
        last = tracker.update(result([face(50, 50)], frame))
    assert len({vote.track_id for vote in tracker.votes()}) == len(tracker.votes()) == ids(last)[0]


@needs_extra
def test_one_frame_gives_no_id() -> None:
    tracker = FaceTracker()
    assert ids(tracker.update(result([face(50, 50)], 0))) == [None]
    assert ids(tracker.update(result([face(400, 300)], 1))) == [None]
    assert tracker.people == 0


@needs_extra
def test_two_answers_on_one_face_are_one_person() -> None:
    tracker = FaceTracker()
    for frame in range(4):
        last = tracker.update(result([face(50, 50, 0, 0.7), face(51, 50, 1, 0.6)], frame))
    assert ids(last) == [1, None]
    assert tracker.counts == {"with_mask": 1, "without_mask": 0, "mask_weared_incorrect": 0}


@needs_extra
def test_another_video_starts_anew_and_photos_have_no_ids() -> None:
    tracker = FaceTracker()
    for path in ("a.mp4", "b.mp4"):
        for frame in range(3):
            last = tracker.update(result([face(50, 50)], frame, path))
    assert ids(last) == [2]
    assert [(vote.track_id, vote.path) for vote in tracker.votes()] == [(1, "a.mp4"), (2, "b.mp4")]
    photo = result([face(50, 50)], None, "c.jpg")
    assert tracker.update(photo) is photo
    assert ids(tracker.update(result([face(50, 50)], 3, "b.mp4"))) == [2]


@needs_extra
def test_memory_does_not_grow_with_the_frames() -> None:
    tracker = FaceTracker(frame_rate=2, history=3)
    for frame in range(120):
        # Somebody new every six frames, far from the one before.
        tracker.update(result([face(100 * (frame // 6 % 6), 100)] if frame % 6 < 3 else [], frame))
    assert tracker.people == 20
    assert len(tracker.votes()) <= 3 + 2
    assert len(tracker._seen) <= 2
    assert len(tracker._ids) <= 2


@needs_extra
def test_track_is_lazy_and_shares_its_tracker() -> None:
    tracker = FaceTracker()
    stream = track((result([face(50, 50)], frame) for frame in range(3)), tracker)
    assert ids(next(stream)) == [None]
    assert tracker.people == 0
    assert [ids(one) for one in stream] == [[1], [1]]
    assert tracker.people == 1


@needs_extra
def test_predict_tracks_arrays_as_one_video(astronaut: Path) -> None:
    from maskdet.imaging.decode import decode_file

    picture = decode_file(astronaut)
    frames = [np.ascontiguousarray(picture[:, shift : shift + 400]) for shift in (0, 4, 8)]
    tracker = FaceTracker()
    results = maskdet.predict(frames, track=tracker)
    assert isinstance(results, list)
    assert [ids(one) for one in results] == [[None], [1], [1]]
    assert tracker.counts["without_mask"] == 1
    assert tracker.votes()[0].last_frame == 2


def test_the_more_confident_answer_stands_for_the_face() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 5, 10, 15]], np.float32)
    # The first two overlap by 0.9, the first and the third by a third.
    assert one_a_face(boxes, np.array([0.4, 0.5, 0.3], np.float32)).tolist() == [1, 2]


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trackers", None)
    with pytest.raises(MissingExtraError, match=r"tracking needs more packages: pip install 'maskdet\[track\]'"):
        track([])


@needs_extra
@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_rates_that_cannot_be(rate: float) -> None:
    with pytest.raises(ValueError, match="frame_rate must be positive"):
        FaceTracker(frame_rate=rate)


def test_the_video_says_its_own_frame_rate() -> None:
    def frame(number: int, path: str, *boxes: tuple[float, float, float, float]) -> MaskResult:
        faces = [Face("with_mask", 0, 0.9, box) for box in boxes]
        return MaskResult(faces, ImageInfo(path, 100, 100, number), ModelInfo("m", 640, 0.25), 1.0)

    box = (10.0, 10.0, 40.0, 40.0)
    tracker = FaceTracker(frame_rate=30)
    # At two frames a second, a face that is gone for four frames has been gone for two seconds: somebody else.
    seen = [tracker.update(frame(number, "a", box), frame_rate=2).faces[0].track_id for number in range(3)]
    for number in range(3, 7):
        tracker.update(frame(number, "a"), frame_rate=2)
    later = [tracker.update(frame(number, "a", box), frame_rate=2).faces[0].track_id for number in range(7, 9)]
    assert seen[-1] is not None and later[-1] is not None and later[-1] != seen[-1]
    with pytest.raises(ValueError, match="frame_rate must be positive"):
        tracker.update(frame(0, "b", box), frame_rate=0)
