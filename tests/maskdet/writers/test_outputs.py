from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import maskdet
from maskdet.datasets.voc.parse import parse_voc
from maskdet.errors import SourceError
from maskdet.results import MaskResult
from maskdet.sources import Picture
from maskdet.writers.outputs import Outputs
from maskdet.writers.targets import Targets

MakePicture = Callable[..., Picture]
Answer = Callable[[Picture], MaskResult]


def fail(error: SourceError) -> None:
    raise error


def everything(folder: Path, **more: bool) -> Targets:
    """Return every output below one folder."""
    names = ("json", "csv", "coco", "pictures", "txt", "voc", "crops")
    return Targets(**{name: str(folder / name) for name in names}, **more)  # type: ignore[arg-type]


def files_in(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def test_all_files_of_a_picture_share_its_name(make_picture: MakePicture, answer: Answer, tmp_path: Path) -> None:
    with Outputs(everything(tmp_path), fail) as outputs:
        for path in ("x/a.jpg", "y/a.png"):
            picture = make_picture(path)
            outputs.write(picture, answer(picture))
    crops = [f"crops/{name}.png" for name in ("with_mask/a-2_1", "with_mask/a_1", "without_mask/a-2_2")]
    assert files_in(tmp_path) == [
        *("coco", *crops, "crops/without_mask/a_2.png", "csv", "json", "pictures/a-2.png", "pictures/a.jpg"),
        *("txt/a-2.txt", "txt/a.txt", "voc/a-2.xml", "voc/a.xml"),
    ]
    assert parse_voc(tmp_path / "voc" / "a-2.xml").filename == "a.png"
    assert len(list(maskdet.read_results(tmp_path / "json"))) == 2
    assert len(json.loads((tmp_path / "coco").read_text())["images"]) == 2


def test_frames_are_numbered(make_picture: MakePicture, answer: Answer, tmp_path: Path) -> None:
    with Outputs(Targets(txt=str(tmp_path), voc=str(tmp_path), txt_confidence=True), fail) as outputs:
        for frame in (11, 12):
            picture = make_picture("clip.mp4", frame=frame)
            outputs.write(picture, answer(picture))
    assert files_in(tmp_path) == ["clip_000011.txt", "clip_000011.xml", "clip_000012.txt", "clip_000012.xml"]
    assert parse_voc(tmp_path / "clip_000012.xml").filename == "clip_000012.jpg"
    # (4, 6)–(12, 18) in 40×30 px, with the confidence.
    row = np.loadtxt(tmp_path / "clip_000012.txt")[0]
    np.testing.assert_allclose(row, [0, 0.2, 0.4, 0.2, 0.4, 0.75])


def test_lines_are_written_though_a_file_cannot_be(make_picture: MakePicture, answer: Answer, tmp_path: Path) -> None:
    (tmp_path / "txt").write_text("a file where a folder should be")
    errors: list[SourceError] = []
    picture = make_picture("a.jpg")
    with Outputs(Targets(json=str(tmp_path / "a.jsonl"), txt=str(tmp_path / "txt")), errors.append) as outputs:
        outputs.write(picture, answer(picture))
    assert [Path(error.path).name for error in errors] == ["a.txt"]
    assert len(list(maskdet.read_results(tmp_path / "a.jsonl"))) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("target", ["json", "csv"])
def test_a_full_disk_is_one_line(make_picture: MakePicture, answer: Answer, target: str) -> None:
    picture = make_picture("a.jpg")
    with (
        pytest.raises(SourceError, match=r"/dev/full: cannot be written \("),
        Outputs(Targets(**{target: "/dev/full"}), fail) as outputs,
    ):
        outputs.write(picture, answer(picture))


@pytest.mark.parametrize(("error", "written"), [(KeyboardInterrupt, True), (RuntimeError, False)])
def test_the_coco_file_of_an_interrupted_call(
    make_picture: MakePicture, answer: Answer, tmp_path: Path, error: type[BaseException], written: bool
) -> None:
    picture = make_picture("a.jpg")
    with pytest.raises(error), Outputs(Targets(coco=str(tmp_path / "a.json")), fail) as outputs:
        outputs.write(picture, answer(picture))
        raise error
    assert (tmp_path / "a.json").exists() is written


@pytest.mark.parametrize(("target", "file"), [("txt", "deep/b.txt"), ("voc", "b.xml"), ("crops", "with_mask/b.png")])
def test_labels_that_are_there_already_are_safe(
    make_picture: MakePicture, answer: Answer, tmp_path: Path, target: str, file: str
) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("by hand")
    options = {target: str(tmp_path)}
    with pytest.raises(SourceError, match="add --overwrite"), Outputs(Targets(**options), fail):
        pass
    assert files_in(tmp_path) == [file]
    with Outputs(Targets(**options, overwrite=True), fail) as outputs:
        picture = make_picture("b.jpg", str(Path(file).with_suffix(".jpg")))
        outputs.write(picture, answer(picture))
    if target != "crops":
        assert (tmp_path / file).read_text() != "by hand"


def test_a_name_that_is_not_utf8(make_picture: MakePicture, answer: Answer, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.jpg")
    picture = make_picture(f"p/{name}", name)
    try:
        (tmp_path / name).touch()
    except OSError:
        pytest.skip("this file system knows only UTF-8 names")
    with Outputs(everything(tmp_path / "out"), fail) as outputs:
        outputs.write(picture, answer(picture))
    (result,) = maskdet.read_results(tmp_path / "out" / "json")
    assert result.image.path == f"p/{name}"
    assert "\\udcff" in (tmp_path / "out" / "csv").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "out" / "coco").read_text(encoding="utf-8"))["images"][0]["path"] == f"p/{name}"
    assert parse_voc(tmp_path / "out" / "voc" / Path(name).with_suffix(".xml")).filename == "_.jpg"
