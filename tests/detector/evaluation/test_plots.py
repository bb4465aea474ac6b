from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.detector.evaluation.evaluate import evaluate
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.evaluation.plots import confusion_matrix, pr_curve, save_plots
from maskdet.detector.evaluation.report import ValReport
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import SourceError

pytest.importorskip("faster_coco_eval")
pytest.importorskip("matplotlib")


@pytest.fixture
def report() -> ValReport:
    """Two classes labelled, the third not; one face found."""
    truth = Truth(np.array([[0.0, 0, 20, 20], [40, 0, 60, 20]]), np.array([0, 2]))
    found = Detections(np.array([[0, 0, 20, 20]], np.float32), np.array([0.9], np.float32), np.array([0]))
    split = LabelledSplit("hand/data.yaml", "val", (Path("a.png"),), (truth,))
    return evaluate([found], split, resamples=0)


def test_curves_are_those_of_the_labelled_classes(report: ValReport) -> None:
    axes = pr_curve(report).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["with_mask  AP50 1.000  (1 faces)", "mask_weared_incorrect  AP50 0.000  (1 faces)"]
    red, green, _ = axes.get_lines()[0].get_color()
    assert green > red


def test_every_cell_shows_its_count(report: ValReport) -> None:
    texts = [text.get_text().split("\n")[0] for text in confusion_matrix(report).axes[0].texts]
    assert texts == ["1", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "1", "0", "0", "0", "–"]


def test_files_are_pictures_and_the_same_each_time(report: ValReport, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in save_plots(report, tmp_path / "new" / "folder")]
    paths = save_plots(report, tmp_path)
    assert [path.name for path in paths] == ["pr_curve.png", "confusion_matrix.png"]
    assert [path.read_bytes() for path in paths] == first
    for path in paths:
        assert min(cv2.imread(str(path)).shape[:2]) > 400


def test_a_folder_that_cannot_be_made_is_one_line(report: ValReport, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SourceError, match="cannot be written"):
        save_plots(report, tmp_path / "file" / "sub")
