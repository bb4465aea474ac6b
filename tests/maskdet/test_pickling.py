"""Models handed to other processes: they are loaded again from the same file, with the same options."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import maskdet
from maskdet.chain.predictor import ChainPredictor

COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda one: pickle.loads(pickle.dumps(one)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.fixture(params=COPIES)
def copied(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """Return a function that copies an object in one way."""
    return COPIES[request.param]


@pytest.fixture(scope="module")
def picture(astronaut: Path) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(astronaut)), np.uint8)


def test_a_detector_answers_as_before(copied: Callable[[Any], Any], picture: npt.NDArray[np.uint8]) -> None:
    detector = maskdet.MaskDetector(conf=0.1, imgsz=256, agnostic_nms=True, close_ups=True, threads=1)
    again = copied(detector)
    assert again.info == detector.info
    assert again.workers == detector.workers
    assert again.close_ups == detector.close_ups
    faces = detector.detect(picture).faces
    assert faces
    assert again.detect(picture).faces == faces


def test_a_pickle_is_small() -> None:
    assert len(pickle.dumps(maskdet.MaskDetector())) < 10_000


def test_a_file_is_found_from_another_folder(
    tmp_path: Path, write_detector: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_detector(tmp_path / "own.onnx")
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps(maskdet.MaskDetector("own.onnx"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert pickle.loads(data).info.name == "own"
    (tmp_path / "own.onnx").unlink()
    with pytest.raises(maskdet.WeightsError, match=r"own\.onnx: no such file"):
        pickle.loads(data)


def test_a_classifier_answers_as_before(
    copied: Callable[[Any], Any], tiny_classifier: Path, picture: npt.NDArray[np.uint8]
) -> None:
    for classifier in (maskdet.MaskClassifier(tiny_classifier), maskdet.MaskClassifier()):
        again = copied(classifier)
        assert again.info == classifier.info
        assert again.classify(picture) == classifier.classify(picture)


def test_both_together(tiny_classifier: Path, picture: npt.NDArray[np.uint8]) -> None:
    chain = ChainPredictor(maskdet.MaskDetector(imgsz=256), maskdet.MaskClassifier(tiny_classifier))
    info = maskdet.predict(picture, detector=chain.detector).image  # type: ignore[union-attr]
    again = pickle.loads(pickle.dumps(chain))
    assert again.predict_batch([picture], [info])[0].faces == chain.predict_batch([picture], [info])[0].faces


def test_results(copied: Callable[[Any], Any], picture: npt.NDArray[np.uint8]) -> None:
    result = maskdet.MaskDetector(imgsz=256).detect(picture)
    again = copied(result)
    assert again == result
    assert np.array_equal(again.pixels, picture)


class Careful(maskdet.MaskDetector):
    """A class of a user's own, with an option and a memory of its own."""

    def __init__(self, name: str) -> None:
        super().__init__(imgsz=64)
        self.name = name


def test_a_class_of_ones_own() -> None:
    detector = Careful("gate")
    detector.name = "door"
    again = pickle.loads(pickle.dumps(detector))
    assert (type(again), again.name, again.info) == (Careful, "door", detector.info)


def count_faces(detector: maskdet.MaskDetector, picture: npt.NDArray[np.uint8]) -> tuple[int, int]:
    return os.getpid(), len(detector.detect(picture).faces)


def test_in_a_spawned_process(picture: npt.NDArray[np.uint8]) -> None:
    detector = maskdet.MaskDetector(imgsz=256)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        process, faces = pool.submit(count_faces, detector, picture).result()
    assert process != os.getpid()
    assert faces == len(detector.detect(picture).faces) == 1
