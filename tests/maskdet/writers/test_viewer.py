from __future__ import annotations

import cv2
import numpy as np
import pytest

from maskdet.errors import SourceError
from maskdet.results import ImageInfo, MaskResult, ModelInfo
from maskdet.writers.viewer import Viewer

RESULT = MaskResult([], ImageInfo(None, 4, 4), ModelInfo("m", 32, 0.25), 1.0, np.zeros((4, 4, 3), np.uint8))


def test_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SourceError, match="--show: there is no display here"), Viewer():
        pass


def test_opencv_without_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "namedWindow", refuse)
    with pytest.raises(SourceError, match="--show: this OpenCV cannot open windows"), Viewer():
        pass


@pytest.mark.parametrize(
    ("keys", "wait", "goes_on"),
    [([-1], False, True), ([ord("q")], False, False), ([27], True, False), ([-1, -1, ord(" ")], True, True)],
)
def test_keys(monkeypatch: pytest.MonkeyPatch, keys: list[int], wait: bool, goes_on: bool) -> None:
    pressed = iter(keys)
    shown: list[tuple[int, ...]] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    monkeypatch.setattr(cv2, "imshow", lambda _, image: shown.append(image.shape))
    monkeypatch.setattr(cv2, "waitKey", lambda _: next(pressed))
    with Viewer() as viewer:
        assert viewer.show(RESULT, wait=wait) is goes_on
    assert shown == [(4, 4, 3)]
    assert list(pressed) == []
