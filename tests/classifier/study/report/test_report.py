"""The whole report, written once from made-up runs, and its parts."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.study.report import write_report
from maskdet.classifier.study.report.comparison import comparison, comparison_lines
from maskdet.classifier.study.report.groups import groups_table, part_sentence
from maskdet.classifier.study.report.pairs import pairs_sentence, pairs_table
from maskdet.classifier.study.report.plots import confusion_matrices, error_bars, learning_curves, roc_curves
from maskdet.classifier.study.report.results import figures_table, overlap_table, times_table
from maskdet.classifier.study.report.words import recipes, summary
from maskdet.classifier.study.sections import score_runs
from maskdet.classifier.training.run import NetworkRun, Predictions
from maskdet.errors import DatasetError

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def records(made: ModuleType) -> list[CropRecord]:
    found: list[CropRecord] = made.crop_records(24)
    return found


@pytest.fixture(scope="module")
def runs(made: ModuleType, records: list[CropRecord]) -> list[NetworkRun]:
    """One network by crop, one of three classes by photo group."""
    folds = [
        made.one_run(records, "maskdet-c", task="three", protocol="grouped", fold=fold, skill=0.6) for fold in range(3)
    ]
    return [*folds, made.one_run(records, "vgg19", skill=0.0)]


@pytest.fixture(scope="module")
def report(
    made: ModuleType, runs: list[NetworkRun], records: list[CropRecord], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("study") / "new"
    files = write_report(
        score_runs(runs, records), out, records=records, pixels=made.pixels, collapse=made.collapse_rows(),
        commands=["maskdet study crops"], machine="x86_64, 2 cores",
    )  # fmt: skip
    assert sorted(files) == sorted(out.iterdir())
    return out


def section_of(text: str, title: str) -> str:
    """Return the report's part under a heading of the second level."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_file_is_named_in_the_report_and_every_name_is_a_file(report: Path) -> None:
    text = (report / "report.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\]\(([^)#]+)\)", text))
    assert named | {"report.md"} == {path.name for path in report.iterdir()}
    assert {
        "networks.csv",
        "per_class.csv",
        "confusion.csv",
        "mcnemar.csv",
        "misclassified.csv",
        "collapse.csv",
    } <= named


def test_pictures_can_be_seen(report: Path) -> None:
    for path in report.glob("*.png"):
        assert min(cv2.imread(str(path)).shape[:2]) > 100
        assert b"matplotlib" not in path.read_bytes()


def test_the_networks_of_the_study_have_a_line_each(report: Path) -> None:
    part = section_of((report / "report.md").read_text(encoding="utf-8"), "Two classes, the study's split by crop")
    with (report / "networks.csv").open(encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["network"] == "vgg19")
    wrong, count = int(row["test_wrong"]), int(row["test_crops"])
    # A dead network is as good as the floor.
    assert float(row["error"]) == pytest.approx(wrong / count, abs=1e-6)
    assert row["error"] == row["floor_error"]
    assert "| CNN-A | 2 % | 6 to 9 of 394 (0.70–4.28 by face) | not run |" in part
    assert f"always with_mask | {wrong} of {count}: {100 * wrong / count:.2f} % (" in part
    assert "| ResNet50 | 17 % (accuracy 0.83) | 138 of 790: 17.47 % (14.98–20.27), always with_mask | not run |" in part
    assert "| InceptionV3 | – | 0.7266 | not run |" in part
    assert "| CNN-B | 0.2937, 0.2950 (dev) | nothing: 2p/(1+p) of p = 68/395, 2 crops not counted | not run |" in part


def test_three_classes_and_the_folds(report: Path) -> None:
    part = section_of((report / "report.md").read_text(encoding="utf-8"), "Three classes, split by photo group")
    what = "ResNet18, split by crop (source not recorded, not checked)"
    assert f"| *published elsewhere: {what}* | – | – | 2 % | 0.92 | – | – |" in part
    assert "| network | fold 0 | fold 1 | fold 2 | all |" in part
    assert "not run" not in part


def test_how_it_was_made(report: Path) -> None:
    part = section_of((report / "report.md").read_text(encoding="utf-8"), "How it was made")
    assert "Machine: x86_64, 2 cores." in part
    assert "```bash\nmaskdet study crops\n```" in part
    assert "| optimiser | Adam |" in part


def test_the_same_runs_give_the_same_bytes(
    report: Path, made: ModuleType, runs: list[NetworkRun], records: list[CropRecord], tmp_path: Path
) -> None:
    one = [run for run in runs if run.name == "vgg19"]
    for name, given in (("a", one), ("b", one[::-1])):
        ordered = records[:: 1 if name == "a" else -1]
        write_report(score_runs(given, ordered), tmp_path / name, records=ordered, pixels=made.pixels)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert "collapse.csv" not in files
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_pictures_that_are_shown_no_more_are_removed(
    made: ModuleType, runs: list[NetworkRun], records: list[CropRecord], tmp_path: Path
) -> None:
    write_report(score_runs(runs, records), tmp_path, records=records)
    (tmp_path / "mine.png").write_bytes(b"somebody's own")
    shown = {path.name for path in tmp_path.glob("*.png")}
    one = [run for run in runs if (run.name, run.protocol) == ("vgg19", "study")]
    kept = {path.name for path in write_report(score_runs(one, records), tmp_path, records=records)}
    assert shown - kept > {"mine.png"}
    assert {path.name for path in tmp_path.iterdir()} == kept | {"mine.png"}


