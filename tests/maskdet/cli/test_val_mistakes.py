from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maskdet.cli import main

pytest.importorskip("faster_coco_eval")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs ``maskdet val``."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["val", *args])
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return call


def test_gallery_table_and_counts(run: Run, sure_of_masks: Path, two_photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = (f"data={two_photos / 'data.yaml'}", f"model={sure_of_masks}", "--mistakes", str(out))
    code, printed, _ = run(*arguments, "--json", str(out / "counts.json"))
    assert code == 0
    # Of both faces the detector says mask with 0.8; one is bare. Its second box, bare with 0.3, is suppressed.
    with (out / "mistakes.csv").open(newline="") as file:
        rows = [(row["photo"], row["kind"], row["label"], row["found"]) for row in csv.DictReader(file)]
    assert ("a.png", "wrong_class", "without_mask", "with_mask") in rows
    assert [row for row in rows if row[0] == "b.png"] == []
    read = json.loads((out / "counts.json").read_text())
    assert read["command"] == "maskdet val data=set/data.yaml model=sure.onnx --json counts.json --mistakes out"
    assert read["faces"]["all"] == {"with_mask": 1, "without_mask": 1, "mask_weared_incorrect": 0}
    assert read["mistakes"]["wrong_class"]["16-32 px"]["without_mask"] == 1
    assert read["doubtful"] == {"wrong_class": 1, "no_face": 0}
    pictures = sorted(path.name for path in out.glob("*.png"))
    assert pictures == ["doubtful_labels.png", "wrong_class.png"]
    assert "labels that look wrong: wrong_class 1, no_face 0" in printed


def test_a_higher_threshold_reports_less(run: Run, sure_of_masks: Path, two_photos: Path) -> None:
    arguments = (f"data={two_photos / 'data.yaml'}", f"model={sure_of_masks}", "--mistakes", "out", "--json", "-")
    code, printed, _ = run(*arguments, "conf=0.9")
    assert code == 0
    # Nothing is surer than 0.9: both faces are missed, and the best box on each stayed below.
    mistakes = json.loads(printed)["mistakes"]
    assert sum(mistakes["missed"]["all"].values()) == 2
    assert sum(sum(sizes["all"].values()) for kind, sizes in mistakes.items() if kind != "missed") == 0


def test_what_cannot_be_used_is_one_line(run: Run, sure_of_masks: Path, two_photos: Path, tmp_path: Path) -> None:
    model, data = f"model={sure_of_masks}", f"data={two_photos / 'data.yaml'}"
    code, _, err = run("data=none.yaml", model, "--mistakes", "out")
    assert (code, err.startswith("error: none.yaml: no such file")) == (2, True)
    code, _, err = run(data, model, "--mistakes", "out", "--stress")
    assert (code, "--stress and --mistakes are two different tests: give one" in err) == (2, True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "missed.png").write_bytes(b"somebody's")
    code, _, err = run(data, model, "--mistakes", "out")
    assert (code, "is there already and not from maskdet" in err) == (2, True)
