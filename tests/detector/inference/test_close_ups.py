from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from maskdet.chain.evaluation.answers import ask_both
from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.cli import main
from maskdet.detector.evaluation.evaluate import detect_at
from maskdet.detector.evaluation.labelled_split import read_split
from maskdet.detector.inference.close_ups import CloseUps, add_close_ups, read_close_ups, wanted_close_ups
from maskdet.detector.inference.letterbox import Letterbox
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.runtime import ModelSpec
from maskdet.detector.inference.views import Look
from maskdet.errors import MaskdetError, WeightsError
from maskdet.weights import shipped_models


class TwoSizes:
    """A runtime that sees one face at 256 px and two at 64 px, in pictures of 512 × 256.

    At 256 px (half the picture's size) 10 × 10 around (40, 40) with a mask. At 64 px (an eighth): 24 × 24 around
    (32, 16) without, which is 192 of the picture's 512 pixels, and 8 × 8 around (8, 8), which is 64 and an eighth of
    it; at other small inputs the same two, to scale.
    """

    def __init__(self, *, dynamic: bool = True, metadata: dict[str, str] | None = None) -> None:
        self.spec = ModelSpec("two", 256, 32, dynamic, metadata or {})
        self.widths: list[int] = []

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.widths.append(batch.shape[3])
        far = [[40, 40, 10, 10, 0.9, 0.0, 0.0]]
        near = [[32, 16, 24, 24, 0.0, 0.8, 0.3], [8, 8, 8, 8, 0.7, 0.0, 0.0]]
        width = batch.shape[3]
        answer = np.array(far if width == 256 else near, dtype=np.float32)
        answer[:, :4] *= 1 if width == 256 else width / 64
        return np.stack([answer.T] * len(batch))


FAR, NEAR = [70, 70, 90, 90], [160, 32, 352, 224]
PICTURE = np.zeros((256, 512, 3), np.uint8)


@pytest.fixture
def runtime() -> TwoSizes:
    return TwoSizes()


