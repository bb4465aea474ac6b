"""Fixtures shared by all tests: the real data where it is, and small generated things everywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, settings

from maskdet import weights
from maskdet.classes import CLASS_NAMES
from maskdet.detector.inference.runtime import ModelSpec
from maskdet.detector.inference.thresholds import logit
from maskdet.weights import default_model

# Importing an oracle inside a property test takes seconds, once; a busy machine is slow at drawing examples; and every
# run should try the same ones.
settings.register_profile(
    "maskdet", deadline=None, max_examples=50, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("maskdet")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of the public data set, or skip."""
    folder = os.environ.get("MASKDET_DATA")
    if not folder:
        pytest.skip("MASKDET_DATA does not name the data set")
    return Path(folder)


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """Return the shippable example picture: one face without a mask."""
    return ROOT / "examples" / "astronaut.jpg"


@pytest.fixture(scope="session")
def as_exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shipped detector without its calibration: a file to calibrate."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(default_model().path)
    metadata = {entry.key: entry.value for entry in model.metadata_props if entry.key != "maskdet_calibration"}
    onnx.helper.set_model_props(model, metadata)
    named = {node.name: node for node in model.graph.node}
    names = ("maskdet_calibration_scale", "maskdet_calibration_bias")
    if names[0] in named:
        scale, bias = (named[name] for name in names)
        for node in model.graph.node:
            node.input[:] = [scale.input[0] if one == bias.output[0] else one for one in node.input]
        for gone in (scale, bias):
            model.graph.node.remove(gone)
        for initializer in [one for one in model.graph.initializer if one.name in names]:
            model.graph.initializer.remove(initializer)
    path = tmp_path_factory.mktemp("weights") / "plain.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture
def use_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, Any]], Path]:
    """Return a function that lets another registry be the shipped models' and gives its folder."""
    numbers = count()

    def use(registry: Mapping[str, Any]) -> Path:
        folder = tmp_path / f"registry{next(numbers)}"
        folder.mkdir()
        (folder / "models.json").write_text(json.dumps(registry), encoding="utf-8")
        monkeypatch.setattr(weights, "FOLDER", folder)
        return folder

    return use


