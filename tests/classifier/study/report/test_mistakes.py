from __future__ import annotations

import csv
import io
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.study.report.csv_files import misclassified_csv, networks_csv, per_class_csv
from maskdet.classifier.study.report.mistakes import MAX_CELLS, draw_gallery, find_mistakes
from maskdet.classifier.study.sections import score_runs
from maskdet.classifier.training.run import NetworkRun, Predictions

RECORDS = [
    CropRecord("with_mask/a_0.png", "a.jpg", 0, (0.0, 0.0, 8.0, 18.0), 0, "a"),
    CropRecord("with_mask/b_0.png", "b.jpg", 0, (0.0, 0.0, 8.0, 18.0), 0, "a"),
    CropRecord("without_mask/c_0.png", "c.jpg", 0, (1.0, 2.0, 4.5, 30.0), 1, "c"),
    CropRecord("with_mask/d_0.png", "d.jpg", 0, (0.0, 0.0, 8.0, 18.0), 0, "d"),
]
KNOWN = {record.crop: record for record in RECORDS}


@pytest.fixture
def run(made: ModuleType) -> NetworkRun:
    """Wrong about a (0.7 sure), c (0.9) and b (0.7)."""
    crops = tuple(record.crop for record in RECORDS)
    rows = np.array([[0.3, 0.7], [0.3, 0.7], [0.9, 0.1], [0.8, 0.2]])
    test = Predictions(crops, np.array([0, 0, 1, 0]), rows)
    base = made.one_run(made.crop_records(6))
    return replace(base, parts={"train": replace(test, crops=()), "dev": replace(test, crops=()), "test": test})


def without_training(run: NetworkRun) -> NetworkRun:
    empty = Predictions((), np.zeros(0, dtype=np.int64), np.zeros((0, 2)))
    return replace(run, parts=run.parts | {"train": empty, "dev": empty})


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_surest_mistake_comes_first(run: NetworkRun) -> None:
    (section,) = score_runs([without_training(run)], RECORDS, resamples=0)
    mistakes = find_mistakes(section.entries[0], KNOWN)
    assert [(m.crop[-7:], m.truth, m.answer, m.probability) for m in mistakes] == [
        ("c_0.png", 1, 0, 0.9), ("a_0.png", 0, 1, 0.7), ("b_0.png", 0, 1, 0.7),
    ]  # fmt: skip
    assert mistakes[1].face_size == 12  # the root of 8 · 18


def test_the_csv_says_where_each_face_is(run: NetworkRun) -> None:
    sections = score_runs([without_training(run)], RECORDS, resamples=0)
    rows = rows_of(misclassified_csv(sections, KNOWN))
    assert len(rows) == 3
    assert rows[0] == {
        "task": "binary", "protocol": "study", "run": "CNN-A", "fold": "", "crop": "without_mask/c_0.png",
        "photo": "c.jpg", "group": "c", "x1": "1", "y1": "2", "x2": "4.5", "y2": "30", "face_size": "9.89949",
        "truth": "without_mask", "answer": "with_mask", "probability": "0.9",
    }  # fmt: skip


def test_networks_and_classes_as_csv(run: NetworkRun) -> None:
    sections = score_runs([without_training(run)], RECORDS, resamples=0)
    (row,) = rows_of(networks_csv(sections))
    assert (row["network"], row["fold"], row["test_crops"], row["test_wrong"], row["error"]) == (
        "cnn-a",
        "",
        "4",
        "3",
        "0.75",
    )
    assert (row["floor_error"], row["train_error"], row["macro_f1_low"]) == ("0.25", "", "")
    assert (row["frozen"], row["test_crops_of_training_photos"]) == ("no", "0")
    first, second = rows_of(per_class_csv(sections))
    # with_mask: answered for c and d, right for d alone, which is one of three.
    assert (first["class"], first["precision"], first["recall"], first["support"]) == (
        "with_mask",
        "0.5",
        "0.333333",
        "3",
    )
    assert (second["precision"], second["f1"]) == ("0", "0")


def test_folds_have_a_line_each_and_one_for_all(made: ModuleType) -> None:
    records = made.crop_records(12)
    runs = [made.one_run(records, protocol="grouped", fold=fold) for fold in range(3)]
    rows = rows_of(networks_csv(score_runs(runs, records, resamples=0)))
    assert [row["fold"] for row in rows] == ["0", "1", "2", "all"]
    assert {row["title"] for row in rows} == {"CNN-A"}
    assert int(rows[3]["test_crops"]) == sum(int(row["test_crops"]) for row in rows[:3])


def test_the_gallery_is_a_grid(made: ModuleType, run: NetworkRun) -> None:
    (section,) = score_runs([without_training(run)], RECORDS, resamples=0)
    mistakes = find_mistakes(section.entries[0], KNOWN)
    blue = np.full((10, 10, 3), (255, 0, 0), np.uint8)
    sheet = draw_gallery(mistakes, lambda crop: blue if "c_0" in crop else made.pixels(crop))
    # 3 cells of 132 px beside each other and one row of 112 + 56 px, with gaps of 6.
    assert sheet.shape == (6 + 174, 6 + 3 * 138, 3)
    is_blue = (sheet == (255, 0, 0)).all(axis=2)
    # The square is as high as every crop and in the middle of the first cell.
    assert is_blue.sum() == 112 * 112
    assert is_blue[6:118, 16:128].all()
    assert (draw_gallery(mistakes * 40, made.pixels).shape) == (6 + MAX_CELLS // 10 * 174, 6 + 10 * 138, 3)
    with pytest.raises(ValueError, match="no mistake"):
        draw_gallery([], made.pixels)


def test_words_under_a_face_have_the_colour_of_its_label(run: NetworkRun) -> None:
    """A bare face that was missed reads red, as its label is drawn, not green as what it was taken for."""
    (section,) = score_runs([without_training(run)], RECORDS, resamples=0)
    missed = find_mistakes(section.entries[0], KNOWN)[0]
    sheet = draw_gallery([missed], lambda _: np.full((10, 10, 3), 255, np.uint8))
    words = sheet[6 + 112 : 6 + 112 + 18].reshape(-1, 3).astype(int)
    blue, green, red = words[words.sum(axis=1).argmin()]
    assert red > green + 60 and red > blue + 60
    # Three lines of words, the file's name the last of them.
    lines = [(sheet[6 + 112 + top : 6 + 112 + top + 16] < 200).any() for top in (3, 20, 37)]
    assert lines == [True] * 3
