"""What people type first gets what they meant, or the line that does it."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.classifier.crops.manifest import CropRecord, format_manifest, read_manifest
from maskdet.cli import main

Run = Callable[..., tuple[int, str, str]]


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


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("detect source=face.jpg conf=0.3", "maskdet detect face.jpg --conf 0.3"),
        ("detect model=best.pt source=a.mp4 show=True save=True", "maskdet detect a.mp4 --weights best.pt --show"),
        ("detect face.jpg imgsz=320 agnostic_nms=False", "maskdet detect face.jpg --imgsz 320 --no-agnostic-nms"),
        ("detect face.jpg tile=False agnostic_nms=True", "maskdet detect face.jpg --agnostic-nms"),
        ("detect vid_stride=2 source=0 stream=True", "maskdet detect 0 --vid-stride 2"),
        ("classify source=face.jpg batch=4", "maskdet classify face.jpg --batch 4"),
        ("compare source=face.jpg iou=0.5", "maskdet compare face.jpg --iou 0.5"),
        ("detect source=two\x07words conf=1", "maskdet detect 'two\\x07words' --conf 1"),
    ],
)
def test_yolos_words_get_the_line_that_does_it(run: Run, words: str, hint: str) -> None:
    assert run(*words.split(" ")) == (2, "", f"error: names and options stand apart here: {hint}\n")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("detect --source face.jpg", "no option --source: names stand alone, as in maskdet detect photo.jpg"),
        ("classify --image face.jpg", "no option --image: names stand alone, as in maskdet classify photo.jpg"),
        ("detect face.jpg --model best.pt", "no option --model: did you mean --weights?"),
        ("compare face.jpg --conf-thres 0.4", "no option --conf-thres: did you mean --conf?"),
        ("detect face.jpg --output out", "no option --output: did you mean --save?"),
        ("detect face.jpg -c 0.4", "no option -c: did you mean --conf?"),
        ("val --data set/data.yaml", "no option --data: arguments are key=value, such as data=VALUE"),
        ("train --data set/data.yaml", "--data: expected key=value, such as data=set/data.yaml"),
        ("train --data=set/data.yaml", "--data=set/data.yaml: expected key=value, such as data=set/data.yaml"),
        ("val set/data.yaml", "set/data.yaml: expected key=value, such as data=set/data.yaml"),
        ("export best.pt", "best.pt: expected key=value, such as model=best.pt"),
        ("classify face.jpg --output out", "No such option '--output'"),
    ],
)
def test_other_names_of_options(run: Run, words: str, hint: str) -> None:
    code, out, err = run(*words.split(" "))
    assert (code, out) == (2, "")
    assert hint in err.splitlines()[-1]


def test_a_file_of_such_a_name_is_a_file(run: Run, astronaut: Path, tmp_path: Path) -> None:
    shutil.copy(astronaut, tmp_path / "conf=0.jpg")
    assert run("detect", "conf=0.jpg", "--quiet", "--no-save", "--imgsz", "64")[0] == 0
    assert run("detect", "gate=1.jpg")[2] == "error: gate=1.jpg: no such file or folder\n"


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("predict", "maskdet detect?"),
        ("track", "maskdet detect --track?"),
        ("validate", "maskdet val?"),
        ("detct", "maskdet detect?"),
        ("Classify", "maskdet classify?"),
        ("benchmarks", "maskdet benchmark?"),
        ("photo.jpg", "maskdet detect photo.jpg?"),
        ("mode=predict", "maskdet detect photo.jpg"),
        ("zzz", "maskdet --help"),
    ],
)
def test_other_names_of_commands(run: Run, word: str, meant: str) -> None:
    code, out, err = run(word, "face.jpg")
    assert (code, out) == (2, "")
    assert meant in err.splitlines()[-1]


def test_mistyped_options_are_known_too(run: Run) -> None:
    code, _, err = run("detect", "a.jpg", "--sav", "out")
    assert code == 2
    assert "--save" in err.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [
        ("detect", ""),
        ("detect", "a.jpg", ""),
        ("detect", "a.jpg", "--json", ""),
        ("detect", "a.jpg", "--json="),
        ("detect", "a.jpg", "--save", ""),
        ("detect", "a.jpg", "--weights", ""),
        ("classify", ""),
        ("compare", ""),
        ("convert", "", "out"),
        ("convert", "voc", ""),
        ("data", "check", ""),
        ("data", "download", ""),
        ("val", "data="),
        ("val", "model=", "data=data.yaml"),
        ("train", "data="),
        ("",),
    ],
)
def test_an_empty_name_is_refused(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(*words) == (2, "", "error: the name is empty\n")
    assert list(tmp_path.iterdir()) == []


def test_pictures_with_boxes_is_said_of_what_was_written(run: Run, astronaut: Path, tmp_path: Path) -> None:
    shutil.copy(astronaut, tmp_path / "a.jpg")
    (tmp_path / "file").write_text("")
    code, _, err = run("detect", "a.jpg", "--imgsz", "64")
    assert (code, err) == (0, "pictures with boxes: maskdet-out\n")
    code, _, err = run("detect", "a.jpg", "--save", ".", "--imgsz", "64")
    assert (code, "with boxes" in err) == (2, False)
    (tmp_path / "b.jpg").write_bytes(b"")
    code, _, err = run("detect", "b.jpg", "--save", "new", "--imgsz", "64")
    assert (code, "with boxes" in err) == (2, False)


def test_a_list_of_names_on_the_command_line(run: Run, astronaut: Path, tmp_path: Path) -> None:
    shutil.copy(astronaut, tmp_path / "a.jpg")
    (tmp_path / "list.txt").write_text("a.jpg\ngone.jpg\n\n")
    code, out, err = run("detect", "list.txt", "--json", "-", "--imgsz", "64")
    assert (code, len(out.splitlines())) == (2, 1)
    assert err == "error: list.txt: 1 of 2 names are not there, first gone.jpg\n"


ODD = ["=1+1.jpg", "+1.jpg", "@SUM(1).jpg", "-1.jpg", "\t=1.jpg", "＝1.jpg", "plain.jpg"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such names")
@pytest.mark.parametrize("command", ["detect", "classify", "compare"])
def test_csv_has_no_formulas(run: Run, astronaut: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "deep").mkdir()
    for name in ODD:
        shutil.copy(astronaut, tmp_path / name)
        shutil.copy(astronaut, tmp_path / "deep" / name)
    size = () if command == "classify" else ("--imgsz", "320")
    assert run(command, ".", "--quiet", "--csv", "faces.csv", *size)[0] == 0
    with (tmp_path / "faces.csv").open(newline="", encoding="utf-8") as file:
        paths = {row["path"] for row in csv.DictReader(file)}
    assert paths == {*(f"./{name}" for name in ODD[:-1]), "plain.jpg", *(f"deep/{name}" for name in ODD)}
    assert all((tmp_path / path).is_file() for path in paths)


def test_the_manifest_has_no_formulas_and_reads_back(tmp_path: Path) -> None:
    records = [CropRecord("with_mask/a_0.png", name, 0, (1.0, 2.0, 3.0, 4.0), 0, name) for name in ODD]
    text = format_manifest(records)
    assert [line.split(",")[1] for line in text.splitlines()[1:3]] == ["./=1+1.jpg", "./+1.jpg"]
    (tmp_path / "manifest.csv").write_text(text, encoding="utf-8")
    assert read_manifest(tmp_path / "manifest.csv") == records


@pytest.mark.skipif(os.name != "posix", reason="names of that length")
@pytest.mark.parametrize("letter", ["L", "é"])
def test_long_names_have_their_outputs(run: Run, astronaut: Path, tmp_path: Path, letter: str) -> None:
    stem = letter * (245 // len(letter.encode()))
    shutil.copy(astronaut, tmp_path / f"{stem}.jpg")
    code, _, err = run(
        *("detect", f"{stem}.jpg", "--save", "out", "--save-txt", "labels", "--save-voc", "voc"),
        *("--save-crops", "crops", "--quiet"),
    )
    assert (code, err) == (0, "")
    written = [tmp_path / "out" / f"{stem}.jpg", tmp_path / "labels" / f"{stem}.txt", tmp_path / "voc" / f"{stem}.xml"]
    assert all(path.is_file() for path in written)
    assert (tmp_path / "crops" / "without_mask" / f"{stem}_1.png").is_file()


def test_libraries_keep_off_standard_error(tmp_path: Path) -> None:
    data = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))[1].tobytes()
    middle = len(data) // 2
    (tmp_path / "a.jpg").write_bytes(data[:middle] + b"\xff\xd9" * 3 + data[middle + 40 :])  # libjpeg warns of it
    code = "import sys; from maskdet.cli import main; sys.argv = ['maskdet', *sys.argv[1:]]; main()"
    words = ("detect", "a.jpg", "gone.jpg", "--json", "-", "--imgsz", "64")
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error"] * done.stderr.count("\n")
    assert "gone.jpg: no such file or folder" in done.stderr
