from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskdet.datasets.yolo.data_yaml import read_data_yaml
from maskdet.datasets.yolo.labels import read_labels
from maskdet.datasets.yolo.write import format_data_yaml
from maskdet.errors import AnnotationError, DatasetError
from maskdet.results.labels import format_labels


def test_labels_have_six_decimals_and_read_back(tmp_path: Path) -> None:
    rows = np.array([[0.5, 1 / 3, 0.25, 0.125], [0.1, 0.2, 0.1, 0.1]])
    path = tmp_path / "a.txt"
    path.write_text(format_labels(np.array([2, 0]), rows))
    assert path.read_text() == "2 0.500000 0.333333 0.250000 0.125000\n0 0.100000 0.200000 0.100000 0.100000\n"
    labels = read_labels(path)
    assert (labels.class_ids.tolist(), labels.lines) == ([2, 0], [1, 2])
    assert np.abs(labels.rows - rows).max() < 5e-7


def test_empty_label_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n")
    labels = read_labels(path)
    assert (labels.class_ids.shape, labels.rows.shape) == ((0,), (0, 4))


@pytest.mark.parametrize(
    "line", ["0 0.5 0.5 0.1", "a b c d e", "0.5 0.5 0.5 0.1 0.1", "-1 0.5 0.5 0.1 0.1", "0 nan 0 0 0"]
)
def test_bad_label_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(AnnotationError) as caught:
        read_labels(path)
    assert caught.value.line == 2


def test_data_yaml_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(format_data_yaml(["x", "y"], train=["images/a", "images/b"], val=["images/c"]))
    read = read_data_yaml(path)
    assert read.names == ("x", "y")
    assert read.splits == {
        "train": (tmp_path / "images/a", tmp_path / "images/b"),
        "val": (tmp_path / "images/c",),
    }
    with pytest.raises(DatasetError, match="does not exist"):
        read.pictures("train")


def test_data_yaml_with_path_lists_and_parent_folder(tmp_path: Path) -> None:
    (tmp_path / "set/train/images").mkdir(parents=True)
    (tmp_path / "set/val.txt").write_text("./train/images/a.jpg\n\n")
    path = tmp_path / "data.yml"
    path.write_text("path: set\ntrain: ../train/images\nval: val.txt\nnames: [x]\n")
    read = read_data_yaml(path)
    assert read.splits["train"] == (tmp_path / "set/train/images",)
    assert read.pictures("train") == []
    assert read.pictures("val") == [tmp_path / "set/train/images/a.jpg"]


@pytest.mark.parametrize("text", ["[1, 2]", "names: {0: x}", "train: a", "a: [", "names:\ntrain: x"])
def test_useless_data_yaml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(text)
    with pytest.raises(DatasetError):
        read_data_yaml(path)
