from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import maskdet
from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops.crop import CropOptions
from maskdet.classifier.crops.crop_folder import CropFolderOptions, write_crops
from maskdet.classifier.crops.manifest import read_manifest
from maskdet.classifier.crops.window import crop_windows, cut
from maskdet.classifier.inference.model import CropAnswer, MaskClassifier
from maskdet.detector.inference.model import MaskDetector
from maskdet.errors import WeightsError
from maskdet.imaging.decode import decode_file
from maskdet.imaging.tensor import to_tensor
from maskdet.results import ImageInfo
from maskdet.weights import default_model

#: Probability of the class whose colour fills the crop, and of each other class.
SURE = math.exp(10) / (math.exp(10) + 2)
BLUE, GREEN, RED = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def plain(colour: tuple[int, int, int], height: int = 5, width: int = 5) -> npt.NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


@pytest.fixture(scope="module")
def classifier(tiny_classifier: Path) -> MaskClassifier:
    return MaskClassifier(tiny_classifier)


def test_what_the_file_says(classifier: MaskClassifier) -> None:
    spec = classifier.spec
    assert (spec.name, spec.side, spec.margin, spec.square, spec.temperature) == ("tiny", 8, 0.25, True, 1.0)
    assert (classifier.info.name, classifier.info.imgsz, classifier.info.conf) == ("tiny", 8, 0.0)


def test_bgr_crops_of_any_size(classifier: MaskClassifier) -> None:
    crops = [plain(RED, 1, 1), plain(GREEN, 40, 20), plain(BLUE, 8, 8)]
    rest = (1 - SURE) / 2
    expected = np.full((3, 3), rest) + np.eye(3) * (SURE - rest)
    found = classifier.probabilities(crops)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_an_answer(classifier: MaskClassifier) -> None:
    answer = classifier.classify(plain(GREEN))
    assert isinstance(answer, CropAnswer)
    assert (answer.name, answer.class_id) == ("without_mask", 1)
    assert answer.confidence == pytest.approx(SURE, abs=1e-6) == answer.probabilities[1]
    assert answer.to_dict()["name"] == "without_mask"
    assert list(answer.to_dict()["probabilities"]) == list(CLASS_NAMES)


def test_a_crop_that_is_not_square_keeps_its_proportions(
    write_classifier: Callable[..., Path], tmp_path: Path, classifier: MaskClassifier
) -> None:
    # One red row above three green ones. In the middle of a square of 8, the red row is repeated twice: 3 rows of 8.
    crop = np.concatenate([plain(RED, 1, 8), plain(GREEN, 3, 8)])
    ratio = classifier.probabilities([crop])[0]
    assert math.log(ratio[0] / ratio[1]) == pytest.approx(10 * (3 / 8 - 5 / 8), abs=1e-4)
    # Stretched instead, 2 rows of 8.
    stretching = MaskClassifier(write_classifier(tmp_path / "wide.onnx", {"square": "false"}))
    ratio = stretching.probabilities([crop])[0]
    assert math.log(ratio[0] / ratio[1]) == pytest.approx(10 * (2 / 8 - 6 / 8), abs=1e-4)


def test_an_extremely_long_crop_takes_no_memory(classifier: MaskClassifier) -> None:
    assert classifier.classify(plain(BLUE, 1, 200_000)).name == "mask_weared_incorrect"


def test_boxes_are_cut_by_the_models_own_rule(classifier: MaskClassifier) -> None:
    # A red face of 10×6 in the middle of 40×40 black pixels: the window is 10 · 1.5 = 15 pixels square, and 60 of its
    # 225 pixels are red.
    image = plain((0, 0, 0), 40, 40)
    image[17:23, 15:25] = RED
    found = classifier.classify_boxes(image, np.array([[15, 17, 25, 23]], np.float32))[0]
    assert math.log(found[0] / found[1]) == pytest.approx(10 * 60 / 225, abs=0.02)


