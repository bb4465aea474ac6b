from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maskdet.results import MaskResult
from maskdet.sources import Picture
from maskdet.writers.texts import CocoWriter

MakePicture = Callable[..., Picture]
Answer = Callable[[Picture], MaskResult]


@pytest.fixture
def written(make_picture: MakePicture, answer: Answer, tmp_path: Path) -> Path:
    """Return a COCO file of three pictures, the third of the same name as the first, and a frame."""
    writer = CocoWriter(str(tmp_path / "deep" / "coco.json"))
    for path, relative, frame, name in (
        ("x/a.png", "a.png", None, "a"),
        ("x/d/é.png", "d/é.png", None, "d/é"),
        ("y/a.png", "a.png", None, "a-2"),
        ("v/clip.mp4", "clip.mp4", 12, "clip_000012"),
    ):
        picture = make_picture(path, relative, frame)
        writer.write(picture, answer(picture), Path(name))
    assert not (tmp_path / "deep").exists()
    writer.finish()
    return tmp_path / "deep" / "coco.json"


def test_pictures_are_told_apart(written: Path) -> None:
    images = json.loads(written.read_text(encoding="utf-8"))["images"]
    assert [image["id"] for image in images] == [1, 2, 3, 4]
    assert [image["file_name"] for image in images] == ["a.png", "d/é.png", "y/a.png", "clip_000012.jpg"]
    assert [image["path"] for image in images] == ["x/a.png", "x/d/é.png", "y/a.png", "v/clip.mp4"]
    assert [image.get("frame") for image in images] == [None, None, None, 12]


def test_pycocotools_loads_it(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coco = pytest.importorskip("pycocotools.coco").COCO(str(written))
    capsys.readouterr()
    assert coco.getImgIds() == [1, 2, 3, 4]
    assert [entry["name"] for entry in coco.loadCats(coco.getCatIds())] == [
        "with_mask",
        "without_mask",
        "mask_weared_incorrect",
    ]
    assert sorted(coco.getAnnIds()) == list(range(1, 9))
    faces = coco.loadAnns(coco.getAnnIds(imgIds=[3], catIds=[2]))
    assert [(face["bbox"], face["area"], face["score"]) for face in faces] == [([20.5, 3.2, 18.5, 26.8], 495.8, 0.5)]


def test_supervision_loads_it(written: Path) -> None:
    supervision = pytest.importorskip("supervision")
    data = supervision.DetectionDataset.from_coco(str(written.parent), str(written))
    assert data.classes == ["with_mask", "without_mask", "mask_weared_incorrect"]
    found = data.annotations[str(written.parent / "a.png")]
    assert found.class_id.tolist() == [0, 1]
    assert found.xyxy[0].tolist() == [4, 6, 12, 18]


def test_without_pictures_it_is_whole_too(tmp_path: Path) -> None:
    CocoWriter(str(tmp_path / "coco.json")).finish()
    data = json.loads((tmp_path / "coco.json").read_text())
    assert (data["images"], data["annotations"], len(data["categories"])) == ([], [], 3)
