from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.cli import main
from maskdet.detector.evaluation.evaluate import evaluate
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.evaluation.near_training import NearPhotos, find_near, score_near
from maskdet.detector.inference.postprocess import Detections

pytest.importorskip("faster_coco_eval")

FACE = [10.0, 10.0, 40.0, 40.0]


def found(*confidences: float) -> Detections:
    """Return boxes on the face, of class 0."""
    boxes = np.array([FACE] * len(confidences), np.float32).reshape(-1, 4)
    return Detections(boxes, np.array(confidences, np.float32), np.zeros(len(confidences), np.int64))


def test_the_sets_leave_out_what_they_say() -> None:
    # Four photos with one face each: of the series, a near copy, both found; two others, one found.
    truth = Truth(np.array([FACE]), np.array([0]))
    labelled = LabelledSplit("a/data.yaml", "val", tuple(Path(f"{at}.png") for at in range(4)), (truth,) * 4)
    answers = [found(0.9), found(0.8), found(0.7), found()]
    near = NearPhotos(
        7, np.array([False, True, False, False]), np.array([True, False, False, False]), np.array([5, 6, 7, 7])
    )
    scored = score_near(labelled, answers, near, resamples=200, seed=0)
    # COCO's recall of 3 of 4 reaches 76 of 101 points, 2 of 3 reaches 67, 1 of 2 reaches 51.
    values = {name: round(101 * one.ap["with_mask"].ap50.value) for name, one in scored.sets.items()}
    assert values == {"all": 76, "without_series": 67, "without_near_copies": 67, "without_either": 51}
    assert {name: (one.photos, one.groups) for name, one in scored.sets.items()} == {
        "all": (4, 3),
        "without_series": (3, 2),
        "without_near_copies": (3, 2),
        "without_either": (2, 1),
    }
    # One group is left: each draw of groups is that group, each draw of photos may be either of its photos.
    last = scored.sets["without_either"].ap["with_mask"]
    assert last.by_group["ap50"].low == last.by_group["ap50"].high == pytest.approx(last.ap50.value)
    assert (last.ap50.low, last.ap50.high) == (0, 1)
    said = scored.to_dict()
    assert said["near_copies"]["photos"] == ["1.png"]
    assert said["near_copies"]["faces"] == {"with_mask": 1, "without_mask": 0, "mask_weared_incorrect": 0}
    assert (said["trained_photos"], said["series_photos"]) == (7, 1)
    whole = evaluate(answers, labelled, resamples=0).ap["all"]["with_mask"].ap50.value
    assert scored.sets["all"].ap["with_mask"].ap50.value == pytest.approx(whole)


def photo(path: Path, seed: int, size: tuple[int, int] = (96, 64)) -> Path:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.resize(small, size, interpolation=cv2.INTER_CUBIC))
    return path


def test_near_photos_are_found(tmp_path: Path) -> None:
    names = ["maksssksksss1.png", "maksssksksss2.png"]
    trained = [photo(tmp_path / "train/a.png", 1), photo(tmp_path / "train" / names[0], 2, (301, 400))]
    tested = [photo(tmp_path / "val/again.png", 1), photo(tmp_path / "val" / names[1], 3, (301, 400))]
    tested.append(photo(tmp_path / "val/other.png", 4))
    near = find_near(tested, trained)
    assert near.near_copies.tolist() == [True, False, False]
    assert near.series.tolist() == [False, True, False]
    assert len(set(near.groups.tolist())) == 3
    # Without a photo of the series in training, none of it has been seen.
    assert find_near(tested, trained[:1]).series.tolist() == [False, False, False]


def test_the_command_scores_beside(tmp_path: Path, write_constant, capsys: pytest.CaptureFixture[str]) -> None:
    for split, name, seed in (("train", "a", 1), ("val", "b", 1), ("val", "c", 2)):
        photo(tmp_path / f"images/{split}/{name}.png", seed, (64, 32))
        label = tmp_path / f"labels/{split}/{name}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("1 0.5 0.5 0.3125 0.625\n")
    names = "names: [with_mask, without_mask, mask_weared_incorrect]\n"
    (tmp_path / "data.yaml").write_text(f"train: images/train\nval: images/val\n{names}")
    model = write_constant(tmp_path / "tiny.onnx", [[32, 16, 20, 20, 0.1, 0.8, 0.0]])
    words = ["val", f"data={tmp_path}/data.yaml", f"model={model}", "--near-copies"]
    with pytest.raises(SystemExit) as stop:
        main([*words, "--json", str(tmp_path / "a.json")])
    assert stop.value.code == 0
    assert "without near copies: 1, 1 groups" in capsys.readouterr().out
    report = json.loads((tmp_path / "a.json").read_text())
    assert report["near_training"]["near_copies"]["photos"] == ["b.png"]
    assert report["near_training"]["sets"]["without_either"]["photos"] == 1
    assert report["ap_as_reported"]["without_mask"]["ap50"]["value"] == 1
    with pytest.raises(SystemExit) as stop:
        main([*words, "--folds"])
    assert stop.value.code == 2
    assert "--near-copies goes with the plain score" in capsys.readouterr().err


def test_what_is_reported_is_scored_beside_what_counts_for_ap(write_constant, tmp_path: Path) -> None:
    """A box with two classes counts twice for AP, as in yolo val, and once where it is reported."""
    picture = photo(tmp_path / "a.png", 1, (64, 32))
    truth = Truth(np.array([[22.0, 6.0, 42.0, 26.0]]), np.array([0]))
    labelled = LabelledSplit("a/data.yaml", "val", (picture,), (truth,))
    from maskdet.detector.inference.model import MaskDetector

    detector = MaskDetector(write_constant(tmp_path / "tiny.onnx", [[32, 16, 20, 20, 0.4, 0.8, 0.0]]))
    report = evaluate(detector, labelled, resamples=0)
    assert report.ap["all"]["with_mask"].ap50.value == 1  # the second class of the box
    assert report.as_reported["with_mask"].ap50.value == 0