def test_boxes_and_crops_agree(classifier: MaskClassifier) -> None:
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), (120, 90)).astype(np.uint8)
    corners = np.sort(rng.uniform(0, 90, (70, 2, 2)), axis=1)
    boxes = corners.reshape(-1, 4)
    windows = crop_windows(boxes, (120, 90), margin=0.25, square=True)
    expected = np.concatenate([classifier.run(to_tensor([cut(image, window, 8)])) for window in windows])
    np.testing.assert_allclose(classifier.classify_boxes(image, boxes), expected, atol=1e-6)


def test_a_photo_and_its_crop_folder_agree(classifier: MaskClassifier, small_voc: Path, tmp_path: Path) -> None:
    crops = CropOptions(classifier.spec.margin, classifier.spec.square, classifier.spec.side)
    write_crops(small_voc, tmp_path / "crops", CropFolderOptions(crops=crops, quiet=True))
    for record in read_manifest(tmp_path / "crops" / "manifest.csv"):
        crop = decode_file(tmp_path / "crops" / record.crop)
        photo = decode_file(small_voc / "images" / record.photo)
        found = classifier.classify_boxes(photo, np.array([record.box]))
        np.testing.assert_array_equal(found, classifier.probabilities([crop]))


def test_boxes_over_the_edge_are_clipped_first(classifier: MaskClassifier) -> None:
    image = plain(GREEN, 20, 20)
    image[:, 10:] = RED
    over = classifier.classify_boxes(image, np.array([[12.0, -50.0, 90.0, 10.0]]))
    inside = classifier.classify_boxes(image, np.array([[12.0, 0.0, 20.0, 10.0]]))
    np.testing.assert_array_equal(over, inside)
    outside = classifier.classify_boxes(image, np.array([[30.0, 5.0, 40.0, 9.0], [10.0, 5.0, 10.0, 5.0]]))
    assert outside.shape == (2, 3)


def test_nothing_gives_nothing(classifier: MaskClassifier) -> None:
    assert classifier.probabilities([]).shape == (0, 3)
    assert classifier.classify_boxes(plain(RED), np.empty((0, 4), np.float32)).shape == (0, 3)
    assert classifier.predict_batch([], []) == []


