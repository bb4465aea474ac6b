from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from maskdet.detector.training.face_augment import FaceAugmentation
from maskdet.detector.training.train import train

pytest.importorskip("ultralytics")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")

# The tiny data set's pictures are 128 × 96 px, each with a 24 px square of every class; at 128 px nothing is resized.
IMGSZ, SIDE = 128, 24


def dataset(data_yaml: Path, **often: float) -> Any:
    from ultralytics.cfg import get_cfg

    from maskdet.detector.training.data import read_training_data
    from maskdet.detector.training.face_dataset import FaceDataset

    read = read_training_data(str(data_yaml))
    data = read.as_ultralytics()
    hyp = get_cfg(overrides={"imgsz": IMGSZ, "mosaic": 0.0})
    faces = FaceAugmentation(**often)
    return FaceDataset(
        photos=read.photos["train"],
        img_path=data["train"],
        imgsz=IMGSZ,
        augment=True,
        hyp=hyp,
        data=data,
        task="detect",
        faces=faces,
    )


def sample(data: Any, index: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return picture, boxes as centre and size in pixels, and classes, before mosaic."""
    label: dict[str, Any] = data.get_image_and_label(index)
    instances = label["instances"]
    height, width = label["img"].shape[:2]
    assert label["resized_shape"] == (height, width)
    return label["img"], instances.bboxes * [width, height, width, height], label["cls"].reshape(-1)


def test_without_any_nothing_changes(tiny_data: Path) -> None:
    data = dataset(tiny_data)
    image, boxes, classes = sample(data)
    assert image.shape == (96, 128, 3) and classes.tolist() == [0, 1, 2]
    np.testing.assert_allclose(boxes[:, 2:], SIDE, atol=1e-3)


def test_close_ups_enlarge_a_face_and_keep_it_in_its_box(tiny_data: Path) -> None:
    np.random.seed(0)
    data = dataset(tiny_data, close_up=1.0)
    largest = []
    for _ in range(30):
        image, boxes, classes = sample(data)
        assert max(image.shape[:2]) == IMGSZ
        at = int(boxes[:, 2:].prod(axis=1).argmax())
        largest.append(boxes[at, 2:].max() / IMGSZ)
        x, y = (
            min(int(centre), side - 1)
            for centre, side in zip(boxes[at, :2], (image.shape[1], image.shape[0]), strict=True)
        )
        # Green, red and yellow squares: the channels that are lit name the class.
        lit = tuple(int(value) for value in np.flatnonzero(image[y, x] > 150))
        assert lit == {0: (1,), 1: (2,), 2: (1, 2)}[int(classes[at])]
    assert max(largest) > 0.6 and min(largest) < 0.4


def test_rare_faces_are_pasted_on_others(tiny_data: Path) -> None:
    np.random.seed(0)
    data = dataset(tiny_data, paste_rare=1.0)
    before = data.load_image(0)[0].copy()
    image, boxes, classes = sample(data)
    assert (classes == 2).sum() >= 2
    changed = int(np.flatnonzero((classes == 2) & (np.arange(3) < 2))[0])
    x, y = boxes[changed, :2].astype(int)
    assert (image[y, x, 1:] > 150).all()
    # The photo that is kept in memory stays as it was.
    assert (data.load_image(0)[0] == before).all()


def test_masks_slip_on_bare_faces_only(tiny_data: Path) -> None:
    np.random.seed(0)
    _, _, classes = sample(dataset(tiny_data, slip_mask=1.0))
    assert classes.tolist() == [0, 2, 2]


def test_a_poor_camera_changes_pixels_and_no_label(tiny_data: Path) -> None:
    np.random.seed(0)
    data = dataset(tiny_data, poor_camera=1.0)
    before = data.load_image(0)[0].copy()
    image, boxes, classes = sample(data)
    assert image.shape == before.shape and (image != before).mean() > 0.3
    assert classes.tolist() == [0, 1, 2]
    np.testing.assert_allclose(boxes[:, 2:], SIDE, atol=1e-3)
    assert (data.load_image(0)[0] == before).all()


def test_how_far_a_camera_blurs_is_measured_in_the_picture_it_sees(
    tiny_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maskdet.detector.training import face_dataset
    from maskdet.detector.training.camera import CameraFaults, training_faults

    asked: list[float] = []

    def watch(smallest: float) -> CameraFaults:
        asked.append(smallest)
        return training_faults(smallest)

    monkeypatch.setattr(face_dataset, "training_faults", watch)
    np.random.seed(0)
    sample(dataset(tiny_data, poor_camera=1.0))
    assert asked == [pytest.approx(SIDE)]
    # Of a close-up, in pixels of what is shown: its boxes are known after the fact.
    image, boxes, _ = sample(dataset(tiny_data, poor_camera=1.0, close_up=1.0))
    assert asked[1] == pytest.approx(boxes[:, 2:].max(axis=1).min(), rel=0.05)
    assert max(image.shape[:2]) == IMGSZ


def test_photos_of_the_rare_class_come_more_often(tiny_data: Path, tmp_path: Path) -> None:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    for number, source in enumerate(sorted((tiny_data.parent / "images" / "train").iterdir())):
        (tmp_path / "images" / f"{number}.png").write_bytes(source.read_bytes())
        lines = (tiny_data.parent / "labels" / "train" / f"{source.stem}.txt").read_text().splitlines()
        (tmp_path / "labels" / f"{number}.txt").write_text("\n".join(lines if number == 3 else lines[:2]) + "\n")
    names = yaml.safe_load(tiny_data.read_text())["names"]
    (tmp_path / "data.yaml").write_text(yaml.safe_dump({"train": "images", "val": "images", "names": names}))
    assert len(sample(dataset(tmp_path / "data.yaml"))[2]) == 2
    assert len(sample(dataset(tmp_path / "data.yaml", rare_photo=1.0))[2]) == 3


@pytest.mark.parametrize("names", [["mask", "none", "wrong"], ["face"]])
def test_data_of_other_classes_get_no_painted_faces(tiny_data: Path, tmp_path: Path, names: list[str]) -> None:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    source = next((tiny_data.parent / "images" / "train").iterdir())
    (tmp_path / "images" / source.name).write_bytes(source.read_bytes())
    lines = (tiny_data.parent / "labels" / "train" / f"{source.stem}.txt").read_text().splitlines()
    (tmp_path / "labels" / f"{source.stem}.txt").write_text("\n".join(lines[: len(names)]) + "\n")
    described = {"train": "images", "val": "images", "names": dict(enumerate(names))}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(described))
    data = dataset(tmp_path / "data.yaml", rare_photo=1.0, paste_rare=1.0, slip_mask=1.0)
    assert sample(data)[2].tolist() == list(range(len(names)))
    left = dataset(tmp_path / "data.yaml", close_up=0.3, paste_rare=1.0, poor_camera=0.1).faces
    assert left == FaceAugmentation(close_up=0.3, poor_camera=0.1)


def test_training_uses_it_and_remembers(tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maskdet.detector.training.face_dataset import FaceDataset

    used: list[FaceAugmentation] = []
    original = FaceDataset.update_labels_info

    def watch(self: FaceDataset, label: dict[str, Any]) -> dict[str, Any]:
        used.append(self.faces)
        return original(self, label)

    monkeypatch.setattr(FaceDataset, "update_labels_info", watch)
    settings = {"model": "yolov8n.yaml", "data": str(tiny_data), "imgsz": 64, "epochs": 1, "batch": 2, "device": "cpu"}
    own = {"close_up": 0.5, "rare_photo": 0.25, "paste_rare": 0, "slip_mask": 0, "poor_camera": 0.1, "cpu_threads": 1}
    folder = train({**settings, "plots": False, "val": False, "project": str(tmp_path), "name": "run", **own})
    assert set(used) == {FaceAugmentation(close_up=0.5, rare_photo=0.25, poor_camera=0.1)}
    assert yaml.safe_load((folder / "maskdet.yaml").read_text())["close_up"] == 0.5