@pytest.fixture
def two_sizes(tmp_path: Path) -> Path:
    """Return a file that answers as ``TwoSizes`` does."""
    onnx = pytest.importorskip("onnx")
    helper, numbers = onnx.helper, onnx.numpy_helper.from_array
    far = np.array([[40, 40, 10, 10, 0.9, 0, 0], [0] * 7], np.float32).T[None]
    near = np.array([[32, 16, 24, 24, 0, 0.8, 0.3], [8, 8, 8, 8, 0.7, 0, 0]], np.float32).T[None]
    stored = {"far": far, "boxes": near[:, :4] / 64, "scores": near[:, 4:], "last": np.array(3), "usual": np.array(256)}
    stored |= {"flat": np.array([-1, 1, 1]), "zero": np.float32(0)}
    nodes = [
        helper.make_node("Shape", ["images"], ["shape"]),
        helper.make_node("Gather", ["shape", "last"], ["width"]),
        helper.make_node("Equal", ["width", "usual"], ["is_far"]),
        helper.make_node("Cast", ["width"], ["scale"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", ["boxes", "scale"], ["scaled"]),
        helper.make_node("Concat", ["scaled", "scores"], ["near"], axis=1),
        helper.make_node("Where", ["is_far", "far", "near"], ["one"]),
        # The same for every picture of the batch.
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3]),
        helper.make_node("Reshape", ["mean", "flat"], ["means"]),
        helper.make_node("Mul", ["means", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "one"], ["output0"]),
    ]
    kind = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("images", kind, ["batch", 3, "height", "width"])],
        [helper.make_tensor_value_info("output0", kind, ["batch", 7, 2])],
        [numbers(np.asarray(value), name) for name, value in stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    names = repr(dict(enumerate(CLASS_NAMES)))
    helper.set_model_props(model, {"names": names, "imgsz": "[256, 256]", "stride": "32", "task": "detect"})
    onnx.save(model, tmp_path / "two.onnx")
    return tmp_path / "two.onnx"


def test_a_face_that_fills_the_picture_joins_the_others(runtime: TwoSizes) -> None:
    (found,) = MaskDetector(runtime=runtime, close_ups=CloseUps(64, 0.25)).detect_arrays([PICTURE])
    np.testing.assert_allclose(found.boxes, [FAR, NEAR])
    assert found.class_ids.tolist() == [0, 1]
    np.testing.assert_allclose(found.confidences, [0.9, 0.8])
    assert runtime.widths == [256, 64]


@pytest.mark.parametrize(("below", "looks"), [(0.89, [256]), (0.91, [256, 64]), (1.0, [256, 64])])
def test_a_picture_with_a_sure_answer_needs_no_second_look(runtime: TwoSizes, below: float, looks: list[int]) -> None:
    # The surest answer of the first look is 0.9.
    (found,) = MaskDetector(runtime=runtime, close_ups=CloseUps(64, 0.25, below)).detect_arrays([PICTURE])
    assert runtime.widths == looks
    assert len(found.boxes) == len(looks)


def test_only_the_unsure_pictures_of_a_batch_are_seen_again(runtime: TwoSizes) -> None:
    detector = MaskDetector(runtime=runtime, close_ups=CloseUps(64, 0.25, 0.5))
    looks = list(detector.look([PICTURE, PICTURE]))
    assert runtime.widths == [256] and [look.close for look in looks] == [None, None]


def test_who_asks_for_close_ups_gets_them_of_every_picture() -> None:
    two = TwoSizes(metadata={"close_ups": '{"imgsz": 64, "share": 0.25, "below": 0.5}'})
    assert MaskDetector(runtime=two).close_ups == CloseUps(64, 0.25, 0.5)
    assert MaskDetector(runtime=two, close_ups=True).close_ups == CloseUps(64, 0.25)


@pytest.mark.parametrize(("wanted", "given"), [(0.15, 0.25), (0.4, 0.4)])
def test_of_every_picture_only_boxes_of_a_certain_size_count(wanted: float, given: float) -> None:
    two = TwoSizes(metadata={"close_ups": f'{{"imgsz": 64, "share": {wanted}, "below": 0.5}}'})
    assert MaskDetector(runtime=two).close_ups == CloseUps(64, wanted, 0.5)
    assert MaskDetector(runtime=two, close_ups=True).close_ups == CloseUps(64, given)


@pytest.mark.parametrize(("share", "faces"), [(0.12, 3), (0.13, 2), (0.374, 2), (0.376, 1)])
def test_what_is_too_small_in_the_second_look_does_not_count(runtime: TwoSizes, share: float, faces: int) -> None:
    # The two faces of the second look are 8 / 64 = .125 and 24 / 64 = .375 of the picture's longer side.
    (found,) = MaskDetector(runtime=runtime, close_ups=CloseUps(64, share)).detect_arrays([PICTURE])
    assert len(found.boxes) == faces


def test_without_them_the_network_runs_once(runtime: TwoSizes) -> None:
    for asked in (None, False):
        detector = MaskDetector(runtime=runtime, close_ups=asked)
        assert detector.close_ups is None
        assert len(detector.detect_arrays([PICTURE])[0].boxes) == 1
    assert runtime.widths == [256, 256]


def test_batches_of_several_shapes_keep_their_order(runtime: TwoSizes) -> None:
    detector = MaskDetector(runtime=runtime, close_ups=CloseUps(64, 0.25))
    pictures = [PICTURE, PICTURE, np.zeros((512, 512, 3), np.uint8), PICTURE]
    counts = [len(found.boxes) for found in detector.detect_arrays(pictures)]
    assert counts == [2, 2, 2, 2]
    assert [len(look.select(conf=0.25, iou=0.7).boxes) for look in detector.look(pictures)] == counts


def test_what_is_scored_has_them_too(runtime: TwoSizes) -> None:
    detector = MaskDetector(runtime=runtime, close_ups=CloseUps(64, 0.25))
    ((every, reported),) = detect_at(detector, [PICTURE], 0.001, 0.7)
    # For average precision the second face stands for its second class too.
    assert every.class_ids.tolist() == [0, 1, 2]
    assert reported.class_ids.tolist() == [0, 1]


def test_compare_has_them_too(runtime: TwoSizes, two_photos: Path, tiny_classifier: Path) -> None:
    # The photos are 64 × 32, a quarter of the input: the first look's face is 2.5 px, the second's 24.
    detector = MaskDetector(runtime=runtime, close_ups=CloseUps(64, 0.25))
    for answer in ask_both(detector, MaskClassifier(tiny_classifier), read_split(two_photos)):
        np.testing.assert_allclose(answer.boxes, [[8.75, 8.75, 11.25, 11.25], [20, 4, 44, 28]])


def test_tiles_leave_faces_that_fill_the_picture_to_the_whole(runtime: TwoSizes) -> None:
    detector = MaskDetector(runtime=runtime, tile=256, close_ups=CloseUps(64, 0.25))
    (found,) = detector.detect_arrays([PICTURE])
    # The whole twice, then three tiles once each: each tile shows its own small face.
    assert runtime.widths == [256, 64, 256, 256, 256]
    assert found.class_ids.tolist() == [0, 0, 0, 1]


def rows(*boxes: tuple[list[float], float, int]) -> Detections:
    return Detections(
        np.array([box for box, _, _ in boxes], np.float32).reshape(-1, 4),
        np.array([confidence for _, confidence, _ in boxes], np.float32),
        np.array([class_id for _, _, class_id in boxes], np.int64),
    )


def test_one_face_seen_twice_is_reported_once() -> None:
    whole, close = rows(([0, 0, 90, 90], 0.6, 0)), rows(([0, 0, 90, 100], 0.9, 0))  # an overlap of .9
    np.testing.assert_allclose(add_close_ups(whole, close, (100, 100), iou=0.7).boxes, [[0, 0, 90, 100]])
    other = rows(([0, 0, 90, 100], 0.9, 1))
    assert len(add_close_ups(whole, other, (100, 100), iou=0.7).boxes) == 2
    assert len(add_close_ups(whole, other, (100, 100), iou=0.7, agnostic=True).boxes) == 1


def test_nothing_to_add_changes_nothing() -> None:
    whole = rows(([0, 0, 90, 90], 0.6, 0), ([0, 0, 90, 60], 0.5, 0))
    assert add_close_ups(whole, rows(), (100, 100), iou=0.1) is whole
    assert len(add_close_ups(rows(), whole, (100, 100), iou=0.7).boxes) == 2


def test_what_a_model_says(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    says = {"close_ups": '{"imgsz": 192, "share": 0.5}'}
    assert wanted_close_ups(path, {}) is None
    assert wanted_close_ups(path, says) == CloseUps(192, 0.5)
    for bad in ("yes", "[]", '{"imgsz": 160}', '{"imgsz": "x", "share": 1}', 3):
        with pytest.raises(WeightsError, match=r"a\.onnx.*must be imgsz and share"):
            read_close_ups(bad, path)
    for bad in ({"imgsz": 8, "share": 0.5}, {"imgsz": 160, "share": 1}, {"imgsz": 160, "share": -0.1}):
        with pytest.raises(WeightsError, match="32 pixels or more"):
            read_close_ups(bad, path)


def test_the_model_decides_and_the_caller_overrides() -> None:
    two = TwoSizes(metadata={"close_ups": '{"imgsz": 50, "share": 0.25}'})
    # Rounded up to the stride, as an input's size always is.
    assert MaskDetector(runtime=two).close_ups == CloseUps(64, 0.25)
    assert MaskDetector(runtime=two, close_ups=True).close_ups == CloseUps(64, 0.25)
    assert MaskDetector(runtime=two, close_ups=False).close_ups is None
    assert MaskDetector(runtime=two, close_ups=CloseUps(96, 0.5)).close_ups == CloseUps(96, 0.5)
    # At a small input there is nothing to look at more closely: a default gives way, a wish is refused.
    assert MaskDetector(runtime=two, imgsz=64).close_ups is None
    with pytest.raises(ValueError, match="close-ups of 64 px need a larger input than 64 px"):
        MaskDetector(runtime=two, imgsz=64, close_ups=True)
    two.spec = ModelSpec("two", 256, 32, False, two.spec.metadata)
    assert MaskDetector(runtime=two).close_ups is None
    with pytest.raises(ValueError, match="exported for 256 px only; close-ups need dynamic=True"):
        MaskDetector(runtime=two, close_ups=True)


def test_the_command_line(two_sizes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import cv2

    path = tmp_path / "a.png"
    path.write_bytes(cv2.imencode(".png", PICTURE)[1].tobytes())
    counts = {}
    for option in ("--close-ups", "--no-close-ups"):
        with pytest.raises(SystemExit) as stop:
            main(["detect", str(path), "--weights", str(two_sizes), option, "--json", "-", "--conf", "0.5"])
        assert stop.value.code == 0
        counts[option] = len(json.loads(capsys.readouterr().out)["detections"])
    # By default the second input is 160 px wide, where this network sees what it sees at 256.
    assert counts == {"--close-ups": 2, "--no-close-ups": 1}


def test_a_look_without_a_second_one_is_the_first() -> None:
    two, detector_size = TwoSizes(), (256, 512)
    letterbox = Letterbox.fit(detector_size, 256)
    raw = two(np.zeros((1, 3, 128, 256), np.float32))[0]
    np.testing.assert_allclose(Look(detector_size, (raw, letterbox)).select(conf=0.25, iou=0.7).boxes, [FAR])


@pytest.mark.parametrize("name", [name for name, model in shipped_models().items() if model.task == "detect"])
def test_a_shipped_file_looks_twice_wherever_it_lies(name: str, tmp_path: Path) -> None:
    shipped = shipped_models()[name]
    copy = tmp_path / "mine.onnx"
    copy.write_bytes(shipped.path.read_bytes())
    looks = MaskDetector(copy).close_ups
    assert looks is not None and looks.below < 1
    assert looks == MaskDetector(name).close_ups
    # What the registry says of it is what the file says.
    assert shipped.card["close_ups"] == looks.to_dict()


def test_val_and_its_command_say_so(two_sizes: Path, two_photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("faster_coco_eval")
    points = {}
    for option in ("--close-ups", "--no-close-ups"):
        with pytest.raises(SystemExit) as stop:
            main(["val", f"data={two_photos}", f"model={two_sizes}", option, "--json", "-"])
        assert stop.value.code == 0
        report = json.loads(capsys.readouterr().out)
        assert report["command"] == f"maskdet val data=set/data.yaml model=two.onnx {option} --json -"
        points[option] = report["operating_point"]["classes"]["without_mask"]["right"]
    # The faces are labelled 20 × 20 in the middle of 64 × 32; the second look says 24 × 24 there, without a mask, and
    # one of the two is: (20 / 24)² is an overlap of .69.
    assert points == {"--close-ups": 1, "--no-close-ups": 0}


@pytest.mark.parametrize("value", [160, None, "yes", {"imgsz": 160}, {"imgsz": 16, "share": 0.2}, ["a"]])
def test_export_takes_yes_no_or_how(value: object) -> None:
    pytest.importorskip("ultralytics")
    pytest.importorskip("onnx")
    from maskdet.detector.export.to_onnx import export

    with pytest.raises(MaskdetError, match=r"close_ups=.*: expected True or False, or how as \{imgsz: 160"):
        export({"model": "x.pt", "close_ups": value})
