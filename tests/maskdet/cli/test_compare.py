from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from maskdet.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    sure_of_masks: Path,
    two_photos: Path,
    tiny_classifier: Path,
    tmp_path: Path,
) -> Run:
    """Return a function that runs ``maskdet compare`` beside ``set/data.yaml`` with both models named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.onnx").write_bytes(tiny_classifier.read_bytes())

    def call(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["compare", *args, "--weights", "sure.onnx", "--classifier", "tiny.onnx"])
        captured = capsys.readouterr()
        code = stop.value.code
        assert isinstance(code, int)
        return code, captured.out, captured.err

    return call


def test_a_table_of_photos_and_disagreements(run: Run, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    code, out, err = run("set/images/val")
    assert (code, err) == (0, "")
    assert sorted(tmp_path.iterdir()) == before
    lines = [" ".join(line.replace("│", " ").split()) for line in out.splitlines()]
    assert "set/images/val/a.png 1 / 0 0 / 1 · 1 1 0.0%" in lines
    assert "set/images/val/b.png 1 · · 1 · 100.0%" in lines
    assert "set/images/val/a.png 22, 6, 42, 26 20 px with_mask 0.80 without_mask 1.00" in lines
    assert "2 faces, both say the same of 1 (50.0%): 16-32 px 50.0% of 2" in lines


def test_json_and_csv_hold_both_answers(run: Run, tmp_path: Path) -> None:
    code, out, err = run("set/images/val", "--json", "-", "--csv", "out/faces.csv", "--batch", "2")
    assert (code, err) == (0, "")
    first, second = (json.loads(line) for line in out.splitlines())
    assert first["schema"] == "maskdet/1"
    assert [one["detections"][0]["classifier"]["agrees"] for one in (first, second)] == [False, True]
    with (tmp_path / "out/faces.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["path"], row["name"], row["classifier"], row["agrees"]) for row in rows] == [
        ("set/images/val/a.png", "with_mask", "without_mask", "False"),
        ("set/images/val/b.png", "with_mask", "with_mask", "True"),
    ]
    assert float(rows[0]["classifier_confidence"]) == pytest.approx(1, abs=1e-3)
    assert list(rows[0])[:3] == ["path", "frame", "name"]


def test_pictures_of_disagreements_only(run: Run, tmp_path: Path) -> None:
    code, _, err = run("set/images/val", "--save", "out")
    assert code == 0
    assert err.strip() == f"disagreements: out, {Path('out/disagreements.png')}"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "disagreements.png"]
    drawn, original = (cv2.imread(str(tmp_path / name)) for name in ("out/a.png", "set/images/val/a.png"))
    assert drawn is not None and original is not None
    assert drawn.shape == original.shape and (drawn != original).any()


def test_where_they_agree_nothing_is_drawn(run: Run, tmp_path: Path) -> None:
    code, out, err = run("set/images/val/b.png", "--save", "out")
    assert (code, err) == (0, "")
    assert "they disagree on" not in out
    assert not (tmp_path / "out").exists()


def test_frames_of_a_video(run: Run, write_video: Callable[..., Path], tmp_path: Path) -> None:
    write_video(frames=3, size=(32, 64))
    code, out, _ = run("clip.avi", "--vid-stride", "2", "--csv", "faces.csv", "--save", "out")
    assert code == 0
    row = next(line for line in out.splitlines() if "clip.avi" in line).replace("│", " ").split()
    assert (row[:2], row[-3]) == (["clip.avi", "2"], "2")  # frames and faces
    with (tmp_path / "faces.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["frame"] for row in rows] == ["0", "2"]
    differing = [f"clip_00000{row['frame']}.jpg" for row in rows if row["agrees"] == "False"]
    written = sorted(path.name for path in tmp_path.glob("out/clip*"))
    assert written == differing


def test_what_cannot_be_read_is_named_and_the_rest_done(run: Run) -> None:
    code, out, err = run("none.jpg", "set/images/val/b.png", "--quiet")
    assert (code, out) == (2, "")
    assert err.startswith("error: none.jpg")
    assert run("none.jpg")[0] == 2


def test_an_original_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    before = (tmp_path / "set/images/val/a.png").read_bytes()
    code, _, err = run("set/images/val", "--save", "set/images/val", "--quiet")
    assert code == 2
    assert "would overwrite the original" in err
    assert (tmp_path / "set/images/val/a.png").read_bytes() == before


def test_scores_on_labels(run: Run) -> None:
    pytest.importorskip("faster_coco_eval")
    code, out, err = run("--data", "set/data.yaml")
    assert (code, err) == (0, "")
    assert "sure and tiny on set/data.yaml (val, 2 photos)" in out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "with_mask 1 detector, as val 0.500 (.50–1.00) 0.500 (.50–1.00)" in lines
    assert "all 2 detector 0.500 (.00–1.00) 0.333 (.00–1.00)" in lines
    assert "all labelled 2 classifier, labelled box 1.000 (1.00–1.00) 1.000 (1.00–1.00)" in lines
    assert "McNemar's exact p = 1, the difference may be chance" in out


def test_scores_as_json_name_no_folder_of_this_machine(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("faster_coco_eval")
    code, out, err = run("--data", str(tmp_path / "set"), "--split", "val", "--json", "-")
    assert (code, err) == (0, "")
    assert str(tmp_path) not in out
    read = json.loads(out)
    assert read["schema"] == "maskdet-compare/1"
    assert read["detector"] == {
        "name": "sure",
        "sha256": hashlib.sha256((tmp_path / "sure.onnx").read_bytes()).hexdigest(),
        "imgsz": 64,
    }
    assert read["classifier"]["sha256"] == hashlib.sha256((tmp_path / "tiny.onnx").read_bytes()).hexdigest()
    assert read["command"] == (
        "maskdet compare --data set/data.yaml --split val --weights sure.onnx --classifier tiny.onnx "
        "--conf 0.25 --iou 0.7"
    )


def test_scores_as_pictures(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("faster_coco_eval")
    pytest.importorskip("matplotlib")
    code, out, err = run("--data", "set/data.yaml", "--save", "report", "--json", "figures.json", "--quiet")
    assert (code, out, err) == (0, "", "")
    written = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert written == ["ap.png", "classes.png", "compare.json"]
    assert (tmp_path / "report/compare.json").read_bytes() == (tmp_path / "figures.json").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which SOURCE, or --data?"),
        (["set", "--data", "set"], "give either sources, or --data with labels"),
        (["set", "--split", "val"], "--split belongs to --data"),
        (["set/images", "--json", "-", "--csv", "-"], "cannot both write to standard output"),
        (["--data", "set", "--csv", "a.csv"], "--csv and --vid-stride belong to sources"),
        (["--data", "set", "--split", "test"], "no split 'test'; it has val"),
        (["--data", "none.yaml"], "no such file"),
    ],
)
def test_bad_input_is_one_clear_line(run: Run, arguments: list[str], message: str) -> None:
    pytest.importorskip("faster_coco_eval")
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    line = err.strip().splitlines()[-1]
    assert message in line
    assert line.lower().startswith("error:")


@pytest.mark.parametrize(("missing", "extra"), [("faster_coco_eval", "train"), ("matplotlib", "plots")])
def test_a_missing_extra_is_said_before_any_work(
    run: Run, monkeypatch: pytest.MonkeyPatch, missing: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    code, _, err = run("--data", "none.yaml", "--save", "out")
    assert code == 2
    assert f"pip install 'maskdet[{extra}]'" in err
