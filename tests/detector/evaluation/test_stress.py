from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maskdet.cli import main
from maskdet.detector.evaluation.coco import coco_scores
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.evaluation.stress import score_frames, stress
from maskdet.detector.evaluation.stress_frames import BUCKETS, Frame
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import Detections

pytest.importorskip("faster_coco_eval")

#: The target of every hand-made picture of 100 × 100 pixels, and another face in it.
TARGET, OTHER = [10.0, 10, 60, 60], [70.0, 70, 90, 90]


def frame(class_id: int = 0, *, photo: int = 0, bucket: str = "50 %", others: tuple[list[float], ...] = ()) -> Frame:
    boxes = np.array(others, dtype=np.float64).reshape(-1, 4)
    return Frame(bucket, photo, (0, 0, 100, 100), (100, 100), class_id, np.array(TARGET), boxes)


def found(*rows: tuple[list[float], float, int]) -> Detections:
    return Detections(
        np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        np.array([confidence for _, confidence, _ in rows], np.float32),
        np.array([class_id for _, _, class_id in rows], np.int64),
    )


def test_recall_counts_targets_of_their_class_and_of_any() -> None:
    answers = [
        found((TARGET, 0.9, 0)),
        found((TARGET, 0.9, 1)),  # there, but taken for another class
        found(([10, 10, 60, 34], 0.9, 0)),  # 24 of 50 rows: an overlap of .48
        found(),
    ]
    bucket = score_frames([frame()] * 4, answers, answers, 1, resamples=0)["50 %"]
    row = bucket.rows["with_mask"]
    assert (row.faces, row.recall.value, row.found.value) == (4, 0.25, 0.5)
    assert bucket.rows["without_mask"].recall.value is None
    assert bucket.rows["mean"].faces == 4
    assert bucket.rows["mean"].recall.value == 0.25
    # The wrong class and the poor overlap, in four pictures.
    assert bucket.false_alarms.value == 0.5


def test_other_faces_count_neither_way() -> None:
    answers = [found((OTHER, 0.95, 0), (TARGET, 0.9, 0))]
    kept = score_frames([frame(others=(OTHER,))], answers, answers, 1, resamples=0)["50 %"]
    assert (kept.rows["with_mask"].ap50.value, kept.false_alarms.value) == (1, 0)
    # Were there no face, the surer box would be a false alarm: at any recall precision is one half.
    alone = score_frames([frame()], answers, answers, 1, resamples=0)["50 %"]
    assert (alone.rows["with_mask"].ap50.value, alone.false_alarms.value) == (0.5, 1)
    # The target is not one of "other faces" to a class that it is not of.
    wrong = [found((TARGET, 0.9, 1))]
    assert score_frames([frame(others=(OTHER,))], wrong, wrong, 1, resamples=0)["50 %"].false_alarms.value == 1


def test_a_second_box_on_the_target_is_a_false_alarm() -> None:
    answers = [found((TARGET, 0.9, 0), ([10, 10, 60, 58], 0.8, 0))]
    bucket = score_frames([frame()], answers, answers, 1, resamples=0)["50 %"]
    assert (bucket.rows["with_mask"].ap50.value, bucket.false_alarms.value) == (1, 1)


def test_ap_is_cocos_where_every_face_is_a_target() -> None:
    rng = np.random.default_rng(0)
    frames = [frame(int(rng.integers(3)), photo=index) for index in range(40)]
    answers = []
    for _ in frames:
        boxes = np.array(TARGET) + rng.normal(0, 8, (4, 4))
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 5)
        answers.append(Detections(boxes.astype(np.float32), rng.random(4, np.float32), rng.integers(0, 3, 4)))
    rows = score_frames(frames, answers, answers, 40, resamples=0)["50 %"].rows
    truths = [Truth(one.target[None], np.array([one.class_id])) for one in frames]
    expected = coco_scores(truths, answers).ap[0, :, 0]
    measured = [rows[name].ap50.value for name in ("with_mask", "without_mask", "mask_weared_incorrect")]
    np.testing.assert_allclose(np.array(measured, float), expected, atol=1e-12)


