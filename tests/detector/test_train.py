from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from maskdet.classes import CLASS_NAMES
from maskdet.detector.cpu import has_bf16, usable_cores
from maskdet.detector.export import export
from maskdet.detector.model import MaskDetector
from maskdet.detector.runtime import load_runtime
from maskdet.detector.train import parse_arguments, read_recipe, train
from maskdet.errors import MaskdetError, WeightsError


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
    own = {"early_imgsz", "early_share", "close_up", "rare_photo", "paste_rare", "slip_mask"}
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
    from maskdet.detector.trainer import MaskTrainer

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
    target, parity, rewritten = export({"model": str(folder / "weights" / "last.pt")})
    assert parity.holds
    assert rewritten == 11  # see test_graph_layout.py
    image = cv2.imread(str(next((tiny_data.parent / "images" / "val").iterdir())))
    # Without a threshold every anchor is a box: the best confidences must agree, whichever file answers.
    best = [
        MaskDetector(path, conf=0, iou=1).detect_arrays([np.asarray(image, np.uint8)])[0].confidences[:50]
        for path in (target, folder / "weights" / "last.pt")
    ]
    np.testing.assert_allclose(best[0], best[1], atol=1e-3)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_an_interrupted_run_goes_on_where_it_stopped(tiny_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    from maskdet.detector.trainer import MaskTrainer

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
        # The run remembers its own options: the second of four epochs is still an early one.
        assert train({"resume": True, "model": str(last)}) == tmp_path / "run"
    assert seen == [(0, 32), (0, 32), (0, 0), (1, 32), (1, 32), (2, 64), (2, 64), (3, 64), (3, 64)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"data": None}, "which data"),
        ({"data": "gone/data.yaml"}, "gone/data.yaml"),
        ({"epoch": 3}, "unknown argument epoch"),
        ({"epochs": "many"}, "epochs"),
        ({"resume": True, "model": None}, "resume=True needs the checkpoint"),
    ],
)
def test_wrong_arguments_are_one_line(tiny_data: Path, tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    pytest.importorskip("ultralytics")
    with pytest.raises(MaskdetError, match=reason) as caught:
        train(settings(tiny_data, tmp_path, **change))
    assert "\n" not in str(caught.value)


def test_export_of_no_model(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    with pytest.raises(MaskdetError, match="which model"):
        export({})
    with pytest.raises(WeightsError, match="no such file"):
        export({"model": str(tmp_path / "gone.pt")})
    with pytest.raises(MaskdetError, match="yolo export"):
        export({"model": "x.pt", "format": "torchscript"})


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
