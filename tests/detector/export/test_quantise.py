from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.cli import main
from maskdet.detector.export.quantise import Quantised, float_tail, quantise, score_branches
from maskdet.detector.export.to_onnx import export_int8
from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.errors import DatasetError, MaskdetError, WeightsError

onnx = pytest.importorskip("onnx")

WriteDetector = Callable[[Path], Path]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data.yaml whose train is four photos of noise, dark left and bright right, and whose val is missing."""
    folder = tmp_path / "set" / "images" / "train"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(4):
        pixels = rng.integers(0, 128, (64, 64, 3), dtype=np.uint8)
        pixels[:, 32:] += 128
        (folder / f"{number}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    path = tmp_path / "set" / "data.yaml"
    path.write_text(f"train: images/train\nval: images/gone\nnames: [{', '.join(CLASS_NAMES)}]\n")
    return path


@pytest.fixture
def made(write_detector: WriteDetector, tmp_path: Path, data: Path) -> Quantised:
    """Return the tiny detector, quantised on three of the photos."""
    return quantise(write_detector(tmp_path / "tiny.onnx"), data, photos=3)


def test_the_file_lies_beside_its_source_and_says_what_was_done(made: Quantised, tmp_path: Path) -> None:
    assert made.path == tmp_path / "tiny-int8.onnx"
    assert (made.bytes_before, made.bytes_after) == tuple(
        (tmp_path / name).stat().st_size for name in ("tiny.onnx", "tiny-int8.onnx")
    )
    metadata = OnnxRuntime(made.path, name="tiny").spec.metadata
    source = OnnxRuntime(tmp_path / "tiny.onnx", name="tiny").spec.metadata
    note = json.loads(metadata["maskdet_int8"])
    assert {key: value for key, value in metadata.items() if key != "maskdet_int8"} == source
    assert (note["data"], note["calibration_photos"], note["calibration_split"]) == ("set", 3, "train")
    assert note["float"] == "these convolutions, and what follows them: head"
    assert str(tmp_path) not in metadata["maskdet_int8"]


def test_it_answers_nearly_alike_at_every_shape(made: Quantised, tmp_path: Path) -> None:
    before, after = (OnnxRuntime(tmp_path / name, name="x") for name in ("tiny.onnx", "tiny-int8.onnx"))
    assert after.spec.dynamic
    for shape in ((1, 3, 64, 64), (2, 3, 32, 96)):
        batch = np.random.default_rng(1).random(shape, dtype=np.float32)
        one, two = before(batch), after(batch)
        assert one.shape == two.shape == (shape[0], 7, shape[2] * shape[3] // 1024)
        # Noise averages to ½: boxes 320 · ½ · σ(½) ≈ 99.6 px, scores σ(4 · ½ · σ(½) - 2) ≈ 0.32. One scale for both
        # would have steps of 99.6 / 255 ≈ 0.4.
        assert one[:, :4].mean() == pytest.approx(99.6, abs=3)
        assert np.abs(one[:, :4] - two[:, :4]).max() < 3
        assert np.abs(one[:, 4:] - two[:, 4:]).max() < 0.02


def test_convolutions_before_the_head_are_int8_and_the_head_is_not(made: Quantised) -> None:
    graph = onnx.load(made.path).graph
    makers = {output: node.op_type for node in graph.node for output in node.output}
    first, head = (node for node in graph.node if node.op_type == "Conv")
    assert [makers.get(name) for name in first.input] == ["DequantizeLinear"] * 3
    assert head.input[1] not in makers  # weights as they were
    assert makers[next(node for node in graph.node if node.name == "join").input[0]] == "Split"


def test_the_float_tail_stops_at_biased_convolutions_and_at_shapes() -> None:
    node = onnx.helper.make_node
    nodes = [
        node("Conv", ["images", "w", "b"], ["features"], name="backbone"),
        node("Shape", ["features"], ["shape"], name="shape"),
        node("Conv", ["features", "w", "b"], ["distribution"], name="last"),
        node("Conv", ["distribution", "w"], ["distance"], name="dfl"),
        node("Reshape", ["distance", "shape"], ["output0"], name="decode"),
    ]
    assert float_tail(nodes, ["output0"]) == (["last", "dfl", "decode"], ["last"])


def test_what_leads_to_the_logits_is_known_by_its_channels() -> None:
    node, array = onnx.helper.make_node, onnx.numpy_helper.from_array
    nodes = [
        node("Conv", ["images", "w8", "b"], ["features"], name="backbone"),
        node("Conv", ["features", "w8", "b"], ["hidden"], name="hidden"),
        node("Sigmoid", ["hidden"], ["gate"], name="gate"),
        node("Mul", ["hidden", "gate"], ["active"], name="act"),
        node("Conv", ["active", "w3", "b"], ["logits"], name="logits"),
        node("Conv", ["features", "w8", "b"], ["distribution"], name="boxes"),
    ]
    stored = [array(np.zeros((channels, 8, 1, 1), np.float32), f"w{channels}") for channels in (3, 8)]
    graph = onnx.helper.make_graph(nodes, "g", [], [], stored)
    assert score_branches(graph, ["logits", "boxes"], 3) == (["hidden", "gate", "act"], ["hidden"])
    assert score_branches(graph, ["boxes"], 3) == ([], [])


def test_only_training_photos_are_read(made: Quantised, data: Path) -> None:
    assert not (data.parent / "images" / "gone").exists()
    assert made.photos == 3


def test_the_command(
    write_detector: WriteDetector, tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_detector(tmp_path / "tiny.onnx")
    for words in (["int8=True"], ["--int8"]):
        with pytest.raises(SystemExit) as stop:
            main(["export", f"model={path}", f"data={data}", "calibration_photos=2", *words])
        out, err = capsys.readouterr()
        assert stop.value.code == 0, err
        assert out.startswith(f"{tmp_path / 'tiny-int8.onnx'}  (")
        assert "times as fast" in err
        assert f"maskdet val model={tmp_path / 'tiny-int8.onnx'} data={data}" in err
        (tmp_path / "tiny-int8.onnx").unlink()


def test_what_cannot_be_quantised_is_refused_in_one_line(made: Quantised, tmp_path: Path, data: Path) -> None:
    tiny = {"model": str(tmp_path / "tiny.onnx"), "data": str(data)}
    with pytest.raises(MaskdetError, match=r"^int8=True sets its ranges on training photos: give data="):
        export_int8({"model": tiny["model"]})
    with pytest.raises(WeightsError, match=r"tiny-int8\.onnx: is quantised already"):
        export_int8({**tiny, "model": str(made.path)})
    with pytest.raises(MaskdetError, match=r"^imgsz= is for a \.pt file"):
        export_int8({**tiny, "imgsz": 32})
    with pytest.raises(MaskdetError, match=r"^calibration_photos=0: expected a whole number"):
        export_int8({**tiny, "calibration_photos": 0})
    with pytest.raises(WeightsError, match=r"gone\.onnx: no such file"):
        export_int8({**tiny, "model": str(tmp_path / "gone.onnx")})
    with pytest.raises(DatasetError, match=r"data\.yaml: no such file"):
        export_int8({**tiny, "data": str(tmp_path)})


def test_an_empty_training_split_is_refused(write_detector: WriteDetector, tmp_path: Path, data: Path) -> None:
    for photo in (data.parent / "images" / "train").iterdir():
        photo.unlink()
    with pytest.raises(DatasetError, match=r"data\.yaml: has no photos in its split 'train'"):
        quantise(write_detector(tmp_path / "tiny.onnx"), data)


def test_a_classifier_is_refused(write_classifier: Callable[..., Path], tmp_path: Path, data: Path) -> None:
    with pytest.raises(WeightsError, match="is a classifier"):
        quantise(write_classifier(tmp_path / "c.onnx"), data)
