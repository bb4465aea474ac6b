from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskdet.datasets.convert import ConvertOptions, convert
from maskdet.datasets.grouping.folds import FoldCount, count_folds, split_folds
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.picture_file import Picture
from maskdet.errors import DatasetError

ROOT = Path("set")
RESULTS = Path(__file__).parents[3] / "benchmarks" / "results"
FIFTHS = [0.2] * 5


def photo(name: str, faces: list[tuple[int, int]] = (), size: tuple[int, int] = (640, 480)) -> Photo:
    """Return a photo with square faces, each of a class and a side in pixels."""
    picture = Picture(ROOT / f"{name}.jpg", size, size)
    boxes = np.array([(0, 0, side, side) for _, side in faces], dtype=np.float64).reshape(-1, 4)
    return Photo(f"{name}.xml", picture, np.array([index for index, _ in faces], dtype=np.int64), boxes)


faces = st.lists(st.tuples(st.integers(0, 2), st.integers(4, 90)), max_size=5)


@given(st.lists(st.tuples(faces, st.integers(0, 30), st.booleans()), min_size=8, max_size=60), st.integers(0, 3))
def test_folds_are_disjoint_complete_and_split_no_group(
    drawn: list[tuple[list[tuple[int, int]], int, bool]], seed: int
) -> None:
    photos = [
        photo(f"maksssksksss{at}" if selfie else f"p{at}", held, (301, 400) if selfie else (640, 480))
        for at, (held, _, selfie) in enumerate(drawn)
    ]
    series = 31
    first: dict[int, int] = {}
    groups = [first.setdefault(series if selfie else group, len(first)) for _, group, selfie in drawn]
    others = {group for group, (_, _, selfie) in zip(groups, drawn, strict=True) if not selfie}
    if len(others) < 3:
        with pytest.raises(DatasetError, match="cannot fill 3 parts"):
            split_folds(ROOT, photos, groups, [1 / 3] * 3, seed, series=True)
        return
    parts = split_folds(ROOT, photos, groups, [1 / 3] * 3, seed, series=True)
    assert parts == split_folds(ROOT, photos, groups, [1 / 3] * 3, seed, series=True)
    # Each photo has one part, each group too, and the part after the last is the series and nothing else.
    assert len(parts) == len(photos)
    assert len(set(zip(groups, parts, strict=True))) == len(set(groups))
    assert {0, 1, 2} <= set(parts)
    assert [part == 3 for part in parts] == [selfie for _, _, selfie in drawn]


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_every_balanced_quantity_is_within_a_tenth_of_a_fold_or_two_faces(seed: int) -> None:
    rng = np.random.default_rng(seed)
    photos = [
        photo(f"p{at}", [(int(rng.choice(3, p=[0.75, 0.2, 0.05])), int(rng.choice([8, 20, 60]))) for _ in range(4)])
        for at in range(400)
    ]
    groups = [at // 2 if at < 100 else at - 50 for at in range(400)]  # fifty pairs
    parts = split_folds(ROOT, photos, groups, FIFTHS, seed=0, series=True)
    counts = count_folds(photos, groups, [f"fold{part + 1}" for part in parts])
    for held in (
        [(count.groups, count.photos) for count in counts],
        [count.faces for count in counts],
        [count.sizes for count in counts],
    ):
        table = np.array(held, dtype=float)
        away = np.abs(table - table.mean(axis=0))
        assert (away <= np.maximum(0.1 * table.mean(axis=0), 2)).all(), table


def test_the_series_may_stay_in_the_folds() -> None:
    photos = [photo(f"maksssksksss{at}", [(0, 50)], (301, 400)) for at in range(10)]
    assert set(split_folds(ROOT, photos, list(range(10)), FIFTHS, 0, series=False)) == {0, 1, 2, 3, 4}


def test_counts_by_hand() -> None:
    photos = [photo("a", [(0, 15), (2, 16)]), photo("b", [(1, 40)]), photo("c", [(0, 31), (0, 32)])]
    assert count_folds(photos, [0, 1, 1], ["fold10", "fold2", "fold2"]) == (
        FoldCount(fold="fold2", groups=1, photos=2, faces=(2, 1, 0), sizes=(0, 1, 2)),
        FoldCount(fold="fold10", groups=1, photos=1, faces=(1, 0, 1), sizes=(1, 1, 0)),
    )


def test_the_public_folds_are_the_published_ones(real_data: Path, tmp_path: Path) -> None:
    audit = convert(real_data, tmp_path / "folds", ConvertOptions(folds=5, quiet=True))
    assert audit.to_dict()["folds"] == json.loads((RESULTS / "fold_parts.json").read_text())["folds"]
    assert not audit.leaks
    *folds, series = audit.folds
    assert (series.fold, series.groups, series.photos, series.faces) == ("series", 1, 184, (136, 50, 0))
    held = np.array([[fold.groups, fold.photos, *fold.faces, *fold.sizes] for fold in folds], dtype=float)
    # One photo has 115 faces, a seventh of a fold: masks and small faces can be no more equal than this.
    assert (np.abs(held / held.mean(axis=0) - 1).max(axis=0) <= [0.01, 0.01, 0.03, 0.04, 0.06, 0.07, 0.01, 0.01]).all()
