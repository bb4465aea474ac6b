from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskdet.cli import main
from maskdet.detector.inference.letterbox import Letterbox
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.runtime import ModelSpec
from maskdet.detector.inference.views import FUSION_IOU, VIEWS, AugmentedView, RawView, fuse, fused_views, mirror
from maskdet.imaging.decode import decode_file


def found(*rows: tuple[float, ...]) -> Detections:
    """Return boxes from rows of x1, y1, x2, y2, confidence, class; the scores are one a class, three classes."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    table = table[np.argsort(-table[:, 4], kind="stable")]
    class_ids = table[:, 5].astype(np.int64)
    scores = np.zeros((len(table), 3), np.float32)
    scores[np.arange(len(table)), class_ids] = table[:, 4]
    return Detections(table[:, :4], table[:, 4], class_ids, scores)


def test_a_face_seen_twice_is_the_weighted_mean() -> None:
    # Overlap 90 of 110: one face. (0 × 0.75 + 1 × 0.25) / 1 = 0.25; (0.75 + 0.25) / 2 = 0.5.
    one = fuse([found((0, 0, 10, 10, 0.75, 0)), found((1, 0, 11, 10, 0.25, 0))])
    np.testing.assert_allclose(one.boxes, [[0.25, 0, 10.25, 10]])
    assert one.confidences.tolist() == [0.5]
    assert one.scores is not None and one.scores.tolist() == [[0.5, 0, 0]]


def test_a_face_that_only_one_of_two_views_sees_counts_half() -> None:
    one = fuse([found((0, 0, 10, 10, 0.75, 1)), found()])
    assert (one.confidences.tolist(), one.class_ids.tolist()) == ([0.375], [1])
    np.testing.assert_allclose(one.boxes, [[0, 0, 10, 10]])


def test_of_two_boxes_in_one_view_the_better_counts() -> None:
    twice = found((0, 0, 10, 10, 0.5, 0), (0, 0, 10, 9, 0.25, 0))
    one = fuse([twice, found((0, 0, 10, 10, 1.0, 0))])
    assert one.confidences.tolist() == [0.75]
    # Heights 10, 9 and 10, weights 0.5, 0.25 and 1.
    np.testing.assert_allclose(one.boxes, [[0, 0, 10, 17.25 / 1.75]], rtol=1e-6)


def test_classes_stay_apart_unless_they_are_asked_not_to() -> None:
    views = [found((0, 0, 10, 10, 0.75, 0)), found((0, 0, 10, 10, 0.5, 2))]
    apart, together = fuse(views), fuse(views, agnostic=True)
    assert (apart.confidences.tolist(), apart.class_ids.tolist()) == ([0.375, 0.25], [0, 2])
    assert (together.confidences.tolist(), together.class_ids.tolist()) == ([0.375], [0])
    assert together.scores is not None and together.scores.tolist() == [[0.375, 0, 0.25]]


def test_nothing_in_any_view() -> None:
    nothing = fuse([found(), found()])
    assert nothing.boxes.shape == (0, 4) and nothing.scores is not None and nothing.scores.shape == (0, 3)
    assert fuse([found()._replace(scores=None)] * 2, agnostic=True).confidences.shape == (0,)


def by_loops(views: list[Detections]) -> list[tuple[float, ...]]:
    """Fuse as the paper's words say, one box after another, each class on its own."""

    def iou(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
        wide = min(a[2], b[2]) - max(a[0], b[0])
        high = min(a[3], b[3]) - max(a[1], b[1])
        shared = max(wide, 0) * max(high, 0)
        return float(shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared))

    rows = []
    for class_id in range(3):
        boxes = [
            (float(confidence), view, box)
            for view, one in enumerate(views)
            for confidence, label, box in zip(one.confidences, one.class_ids, one.boxes, strict=True)
            if label == class_id
        ]
        boxes.sort(key=lambda entry: -entry[0])
        heads: list[npt.NDArray[np.float32]] = []
        for _, _, box in boxes:
            if all(iou(box, head) <= FUSION_IOU for head in heads):
                heads.append(box)
        members: list[list[tuple[float, int, npt.NDArray[np.float32]]]] = [[] for _ in heads]
        for entry in boxes:
            overlaps = [iou(entry[2], head) for head in heads]
            members[int(np.argmax(overlaps))].append(entry)
        for cluster in members:
            total = sum(confidence for confidence, _, _ in cluster)
            mean = sum(confidence * box.astype(float) for confidence, _, box in cluster) / total
            best = [max([c for c, view, _ in cluster if view == number], default=0.0) for number in range(len(views))]
            rows.append((*np.round(mean, 3).tolist(), round(sum(best) / len(views), 4), class_id))
    return sorted(rows)


SIDES = st.integers(1, 12)
CONFIDENCES = st.lists(st.integers(1, 997), min_size=18, max_size=18, unique=True)


@st.composite
def pictures(draw: st.DrawFn) -> list[Detections]:
    confidences = iter(draw(CONFIDENCES))
    return [
        found(
            *(
                (x, y, x + draw(SIDES), y + draw(SIDES), next(confidences) / 1000, draw(st.integers(0, 2)))
                for x, y in draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=6))
            )
        )
        for _ in range(3)
    ]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(pictures())