@pytest.fixture
def write_png(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a plain picture and gives its path."""

    def write(name: str = "plain.png", size: tuple[int, int] = (48, 64), value: int = 128) -> Path:
        image: npt.NDArray[np.uint8] = np.full((*size, 3), value, np.uint8)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
        return path

    return write


@pytest.fixture(scope="session")
def write_classifier() -> Callable[..., Path]:
    """Return a function that writes a classifier whose answer follows from a crop's colour.

    Its logits are ten times the mean of R, G and B, so that pure red is ``with_mask``, pure green ``without_mask`` and
    pure blue ``mask_weared_incorrect``, each with the probability e¹⁰ / (e¹⁰ + 2). Input 8×8, margin ¼, square.
    """
    onnx = pytest.importorskip("onnx")

    def write(path: Path, change: Mapping[str, str | None] | None = None, shape: tuple[int | str, ...] = ()) -> Path:
        helper, kind = onnx.helper, onnx.TensorProto.FLOAT
        nodes = [
            helper.make_node("GlobalAveragePool", ["images"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["means"]),
            helper.make_node("Mul", ["means", "ten"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"]),
        ]
        graph = helper.make_graph(
            nodes,
            "g",
            [helper.make_tensor_value_info("images", kind, shape or ("n", 3, 8, 8))],
            [helper.make_tensor_value_info("probabilities", kind, ("n", 3))],
            [helper.make_tensor("ten", kind, [], [10.0])],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        metadata: dict[str, str | None] = {
            "task": "classify",
            "names": repr(dict(enumerate(CLASS_NAMES))),
            "imgsz": "[8, 8]",
            "margin": "0.25",
            "square": "true",
            "temperature": "1.0",
            **(change or {}),
        }
        helper.set_model_props(model, {key: value for key, value in metadata.items() if value is not None})
        onnx.save(model, path)
        return path

    return write


@pytest.fixture(scope="session")
def write_detector() -> Callable[[Path], Path]:
    """Return a function that writes a detector: a backbone, a head with biases, and a decoding that needs digits.

    It has one anchor for every 32 × 32 px cell. The backbone averages a cell's red and passes it through SiLU, x·σ(x).
    The head's seven channels are four boxes, 320 times that, and three logits, 4 times that minus 2.
    """
    onnx = pytest.importorskip("onnx")

    def write(path: Path) -> Path:
        helper, kind = onnx.helper, onnx.TensorProto.FLOAT
        backbone = np.zeros((4, 3, 32, 32), np.float32)
        backbone[:, 0] = 1 / 1024
        head = np.zeros((7, 4, 1, 1), np.float32)
        head[:4, 0], head[4:, 0] = 320, 4
        nodes = [
            helper.make_node("Conv", ["images", "w1", "b1"], ["mean"], strides=[32, 32]),
            helper.make_node("Sigmoid", ["mean"], ["gate"]),
            helper.make_node("Mul", ["mean", "gate"], ["silu"], name="silu"),
            helper.make_node("Conv", ["silu", "w2", "b2"], ["maps"], name="head"),
            helper.make_node("Reshape", ["maps", "flat"], ["rows"], name="rows"),
            helper.make_node("Split", ["rows", "parts"], ["boxes", "logits"], name="split", axis=1),
            helper.make_node("Sigmoid", ["logits"], ["scores"], name="scores"),
            helper.make_node("Concat", ["boxes", "scores"], ["output0"], name="join", axis=1),
        ]
        graph = helper.make_graph(
            nodes,
            "g",
            [helper.make_tensor_value_info("images", kind, ["batch", 3, "height", "width"])],
            [helper.make_tensor_value_info("output0", kind, ["batch", 7, "anchors"])],
            [
                onnx.numpy_helper.from_array(backbone, "w1"),
                onnx.numpy_helper.from_array(np.zeros(4, np.float32), "b1"),
                onnx.numpy_helper.from_array(head, "w2"),
                onnx.numpy_helper.from_array(np.array([0, 0, 0, 0, -2, -2, -2], np.float32), "b2"),
                onnx.numpy_helper.from_array(np.array([0, 7, -1], np.int64), "flat"),
                onnx.numpy_helper.from_array(np.array([4, 3], np.int64), "parts"),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
        metadata = {"names": repr(dict(enumerate(CLASS_NAMES))), "imgsz": "[64, 64]", "stride": "32", "task": "detect"}
        helper.set_model_props(model, {**metadata, "maskdet": '{"schema": "maskdet-model/1"}'})
        onnx.save(model, path)
        return path

    return write


@pytest.fixture(scope="session")
def tiny_classifier(write_classifier: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of such a classifier, called ``tiny``."""
    return write_classifier(tmp_path_factory.mktemp("weights") / "tiny.onnx")


@pytest.fixture
def write_video(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a video of plain grey frames, frame n of brightness 10 n, and gives its path."""

    def write(name: str = "clip.avi", frames: int = 6, size: tuple[int, int] = (48, 64), fps: float = 10) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        codec = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, fps, (size[1], size[0]))
        assert writer.isOpened()
        for number in range(frames):
            writer.write(np.full((*size, 3), number * 10, np.uint8))
        writer.release()
        return path

    return write


@pytest.fixture(scope="session")
def write_constant() -> Callable[..., Path]:
    """Return a function that writes a detector which gives the same answer to every picture.

    It takes the rows of the answer, one an anchor: the middle of a box, its width and height in pixels of the input,
    and a probability a class; what else its file says; the classes; and whether a sigmoid makes the probabilities, as
    in a network that was trained. Its input is 64 px, and its stride 32.
    """
    onnx = pytest.importorskip("onnx")

    def write(
        path: Path,
        rows: Sequence[Sequence[float]],
        metadata: Mapping[str, str] | None = None,
        names: Sequence[str] = CLASS_NAMES,
        sigmoid: bool = False,
    ) -> Path:
        helper, kind = onnx.helper, onnx.TensorProto.FLOAT
        answer = np.array(rows, np.float32).T[None]
        given = answer.copy()
        if sigmoid:
            given[:, 4:] = logit(np.array(rows).T[None, 4:])
        nodes = [
            helper.make_node("ReduceMean", ["images"], ["means"], axes=[1, 2, 3], keepdims=1),
            helper.make_node("Reshape", ["means", "flat"], ["means_flat"]),
            helper.make_node("Mul", ["means_flat", "zero"], ["nothing"]),
            helper.make_node("Add", ["nothing", "answer"], ["whole" if sigmoid else "output0"]),
        ]
        if sigmoid:
            nodes += [
                helper.make_node("Split", ["whole", "parts"], ["boxes", "logits"], axis=1),
                helper.make_node("Sigmoid", ["logits"], ["scores"]),
                helper.make_node("Concat", ["boxes", "scores"], ["output0"], axis=1),
            ]
        graph = helper.make_graph(
            nodes,
            "g",
            [helper.make_tensor_value_info("images", kind, ["batch", 3, "height", "width"])],
            [helper.make_tensor_value_info("output0", kind, ["batch", answer.shape[1], answer.shape[2]])],
            [
                onnx.numpy_helper.from_array(np.array([-1, 1, 1], np.int64), "flat"),
                onnx.numpy_helper.from_array(np.zeros((), np.float32), "zero"),
                onnx.numpy_helper.from_array(np.array([4, answer.shape[1] - 4], np.int64), "parts"),
                onnx.numpy_helper.from_array(given, "answer"),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        said = {"names": repr(dict(enumerate(names))), "imgsz": "[64, 64]", "stride": "32", "task": "detect"}
        helper.set_model_props(model, {**said, **(metadata or {})})
        onnx.save(model, path)
        return path

    return write


#: One face, 20 × 20 px around the middle of a 64 × 32 px input, always with a mask. A second anchor on the same face
#: says ``without_mask`` with 0.3, and is all that NMS over all classes drops.
SURE_OF_MASKS: Final = [[32, 16, 20, 20, 0.8, 0.2, 0.0], [32, 16, 20, 20, 0.0, 0.3, 0.0]]


class SureOfMasks:
    """A runtime that answers so."""

    spec = ModelSpec("fixed", 64, 32, True, {})

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.stack([np.array(SURE_OF_MASKS, dtype=np.float32).T] * len(batch))


@pytest.fixture
def sure_of_masks(tmp_path: Path, write_constant: Callable[..., Path]) -> Path:
    """Return the file of a detector that answers so."""
    return write_constant(tmp_path / "sure.onnx", SURE_OF_MASKS)


@pytest.fixture
def two_photos(tmp_path: Path) -> Path:
    """Return a data set: ``a`` is all green and its face labelled ``without_mask``, ``b`` all red, ``with_mask``.

    A classifier that goes by colour is right on both; a detector that always says ``with_mask``, on the second.
    """
    root = tmp_path / "set"
    for folder in ("images/val", "labels/val"):
        (root / folder).mkdir(parents=True)
    for stem, class_id, channel in (("a", 1, 1), ("b", 0, 2)):
        image = np.zeros((32, 64, 3), np.uint8)
        image[..., channel] = 255
        (root / f"images/val/{stem}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
        (root / f"labels/val/{stem}.txt").write_text(f"{class_id} 0.5 0.5 0.3125 0.625\n")
    (root / "data.yaml").write_text("val: images/val\nnames: [with_mask, without_mask, mask_weared_incorrect]\n")
    return root


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return Debian's Chromium, driven by playwright, whose camera pans over the example picture; or skip.

    It is closed with the module: while it is open, no test can run an event loop of its own.
    """
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        from write_screenshots import launch_chromium, write_camera
    camera = write_camera(tmp_path_factory.mktemp("camera") / "crew.y4m")
    with api.sync_playwright() as driver:
        try:
            browser = launch_chromium(driver, camera)
        except FileNotFoundError as error:
            pytest.skip(str(error))
        yield browser
        browser.close()


Box = tuple[str, float, float, float, float]
MakeVoc = Callable[..., Path]


def noise_picture(seed: int, size: tuple[int, int] = (96, 64)) -> npt.NDArray[np.uint8]:
    """Blurred noise with strong structure: no two seeds look alike, and there are corners to match."""
    width, height = size
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(2, height // 8), max(2, width // 8), 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)


def write_picture(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())


def voc_xml(boxes: Sequence[Box], *, filename: str | None = "x.jpg", size: tuple[int, int] | None = (96, 64)) -> str:
    parts = ["<annotation>"]
    if filename is not None:
        parts.append(f"  <filename>{escape(filename)}</filename>")
    if size is not None:
        parts.append(f"  <size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>")
    for name, x1, y1, x2, y2 in boxes:
        parts.append("  <object>")
        parts.append(f"    <name>{escape(name)}</name>")
        corners = f"<xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
        parts.append(f"    <bndbox>{corners}</bndbox>")
        parts.append("  </object>")
    return "\n".join([*parts, "</annotation>"])


@pytest.fixture
def make_voc(tmp_path: Path) -> MakeVoc:
    """Return a maker of VOC data sets: ``make_voc({"a": [boxes]}, layout="kaggle")`` gives the root folder."""

    def make(
        photos: dict[str, Sequence[Box]], *, layout: str = "kaggle", suffix: str = ".jpg", name: str = "voc set",
        draw: Callable[[int], npt.NDArray[np.uint8]] = noise_picture,
    ) -> Path:  # fmt: skip
        root = tmp_path / name
        folders = {"kaggle": ("annotations", "images"), "voc": ("Annotations", "JPEGImages"), "flat": ("", "")}
        annotations, images = (root / folder for folder in folders[layout])
        annotations.mkdir(parents=True, exist_ok=True)
        for number, (stem, boxes) in enumerate(photos.items()):
            pixels = draw(number)
            write_picture(images / f"{stem}{suffix}", pixels)
            xml = voc_xml(boxes, filename=f"{stem}{suffix}", size=(pixels.shape[1], pixels.shape[0]))
            (annotations / f"{stem}.xml").write_text(xml, encoding="utf-8")
        return root

    return make