def test_intervals_draw_photos_not_pictures() -> None:
    # Two photos of ten pictures each; all of the first are right, none of the second. A draw of two photos gives 0, ½
    # or 1, so the interval is all there is; by pictures it would be about .3 to .7.
    frames = [frame(photo=index // 10) for index in range(20)]
    answers = [found((TARGET, 0.9, 0))] * 10 + [found()] * 10
    recall = score_frames(frames, answers, answers, 2, resamples=200)["50 %"].rows["with_mask"].recall
    assert (recall.value, recall.low, recall.high) == (0.5, 0, 1)


def test_buckets_are_apart_and_empty_ones_have_no_figures() -> None:
    answers = [found((TARGET, 0.9, 0)), found()]
    scored = score_frames([frame(bucket="10 %"), frame(bucket="95 %")], answers, answers, 1, resamples=20)
    assert list(scored) == list(BUCKETS)
    recalls = {name: bucket.rows["mean"].recall.value for name, bucket in scored.items()}
    assert recalls == {"8-16 px": None, "10 %": 1, "25 %": None, "50 %": None, "75 %": None, "95 %": 0}
    with pytest.raises(ValueError, match="2 pictures, 1 and 2 answers"):
        score_frames([frame(), frame()], answers[:1], answers, 1)


@pytest.fixture
def one_photo(tmp_path: Path, write_png: Callable[..., Path]) -> Path:
    """Return a data set of one photo, 128 × 64, with one masked face of 20 × 20 in the middle."""
    write_png("set/images/val/a.png", size=(64, 128))
    (tmp_path / "set/labels/val").mkdir(parents=True)
    (tmp_path / "set/labels/val/a.txt").write_text("0 0.5 0.5 0.15625 0.3125\n")
    names = "names: [with_mask, without_mask, mask_weared_incorrect]\n"
    (tmp_path / "set/data.yaml").write_text(f"val: images/val\n{names}")
    return tmp_path / "set"


def test_a_detector_that_knows_one_size(
    one_photo: Path, sure_of_masks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``SureOfMasks`` says 20 × 20 px in a 64 × 32 px input: 62.5 % of the shorter side.

    Of the windows around a face of 20 px those of 50 % (40 px) and 75 % (27 px) overlap it by (50 / 62.5)² = .64 and by
    (62.5 / 74.1)² = .71; that of 95 % (21 px) by (62.5 / 95.2)² = .43. A photo of 64 px has no room for less.
    """
    with pytest.raises(SystemExit) as stop:
        main(["val", f"data={one_photo}", f"model={sure_of_masks}", "--stress", "--json", "-"])
    assert stop.value.code == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == "maskdet-stress/1"
    assert report["command"] == "maskdet val data=set/data.yaml model=sure.onnx --stress --json -"
    rows = {name: bucket["classes"]["with_mask"] for name, bucket in report["buckets"].items()}
    faces = {name: row["faces"] for name, row in rows.items()}
    assert faces == {"8-16 px": 0, "10 %": 0, "25 %": 0, "50 %": 1, "75 %": 1, "95 %": 1}
    assert {name: row["recall"]["value"] for name, row in rows.items() if row["faces"]} == {
        "50 %": 1.0,
        "75 %": 1.0,
        "95 %": 0.0,
    }
    # The box of .8 with_mask stands for without_mask at .2 too, and a second anchor says .3: AP is of with_mask alone.
    assert rows["75 %"]["ap50"]["value"] == 1.0


def test_table_curve_and_json(
    one_photo: Path, sure_of_masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as stop:
        main(["val", f"data={one_photo}", f"model={sure_of_masks}", "--stress", "--save", str(out)])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    for words in ("re-framed faces of set/data.yaml", "any class", "95 %", "1.000 (1.00–1.00)"):
        assert words in shown
    assert sorted(path.name for path in out.iterdir()) == ["stress.json", "stress.png"]
    assert json.loads((out / "stress.json").read_text())["buckets"]["50 %"]["photos"] == 1


def test_the_curve_has_a_line_for_each_class_labelled(one_photo: Path, sure_of_masks: Path) -> None:
    pytest.importorskip("matplotlib")
    from maskdet.detector.evaluation.labelled_split import read_split
    from maskdet.detector.evaluation.plots import scale_curve

    recall, ap = scale_curve(stress(MaskDetector(sure_of_masks), read_split(one_photo), resamples=0)).axes
    assert [text.get_text() for text in recall.get_xticklabels()] == list(BUCKETS)
    # with_mask at 50, 75 and 95 %, the fourth to the sixth bucket; nothing of the other two.
    assert [line.get_xydata().tolist() for line in recall.get_lines()] == [[[3, 1], [4, 1], [5, 0]], [], []]
    assert ap.get_title() == "AP50"


def test_batches_and_tiles_are_refused(
    one_photo: Path, sure_of_masks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["val", f"data={one_photo}", "--stress", "batch=4"])
    assert stop.value.code == 2
    assert "batch= does not go with --stress" in capsys.readouterr().err
    split = LabelledSplit("a/data.yaml", "val", (Path("a.jpg"),), (Truth(np.zeros((1, 4)), np.zeros(1, np.int64)),))
    with pytest.raises(ValueError, match="tiles cannot be stressed"):
        stress(MaskDetector(sure_of_masks, tile=True), split)
