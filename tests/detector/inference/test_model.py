from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import maskdet
from maskdet.imaging.decode import decode_file


@pytest.fixture(scope="module")
def detector() -> maskdet.MaskDetector:
    return maskdet.MaskDetector()


@pytest.fixture(scope="module")
def portrait(astronaut: Path) -> npt.NDArray[np.uint8]:
    return decode_file(astronaut)


def test_one_face_without_a_mask(detector: maskdet.MaskDetector, portrait: npt.NDArray[np.uint8]) -> None:
    result = detector.detect(portrait)
    assert result.counts == {"with_mask": 0, "without_mask": 1, "mask_weared_incorrect": 0}
    assert result.compliance == 0.0
    assert (result.image.path, result.image.width, result.image.height) == (None, 512, 512)
    assert result.time_ms > 0


def test_a_batch_answers_as_one_by_one(detector: maskdet.MaskDetector, portrait: npt.NDArray[np.uint8]) -> None:
    images = [portrait, portrait[:300], portrait[:, :300], cv2.flip(portrait, 1)]
    images = [np.asarray(image, np.uint8) for image in images]
    together = detector.detect_arrays(images)
    for one, image in zip(together, images, strict=True):
        (alone,) = detector.detect_arrays([image])
        np.testing.assert_allclose(one.boxes, alone.boxes, atol=0.05)
        np.testing.assert_allclose(one.confidences, alone.confidences, atol=1e-4)


def test_boxes_follow_the_picture(detector: maskdet.MaskDetector, portrait: npt.NDArray[np.uint8]) -> None:
    mirrored = detector.detect(np.ascontiguousarray(portrait[:, ::-1])).boxes[0]
    plain = detector.detect(portrait).boxes[0]
    np.testing.assert_allclose(512 - mirrored[[2, 0]], plain[[0, 2]], atol=8)


def test_threads_share_one_detector(detector: maskdet.MaskDetector, portrait: npt.NDArray[np.uint8]) -> None:
    expected = detector.detect(portrait).boxes
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(detector.detect, [portrait] * 8):
            np.testing.assert_allclose(result.boxes, expected, atol=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (31, 33)])
def test_odd_shapes(detector: maskdet.MaskDetector, shape: tuple[int, int]) -> None:
    assert detector.detect(np.zeros((*shape, 3), np.uint8)).faces == []


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_arrays_of_other_kinds_are_refused(detector: maskdet.MaskDetector, array: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"expected a \(H, W, 3\) uint8 BGR array"):
        detector.detect(array)


def test_predict_gives_one_result_a_list_or_a_stream(
    detector: maskdet.MaskDetector, astronaut: Path, portrait: npt.NDArray[np.uint8]
) -> None:
    one = maskdet.predict(astronaut, detector=detector)
    assert isinstance(one, maskdet.MaskResult)
    assert one.image.path == str(astronaut)
    many = maskdet.predict([astronaut, portrait, astronaut.read_bytes()], detector=detector)
    assert isinstance(many, list)
    assert [result.counts["without_mask"] for result in many] == [1, 1, 1]
    stream = maskdet.predict([astronaut], stream=True, detector=detector)
    assert next(stream).counts == one.counts


def test_predict_says_what_is_wrong(detector: maskdet.MaskDetector, tmp_path: Path) -> None:
    with pytest.raises(maskdet.SourceError, match="no such file or folder"):
        maskdet.predict(tmp_path / "gone.jpg", detector=detector)
    with pytest.raises(TypeError, match="conf belong to the detector"):
        maskdet.predict(tmp_path, detector=detector, conf=0.5)
