from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from maskdet.classifier.study.collapse import CollapseRow, format_collapse, load_collapse, save_collapse
from maskdet.classifier.study.report.collapse import collapse_section, collapse_title
from maskdet.errors import DatasetError

ROW = CollapseRow(
    name="vgg19", batch=1, learning_rate=1e-3, scaling="1/255", seed=0, epochs=4, train_accuracy=0.8167,
    dev_accuracy=0.83, test_balanced_accuracy=0.5, dead_units=1.0, collapsed=True,
)  # fmt: skip


def test_round_trip(made: ModuleType, tmp_path: Path) -> None:
    rows = made.collapse_rows()
    save_collapse(rows, tmp_path / "new" / "collapse.csv")
    assert load_collapse(tmp_path / "new" / "collapse.csv") == rows


def test_the_text() -> None:
    assert format_collapse([ROW]).splitlines() == [
        "name,batch,learning_rate,scaling,seed,epochs,train_accuracy,dev_accuracy,test_balanced_accuracy,dead_units,"
        "collapsed",
        "vgg19,1,0.001,1/255,0,4,0.8167,0.83,0.5,1,yes",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name,batch", "name,size", r"collapse\.csv: its first line must be name,batch,"),
        ("yes", "maybe", r"collapse\.csv:2: cannot be read \(ValueError: collapsed must be yes or no"),
        ("1/255", "1/256", r":2: .*scaling must be one of 1/255, imagenet"),
        (",0.001", ",fast", r":2: .*could not convert"),
        (",0.5,1,yes", "", r":2: cannot be read"),
    ],
)
def test_damage(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "collapse.csv"
    path.write_text(format_collapse([ROW]).replace(old, new), encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        load_collapse(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="FileNotFoundError"):
        load_collapse(tmp_path / "collapse.csv")


def test_the_section_counts_each_cell_and_each_setting(made: ModuleType) -> None:
    text = collapse_section(made.collapse_rows())
    assert "In the study MobileNetV2, VGG19 and ResNet50 answer *with_mask* for every crop" in text
    assert "**Seen again**. Collapsed: at learning rate 0.0001 0 of 8 of batch 1 and 0 of 8 of batch 32;" in text
    assert " at learning rate 0.001 4 of 8 of batch 1 and 0 of 8 of batch 32. The study prints no rate; 0.001" in text
    assert "| VGG19 | 1 | 1/255 | 0.001 | 2 of 2 | 0.817 | 0.830 | 0.500 | 100 % |" in text
    assert "| MobileNetV2 | 1 | 1/255 | 0.0001 | 0 of 2 | 0.990 | 0.970 | **0.955** | 25 % |" in text
    assert "| batch | 1 | 4 of 16 | 0.841 | 44 % |" in text
    assert "| pixels | imagenet | 0 of 16 | 0.955 | 25 % |" in text
    assert collapse_section(made.collapse_rows()[::-1]) == text


def test_the_heading_says_whether_it_was_seen() -> None:
    learnt, faster = replace(ROW, collapsed=False), replace(ROW, learning_rate=1e-2)
    assert collapse_title([learnt]) == "Three networks that never learned: not reproduced"
    assert collapse_title([learnt, ROW]) == "Three networks that never learned: seen again"
    assert collapse_title([learnt, faster]).endswith(": seen again at other learning rates alone")
    assert "**Seen again at other learning rates alone, cause unknown**" in collapse_section([learnt, faster])


def test_a_training_that_nearly_collapsed_is_told_apart(made: ModuleType) -> None:
    collapsed, learnt = (next(row for row in made.collapse_rows() if row.collapsed is dead) for dead in (True, False))
    nearly = replace(collapsed, collapsed=False, seed=2)
    assert "gets the same answer. Dead" in collapse_section([collapsed, learnt])
    assert "gets the same answer. So nearly have 1 more: every test crop" in collapse_section(
        [collapsed, nearly, learnt]
    )
