"""What ``maskdet detect`` writes: streams, files, and, as a process of its own, what a killed run leaves."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import maskdet
from maskdet.cli import main
from maskdet.datasets.voc.parse import parse_voc
from maskdet.datasets.yolo.labels import read_labels
from maskdet.results.rows import ROW_COLUMNS

Run = Callable[..., tuple[int, str, str]]

#: Small, so that many runs take seconds.
SMALL = ("--imgsz", "160")


def command(*args: str | Path) -> list[str]:
    """Return the command as a process of its own."""
    code = "from maskdet.cli import main; main()"
    return [sys.executable, "-c", code, "detect", *(str(arg) for arg in args)]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs the command in an empty folder and gives (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["detect", *(str(arg) for arg in args)])
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def photos(astronaut: Path, tmp_path: Path) -> Path:
    """Return a folder of two photos, one face each, in an otherwise empty folder."""
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.jpg", "deep/a.jpg"):
        (folder / name).write_bytes(astronaut.read_bytes())
    return folder


def test_every_output_at_once_agrees(run: Run, photos: Path, tmp_path: Path) -> None:
    code, stdout, stderr = run(
        *(photos.name, "--json", "-", "--csv", "o/a.csv", "--coco", "o/a.json", "--save", "o/pictures"),
        *("--save-txt", "o/txt", "--save-conf", "--save-voc", "o/voc", "--save-crops", "o/crops"),
    )
    assert (code, stderr) == (0, "")
    results = [maskdet.MaskResult.from_json(line) for line in stdout.splitlines()]
    assert [result.image.path for result in results] == ["photos/a.jpg", "photos/deep/a.jpg"]
    out = tmp_path / "o"
    rows = list(csv.DictReader((out / "a.csv").read_text().splitlines()))
    coco = json.loads((out / "a.json").read_text())
    assert [image["file_name"] for image in coco["images"]] == ["a.jpg", "deep/a.jpg"]
    for name, result, row, annotation in zip(("a", "deep/a"), results, rows, coco["annotations"], strict=True):
        (face,) = result.faces
        assert face.name == row["name"] == "without_mask"
        assert [float(row[edge]) for edge in ("x1", "y1", "x2", "y2")] == list(face.box)
        x1, y1, x2, y2 = face.box
        np.testing.assert_allclose(annotation["bbox"], [x1, y1, x2 - x1, y2 - y1])
        assert (annotation["category_id"], annotation["score"]) == (2, face.confidence)
        # 512×512 px; the text keeps a millionth.
        line = [float(word) for word in (out / "txt" / f"{name}.txt").read_text().split()]
        expected = [1, (x1 + x2) / 1024, (y1 + y2) / 1024, (x2 - x1) / 512, (y2 - y1) / 512, face.confidence]
        np.testing.assert_allclose(line, expected, atol=2e-5)
        (item,) = parse_voc(out / "voc" / f"{name}.xml").objects
        assert item.box == tuple(round(edge) for edge in face.box)
        crop = cv2.imread(str(out / "crops" / "without_mask" / f"{name}_1.png"))
        assert crop.shape[:2] == (np.ceil(y2) - np.floor(y1), np.ceil(x2) - np.floor(x1))
        assert (out / "pictures" / f"{name}.jpg").is_file()


def test_standard_output_carries_only_what_was_asked(run: Run, photos: Path) -> None:
    assert run("photos", "--save-txt", "t", "--quiet", *SMALL) == (0, "", "")
    code, stdout, stderr = run("photos", "gone.jpg", "--coco", "-", *SMALL)
    assert (code, stderr) == (2, "error: gone.jpg: no such file or folder\n")
    assert len(json.loads(stdout)["images"]) == 2
    code, stdout, _ = run("photos", "--csv", "-", "--conf", "1", *SMALL)
    assert (code, list(csv.reader(io.StringIO(stdout)))) == (0, [list(ROW_COLUMNS)])


def test_a_table_still_comes_beside_files(run: Run, photos: Path, tmp_path: Path) -> None:
    _, stdout, _ = run("photos", "--save-txt", "t", *SMALL)
    assert "2 faces in 2 pictures, 0% wear a mask properly" in stdout
    assert sorted(child.name for child in tmp_path.iterdir()) == ["photos", "t"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--json", "-", "--coco", "-"), "--json - and --coco - cannot both write to standard output"),
        (("--save-conf",), "--save-conf belongs to --save-txt"),
        (("--save", "x", "--no-save"), "contradict each other"),
    ],
)
def test_options_that_contradict(run: Run, photos: Path, options: tuple[str, ...], message: str) -> None:
    code, stdout, stderr = run("photos", *options)
    assert (code, stdout) == (2, "")
    assert message in stderr


def test_old_labels_are_not_overwritten_unasked(run: Run, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "a.txt").write_text("by hand")
    error = "error: t: holds .txt files already: choose another folder, or add --overwrite\n"
    assert run("photos", "--save-txt", "t", *SMALL) == (2, "", error)
    assert (tmp_path / "t" / "a.txt").read_text() == "by hand"
    assert run("photos", "--save-txt", "t", "--overwrite", *SMALL)[0] == 0
    assert len(read_labels(tmp_path / "t" / "a.txt").rows) == 1


@pytest.mark.skipif(os.name != "posix", reason="pipes end otherwise elsewhere")
@pytest.mark.parametrize("options", [("--json", "-"), ("--no-save",)], ids=["json", "table"])
def test_a_reader_who_leaves_is_no_error(photos: Path, options: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stdout:
        done = subprocess.run(
            command(photos, *options, *SMALL), stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (141, "")


def test_real_output_fits_the_schema_and_the_schema_names_all_of_it(run: Run, astronaut: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = maskdet.result_schema()
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    _, stdout, _ = run(astronaut, astronaut.with_name("crew.jpg"), "--json", "-")
    _, no_faces, _ = run(astronaut, "--conf", "1", "--json", "-", *SMALL)
    lines = [json.loads(line) for line in (stdout + no_faces).splitlines()]
    assert [line["summary"]["faces"] for line in lines] == [1, 4, 0]
    tracked = json.loads(stdout.splitlines()[0])
    tracked["image"] |= {"path": None, "frame": 3}
    tracked["detections"][0] |= {
        "track_id": 1,
        "classifier": {"name": "with_mask", "confidence": 0.5, "agrees": False},
    }
    for line in (*lines, tracked):
        validator(schema).validate(line)
        validator(closed(schema)).validate(line)
    for wrong in (
        {"schema": "maskdet/2"},
        {"counts": {"with_mask": 1}},
        {"detections": [{**tracked["detections"][0], "name": "with_mask"}]},  # its class is 1
        {"detections": [{**tracked["detections"][0], "confidence": 1.5}]},
    ):
        assert not validator(schema).is_valid({**tracked, **wrong}), wrong


def closed(schema: object) -> object:
    """Return the schema with every object closed, so that a member it does not describe is an error."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: closed(value) for key, value in schema.items()}
    return {**copy, "additionalProperties": False} if copy.get("type") == "object" else copy


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_run_leaves_whole_files_only(astronaut: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(400):
        (photos / f"{number:03}.jpg").symlink_to(astronaut)
    out = tmp_path / "out"
    args = ("--json", out / "a.jsonl", "--csv", out / "a.csv", "--coco", out / "a.json", "--save", out / "pictures")
    more = ("--save-txt", out / "txt", "--save-voc", out / "voc", "--save-crops", out / "crops", "--quiet")
    process = subprocess.Popen(command(photos, *args, *more, *SMALL))
    try:
        give_up = time.monotonic() + 60
        while not (out / "a.jsonl").is_file() or (out / "a.jsonl").read_bytes().count(b"\n") < 8:
            assert process.poll() is None, "ended before it could be killed"
            assert time.monotonic() < give_up, "nothing was written"
            time.sleep(0.003)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL

    results = list(maskdet.read_results(out / "a.jsonl"))
    assert 8 <= len(results) < 400
    assert not (out / "a.json").exists()
    whole_rows = [line for line in (out / "a.csv").read_text().splitlines(keepends=True) if line.endswith("\n")]
    assert all(len(row) == len(ROW_COLUMNS) for row in csv.reader(whole_rows))
    stems = [Path(str(result.image.path)).stem for result in results]
    # A line stands for files that are there; at most the picture that was at work has files without a line.
    for folder, suffix in (("txt", ".txt"), ("voc", ".xml"), ("pictures", ".jpg")):
        there = sorted(file.stem for file in (out / folder).glob(f"*{suffix}") if not file.name.startswith("."))
        assert there[: len(stems)] == stems
        assert len(there) <= len(stems) + 1
    for file in (out / "txt").glob("*.txt"):
        assert len(read_labels(file).rows) == len(results[0].faces)
    for file in (out / "voc").glob("*.xml"):
        assert len(parse_voc(file).objects) == len(results[0].faces)
    for file in [*(out / "pictures").glob("[!.]*.jpg"), *(out / "crops").rglob("[!.]*.png")]:
        data = file.read_bytes()
        assert data.endswith(b"\xff\xd9" if file.suffix == ".jpg" else b"IEND\xaeB`\x82"), file
