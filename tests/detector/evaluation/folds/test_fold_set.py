from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.detector.evaluation.folds.fold_set import read_folds
from maskdet.detector.evaluation.folds.report import kept, parts_of
from maskdet.errors import DatasetError

NAMES = "names: [with_mask, without_mask, mask_weared_incorrect]\n"


@pytest.fixture
def make_folds(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes folds of noise pictures, one face each, from the seeds of each fold's pictures."""

    def make(*folds: dict[str, int], size: tuple[int, int] = (96, 128)) -> Path:
        root = tmp_path / "folds"
        for number, photos in enumerate(folds, 1):
            for folder in ("images", "labels"):
                (root / folder / f"fold{number}").mkdir(parents=True)
            for name, seed in photos.items():
                coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
                image = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
                (root / f"images/fold{number}/{name}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
                (root / f"labels/fold{number}/{name}.txt").write_text("0 0.5 0.5 0.25 0.25\n")
            others = [f"images/fold{other}" for other in range(1, len(folds) + 1) if other != number]
            text = f"train: [{', '.join(others)}]\nval: images/fold{number}\n{NAMES}"
            (root / f"fold{number}.yaml").write_text(text)
        return root

    return make


def test_test_parts_groups_and_pool(make_folds: Callable[..., Path]) -> None:
    root = make_folds({"a": 1, "b": 1, "c": 2}, {"d": 3})
    folds = read_folds(root)
    assert [[photo.stem for photo in test.photos] for test in folds.tests] == [["a", "b", "c"], ["d"]]
    first, second = folds.groups
    assert first[0] == first[1]  # the same picture twice
    assert len({first[0], first[2], second[0]}) == 3
    assert (folds.data, folds.leaks) == ("folds", 0)
    assert [photo.stem for photo in folds.pooled.photos] == ["a", "b", "c", "d"]
    assert read_folds(root / "fold2.yaml").data == "folds"


def test_the_selfie_series_can_be_left_out(make_folds: Callable[..., Path]) -> None:
    root = make_folds({"maksssksksss1": 1, "maksssksksss2": 2}, {"maksssksksss3": 3})
    series = make_folds_of_series(root)
    folds = read_folds(root)
    assert [part.tolist() for part in folds.series] == [[True, True], [False]]
    assert len(set(folds.groups[0].tolist())) == 1
    with pytest.raises(DatasetError, match="fold1 has no labelled face left"):
        folds.take([~part for part in folds.series])
    kept = folds.take([np.array([True, False]), np.array([True])])
    assert [len(test.photos) for test in kept.tests] == [1, 1]
    assert kept.tests[0].photos[0] == series[0]


def test_the_series_as_a_part_of_its_own(make_folds: Callable[..., Path]) -> None:
    root = make_folds({"a": 1}, {"b": 2}, {"maksssksksss1": 3, "maksssksksss2": 4}, size=(400, 301))
    for folder in ("images", "labels"):
        (root / folder / "fold3").rename(root / folder / "series")
    (root / "fold3.yaml").unlink()
    for number in (1, 2):
        text = f"train: [images/fold{3 - number}, images/series]\nval: images/fold{number}\n{NAMES}"
        (root / f"fold{number}.yaml").write_text(text)
    (root / "series.yaml").write_text(f"train: [images/fold1, images/fold2]\nval: images/series\n{NAMES}")
    folds = read_folds(root)
    assert (folds.names, folds.averaged) == (("fold1", "fold2", "series"), [0, 1])
    assert [part.tolist() for part in folds.series] == [[False], [False], [True, True]]
    assert len(set(folds.groups[2].tolist())) == 1
    sets = {name: (part.names, keep) for name, part, keep in parts_of(folds)}
    assert sets == {
        "all": (("fold1", "fold2", "series"), [[True], [True], [True, True]]),
        "without_series": (("fold1", "fold2"), [[True], [True], [False, False]]),
        "series": (("series",), [[False], [False], [True, True]]),
    }
    assert kept([["a"], ["b"], ["c", "d"]], sets["series"][1]) == [["c", "d"]]
    alone = read_folds(root, parts=["fold1", "fold2"])
    assert [name for name, *_ in parts_of(alone)] == ["all"]


def make_folds_of_series(root: Path) -> list[Path]:
    """Give fold 1's pictures the size of the series, 301 × 400 px; return them."""
    photos = sorted((root / "images/fold1").iterdir())
    for photo in photos:
        image = cv2.imread(str(photo))
        photo.write_bytes(cv2.imencode(".png", cv2.resize(image, (301, 400)))[1].tobytes())
    return photos


def test_alike_photos_in_two_folds_are_counted(make_folds: Callable[..., Path]) -> None:
    assert read_folds(make_folds({"a": 1}, {"b": 1, "c": 2})).leaks == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda root: (root / "fold1.yaml").unlink(), "fold1.yaml is missing"),
        (lambda root: [(root / f"fold{n}.yaml").unlink() for n in (1, 2)], "has no folds: write them with"),
        (
            lambda root: (root / "fold2.yaml").write_text(f"val: images/fold1\n{NAMES}"),
            r"fold2.yaml: a.png is also in the test part of fold1.yaml",
        ),
        (
            lambda root: (root / "fold2.yaml").write_text(f"train: images\nval: images/fold2\n{NAMES}"),
            r"fold2.yaml: b.png is both trained and tested on",
        ),
    ],
)
def test_folds_that_leak_or_are_missing(
    make_folds: Callable[..., Path], change: Callable[[Path], object], message: str
) -> None:
    root = make_folds({"a": 1}, {"b": 2}, {"c": 3}) if "missing" in message else make_folds({"a": 1}, {"b": 2})
    change(root)
    with pytest.raises(DatasetError, match=message):
        read_folds(root)
