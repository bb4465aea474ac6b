from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.photos.seen import KEY, marks_of
from maskdet.detector.export.to_onnx import export
from maskdet.detector.inference.close_ups import CloseUps
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.runtime import load_runtime
from maskdet.detector.training.arguments import parse_arguments
from maskdet.detector.training.data import read_training_data
from maskdet.detector.training.train import read_recipe, train
from maskdet.errors import DatasetError, DeviceError, MaskdetError, WeightsError
from maskdet.sessions.processor import has_bf16, usable_cores


def test_arguments_are_yaml() -> None:
    words = ["epochs=3", "device=0,1", "resume=True", "lr0=0.01", "name=x", "freeze=[0, 1]", "data=C:\\x\\data.yaml"]
    assert parse_arguments(words) == {
        "epochs": 3,
        "device": "0,1",
        "resume": True,
        "lr0": 0.01,
        "name": "x",
        "freeze": [0, 1],
        "data": "C:\\x\\data.yaml",
    }
    with pytest.raises(MaskdetError, match="epochs: expected key=value"):
        parse_arguments(["epochs"])


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000, "!!bool maybe", "2001-99-99", "*a", "a: b: c", "\\x"])
def test_a_value_that_is_no_yaml_stays_text(value: str) -> None:
    assert parse_arguments([f"project={value}"]) == {"project": value}


def test_recipe_holds_only_known_keys_that_differ() -> None:
    config = pytest.importorskip("ultralytics.cfg").DEFAULT_CFG_DICT
    own = {"early_imgsz", "early_share", "close_up", "rare_photo", "paste_rare", "slip_mask", "poor_camera"}
    for key, value in read_recipe().items():
        assert key in own or config[key] != value, key


