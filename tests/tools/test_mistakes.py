from __future__ import annotations

import csv
import json
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("faster_coco_eval")

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def look() -> Callable[[list[str]], None]:
    """Return the tool's ``main``."""
    main: Callable[[list[str]], None] = runpy.run_path(str(ROOT / "tools" / "mistakes.py"))["main"]
    return main


def test_gallery_table_and_counts(
    look: Callable[[list[str]], None],
    sure_of_masks: Path,
    two_photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    look([str(two_photos / "data.yaml"), str(sure_of_masks), "--out", str(out), "--json", str(out / "counts.json")])
    # Of both faces the detector says mask with 0.8, and bare with 0.3 as its second box; one is bare.
    with (out / "mistakes.csv").open(newline="") as file:
        rows = [(row["photo"], row["kind"], row["label"], row["found"]) for row in csv.DictReader(file)]
    assert ("a.png", "wrong_class", "without_mask", "with_mask") in rows
    assert [row for row in rows if row[0] == "b.png"] == [("b.png", "twice", "with_mask", "without_mask")]
    read = json.loads((out / "counts.json").read_text())
    assert read["command"] == "python tools/mistakes.py set/data.yaml sure.onnx --conf 0.25"
    assert read["faces"]["all"] == {"with_mask": 1, "without_mask": 1, "mask_weared_incorrect": 0}
    assert read["mistakes"]["wrong_class"]["16-32 px"]["without_mask"] == 1
    assert read["doubtful"] == {"wrong_class": 1, "no_face": 0}
    pictures = sorted(path.name for path in out.glob("*.png"))
    assert pictures == ["doubtful_labels.png", "twice.png", "wrong_class.png"]
    assert "labels that look wrong: wrong_class 1, no_face 0" in capsys.readouterr().out


def test_what_cannot_be_used_is_one_line(
    look: Callable[[list[str]], None], sure_of_masks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        look(["none.yaml", str(sure_of_masks)])
    assert stop.value.code == 2
    assert capsys.readouterr().err.strip().startswith("error: none.yaml: no such file")
