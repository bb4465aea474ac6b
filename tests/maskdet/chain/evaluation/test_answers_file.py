from __future__ import annotations

import gzip
import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from maskdet.chain.evaluation.answers import PhotoAnswers
from maskdet.chain.evaluation.answers_file import FoldAnswers, read_answers, rounded, write_answers
from maskdet.detector.evaluation.folds.fold_set import FoldSet
from maskdet.detector.evaluation.folds.report import FoldModel
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import DatasetError

NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))
NONE = PhotoAnswers(NOTHING, *(np.zeros((0, width), np.float32) for width in (4, 3, 3, 3)), reported=NOTHING)


def made_up(seed: int) -> PhotoAnswers:
    rng = np.random.default_rng(seed)

    def found(count: int) -> Detections:
        boxes = rng.uniform(0, 400, (count, 4)).astype(np.float32)
        return Detections(boxes, rng.random(count, np.float32), rng.integers(0, 3, count))

    boxes = rng.uniform(0, 400, (4, 4)).astype(np.float32)
    tables = [rng.random((rows, 3), np.float32) for rows in (4, 4, 2)]
    return PhotoAnswers(found(6), boxes, *tables, reported=found(3))


def same(first: PhotoAnswers, second: PhotoAnswers, **within: float) -> bool:
    pairs = [(getattr(first, field.name), getattr(second, field.name)) for field in fields(PhotoAnswers)]
    return all(
        np.allclose(a, b, **within)
        for one, other in pairs
        for a, b in (zip(one[:3], other[:3], strict=True) if isinstance(one, Detections) else [(one, other)])
    )


@pytest.fixture
def kept() -> FoldAnswers:
    truth = Truth(np.array([[1.25, 2, 30.3333, 40], [5, 5, 9, 9]]), np.array([0, 2]))
    tests = tuple(
        LabelledSplit("folds", "val", (Path(f"{name}.png"),), (truth,), repeated)
        for name, repeated in (("a", 0), ("b", 3))
    )
    folds = FoldSet(
        "folds", tests, (np.array([4]), np.array([7])), (np.array([False]), np.array([True])), 1, ("fold1", "series")
    )
    models = tuple((FoldModel(f"d{k}", "ab", 640), FoldModel(f"c{k}", "cd", 96)) for k in (1, 2))
    answers = [[rounded(made_up(0))], [NONE]]
    return FoldAnswers(folds=folds, answers=answers, models=models, ap_conf=0.001, iou=0.7)


def test_what_is_written_is_read_again(kept: FoldAnswers, tmp_path: Path) -> None:
    write_answers(tmp_path / "a.json.gz", kept, "maskdet compare")
    read = read_answers(tmp_path / "a.json.gz")
    assert (read.models, read.ap_conf, read.iou) == (kept.models, 0.001, 0.7)
    assert (read.folds.names, read.folds.leaks) == (("fold1", "series"), 1)
    assert [part.tolist() for part in (*read.folds.groups, *read.folds.series)] == [[4], [7], [False], [True]]
    assert [test.repeated for test in read.folds.tests] == [0, 3]
    assert read.folds.tests[0].photos == (Path("a.png"),)
    assert read.folds.tests[1].truths[0].boxes.tolist() == [[1.25, 2, 30.3333, 40], [5, 5, 9, 9]]
    # Exactly: the figures of the file are those of the models.
    assert all(same(one[0], other[0], rtol=0, atol=0) for one, other in zip(read.answers, kept.answers, strict=True))
    write_answers(tmp_path / "b.json.gz", read, "maskdet compare")
    assert (tmp_path / "b.json.gz").read_bytes() == (tmp_path / "a.json.gz").read_bytes()


@pytest.mark.parametrize("seed", range(5))
def test_rounding_moves_no_box_by_a_hundredth_of_a_pixel(seed: int) -> None:
    answer = made_up(seed)
    kept = rounded(answer)
    assert same(answer, kept, rtol=1e-5, atol=0.0051)
    assert np.allclose(answer.scores, kept.scores, rtol=5.1e-5, atol=0)
    # A score as small as a calibration makes it keeps its digits.
    tiny = replace(answer, scores=answer.scores * np.float32(1e-6))
    assert np.allclose(tiny.scores, rounded(tiny).scores, rtol=5.1e-5, atol=0)


@pytest.mark.parametrize(
    "content", [b"", b"no gzip", gzip.compress(b"{}"), gzip.compress(json.dumps({"schema": "other/1"}).encode())]
)
def test_another_file_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json.gz").write_bytes(content)
    with pytest.raises(DatasetError, match=r"holds no answers of|its schema is other/1"):
        read_answers(tmp_path / "a.json.gz")
