from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from maskdet.cli.seen import warn_of_seen
from maskdet.datasets.photos.seen import KEY, marks_of
from maskdet.weights import FOLDER, resolve_weights, seen_marks, shipped_models


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


def test_what_a_file_carries_is_said(photos: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    renamed = photos[0].rename(photos[0].with_name("renamed.png"))
    own = Path("own.onnx")
    warn_of_seen("own", {KEY: marks_of([renamed, photos[1]])}, own, [renamed, *photos[1:]])
    assert capsys.readouterr().err == ("warning: own has learnt from 2 of these 3 photos: its figures are too good\n")
    warn_of_seen("own", {KEY: marks_of([renamed])}, own, photos[1:])
    warn_of_seen("own", {}, own, photos[1:])
    assert capsys.readouterr().err == ""


def test_a_shipped_model_is_known_by_its_record(photos: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads((FOLDER / "seen.json").read_text())
    assert set(record["models"]) == set(shipped_models())
    # Three of the 683 are others' bytes once more.
    assert {part: len(marks) // 8 for part, marks in record["photos"].items()} == {"train": 680, "val": 170}
    _, path = resolve_weights("maskdet-n-public")
    assert seen_marks(path) == record["photos"]["train"]
    assert seen_marks(Path("maskdet-n-public.onnx")) == ""
    warn_of_seen("maskdet-n-public", {}, path, photos)
    assert capsys.readouterr().err == ""


def test_the_default_has_seen_the_held_out_photos(real_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from maskdet.datasets.grouping.splits import public_val_names

    held_out = [real_data / "images" / f"{Path(name).stem}.jpg" for name in sorted(public_val_names())]
    if not held_out[0].is_file():
        pytest.skip("the photos are PNG here: they were marked as JPEG")
    assert hashlib.sha256(held_out[0].read_bytes()).hexdigest()[:8] in seen_marks(resolve_weights(None)[1])
    # Two of the held-out photos are files of the training part, byte for byte (maskdet data check names them).
    for name, task, told in (("maskdet-n", "detect", 170), ("maskdet-c", "classify", 2), ("maskdet-s", "detect", 2)):
        path = resolve_weights(name, task)[1]  # type: ignore[arg-type]
        warn_of_seen(name, {}, path, held_out)
        line = f"warning: {name} has learnt from {told} of these 170 photos: its figures are too good\n"
        assert capsys.readouterr().err == line