def test_batches_are_bounded(classifier: MaskClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    runtime = classifier._runtime

    def count(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        sizes.append(len(batch))
        return runtime(batch)

    crops = [plain((value, 0, 255 - value)) for value in range(130)]
    alone = np.concatenate([classifier.probabilities([crop]) for crop in crops])
    monkeypatch.setattr(classifier, "_runtime", count)
    np.testing.assert_allclose(classifier.probabilities(crops), alone, atol=1e-6)
    assert sizes == [64, 64, 2]


@pytest.mark.parametrize(
    "crop", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8), [[1, 2, 3]]]
)
def test_other_arrays_are_refused(classifier: MaskClassifier, crop: Any) -> None:
    with pytest.raises(ValueError, match="expected a"):
        classifier.probabilities([crop])
    with pytest.raises(ValueError, match="expected a"):
        classifier.classify_boxes(crop, np.zeros((0, 4), np.float32))


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        (np.zeros((4,), np.float32), r"expected \(N, 4\) float boxes"),
        (np.zeros((2, 5), np.float32), r"expected \(N, 4\) float boxes"),
        (np.zeros((2, 4), np.int64), r"expected \(N, 4\) float boxes"),
        ([[0.0, 0.0, 1.0, 1.0]], "got list"),
        (np.array([[0, 0, np.nan, 1]], np.float32), "boxes must be finite"),
        (np.array([[3, 0, 1, 1]], np.float32), "x1 ≤ x2"),
    ],
)
def test_other_boxes_are_refused(classifier: MaskClassifier, boxes: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        classifier.classify_boxes(plain(RED), boxes)


def test_the_callers_arrays_are_kept(classifier: MaskClassifier) -> None:
    image, boxes = plain(RED), np.array([[-3.0, -3.0, 3.0, 3.0]])
    classifier.probabilities([image])
    classifier.classify_boxes(image, boxes)
    assert boxes.tolist() == [[-3.0, -3.0, 3.0, 3.0]]
    assert (image == RED).all()


def test_results_of_whole_crops(classifier: MaskClassifier) -> None:
    crops = [plain(RED, 6, 4), plain(BLUE)]
    infos = [ImageInfo("a.png", 4, 6), ImageInfo(None, 5, 5)]
    first, second = classifier.predict_batch(crops, infos)
    entry = json.loads(first.to_json())
    assert entry["model"] == {"name": "tiny", "imgsz": 8, "conf": 0.0}
    assert entry["summary"] == {"faces": 1, "compliant": 1, "compliance": 1.0}
    (face,) = entry["detections"]
    assert (face["name"], face["class"], face["confidence"]) == ("with_mask", 0, round(SURE, 5))
    assert face["box"] == {"x1": 0.0, "y1": 0.0, "x2": 4.0, "y2": 6.0}
    assert face["classifier"]["name"] == "with_mask"
    assert face["classifier"]["probabilities"]["with_mask"] == face["confidence"]
    assert second.counts["mask_weared_incorrect"] == 1
    assert first.plot().shape == (6, 4, 3)
    assert classifier.predict_batch(crops, infos, keep_pixels=False)[0].pixels is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"task": None}, "its task is unknown"),
        ({"task": "segment"}, "its task is segment"),
        ({"margin": None}, "lacks class names, size, margin"),
        ({"square": "maybe"}, "lacks class names, size, margin"),
        ({"imgsz": "[]"}, "lacks class names, size, margin"),
        ({"names": "{0: 'cat', 1: 'dog'}"}, "its classes are cat, dog; expected with_mask"),
        ({"names": repr(dict(enumerate(reversed(CLASS_NAMES))))}, "its classes are mask_weared_incorrect"),
        ({"margin": "-1"}, "margin -1"),
        ({"temperature": "0"}, "temperature 0"),
        ({"imgsz": "16"}, "it turns"),
    ],
)
def test_files_of_other_kinds_are_refused(
    write_classifier: Callable[..., Path], tmp_path: Path, change: dict[str, str | None], reason: str
) -> None:
    path = write_classifier(tmp_path / "other.onnx", change)
    with pytest.raises(WeightsError, match=reason) as caught:
        MaskClassifier(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_fixed_batch_is_refused(write_classifier: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not a mask classifier: it turns"):
        MaskClassifier(write_classifier(tmp_path / "fixed.onnx", shape=(1, 3, 8, 8)))


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        MaskClassifier(tmp_path / "gone.onnx")
    (tmp_path / "a.onnx").write_bytes(b"hello")
    with pytest.raises(WeightsError, match="not an ONNX model"):
        MaskClassifier(tmp_path / "a.onnx")
    (tmp_path / "a.pt").write_bytes(b"hello")
    with pytest.raises(WeightsError, match=r"a classifier is an \.onnx file"):
        MaskClassifier(tmp_path / "a.pt")


def test_detector_and_classifier_are_told_apart(tiny_classifier: Path) -> None:
    detector = default_model("detect")
    with pytest.raises(WeightsError, match="is a detector, not a classifier"):
        MaskClassifier(detector.path)
    with pytest.raises(WeightsError, match="is a detector, not a classifier"):
        MaskClassifier(detector.name)
    with pytest.raises(WeightsError, match="is a classifier, not a detector"):
        MaskDetector(tiny_classifier)


def test_without_a_shipped_classifier(use_registry: Callable[..., Path]) -> None:
    use_registry({"default": {}, "models": {}})
    with pytest.raises(WeightsError, match="no classifier is shipped with this version; name one: --weights FILE"):
        MaskClassifier()


def test_with_a_shipped_classifier(tiny_classifier: Path, use_registry: Callable[..., Path]) -> None:
    entry = {"file": str(tiny_classifier), "sha256": "0" * 64, "task": "classify"}
    use_registry({"default": {"classify": "tiny"}, "models": {"tiny": entry}})
    with pytest.raises(WeightsError, match="damaged"):
        maskdet.MaskClassifier()
    entry["sha256"] = hashlib.sha256(tiny_classifier.read_bytes()).hexdigest()
    use_registry({"default": {"classify": "tiny"}, "models": {"tiny": entry}})
    assert maskdet.MaskClassifier().info.name == maskdet.MaskClassifier("tiny").info.name == "tiny"
    with pytest.raises(WeightsError, match="is a classifier, not a detector"):
        MaskDetector("tiny")
