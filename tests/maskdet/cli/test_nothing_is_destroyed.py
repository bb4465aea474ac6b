"""No output is ever one of the inputs, or somebody else's picture, video, label or model; nothing is run before."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.cli import main
from maskdet.files.guard import Guard
from maskdet.files.signature import is_signed, sign

Run = Callable[..., tuple[int, str, str]]

SMALL = ("--imgsz", "64")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs a command in an empty folder and gives (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(arg) for arg in args])
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def photos(astronaut: Path, tmp_path: Path) -> list[Path]:
    """Return two photos in an otherwise empty folder."""
    return [Path(shutil.copy(astronaut, tmp_path / name)) for name in ("a.jpg", "b.jpg")]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["--json", "a.jpg", "b.jpg"], "a.jpg: exists, and its name is that of a picture"),  # taken for a switch
        (["b.jpg", "--csv", "b.jpg"], "b.jpg: exists, and its name is that of a picture"),
        (["b.jpg", "--coco", "new.png"], "new.png: the name is that of a picture"),
        (["b.jpg", "--json", "clip.MP4"], "clip.MP4: exists, and its name is that of a video"),
        (["b.jpg", "--json", "best.onnx"], "best.onnx: exists, and its name is that of .onnx"),
        (["b.jpg", "--csv", "a.xml"], "a.xml: exists, and its name is that of .xml"),
        (["b.jpg", "--json", "a.txt"], "a.txt: exists and is not from maskdet"),
        (["list.txt", "--json", "list.txt"], "list.txt: is one of the sources"),
        (["b.jpg", "--json", "hard.json"], "hard.json: is one of the sources"),
        (["b.jpg", "--json", "soft.json"], "soft.json: is one of the sources"),
        (["b.jpg", "--json", "other.json"], "other.json: exists and is not from maskdet"),
        (["b.jpg", "--coco", "truth.json"], "truth.json: exists and is not from maskdet"),
        (["b.jpg", "--csv", "boxes.csv"], "boxes.csv: exists and is not from maskdet"),
        (["b.jpg", "--json", "x.json", "--csv", "./x.json"], "x.json: --json and --csv cannot both write this file"),
        (["b.jpg", "--json", "x", "--save-txt", "x"], "x: --save-txt takes a folder, and another option writes a file"),
        (["b.jpg", "--save", "out.jpg"], "out.jpg: --save takes a folder, in which files keep their names; did you me"),
        (["b.jpg", "--save", "a.txt"], "a.txt: --save takes a folder, and this is a file"),
        (["b.jpg", "--save", "."], "b.jpg: would overwrite the original"),
        (
            ["deep/b.jpg", "--save", "."],
            "b.jpg: is there already and not from maskdet; choose another folder, or move it away",
        ),
        ([".", "--save", "."], "would overwrite the originals"),
        (["deep", "--save", "away"], "b.jpg: is there already and not from maskdet"),
        (["b.jpg", "--track", "--tracks", "a.txt"], "a.txt: exists and is not from maskdet"),
    ],
)
def test_detect_refuses_before_anything_is_run(
    run: Run, photos: list[Path], tmp_path: Path, args: list[str], line: str
) -> None:
    if os.name != "posix":
        pytest.skip("needs links")
    for name, text in {
        "clip.MP4": "film",
        "best.onnx": "weights",
        "a.xml": "<annotation/>",
        "a.txt": "0 0.5 0.5 0.1 0.1\n",
        "list.txt": "b.jpg\n",
        "truth.json": '{"images": [], "annotations": [], "categories": []}',
        "boxes.csv": "filename,width,height,class,xmin,ymin,xmax,ymax\n",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "hard.json").hardlink_to(photos[1])
    (tmp_path / "soft.json").symlink_to("b.jpg")
    (tmp_path / "other.json").symlink_to("a.jpg")
    (tmp_path / "deep").mkdir()
    shutil.copy(photos[1], tmp_path / "deep" / "b.jpg")
    (tmp_path / "away").mkdir()
    shutil.copy(photos[1], tmp_path / "away" / "b.jpg")
    before = contents(tmp_path)
    code, out, err = run("detect", *args, "--quiet", *SMALL)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1
    assert contents(tmp_path) == before


def test_the_same_command_again_replaces_its_own_files(run: Run, photos: list[Path], tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp", "a.tiff", "a.webp"):
        cv2.imwrite(str(tmp_path / name), np.full((40, 50, 3), 128, np.uint8))
    args = (".", "--save", "out", "--json", "a.jsonl", "--csv", "list.txt", "--coco", "a.json", "--save-crops", "crops")
    for _ in range(2):
        code, _, err = run("detect", *args, "--overwrite", "--quiet", *SMALL)
        assert (code, err) == (0, "")
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 6
    assert all(is_signed(path) for path in (tmp_path / "out").iterdir())
    (tmp_path / "a.jsonl").write_text("something older\n")
    assert run("detect", *args, "--overwrite", "--quiet", *SMALL)[0] == 0
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 6


def test_three_runs_count_the_same(run: Run, photos: list[Path]) -> None:
    for number in range(3):
        code, out, err = run("detect", ".", *SMALL)
        assert code == 0
        assert "in 2 pictures" in out
        assert ("passed over: 1 folder of earlier outputs" in err) == (number > 0)
    code, _, err = run("detect", ".", "--strict", "--quiet", *SMALL)
    assert (code, err.count("\n")) == (2, 1)


def test_a_shells_star_names_our_own_folder_and_it_is_passed_over(run: Run, photos: list[Path]) -> None:
    for _ in range(2):
        code, out, _ = run("detect", "a.jpg", "b.jpg", "maskdet-out", *SMALL)
    assert code == 0
    assert "in 2 pictures" in out


def test_videos_are_known_again(run: Run, tmp_path: Path) -> None:
    for name, codec in (("a.avi", "MJPG"), ("b.mp4", "mp4v"), ("c.mkv", "mp4v"), ("d.mov", "mp4v")):
        writer = cv2.VideoWriter(str(tmp_path / name), cv2.VideoWriter.fourcc(*codec), 10, (64, 48))
        for value in (0, 100, 200):
            writer.write(np.full((48, 64, 3), value, np.uint8))
        writer.release()
    for _ in range(2):
        assert run("detect", ".", "--save", "out", "--quiet", *SMALL)[0] == 0
    for path in (tmp_path / "out").iterdir():
        capture = cv2.VideoCapture(str(path))
        assert sum(1 for _ in iter(capture.grab, False)) == 3, path
        assert is_signed(path)
    shutil.copy(tmp_path / "b.mp4", tmp_path / "out" / "b.mp4")
    code, _, err = run("detect", "b.mp4", "--save", "out", "--quiet", *SMALL)
    assert (code, "b.mp4: is there already and not from maskdet" in err) == (2, True)


def test_a_mark_changes_no_pixel() -> None:
    image = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    for suffix in (".jpg", ".png", ".webp", ".bmp", ".tiff"):
        plain = cv2.imencode(suffix, image)[1].tobytes()
        signed = np.frombuffer(sign(plain), np.uint8)
        expected = cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_COLOR)
        np.testing.assert_array_equal(cv2.imdecode(signed, cv2.IMREAD_COLOR), expected)


def test_a_text_below_the_sources_is_somebodys(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    notes = tmp_path / "in" / "notes.json"
    notes.write_text('{"by": "hand"}')
    with pytest.raises(Exception, match="is not from maskdet"):
        Guard([tmp_path / "in"]).check_texts({"--json": str(notes)})
    notes.write_text(json.dumps({"schema": "maskdet/1"}))
    Guard([tmp_path / "in"]).check_texts({"--json": str(notes)})


def test_classify_and_compare_refuse_too(run: Run, photos: list[Path], tmp_path: Path) -> None:
    before = contents(tmp_path)
    for args in (
        ("classify", "--json", "a.jpg", "b.jpg"),
        ("compare", "--json", "a.jpg", "b.jpg"),
        ("compare", "a.jpg", "--csv", "b.jpg"),
        ("compare", "a.jpg", "--save", "b.jpg"),
    ):
        code, out, err = run(*args, "--quiet")
        assert (code, out, err.count("\n")) == (2, "", 1), args
    assert contents(tmp_path) == before
