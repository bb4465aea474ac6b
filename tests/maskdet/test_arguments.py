from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskdet


@pytest.mark.parametrize("name", ["imgsz", "tile", "threads", "iou", "conf"])
@pytest.mark.parametrize("value", [(640, 640), "640", [0.5], object(), b"1"])
def test_what_is_no_number_is_named(name: str, value: Any) -> None:
    if (name, value) == ("conf", "640"):  # one word is right, and another one's fault is its spelling
        return
    with pytest.raises(TypeError, match=f"^{name} must be a .*number.*, not {type(value).__name__}$"):
        maskdet.MaskDetector(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("imgsz", 640.5), ("imgsz", True), ("threads", 2.0), ("tile", 64.5)])
def test_what_is_no_whole_number(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be a whole number"):
        maskdet.MaskDetector(**{name: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"imgsz": 31}, "imgsz must be between 32 and 8192 pixels, not 31"),
        ({"imgsz": 8193}, "imgsz must be between 32 and 8192 pixels, not 8193"),
        ({"tile": 31}, "tile must be at least 32 pixels, not 31"),
        ({"threads": -1}, "threads must be at least 0, not -1"),
        ({"iou": 1.5}, "iou must be between 0 and 1, not 1.5"),
        ({"conf": float("nan")}, "conf must be between 0 and 1, or 'f1', not nan"),
    ],
)
def test_what_is_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        maskdet.MaskDetector(**options)


def test_numpys_numbers_are_numbers() -> None:
    detector = maskdet.MaskDetector(imgsz=np.int64(64), conf=np.float32(0.5), iou=np.float64(0.7), threads=np.int32(1))
    assert detector.info == maskdet.MaskDetector(imgsz=64, conf=0.5).info
    assert type(detector.info.imgsz) is int
    result = maskdet.predict(np.zeros((4, 4, 3), np.uint8), detector=detector, batch=np.int64(2))
    assert isinstance(result, maskdet.MaskResult)
    assert '"imgsz": 64' in result.to_json()


@pytest.mark.parametrize("name", ["batch", "vid_stride"])
def test_the_numbers_of_predict(name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be a whole number, not float$"):
        maskdet.predict("photo.jpg", **{name: 2.0})