def test_bf16_is_read_from_the_flags(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    for flags, expected in (("fpu avx2", False), ("avx512f avx512_bf16", True), ("amx_bf16 amx_tile", True)):
        file.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
        assert has_bf16(file) is expected
    assert has_bf16(tmp_path / "gone") is False
    assert usable_cores() >= 1


def settings(data_yaml: Path, folder: Path, **changes: Any) -> dict[str, Any]:
    plain = {
        "model": "yolov8n.yaml",
        "data": str(data_yaml),
        "imgsz": 64,
        "early_imgsz": 0.5,
        "epochs": 2,
        "batch": 2,
        "device": "cpu",
        "plots": False,
        "project": str(folder),
        "name": "run",
    }
    return plain | changes


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_train_then_export_then_detect(tiny_data: Path, tmp_path: Path, bf16: bool) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("ultralytics")
    sizes: list[tuple[int, int]] = []
    from maskdet.detector.training.trainer import MaskTrainer

    original = MaskTrainer.preprocess_batch

    def watch(self: MaskTrainer, batch: dict[str, Any]) -> dict[str, Any]:
        batch = original(self, batch)
        sizes.append((self.epoch, batch["img"].shape[-1]))
        assert batch["img"].is_contiguous(memory_format=torch.channels_last) or not bf16
        assert torch.get_num_threads() == usable_cores()
        return batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MaskTrainer, "preprocess_batch", watch)
        folder = train(settings(tiny_data, tmp_path, cpu_bf16=bf16))
    assert sizes == [(0, 32), (0, 32), (1, 64), (1, 64)]
    assert yaml.safe_load((folder / "maskdet.yaml").read_text())["early_imgsz"] == 0.5
    how = {"imgsz": 32, "share": 0.25, "below": 0.5}
    target, parity, rewritten = export({"model": str(folder / "weights" / "last.pt"), "close_ups": how})
    assert parity.holds
    assert MaskDetector(target).close_ups == CloseUps(32, 0.25, 0.5)
    # What the detector has seen goes with it: the photos of train.
    trained = marks_of((tiny_data.parent / "images" / "train").iterdir())
    assert MaskDetector(target).metadata[KEY] == trained
    assert rewritten == 11  # see rewrites/test_layout.py
    image = cv2.imread(str(next((tiny_data.parent / "images" / "val").iterdir())))
    # Without a threshold every anchor is a box: the best confidences must agree, whichever file answers.
    best = [
        MaskDetector(path, conf=0, iou=1, close_ups=False)
        .detect_arrays([np.asarray(image, np.uint8)])[0]
        .confidences[:50]
        for path in (target, folder / "weights" / "last.pt")
    ]
    np.testing.assert_allclose(best[0], best[1], atol=1e-3)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_an_interrupted_run_goes_on_where_it_stopped(tiny_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    torch = pytest.importorskip("torch")
    from maskdet.detector.training.trainer import MaskTrainer

    seen: list[tuple[int, int]] = []
    original = MaskTrainer.preprocess_batch

    def interrupt(self: MaskTrainer, batch: dict[str, Any]) -> dict[str, Any]:
        if self.epoch == 1 and len(seen) == 2:
            seen.append((0, 0))
            raise KeyboardInterrupt
        batch = original(self, batch)
        seen.append((self.epoch, batch["img"].shape[-1]))
        return batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MaskTrainer, "preprocess_batch", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(settings(tiny_data, tmp_path, epochs=4))
        last = tmp_path / "run" / "weights" / "last.pt"
        copy = shutil.copy(last, tmp_path / "copy.pt")
        with pytest.raises(MaskdetError, match="lies outside the folder of its run"):
            train({"resume": True, "model": str(copy)})
        # What a checkpoint says of its folder is not followed, and its data set goes through the one reader.
        code = tmp_path / "code"
        tiny_data.write_text(f"{tiny_data.read_text()}download: open({str(code)!r}, 'w')\n", encoding="utf-8")
        elsewhere = tmp_path / "elsewhere"
        saved = torch.load(last, weights_only=False)
        saved["train_args"]["save_dir"] = str(elsewhere)
        torch.save(saved, last)
        # The run remembers its own options: the second of four epochs is still an early one.
        assert train({"resume": True, "model": str(last)}) == tmp_path / "run"
    assert not code.exists()
    assert not elsewhere.exists()
    assert seen == [(0, 32), (0, 32), (0, 0), (1, 32), (1, 32), (2, 64), (2, 64), (3, 64), (3, 64)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"data": None}, "which data"),
        ({"data": "gone/data.yaml"}, "gone/data.yaml: no such file"),
        ({"data": "coco8.yaml"}, "coco8.yaml: no such file"),
        ({"data": "https://example.org/data.yaml"}, "web address"),
        ({"data": ["a.yaml", "b.yaml"]}, "expected one data.yaml"),
        ({"epoch": 3}, "unknown argument epoch: did you mean epochs="),
        ({"epochs": "many"}, "epochs"),
        ({"epochs": -1}, "epochs"),
        ({"imgsz": 0}, "imgsz=0: expected a whole number from 32"),
        ({"imgsz": "large"}, "imgsz=large"),
        ({"batch": "abc"}, "batch=abc"),
        ({"batch": 0}, "batch=0"),
        ({"workers": -1}, "workers=-1"),
        ({"split": "validation"}, "split=validation"),
        ({"task": "segment"}, "task=segment"),
        ({"cfg": "gone.yaml"}, "cfg=gone.yaml: cannot be read"),
        ({"device": "abc"}, "unknown device 'abc'"),
        ({"device": 7}, "device '7'"),
        ({"device": "0,99"}, "device '0,99'"),
        ({"model": None}, "which model"),
        ({"optimizer": "none-such"}, "none-such"),
        ({"resume": True, "model": None}, "resume=True needs the checkpoint"),
        ({"resume": True, "model": "yolov8n.yaml"}, "nothing to resume"),
    ],
)
def test_wrong_arguments_are_one_line(tiny_data: Path, tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    pytest.importorskip("ultralytics")
    with pytest.raises(MaskdetError, match=reason) as caught:
        train(settings(tiny_data, tmp_path, **change))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*/weights/*"))


class Marker:
    """Leaves a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


@pytest.fixture
def trap(tiny_data: Path, tmp_path: Path) -> Path:
    """Return a data set as Roboflow writes it, its classes by the alphabet, that runs code where it is let.

    Its labels swap the first two of ``tiny_data``'s classes; one photo of it has a bad label, one is a polygon.
    """
    root, ran = tmp_path / "set", tmp_path / "RAN"
    for split, folder in (("train", "train"), ("val", "valid")):
        for kind in ("images", "labels"):
            shutil.copytree(tiny_data.parent / kind / split, root / folder / kind)
        np.save(root / folder / "labels.cache", {"a": Marker(ran)}, allow_pickle=True)  # type: ignore[arg-type]
        (root / folder / "labels.cache.npy").rename(root / folder / "labels.cache")
        for photo in (root / folder / "images").iterdir():
            np.save(photo.with_suffix(".npy"), np.zeros((8, 8, 3), np.uint8))
    (root / "train/labels/0.txt").write_text("0 0.1 0.1 0.4 0.1 0.4 0.5 0.1 0.5\n")
    (root / "train/labels/1.txt").write_text("9 0.5 0.5 0.2 0.3\n")
    run = f"import pathlib; pathlib.Path({str(ran)!r}).touch()"
    (root / "data.yaml").write_text(
        yaml.safe_dump(
            {
                "train": "../train/images",
                "val": "../valid/images",
                "names": ["mask_weared_incorrect", "with_mask", "without_mask"],
                "download": run,
            }
        )
    )
    return root


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_nothing_of_a_data_set_is_run_taken_for_photos_or_changed(
    trap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch = pytest.importorskip("torch")
    before = {file: file.read_bytes() for file in trap.rglob("*") if file.is_file()}
    folder = train(settings(trap / "data.yaml", tmp_path, epochs=1))
    output = capsys.readouterr()
    assert output.out == ""
    assert "left out: train/1.png: line 1: class 9: the last one is 2" in output.err
    assert "classes: mask_weared_incorrect, with_mask, without_mask" in output.err
    assert {file: file.read_bytes() for file in trap.rglob("*") if file.is_file()} == before
    assert not (tmp_path / "RAN").exists()
    handed_on = yaml.safe_load((folder / "data.yaml").read_text())
    assert set(handed_on) == {"train", "val", "names", "nc", "channels"}
    assert handed_on["train"] == [str(trap / "train/images")]
    content = torch.load(folder / "weights" / "best.pt", weights_only=False)
    assert content["model"].names == dict(enumerate(["mask_weared_incorrect", "with_mask", "without_mask"]))


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ("train: train/images\nval: none\n", "val points to .*none, which does not exist"),
        ("train: train/images\n", "has no split 'val'"),
        ("train: train/images\nval: valid/labels\n", "split 'val' has no usable photo"),
        ("train: valid/empty\nval: valid/images\n", "split 'train' has no labelled faces"),
    ],
)
def test_data_that_cannot_be_trained_on_is_one_line_and_runs_nothing(
    trap: Path, tmp_path: Path, description: str, reason: str
) -> None:
    pytest.importorskip("ultralytics")
    shutil.copytree(trap / "train/images", trap / "valid/empty")
    file = trap / "data.yaml"
    names = "names: [mask_weared_incorrect, with_mask, without_mask]\n"
    file.write_text(
        description + names + f"download: import pathlib; pathlib.Path({str(tmp_path / 'RAN')!r}).touch()\n"
    )
    with pytest.raises(DatasetError, match=reason) as caught:
        train(settings(file, tmp_path))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "RAN").exists()


def test_the_view_of_the_trainer(trap: Path) -> None:
    pytest.importorskip("ultralytics")
    read = read_training_data(str(trap))
    photos = {photo.picture.path.name: photo for photo in read.photos["train"]}
    assert sorted(photos) == ["0.png", "2.png", "3.png"]
    labels = photos["0.png"].labels
    assert labels is not None
    np.testing.assert_allclose(labels.rows, [[0.25, 0.3, 0.3, 0.4]])
    assert list(read.remarks()) == [
        "classes: mask_weared_incorrect, with_mask, without_mask",
        "left out: train/1.png: line 1: class 9: the last one is 2",
    ]


def test_export_of_no_model(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    with pytest.raises(MaskdetError, match="which model"):
        export({})
    with pytest.raises(WeightsError, match="no such file"):
        export({"model": str(tmp_path / "gone.pt")})
    with pytest.raises(MaskdetError, match="yolo export"):
        export({"model": "x.pt", "format": "torchscript"})
    with pytest.raises(DeviceError, match="device '99'"):
        export({"model": "x.pt", "device": 99})


@pytest.mark.filterwarnings("ignore")  # torch's tracer warns of every branch it fixes
def test_both_heads_of_yolo26_are_exported(tmp_path: Path) -> None:
    torch, tasks = pytest.importorskip("torch"), pytest.importorskip("ultralytics.nn.tasks")
    torch.manual_seed(0)
    model = tasks.DetectionModel("yolo26n.yaml", nc=3, verbose=False)
    model.names, model.args = dict(enumerate(CLASS_NAMES)), {"imgsz": 64, "task": "detect", "model": "yolo26n.yaml"}
    path = tmp_path / "y26.pt"
    torch.save({"model": model, "train_args": model.args, "date": "", "version": ""}, path)
    for nms, shape in ((None, (1, 7, 84)), (False, (1, 84, 6))):
        target, parity, _ = export({"model": str(path), "nms": nms})
        assert parity.holds
        assert load_runtime(target, name="y26")(np.zeros((1, 3, 64, 64), np.float32)).shape == shape
