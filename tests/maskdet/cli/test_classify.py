from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.cli import main
from maskdet.results.rows import ROW_COLUMNS

Run = Callable[..., tuple[int, str, str]]

#: The tiny classifier's confidence in a crop of one pure colour.
SURE = round(math.exp(10) / (math.exp(10) + 2), 5)
COLOURS = {"red": (0, 0, 255), "green": (0, 255, 0), "blue": (255, 0, 0)}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs the command line in a folder of crops and gives (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    for name, colour in COLOURS.items():
        path = tmp_path / "crops" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cv2.imencode(".png", np.full((6, 4, 3), colour, np.uint8))[1].tobytes())

    def call(*args: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(arg) for arg in args])
        captured = capsys.readouterr()
        code = stop.value.code
        assert isinstance(code, int)
        return code, captured.out, captured.err

    return call


def test_a_table(run: Run, tiny_classifier: Path, tmp_path: Path) -> None:
    code, out, err = run("classify", "crops", "--weights", tiny_classifier)
    assert (code, err) == (0, "")
    rows = [[cell.strip() for cell in line.split("│")[1:3]] for line in out.splitlines() if line.startswith("│")]
    assert rows == [
        ["crops/blue.png", "mask_weared_incorrect"],
        ["crops/green.png", "without_mask"],
        ["crops/red.png", "with_mask"],
    ]
    assert "3 crops: 1 with_mask, 1 without_mask, 1 mask_weared_incorrect" in out
    assert [path.name for path in tmp_path.iterdir()] == ["crops"]


def test_json_lines(run: Run, tiny_classifier: Path) -> None:
    code, out, _ = run("classify", "crops/*.png", "--weights", tiny_classifier, "--json", "-", "--batch", "2")
    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["image"]["path"] for line in lines] == ["crops/blue.png", "crops/green.png", "crops/red.png"]
    line = lines[2]
    assert line["schema"] == "maskdet/1"
    assert line["counts"] == {"with_mask": 1, "without_mask": 0, "mask_weared_incorrect": 0}
    assert line["model"] == {"name": "tiny", "imgsz": 8, "conf": 0.0}
    other = round((1 - math.exp(10) / (math.exp(10) + 2)) / 2, 5)
    assert line["detections"] == [
        {
            "name": "with_mask",
            "class": 0,
            "confidence": SURE,
            "box": {"x1": 0.0, "y1": 0.0, "x2": 4.0, "y2": 6.0},
            "track_id": None,
            "classifier": {
                "name": "with_mask",
                "confidence": SURE,
                "probabilities": {"with_mask": SURE, "without_mask": other, "mask_weared_incorrect": other},
            },
        }
    ]


def test_csv(run: Run, tiny_classifier: Path) -> None:
    code, out, _ = run("classify", "crops/green.png", "--weights", tiny_classifier, "--csv", "-")
    (row,) = csv.DictReader(io.StringIO(out))
    assert code == 0
    assert tuple(row) == ROW_COLUMNS
    assert (row["name"], row["confidence"], row["x2"], row["y2"]) == ("without_mask", str(SURE), "4.0", "6.0")


def test_bad_files_cost_nothing_else(run: Run, tiny_classifier: Path, tmp_path: Path) -> None:
    (tmp_path / "crops" / "empty.png").touch()
    (tmp_path / "crops" / "text.jpg").write_text("no picture" * 30)
    code, out, err = run("classify", "gone.png", "crops", "--weights", tiny_classifier, "--fail-on", "with_mask")
    assert code == 2
    assert "3 crops" in out
    assert sorted(err.splitlines()) == [
        "error: crops/empty.png: the file is empty (0 bytes)",
        "error: crops/text.jpg: not a picture that can be read, but a text",
        "error: gone.png: no such file or folder",
    ]


def test_fail_on(run: Run, tiny_classifier: Path) -> None:
    call = ("classify", "crops/red.png", "--weights", tiny_classifier, "--quiet", "--fail-on")
    assert run(*call, "with_mask") == (1, "", "")
    assert run(*call, "without_mask,mask_weared_incorrect") == (0, "", "")
    code, _, err = run(*call, "no_mask")
    assert code == 2
    assert "--fail-on no_mask: the classes are with_mask, without_mask, mask_weared_incorrect" in err


def test_files_are_written_where_asked(run: Run, tiny_classifier: Path, tmp_path: Path) -> None:
    targets = ("--json", "o/a.jsonl", "--csv", "o/a.csv", "--quiet")
    assert run("classify", "crops", "--weights", tiny_classifier, *targets) == (0, "", "")
    assert len((tmp_path / "o" / "a.jsonl").read_text().splitlines()) == 3
    assert len((tmp_path / "o" / "a.csv").read_text().splitlines()) == 4


def test_without_a_classifier(run: Run, use_registry: Callable[..., Path]) -> None:
    use_registry({"default": {}, "models": {}})
    code, out, err = run("classify", "crops")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no classifier is shipped with this version" in err


def test_a_detector_is_no_classifier(run: Run, tiny_classifier: Path) -> None:
    code, out, err = run("classify", "crops", "--weights", "maskdet-n")
    assert (code, out, err) == (2, "", "error: maskdet-n: is a detector, not a classifier\n")
    code, out, err = run("detect", "crops", "--weights", tiny_classifier)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is a classifier, not a detector: it belongs to maskdet classify" in err


def test_wrong_usage(run: Run, tiny_classifier: Path) -> None:
    assert run("classify")[0] == 2
    assert run("classify", "gone.png")[0] == 2
    assert run("classify", "crops", "--weights", tiny_classifier, "--json", "-", "--csv", "-")[0] == 2
    assert run("classify", "crops", "--weights", tiny_classifier, "--batch", "0")[0] == 2
