from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskdet.datasets.photos.seen import KEY, marks_of
from maskdet.detector.evaluation.folds.unseen import check_unseen
from maskdet.errors import WeightsError


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in "abcd"]
    for path in paths:
        path.write_bytes(path.stem.encode())
    return paths


def test_what_a_model_has_seen_it_is_not_scored_on(photos: list[Path]) -> None:
    seen = {KEY: marks_of(photos[:2])}
    check_unseen(seen, "fold1", photos[2:], "fold1")
    with pytest.raises(WeightsError) as caught:
        check_unseen(seen, "fold1", photos[1:], "fold1")
    assert str(caught.value) == (
        "fold1: has seen 1 of the 3 photos that fold1 tests on, b.png among them: "
        "give one that was trained without them"
    )


def test_its_name_does_not_clear_it(photos: list[Path]) -> None:
    said = {KEY: marks_of(photos), "maskdet_training": json.dumps({"data": "folds/fold1.yaml"})}
    with pytest.raises(WeightsError, match="has seen 4 of the 4 photos"):
        check_unseen(said, "old", photos, "fold1")


def test_without_marks_the_data_file_decides(photos: list[Path]) -> None:
    told = {"maskdet_training": json.dumps({"data": "folds/fold1.yaml"})}
    check_unseen(told, "model", photos, "fold1")
    with pytest.raises(
        WeightsError, match=r"was trained on folds/fold1.yaml: it has seen the photos that fold2 tests on"
    ):
        check_unseen(told, "model", photos, "fold2")


@pytest.mark.parametrize("training", [{}, {"data": "folds"}, {"data": "0123456789abcdef", "crops": 4072}])
def test_a_model_that_says_nothing_is_refused(photos: list[Path], training: dict[str, object]) -> None:
    with pytest.raises(WeightsError, match="does not say which photos it was trained on"):
        check_unseen({"maskdet_training": json.dumps(training)}, "model", photos, "fold1")