def test_without_runs_there_is_nothing_to_report(records: list[CropRecord], tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no trained network to report on"):
        write_report([], tmp_path, records=records)


def test_weights_that_could_not_be_had(made: ModuleType, records: list[CropRecord]) -> None:
    runs = [made.one_run(records, "resnet50", weights="random"), made.one_run(records, "cnn-a")]
    (section,) = score_runs(runs, resamples=0)
    lines = {line.label: line for line in comparison_lines(section, {"vgg19": "not run: too slow"})}
    assert list(lines) == [
        "CNN-A", "CNN-B", "CNN-C", "MobileNetV2", "VGG19", "ResNet50", "ResNet50, from scratch", "InceptionV3",
    ]  # fmt: skip
    assert lines["ResNet50"].absent == "not run: weights unavailable"
    assert lines["VGG19"].absent == "not run: too slow"
    assert lines["InceptionV3"].absent == "not run"
    assert lines["ResNet50, from scratch"].study is None
    assert "| ResNet50, from scratch | – | – | " in comparison(section, {})


def test_only_the_networks_that_were_run_stand_in_the_grouped_section(
    made: ModuleType, records: list[CropRecord]
) -> None:
    runs = [
        made.one_run(records, name, protocol="grouped", fold=0, weights=weights)
        for name, weights in (("cnn-b", None), ("vgg19", "random"))
    ]
    (section,) = score_runs(runs, resamples=0)
    labels = [line.label for line in comparison_lines(section, {})]
    assert labels == ["CNN-B", "VGG19", "VGG19, from scratch"]


def test_the_best_is_marked(made: ModuleType, records: list[CropRecord]) -> None:
    runs = [made.one_run(records, "cnn-a", skill=1.0), made.one_run(records, "cnn-b", skill=0.3)]
    (section,) = score_runs(runs, resamples=0)
    best, worse = figures_table(section).splitlines()[2:4]
    assert best.startswith("| CNN-A | ")
    assert best.count("**") == 8
    assert "**" not in worse


def test_the_best_network_of_a_division_is_in_the_summary(made: ModuleType, records: list[CropRecord]) -> None:
    runs = [made.one_run(records, "cnn-a", skill=0.4), made.one_run(records, "cnn-b", skill=1.0)]
    runs += [made.one_run(records, "cnn-a", protocol="grouped", fold=fold) for fold in range(3)]
    sections = score_runs(runs, records, resamples=0)
    text = summary(sections, [], records)
    assert "Two classes, the study's split by crop: least wrong CNN-B, error 0.00 % (by face 0.00–" in text
    assert "Two classes, split by photo group: only CNN-A (3 of 5 folds)" in text
    assert "| CNN-A (3 of 5 folds) | two classes, today's folds | " in text
    assert "Tested on 24 photos in 12 groups." in text
    assert "MobileNetV2, VGG19 and ResNet50 answer *with_mask* for every one of 790 test crops" in text


def test_a_tie_for_the_best_is_said(made: ModuleType, records: list[CropRecord]) -> None:
    runs = [made.one_run(records, name, skill=1.0) for name in ("cnn-a", "cnn-b", "cnn-c")]
    (section,) = score_runs(runs, resamples=0)
    assert "least wrong CNN-A (level with CNN-B and CNN-C), error 0.00 %" in summary([section], [])


def test_pairs(made: ModuleType, records: list[CropRecord]) -> None:
    runs = [made.one_run(records, "cnn-a", skill=1.0), made.one_run(records, "vgg19", skill=0.0)]
    (section,) = score_runs(runs, resamples=0)
    pairs = section.pairs
    first, second = (set(entry.test.crops) for entry in section.entries)
    assert [pair.common for pair in pairs] == [len(first & second)]
    missed = sum(
        label == 1
        for crop, label in zip(section.entries[1].test.crops, section.entries[1].test.labels, strict=True)
        if crop in first
    )
    assert (pairs[0].first_only, pairs[0].second_only) == (missed, 0)
    assert f"| 1 CNN-A | {missed} : 0 in {missed} groups, p " in pairs_table(section)
    assert pairs_sentence(section).startswith("0 of 1 pair differ at 5 %, compared on the ")


def test_a_pair_that_differs_by_face_alone_does_not_differ(made: ModuleType) -> None:
    """All faces are of one photo, and one network gets nine of them right that the other does not."""
    records = [replace(record, photo="p0.jpg", group="p0") for record in made.crop_records(24)]
    crops = tuple(record.crop for record in records if record.class_id == 0)[:9]
    right = Predictions(crops, np.zeros(9, dtype=np.int64), np.tile([0.9, 0.1], (9, 1)))
    runs = [
        replace(made.one_run(made.crop_records(24), name), parts=dict.fromkeys(("train", "dev"), none) | {"test": test})
        for none in [Predictions((), np.zeros(0, dtype=np.int64), np.zeros((0, 2)))]
        for name, test in (("cnn-a", right), ("cnn-b", replace(right, probabilities=right.probabilities[:, ::-1])))
    ]
    (section,) = score_runs(runs, records, resamples=0)
    (pair,) = section.pairs
    assert (pair.p, pair.groups, pair.p_group, pair.differ) == (2 / 2**9, 1, 1.0, False)
    assert pairs_sentence(section).startswith(
        "0 of 1 pair differ at 5 % (McNemar's test, which takes faces for independent, would say 1), compared on the 9 "
    )


def test_a_series_can_be_left_out(made: ModuleType) -> None:
    records = [replace(record, group="p0" if record.photo < "p2" else record.group) for record in made.crop_records(24)]
    inside = {record.crop for record in records if record.group == "p0"}
    (section,) = score_runs([made.one_run(records, "cnn-a", skill=0.5)], records, resamples=0)
    text = groups_table(section, records)
    assert "The largest group, `p0`, is a series of 12 photos" in text  # p0, p1, p10 … p19
    outside = [right for crop, right in section.entries[0].right().items() if crop not in inside]
    assert f"{outside.count(False)} of {len(outside)}: " in text
    entry = section.entries[0]
    wrong = [crop for crop, right in entry.right().items() if not right]
    mine = sum(crop in inside for crop in wrong)
    assert f"{mine} of {len(wrong)}, in {len(set(entry.right()) & inside)} crops" in text
    photos = {record.photo: record.group for record in records if record.crop in entry.right()}
    assert f"| {len(photos)} in {len(set(photos.values()))} | " in text
    of_series = sum(group == "p0" for group in photos.values())
    assert part_sentence(entry, records).endswith(f"groups, {of_series} of the photos one series.")
    assert "series of" not in groups_table(section, made.crop_records(24))
    assert overlap_table(score_runs([made.one_run(records)], resamples=0)[0]) == ""


def test_what_recipes_share_is_said_once(made: ModuleType, records: list[CropRecord]) -> None:
    sections = score_runs([made.one_run(records), made.one_run(records, "vgg19")], resamples=0)
    text = recipes(sections)
    assert "| learning rate | 0.001 |" in text
    assert "| CNN-A | two classes, the study's split by crop | random | no | 32 |" in text
    assert "| VGG19 | two classes, the study's split by crop | imagenet | yes | 1 |" in text


def test_pictures_show_the_figures(made: ModuleType, records: list[CropRecord]) -> None:
    (section,) = score_runs([made.one_run(records), made.one_run(records, "vgg19", skill=0.0)], records, resamples=0)
    cells = [text.get_text().split("\n")[0] for text in confusion_matrices(section).axes[0].texts]
    assert cells == [str(count) for count in section.entries[0].scores.matrix.ravel().tolist()]
    labels = [text.get_text() for text in roc_curves(section).axes[0].get_legend().get_texts()]
    assert labels[1] == "VGG19  0.500"
    curves = learning_curves(section.entries[0]).axes[0].get_lines()
    # train, dev, the epoch that was kept, and the study's dev error: CNN-A's first accuracy is 0.9316.
    assert np.allclose(curves[0].get_ydata(), [100 * epoch.train_error for epoch in section.entries[0].run.epochs])
    assert curves[3].get_ydata()[0] == pytest.approx(6.84)
    assert [tick.get_text() for tick in error_bars(section).axes[0].get_yticklabels()] == ["CNN-A", "VGG19"]


def test_a_constant_answer_is_said_in_words(report: Path) -> None:
    part = section_of((report / "report.md").read_text(encoding="utf-8"), "Two classes, the study's split by crop")
    rows = [line for line in part.splitlines() if line.startswith("| VGG19 | ")]
    assert any("| always with_mask | always with_mask | 0.500 " in row for row in rows)
    assert any("always with_mask |" in row and "swapped report" in row for row in rows)


def test_mistakes_are_listed_by_path_label_and_answer(report: Path) -> None:
    part = section_of((report / "report.md").read_text(encoding="utf-8"), "Two classes, the study's split by crop")
    with (report / "misclassified.csv").open(encoding="utf-8") as file:
        wrong = [row for row in csv.DictReader(file) if row["run"] == "VGG19"]
    assert wrong
    for row in wrong:
        assert f"| `{row['crop']}` | without_mask | with_mask | {float(row['probability']):.3f} |" in part


def test_what_ended_a_training_is_in_the_report(made: ModuleType, records: list[CropRecord]) -> None:
    whole = made.one_run(records, epochs=6)
    early = replace(whole, recipe=whole.recipe | {"epochs": 9, "patience": 2}, title="stopped")
    (section,) = score_runs([replace(whole, recipe=whole.recipe | {"epochs": 6}), early], records, resamples=0)
    one, other = times_table(section).splitlines()[2:4]
    assert "| 6 (4) | all epochs done | " in one
    assert "| 6 (4) | early stopping, patience 2 | " in other
