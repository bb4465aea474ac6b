"""The same answers as ``yolo predict`` on the 170 photos of the public split, box by box."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import box_iou
from maskdet.imaging.decode import decode_file
from maskdet.weights import default_model


def public_val(folder: Path) -> list[Path]:
    """Return the 170 photos: XML names sorted as strings, shuffled with seed 42, the first 170."""
    names = sorted(path.name for path in (folder / "annotations").iterdir())
    random.Random(42).shuffle(names)
    return [folder / "images" / f"{Path(name).stem}.jpg" for name in names[:170]]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("agnostic", [False, True], ids=["class-aware", "agnostic"])
def test_every_box_equals_yolo_predict(real_data: Path, agnostic: bool) -> None:
    ultralytics = pytest.importorskip("ultralytics")
    photos = public_val(real_data)
    assert len(photos) == 170
    model = default_model()
    yolo = ultralytics.YOLO(str(model.path), task="detect")
    detector = MaskDetector(agnostic_nms=agnostic, conf=0.25, close_ups=False)
    boxes = 0
    for photo in photos:
        expected = yolo.predict(
            photo, imgsz=model.card["imgsz"], agnostic_nms=agnostic, verbose=False, device="cpu", save=False
        )[0].boxes
        (found,) = detector.detect_arrays([decode_file(photo)])
        assert len(found.boxes) == len(expected), photo.name
        if not len(expected):
            continue
        order = np.lexsort((expected.cls.numpy(), -expected.conf.numpy()))
        mine = np.lexsort((found.class_ids, -found.confidences))
        overlap = np.diag(box_iou(found.boxes[mine].astype(float), expected.xyxy.numpy()[order].astype(float)))
        assert overlap.min() >= 0.99, photo.name
        np.testing.assert_allclose(found.confidences[mine], expected.conf.numpy()[order], atol=1e-3)
        np.testing.assert_array_equal(found.class_ids[mine], expected.cls.numpy()[order])
        boxes += len(found.boxes)
    assert boxes > 600
