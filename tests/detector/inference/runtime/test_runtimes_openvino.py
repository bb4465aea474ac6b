"""OpenVINO: the same answers as ONNX Runtime, from an ONNX file and from a folder, and one line about bad ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import yaml

from maskdet.classes import CLASS_NAMES
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import box_iou
from maskdet.detector.inference.runtime import OpenVinoRuntime
from maskdet.errors import DeviceError, MissingExtraError, WeightsError
from maskdet.imaging.decode import decode_file
from maskdet.weights import default_model

openvino = pytest.importorskip("openvino")

Picture = npt.NDArray[np.uint8]
WriteModel = Callable[..., Path]

#: Both runtimes compute in float32, in another order.
BOX_PX, CONFIDENCE = 0.05, 1e-3

#: bfloat16 keeps 8 bits of each number: what docs/runtimes.md promises of a face found with confidence .25.
BF16_IOU, BF16_CONFIDENCE, BF16_MEAN = 0.85, 0.1, 0.01

needs_bf16 = pytest.mark.skipif(
    "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"), reason="processor without bfloat16"
)


def write_folder(onnx: Path, folder: Path, change: dict[str, Any] | None = None) -> Path:
    """Write a folder as ``yolo export format=openvino`` does: its own metadata is YAML, with values of every type."""
    folder.mkdir()
    model = openvino.Core().read_model(onnx)
    openvino.save_model(model, folder / f"{onnx.stem}.xml", compress_to_fp16=False)
    metadata = {"task": "detect", "stride": 32, "imgsz": [64, 64], "names": dict(enumerate(CLASS_NAMES))}
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata | (change or {})))
    return folder


@pytest.fixture(scope="module")
def by_onnx() -> MaskDetector:
    return MaskDetector(imgsz=256, conf=0.05)


@pytest.fixture(scope="module")
def by_openvino() -> MaskDetector:
    return MaskDetector(imgsz=256, conf=0.05, runtime="openvino")


def assert_same(one: MaskDetector, two: MaskDetector, pictures: list[Picture]) -> int:
    """Compare all detections, and return how many there were."""
    boxes = 0
    for first, second in zip(one.detect_arrays(pictures), two.detect_arrays(pictures), strict=True):
        np.testing.assert_array_equal(second.class_ids, first.class_ids)
        np.testing.assert_allclose(second.boxes, first.boxes, rtol=0, atol=BOX_PX)
        np.testing.assert_allclose(second.confidences, first.confidences, rtol=0, atol=CONFIDENCE)
        boxes += len(first.boxes)
    return boxes


def test_same_detections_as_onnx_runtime(by_onnx: MaskDetector, by_openvino: MaskDetector, astronaut: Path) -> None:
    face = decode_file(astronaut)
    rng = np.random.default_rng(0)
    noise = cv2.resize(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8), (400, 300), interpolation=cv2.INTER_CUBIC)
    # Two of one shape run as a batch; the others are a wide, a tall and a generated picture.
    pictures: list[Picture] = [face, face[:, ::-1].copy(), face[:300], face[:, 100:400].copy(), noise]
    assert assert_same(by_onnx, by_openvino, pictures) >= 4


def test_same_detections_on_real_photos(by_onnx: MaskDetector, by_openvino: MaskDetector, real_data: Path) -> None:
    photos = sorted((real_data / "images").iterdir())[:10]
    assert assert_same(by_onnx, by_openvino, [decode_file(photo) for photo in photos]) >= 20


def assert_near(exact: MaskDetector, rounded: MaskDetector, pictures: list[Picture]) -> int:
    """Look for every face of ``exact`` among those of ``rounded``, also just below its threshold; return how many."""
    differences: list[float] = []
    lower = exact.info.conf - BF16_CONFIDENCE
    for first, second in zip(exact.detect_arrays(pictures), rounded.detect_arrays(pictures, conf=lower), strict=True):
        for box, confidence, class_id in zip(first.boxes, first.confidences, first.class_ids, strict=True):
            same = second.class_ids == class_id
            overlaps = box_iou(box[None].astype(float), second.boxes[same].astype(float))[0]
            assert overlaps.max(initial=0) >= BF16_IOU
            differences.append(abs(float(second.confidences[same][overlaps.argmax()] - confidence)))
    assert max(differences) <= BF16_CONFIDENCE
    assert np.mean(differences) <= BF16_MEAN
    return len(differences)


@needs_bf16
def test_bfloat16_finds_the_same_faces(astronaut: Path) -> None:
    exact, rounded = MaskDetector(), MaskDetector(precision="bf16")
    assert isinstance(rounded.runtime, OpenVinoRuntime)
    face = decode_file(astronaut)
    pictures: list[Picture] = [face, face[:, ::-1].copy(), decode_file(astronaut.with_name("crew.jpg"))]
    assert assert_near(exact, rounded, pictures) >= 5
    batch = np.random.default_rng(0).random((1, 3, 64, 64), dtype=np.float32)
    # It did compute in bfloat16: float32 would differ by less than a hundredth of this.
    assert np.abs(exact.runtime(batch) - rounded.runtime(batch)).max() > 0.05


@needs_bf16
def test_bfloat16_finds_the_same_faces_on_real_photos(real_data: Path) -> None:
    pictures = [decode_file(photo) for photo in sorted((real_data / "images").iterdir())[:30]]
    assert assert_near(MaskDetector(), MaskDetector(precision="bf16"), pictures) >= 60


def test_float32_is_asked_for_by_default_and_bfloat16_where_it_is_there(
    tmp_path: Path, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_model(tmp_path / "tiny.onnx")
    asked: list[Any] = []
    compile_model = openvino.Core.compile_model

    def spy(self: Any, model: Any, device: str, settings: dict[str, Any]) -> Any:
        asked.append(settings["INFERENCE_PRECISION_HINT"])
        return compile_model(self, model, device, settings)

    monkeypatch.setattr(openvino.Core, "compile_model", spy)
    for able in (["FP32", "BF16"], ["FP32"]):
        monkeypatch.setattr(openvino.Core, "get_property", lambda *_, able=able: able)
        OpenVinoRuntime(path, name="tiny")
        if "BF16" in able:
            OpenVinoRuntime(path, name="tiny", precision="bf16")
        else:
            with pytest.raises(DeviceError, match="precision bf16: this CPU cannot compute in bfloat16; use fp32"):
                OpenVinoRuntime(path, name="tiny", precision="bf16")
    assert asked == ["f32", "bf16", "f32"]


def test_the_onnx_file_tells_openvino_the_same(by_onnx: MaskDetector, by_openvino: MaskDetector) -> None:
    assert by_openvino.runtime.spec == by_onnx.runtime.spec
    assert by_openvino.info == by_onnx.info


def test_one_detector_in_four_threads(by_openvino: MaskDetector, astronaut: Path) -> None:
    face = decode_file(astronaut)
    parts: list[Picture] = [face, face[:, ::-1].copy(), face[:300], face[:, 100:400].copy()]
    alone = [by_openvino.detect(part).faces for part in parts]
    answers: dict[int, Any] = {}

    def work(start: int) -> None:
        order = [(start + step) % 4 for step in range(4)]
        found = {index: by_openvino.detect(parts[index]).faces for index in order}
        answers[start] = [found[index] for index in range(4)]

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == dict.fromkeys(range(4), alone)


def test_an_answer_outlives_the_next_call(by_openvino: MaskDetector) -> None:
    runtime = by_openvino.runtime
    dark = runtime(np.zeros((1, 3, 64, 64), np.float32))
    kept = dark.copy()
    runtime(np.ones((1, 3, 64, 64), np.float32))
    np.testing.assert_array_equal(dark, kept)


@pytest.mark.parametrize("named", ["tiny_openvino_model", "tiny_openvino_model/tiny.xml"])
def test_a_folder_of_fixed_shape(tmp_path: Path, write_model: WriteModel, named: str) -> None:
    folder = write_folder(write_model(tmp_path / "tiny.onnx", None), tmp_path / "tiny_openvino_model")
    detector = MaskDetector(tmp_path / named)
    assert isinstance(detector.runtime, OpenVinoRuntime)
    assert (detector.info.name, detector.info.imgsz, detector.runtime.spec.dynamic) == ("tiny", 64, False)
    assert [len(found.boxes) for found in detector.detect_arrays([np.zeros((10, 20, 3), np.uint8)] * 2)] == [0, 0]
    with pytest.raises(ValueError, match="exported for 64 px only"):
        MaskDetector(folder, imgsz=96)


def test_a_folder_of_free_shape(tmp_path: Path, write_model: WriteModel) -> None:
    onnx = write_model(tmp_path / "tiny.onnx", {}, dynamic=True)
    detector = MaskDetector(write_folder(onnx, tmp_path / "folder"), imgsz=128)
    assert detector.runtime.spec.dynamic
    assert detector.letterbox(np.zeros((10, 20, 3), np.uint8)).padded == (64, 128)
    assert len(detector.detect_arrays([np.zeros((10, 20, 3), np.uint8)])[0].boxes) == 0


def test_a_model_converted_from_our_onnx_needs_no_yaml(tmp_path: Path, write_model: WriteModel) -> None:
    folder = write_folder(write_model(tmp_path / "tiny.onnx"), tmp_path / "folder")
    (folder / "metadata.yaml").unlink()
    assert MaskDetector(folder).info.imgsz == 64


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: (folder / "tiny.xml").unlink(), "not an OpenVINO folder: no .xml files in it"),
        (lambda folder: shutil.copy(folder / "tiny.xml", folder / "b.xml"), "not an OpenVINO folder: 2 .xml files"),
        (lambda folder: (folder / "tiny.xml").write_text("hello"), "not an OpenVINO model"),
        (lambda folder: (folder / "tiny.bin").unlink(), "tiny.bin is missing"),
        (lambda folder: (folder / "metadata.yaml").unlink(), "no class names, size and stride"),
        (lambda folder: (folder / "metadata.yaml").write_text("names: [a"), "cannot be read as YAML"),
        (lambda folder: (folder / "metadata.yaml").write_text("hello"), "no class names, size and stride"),
    ],
    ids=["no xml", "two", "damaged", "no bin", "no metadata", "bad metadata", "other metadata"],
)
def test_folders_that_are_none(
    tmp_path: Path, write_model: WriteModel, spoil: Callable[[Path], object], reason: str
) -> None:
    folder = write_folder(write_model(tmp_path / "tiny.onnx", None), tmp_path / "folder")
    spoil(folder)
    with pytest.raises(WeightsError) as caught:
        MaskDetector(folder)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_classes_and_tasks(tmp_path: Path, write_model: WriteModel) -> None:
    onnx = write_model(tmp_path / "tiny.onnx", None)
    with pytest.raises(WeightsError, match=r"1 classes need 4 \+ 1 rows"):
        MaskDetector(write_folder(onnx, tmp_path / "person", {"names": {0: "person"}}))
    with pytest.raises(WeightsError, match="its task is segment"):
        MaskDetector(write_folder(onnx, tmp_path / "segment", {"task": "segment"}))


def test_a_damaged_onnx_file_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "text.onnx"
    path.write_bytes(b"hello")
    with pytest.raises(WeightsError, match="not an ONNX model") as caught:
        OpenVinoRuntime(path, name="text")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""  # OpenVINO's other readers would have printed what they think of it


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match="OpenVINO finds no NOTHING here, only CPU"):
        OpenVinoRuntime(default_model().path, name="n", device="openvino:NOTHING")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'maskdet\[openvino\]'"):
        MaskDetector(runtime="openvino")


def test_the_classifier_answers_alike(tiny_classifier: Path) -> None:
    from maskdet.classifier.inference.model import MaskClassifier

    rng = np.random.default_rng(1)
    crops = [rng.integers(0, 256, (20, 30, 3), dtype=np.uint8) for _ in range(3)]
    expected = MaskClassifier(tiny_classifier).probabilities(crops)
    np.testing.assert_allclose(
        MaskClassifier(tiny_classifier, runtime="openvino").probabilities(crops), expected, rtol=0, atol=1e-6
    )


def test_a_signal_after_detectors_are_gone_is_no_crash(tmp_path: Path, write_model: WriteModel) -> None:
    folder = write_folder(write_model(tmp_path / "tiny.onnx"), tmp_path / "folder")
    code = f"""
import gc, signal
from maskdet import MaskDetector
detectors = [MaskDetector({str(folder)!r}) for _ in range(3)]
while detectors:
    del detectors[0]
    gc.collect()
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
