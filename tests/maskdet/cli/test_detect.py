from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from maskdet.cli import main
from maskdet.results.rows import ROW_COLUMNS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs the command line in an empty folder and gives (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(arg) for arg in args])
        captured = capsys.readouterr()
        code = stop.value.code
        assert isinstance(code, int)
        return code, captured.out, captured.err

    return call


def test_one_picture_gives_a_table_and_a_picture(run: Run, astronaut: Path, tmp_path: Path) -> None:
    code, out, err = run("detect", astronaut)
    assert code == 0
    assert "without_mask" in out
    assert "1 face, 0% wear a mask properly" in out
    drawn = cv2.imread(str(tmp_path / "maskdet-out" / "astronaut.jpg"))
    assert drawn is not None
    assert drawn.shape == (512, 512, 3)
    assert "maskdet-out" in err


def test_json_to_stdout_is_only_json(run: Run, astronaut: Path, tmp_path: Path) -> None:
    code, out, _ = run("detect", astronaut, "--json", "-")
    assert code == 0
    (line,) = out.splitlines()
    result = json.loads(line)
    assert result["schema"] == "maskdet/1"
    assert result["counts"] == {"with_mask": 0, "without_mask": 1, "mask_weared_incorrect": 0}
    box = result["detections"][0]["box"]
    # The face of the portrait, by eye: forehead to chin, ear to ear.
    assert 160 < box["x1"] < 200
    assert 45 < box["y1"] < 110
    assert 255 < box["x2"] < 290
    assert 165 < box["y2"] < 200
    assert list(tmp_path.iterdir()) == []


def test_csv_has_a_header_and_a_row_a_face(run: Run, astronaut: Path) -> None:
    _, out, _ = run("detect", astronaut, "--csv", "-")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert tuple(rows[0]) == ROW_COLUMNS
    assert [row["name"] for row in rows] == ["without_mask"]


def test_files_are_written_where_asked(run: Run, astronaut: Path, tmp_path: Path) -> None:
    code, out, _ = run("detect", astronaut, "--json", "o/a.jsonl", "--csv", "o/a.csv", "--save", "p", "--quiet")
    assert (code, out) == (0, "")
    assert len((tmp_path / "o" / "a.jsonl").read_text().splitlines()) == 1
    assert (tmp_path / "p" / "astronaut.jpg").is_file()


def test_folder_keeps_its_shape_and_bad_files_cost_nothing_else(run: Run, astronaut: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    (photos / "deep").mkdir(parents=True)
    shutil.copy(astronaut, photos / "a.jpg")
    shutil.copy(astronaut, photos / "deep" / "a.jpg")
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "text.png").write_text("no picture" * 30)
    (photos / "half.jpg").write_bytes(astronaut.read_bytes()[:20_000])
    code, out, err = run("detect", "photos", "gone.jpg", "--save", "out", "--batch", "2")
    assert code == 2
    assert "2 faces in 2 pictures" in out
    assert sorted(line.split(": ", 1)[1] for line in err.splitlines() if line.startswith("error")) == [
        "gone.jpg: no such file or folder",
        "photos/empty.jpg: the file is empty (0 bytes)",
        "photos/half.jpg: damaged or cut short",
        "photos/text.png: not a picture that can be read, but a text",
    ]
    assert (tmp_path / "out" / "a.jpg").is_file()
    assert (tmp_path / "out" / "deep" / "a.jpg").is_file()


def test_two_pictures_of_one_name_are_both_kept(run: Run, astronaut: Path, tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        shutil.copy(astronaut, tmp_path / folder / "a.jpg")
    run("detect", "x/a.jpg", "y/a.jpg", "--save", "out", "--quiet")
    assert sorted(child.name for child in (tmp_path / "out").iterdir()) == ["a-2.jpg", "a.jpg"]


def test_the_original_is_never_overwritten(run: Run, astronaut: Path, tmp_path: Path) -> None:
    shutil.copy(astronaut, tmp_path / "a.jpg")
    code, _, err = run("detect", "a.jpg", "--save", ".")
    assert code == 2
    assert "would overwrite the original" in err
    assert (tmp_path / "a.jpg").read_bytes() == astronaut.read_bytes()


def test_fail_on(run: Run, astronaut: Path) -> None:
    assert run("detect", astronaut, "--fail-on", "without_mask", "--quiet")[0] == 1
    assert run("detect", astronaut, "--fail-on", "with_mask,mask_weared_incorrect", "--quiet")[0] == 0
    code, _, err = run("detect", astronaut, "--fail-on", "no_mask")
    assert code == 2
    assert "the classes are with_mask, without_mask, mask_weared_incorrect" in err


def test_conf_and_imgsz(run: Run, astronaut: Path) -> None:
    _, out, _ = run("detect", astronaut, "--conf", "0.999", "--json", "-")
    assert json.loads(out)["detections"] == []
    _, out, _ = run("detect", astronaut, "--imgsz", "310", "--json", "-")
    assert json.loads(out)["model"]["imgsz"] == 320
    assert json.loads(out)["counts"]["without_mask"] == 1


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("gone.onnx", None, "no such file"),
        ("text.onnx", b"hello", "not an ONNX model"),
        ("model.bin", b"hello", "expected .onnx, .pt or an OpenVINO folder"),
    ],
)
def test_weights_that_are_none(
    run: Run, astronaut: Path, tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    code, out, err = run("detect", astronaut, "--weights", name)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert reason in err


def test_wrong_usage_is_exit_code_two(run: Run, astronaut: Path) -> None:
    assert run("detect")[0] == 2
    assert run("detect", astronaut, "--conf", "2")[0] == 2
    assert run("detect", astronaut, "--json", "-", "--csv", "-")[0] == 2
    assert run("nonsense")[0] == 2
