"""Model files that lie about themselves, answer what no detector answers, or have other classes than ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.cli import main
from maskdet.detector.inference.model import MaskDetector
from maskdet.errors import WeightsError
from maskdet.sessions.model_file import check_external_data

onnx = pytest.importorskip("onnx")

WriteModel = Callable[..., Path]
GREY = np.full((64, 64, 3), 128, np.uint8)
MANY = np.zeros((1, 30_000, 7), np.float32)
MANY[..., :2] = np.stack(np.divmod(np.arange(30_000), 200), axis=1) % 64
MANY[..., 2:4], MANY[..., 4] = 0.1, 0.9


def write_answer(path: Path, answer: Any, names: Sequence[str] = CLASS_NAMES, **more: Any) -> Path:
    """Write a network that always gives ``answer``: (1, 4 + C, A) or (1, A, 6) float32."""
    helper, kind = onnx.helper, more.get("kind", onnx.TensorProto.FLOAT)
    constant = np.asarray(answer, np.float32)
    gives = more.get("gives", constant.shape)
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Cast", ["mean"], ["number"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", ["number", "nothing"], ["zero"]),
        helper.make_node("Add", ["zero", "constant"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("images", kind, more.get("takes", [1, 3, 64, 64]))],
        [helper.make_tensor_value_info("output0", onnx.TensorProto.FLOAT, gives)],
        [
            onnx.numpy_helper.from_array(np.zeros((), np.float32), "nothing"),
            onnx.numpy_helper.from_array(constant, "constant"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    metadata = {"names": repr(dict(enumerate(names))), "imgsz": "[64, 64]", "stride": "32", "task": "detect"}
    helper.set_model_props(model, metadata | more.get("metadata", {}))
    onnx.save(model, path)
    return path


def rows(*anchors: Sequence[float]) -> Any:
    return np.array([anchors], np.float32).transpose(0, 2, 1)


ONE_FACE = rows([32, 32, 20, 20, 0.1, 0.8, 0.2])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"imgsz": "Infinity"}, "its size"),
        ({"imgsz": "[1000000000, 64]"}, "its size"),
        ({"imgsz": "64.5"}, "its size"),
        ({"imgsz": "-64"}, "its size"),
        ({"imgsz": "NaN"}, "its size"),
        ({"imgsz": "[" * 5000}, "its size"),
        ({"imgsz": "[64, 64, 64]"}, "its size"),
        ({"imgsz": "[]"}, "its size"),
        ({"imgsz": "16"}, "its size"),
        ({"imgsz": "9" * 10_000}, "its size"),
        ({"stride": "0"}, "its stride"),
        ({"stride": "-32"}, "its stride"),
        ({"stride": "1e9"}, "its stride"),
        ({"stride": "257"}, "its stride"),
        ({"names": "-" * 6000 + "1"}, "its names"),
        ({"names": "{" * 6000}, "its names"),
        ({"names": "['a', 'a', 'b']"}, "the same name"),
        ({"names": "{0: 'a', 0: 'b', 2: 'c'}"}, "two names"),
        ({"names": "{0: 'a', 2: 'b', 3: 'c'}"}, "not numbered"),
        ({"names": "{}"}, "not numbered"),
        ({"names": repr(["x" * 300, "b", "c"])}, "no class name"),
        ({"names": repr(["\x1b[31m", "b", "c"])}, "no class name"),
        ({"names": "[print(1), 'b', 'c']"}, "its names"),
        ({"names": "{0: f'{1}', 1: 'b', 2: 'c'}"}, "its names"),
        ({"task": "pose"}, "its task is pose"),
        ({"close_ups": '{"imgsz": Infinity, "share": 0.5}'}, "must be imgsz and share"),
        ({"close_ups": "[" * 100_000}, "must be imgsz and share"),
    ],
)
def test_metadata_that_cannot_be_is_one_line(tmp_path: Path, change: dict[str, str], reason: str) -> None:
    path = write_answer(tmp_path / "lies.onnx", ONE_FACE, metadata=change)
    with pytest.raises(WeightsError, match=reason) as caught:
        MaskDetector(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(caught.value.reason) < 300


@pytest.mark.parametrize(
    "note",
    [
        "[]",
        "[" * 100_000,
        '{"best_f1_conf_per_class": {}}',
        '{"best_f1_conf_per_class": [0.2]}',
        '{"best_f1_conf_per_class": {"with_mask": 0.2, "without_mask": NaN, "mask_weared_incorrect": 0.5}}',
        '{"best_f1_conf_per_class": {"with_mask": 0.2, "without_mask": "x", "mask_weared_incorrect": 0.5}}',
    ],
)
def test_thresholds_that_cannot_be_are_one_line(tmp_path: Path, note: str) -> None:
    path = write_answer(tmp_path / "lies.onnx", ONE_FACE, metadata={"maskdet_calibration": note})
    with pytest.raises(WeightsError, match="not a mask detector"):
        MaskDetector(path, conf="f1")
    with pytest.raises(WeightsError, match="not a mask detector"):
        MaskDetector(path)
    assert MaskDetector(path, conf=0.25).detect(GREY).counts["without_mask"] == 1


@pytest.mark.parametrize(
    ("answer", "options", "reason"),
    [
        (np.zeros((7, 84)), {}, r"it gives \[7, 84\]"),
        (np.zeros((1, 8, 20)), {}, "3 classes need"),
        (np.zeros((2, 7, 20)), {"gives": ["a", "b", "c"]}, r"it answered \[2, 7, 20\] to 1 pictures"),
        (rows([32, 32, 20, 20, 7, 0, 0]), {}, "confidences lie between 0 and 7"),
        (rows([32, 32, 20, 20, -1, 0.5, 0]), {}, "confidences lie between -1"),
        (rows([32, 32, 20, 20, np.nan, 0, 0]), {}, "no numbers"),
        (rows([np.inf, 32, 20, 20, 0.5, 0, 0]), {}, "no numbers"),
        ([[[0, 0, 20, 20, 0.9, 99]]], {}, "class 99"),
        ([[[0, 0, 20, 20, 0.9, -1]]], {}, "class"),
        ([[[0, 0, 20, 20, np.nan, 0]]], {}, "no numbers"),
        (ONE_FACE, {"kind": onnx.TensorProto.INT32}, "floating-point"),
        (ONE_FACE, {"takes": [1, 1, 64, 64]}, "one picture"),
        (ONE_FACE, {"takes": [1, 3, 64]}, "one picture"),
        (ONE_FACE, {"takes": [4, 3, 64, 64]}, "takes 4 pictures at once"),
        (ONE_FACE, {"takes": [1, 3, 64, 128]}, "64×128"),
    ],
)
def test_answers_that_no_detector_gives_are_one_line(
    tmp_path: Path, answer: Any, options: dict[str, Any], reason: str
) -> None:
    path = write_answer(tmp_path / "odd.onnx", answer, **options)
    with pytest.raises(WeightsError, match=reason) as caught:
        MaskDetector(path).detect(GREY)
    assert str(caught.value).startswith(f"{path}: ")


def test_what_goes_wrong_while_it_runs_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_answer(tmp_path / "odd.onnx", ONE_FACE)
    model = onnx.load(path)
    model.graph.node[3].op_type = "Reshape"
    model.graph.node[3].input[:] = ["images", "shape"]
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 7, -1], np.int64), "shape"))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_param = "anchors"
    onnx.save(model, path)
    with pytest.raises(WeightsError, match=r"cannot be run \("):
        MaskDetector(path).detect(np.zeros((32, 64, 3), np.uint8))
    assert capfd.readouterr() == ("", "")


def test_many_boxes_end_at_the_most_that_are_reported(tmp_path: Path) -> None:
    path = write_answer(tmp_path / "many.onnx", MANY.transpose(0, 2, 1))
    assert len(MaskDetector(path).detect(GREY).faces) == 300


def test_half_precision_inputs_are_served(tmp_path: Path) -> None:
    path = write_answer(tmp_path / "half.onnx", ONE_FACE, kind=onnx.TensorProto.FLOAT16)
    assert MaskDetector(path).detect(GREY).counts["without_mask"] == 1


def test_a_batch_of_one_serves_several(tmp_path: Path) -> None:
    path = write_answer(tmp_path / "one.onnx", ONE_FACE, takes=[1, 3, "height", "width"])
    assert [len(found.boxes) for found in MaskDetector(path).detect_arrays([GREY] * 3)] == [1, 1, 1]


@pytest.mark.parametrize(
    "place", ["../secret.bin", "/etc/hostname", "link.bin", "*/_ORT_MEM_ADDR_/*", "gone.bin", "..\\x"]
)
def test_numbers_stay_in_the_folder(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(84))
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    path = write_answer(folder / "parent.onnx", ONE_FACE)
    model = onnx.load(path)
    tensor = model.graph.initializer[1]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=place)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match="keeps its numbers"):
        MaskDetector(path)


def test_numbers_beside_the_file_are_read(tmp_path: Path) -> None:
    path = write_answer(tmp_path / "beside.onnx", ONE_FACE)
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="numbers.bin", size_threshold=0)
    check_external_data(path)
    assert MaskDetector(path).detect(GREY).counts["without_mask"] == 1


def test_numbers_of_inner_graphs_are_looked_at(tmp_path: Path) -> None:
    helper = onnx.helper
    inner = onnx.TensorProto(name="x", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    inner.external_data.add(key="location", value="../secret.bin")
    branch = helper.make_graph([helper.make_node("Constant", [], ["y"], value=inner)], "b", [], [])
    node = helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch)
    path = tmp_path / "inner.onnx"
    path.write_bytes(helper.make_model(helper.make_graph([node], "g", [], [])).SerializeToString())
    with pytest.raises(WeightsError, match=r"'\.\./secret\.bin'"):
        check_external_data(path)


# Other classes: matched by name.


@pytest.mark.parametrize("end_to_end", [False, True])
def test_our_classes_in_another_order_are_put_in_ours(tmp_path: Path, end_to_end: bool) -> None:
    names = ("mask_weared_incorrect", "with_mask", "without_mask")
    answer = [[[22, 22, 42, 42, 0.9, 1]]] if end_to_end else rows([32, 32, 20, 20, 0.1, 0.9, 0.2])
    detector = MaskDetector(write_answer(tmp_path / "order.onnx", answer, names))
    assert detector.names == CLASS_NAMES
    (face,) = detector.detect(GREY).faces
    assert (face.name, face.class_id, face.box) == ("with_mask", 0, (22, 22, 42, 42))


@pytest.mark.parametrize(
    ("names", "compliant"), [(("no_mask", "mask"), 1), (("face", "person"), None), (("mask", "helmet"), None)]
)
def test_results_carry_the_models_own_names(tmp_path: Path, names: tuple[str, ...], compliant: int | None) -> None:
    answer = rows([12, 12, 20, 20, 0.9, 0.1], [50, 50, 20, 20, 0.1, 0.8])
    result = MaskDetector(write_answer(tmp_path / "two.onnx", answer, names)).detect(GREY)
    assert [(face.name, face.class_id) for face in result.faces] == [(names[0], 0), (names[1], 1)]
    content = json.loads(result.to_json())
    assert content["counts"] == {names[0]: 1, names[1]: 1}
    share = None if compliant is None else 0.5
    assert content["summary"] == {"faces": 2, "compliant": compliant, "compliance": share}
    assert type(result).from_json(result.to_json()).to_dict() == content
    assert result.plot().shape == GREY.shape
    assert f"<name>{names[1]}</name>" in result.to_voc()


def detect(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["detect", *map(str, words)])
    return int(ended.value.code or 0)


def test_the_command_serves_eighty_classes(
    tmp_path: Path, write_png: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"../thing {number}" for number in range(80)]
    weights = write_answer(tmp_path / "many.onnx", [[[2, 2, 42, 42, 0.9, 79]]], names)
    out = tmp_path / "out"
    options = ("--weights", weights, "--csv", out / "a.csv", "--coco", out / "a.json", "--save", out / "p")
    out.mkdir()
    assert detect(write_png(), *options, "--save-crops", out / "crops", "--fail-on", "../thing 79") == 1
    assert "../thing 79" in capsys.readouterr().out
    categories = json.loads((out / "a.json").read_text())["categories"]
    assert [len(categories), categories[79]["name"]] == [80, "../thing 79"]
    (crop,) = (out / "crops").rglob("*.png")
    assert crop.parent.parent == out / "crops"
    assert detect(write_png(), "--weights", weights, "--fail-on", "with_mask") == 2
    assert detect(write_png(), "--weights", weights, "--mode", "chain") == 2
    assert "the classifier's are with_mask" in capsys.readouterr().err
    assert detect(write_png(), "--weights", weights, "--alert", "../thing 79>=1", "--quiet") == 0
    assert "alert: ../thing 79>=1" in capsys.readouterr().err


def test_two_classes_are_scored_by_name(tmp_path: Path) -> None:
    pytest.importorskip("faster_coco_eval")
    from maskdet.detector.evaluation.evaluate import evaluate

    for folder in ("images/val", "labels/val"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "images/val/a.png").write_bytes(cv2.imencode(".png", GREY)[1].tobytes())
    (tmp_path / "labels/val/a.txt").write_text("0 0.5 0.5 0.3125 0.3125\n")
    (tmp_path / "data.yaml").write_text("val: images/val\nnames: [with_mask, without_mask, mask_weared_incorrect]\n")
    answer = rows([32, 32, 20, 20, 0.1, 0.9])
    detector = MaskDetector(write_answer(tmp_path / "two.onnx", answer, ("no_mask", "mask")))
    report = evaluate(detector, tmp_path / "data.yaml", resamples=0)
    assert report.ap["all"]["with_mask"].ap50.value == pytest.approx(1)
    other = MaskDetector(write_answer(tmp_path / "other.onnx", answer, ("person", "dog")))
    with pytest.raises(WeightsError, match="its classes are person, dog: scoring matches names"):
        evaluate(other, tmp_path / "data.yaml", resamples=0)
