from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maskdet.classifier.training.run import PARTS, Epoch, NetworkRun, Predictions, load_run, save_run
from maskdet.errors import DatasetError, SourceError


def part(*rows: tuple[str, int, float, float, float]) -> Predictions:
    return Predictions(
        tuple(row[0] for row in rows),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2:] for row in rows], dtype=np.float64).reshape(-1, 3),
    )


@pytest.fixture
def run() -> NetworkRun:
    return NetworkRun(
        name="vgg19", title="VGG19", task="three", protocol="grouped", fold=2, weights="imagenet", frozen=True,
        recipe={"batch": 1, "scaling": "1/255", "note": "ünïcode"}, seed=7, parameters=20_294_977, trainable=270_593,
        epochs=(Epoch(1, 12.5, 0.5, 0.25, 0.4, 0.125), Epoch(2, 11.25, 1e-7, 0.0, 1234.25, 1.0)),
        best_epoch=1, ms_per_crop=3.5,
        parts={
            "train": part(("with_mask/a, b_0.png", 0, 0.5, 0.25, 0.25), ("without_mask/ü_1.png", 1, 0.0, 1.0, 0.0)),
            "dev": part(),
            "test": part(("mask_weared_incorrect/c_0.png", 2, 0.125, 0.25, 0.625)),
        },
    )  # fmt: skip


def test_round_trip(run: NetworkRun, tmp_path: Path) -> None:
    save_run(run, tmp_path / "new" / "run")
    read = load_run(tmp_path / "new" / "run")
    for name in NetworkRun.__slots__:
        if name != "parts":
            assert getattr(read, name) == getattr(run, name)
    for name in PARTS:
        assert read.parts[name].crops == run.parts[name].crops
        for array in ("labels", "probabilities"):
            one, other = getattr(read.parts[name], array), getattr(run.parts[name], array)
            assert one.dtype == other.dtype
            assert one.shape == other.shape
            assert (one == other).all()


def test_the_same_run_gives_the_same_bytes(run: NetworkRun, tmp_path: Path) -> None:
    save_run(run, tmp_path / "a")
    save_run(load_run(tmp_path / "a"), tmp_path / "b")
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["history.csv", "predictions.csv", "run.json"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_folder_in_the_way(run: NetworkRun, tmp_path: Path) -> None:
    (tmp_path / "run" / "history.csv" / "x").mkdir(parents=True)
    with pytest.raises(SourceError, match=r"history\.csv: cannot be written"):
        save_run(run, tmp_path / "run")


@pytest.mark.parametrize("name", ["run.json", "history.csv", "predictions.csv"])
def test_a_missing_file(run: NetworkRun, tmp_path: Path, name: str) -> None:
    save_run(run, tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DatasetError, match=r"is no complete run \(FileNotFoundError: .*delete it"):
        load_run(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("run.json", '"seed": 7', '"sead": 7', "KeyError: 'seed'"),
        ("run.json", "maskdet-run/1", "maskdet-run/9", "its format is maskdet-run/9, expected maskdet-run/1"),
        ("run.json", '"three"', '"four"', "KeyError: 'four'"),
        ("run.json", "{", "[", "JSONDecodeError"),
        ("history.csv", "12.5", "fast", "ValueError"),
        ("history.csv", "seconds", "hours", "KeyError: 'seconds'"),
        ("history.csv", "2,11.25,1e-07,0,1234.25,1\n", "2,11.25\n", "TypeError"),
        ("predictions.csv", ",without_mask,0.000000", ",no_mask,0.000000", "ValueError: .*not in tuple"),
        ("predictions.csv", "0.625000", "", "ValueError"),
        ("predictions.csv", "part,crop", "part,face", "KeyError: 'crop'"),
        ("predictions.csv", "part,crop", '"' + 200_000 * "x", "Error: field larger than field limit"),
    ],
)
def test_a_damaged_file(run: NetworkRun, tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    save_run(run, tmp_path)
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DatasetError, match=message) as caught:
        load_run(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_run_json_says_which_class_is_which(run: NetworkRun, tmp_path: Path) -> None:
    save_run(run, tmp_path)
    about = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert about["classes"] == list(run.classes) == ["with_mask", "without_mask", "mask_weared_incorrect"]