def test_fusion_is_that_of_the_slow_loops(views: list[Detections]) -> None:
    fast = fuse(views)
    rows = zip(fast.boxes, fast.confidences, fast.class_ids, strict=True)
    ours = sorted((*np.round(box.astype(float), 3).tolist(), round(float(c), 4), int(k)) for box, c, k in rows)
    assert len(ours) == len(by_loops(views))
    np.testing.assert_allclose(np.array(ours), np.array(by_loops(views)), atol=2e-3)
    assert (np.diff(fast.confidences) <= 0).all()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(pictures(), st.permutations(range(3)))
def test_the_order_of_the_views_changes_nothing(views: list[Detections], order: list[int]) -> None:
    one, other = fuse(views), fuse([views[index] for index in order])
    np.testing.assert_allclose(one.confidences, other.confidences, atol=1e-6)


@given(pictures())
def test_a_mirror_image_of_a_mirror_image_is_the_picture(views: list[Detections]) -> None:
    np.testing.assert_array_equal(mirror(mirror(views[0], 32), 32).boxes, views[0].boxes)


class LeftFace:
    """A runtime that sees one face, 8 × 8 around (16, 16) of its input, wherever that is, and remembers its inputs."""

    def __init__(self, *, dynamic: bool = True) -> None:
        self.spec = ModelSpec("left", 160, 32, dynamic, {})
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.shapes.append(batch.shape)
        return np.stack([np.array([[16, 16, 8, 8, 0.8, 0, 0]], np.float32).T] * len(batch))


def test_a_detector_shows_every_view() -> None:
    runtime = LeftFace()
    detector = MaskDetector(runtime=runtime, augment=True, conf=0.1)
    (one,) = detector.detect_arrays([np.zeros((160, 160, 3), np.uint8)])
    assert (AugmentedView(1.0, True), AugmentedView(0.8, False), AugmentedView(0.8, True)) == VIEWS
    assert [shape[2:] for shape in runtime.shapes] == [(160, 160), (160, 160), (128, 128), (128, 128)]
    # 8 px of 128 are 10 of 160 around 20, too far from the 8 around 16: four boxes, each seen by one view of four.
    np.testing.assert_allclose(one.confidences, [0.2] * 4, rtol=1e-6)
    assert sorted(one.boxes[:, 0].tolist()) == [12, 15, 135, 140]
    (none,) = MaskDetector(runtime=runtime, augment=True).detect_arrays([np.zeros((160, 160, 3), np.uint8)])
    assert none.boxes.size == 0


def test_a_network_of_fixed_shape_sees_the_picture_mirrored_only() -> None:
    runtime = LeftFace(dynamic=False)
    (one,) = MaskDetector(runtime=runtime, augment=True).detect_arrays([np.zeros((160, 160, 3), np.uint8)])
    assert runtime.shapes == [(1, 3, 160, 160)] * 2
    np.testing.assert_allclose(one.confidences, [0.4, 0.4])


def test_the_mirror_image_has_the_mirrored_faces(astronaut: Path) -> None:
    # 512 px fill the input whole: without borders a view and its mirror image change places.
    picture = decode_file(astronaut)
    detector = MaskDetector(imgsz=640, augment=True, close_ups=False)
    (one,) = detector.detect_arrays([picture])
    (other,) = detector.detect_arrays([np.ascontiguousarray(picture[:, ::-1])])
    np.testing.assert_allclose(mirror(other, picture.shape[1]).boxes, one.boxes, atol=0.5)
    np.testing.assert_allclose(other.confidences, one.confidences, atol=1e-3)


def test_a_face_need_not_pass_the_threshold_in_every_view() -> None:
    letterbox = Letterbox.fit((64, 64), 64)

    def view(confidence: float) -> RawView:
        return RawView(np.array([[16, 16, 8, 8, confidence, 0, 0]], np.float32).T, letterbox)

    kept = fused_views([view(0.9), view(0.3)], conf=0.5, iou=0.7)
    np.testing.assert_allclose(kept.confidences, [0.6])
    assert len(fused_views([view(0.9), view(0.02)], conf=0.5, iou=0.7).boxes) == 0


def test_the_command_line(
    write_constant: Callable[..., Path], write_png: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_png(size=(160, 160))
    left = write_constant(path.with_name("left.onnx"), [[16, 16, 8, 8, 0.8, 0, 0]], {"imgsz": "[160, 160]"})
    words = ["detect", str(path), "--weights", str(left), "--json", "-", "--conf", "0.1"]
    seen = {}
    for option in ((), ("--augment",)):
        with pytest.raises(SystemExit) as stop:
            main([*words, *option])
        assert stop.value.code == 0
        seen[option] = [row["confidence"] for row in json.loads(capsys.readouterr().out)["detections"]]
    assert seen == {(): [0.8], ("--augment",): [0.2] * 4}


def test_val_takes_augment_as_yolo_does(tiny_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("faster_coco_eval")
    reports = []
    for words in (["augment=True"], ["--augment"], []):
        with pytest.raises(SystemExit) as stop:
            main(["val", f"data={tiny_data}", "imgsz=96", *words, "--json", "-"])
        assert stop.value.code == 0
        reports.append(json.loads(capsys.readouterr().out))
    assert "augment=True" in reports[0]["command"] and "augment" not in reports[2]["command"]
    assert reports[0]["ap"] == reports[1]["ap"]
    with pytest.raises(SystemExit) as stop:
        main(["val", f"data={tiny_data}", "augment=maybe"])
    assert stop.value.code == 2
    assert "augment=maybe: expected True or False" in capsys.readouterr().err
