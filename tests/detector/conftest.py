"""Fixtures shared by the detector's tests."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from maskdet.classes import CLASS_NAMES


@pytest.fixture(scope="module")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data.yaml of eight pictures, each with one coloured square a class."""
    root = tmp_path_factory.mktemp("tiny")
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for index in range(4):
            image = rng.integers(0, 60, (96, 128, 3), dtype=np.uint8)
            lines = []
            for class_id, colour in enumerate([(0, 255, 0), (0, 0, 255), (0, 255, 255)]):
                x, y = 8 + 40 * class_id, int(rng.integers(5, 60))
                cv2.rectangle(image, (x, y), (x + 24, y + 24), colour, cv2.FILLED)
                lines.append(f"{class_id} {(x + 12) / 128:.6f} {(y + 12) / 96:.6f} {24 / 128:.6f} {24 / 96:.6f}")
            for folder in ("images", "labels"):
                (root / folder / split).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(root / "images" / split / f"{index}.png"), image)
            (root / "labels" / split / f"{index}.txt").write_text("\n".join(lines) + "\n")
    data = {"train": "images/train", "val": "images/val", "names": dict(enumerate(CLASS_NAMES))}
    (root / "data.yaml").write_text(yaml.safe_dump(data))
    return root / "data.yaml"


@pytest.fixture(scope="session")
def raw_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return YOLOv8n with random weights as ultralytics exports it, no rewriting done: 64 px and any other size."""
    tasks = pytest.importorskip("ultralytics.nn.tasks")
    pytest.importorskip("onnx")
    import torch
    from ultralytics import YOLO

    torch.manual_seed(0)
    model = tasks.DetectionModel("yolov8n.yaml", nc=3, verbose=False)
    model.names, model.args = dict(enumerate(CLASS_NAMES)), {"imgsz": 64, "task": "detect", "model": "yolov8n.yaml"}
    checkpoint = tmp_path_factory.mktemp("raw") / "raw.pt"
    torch.save({"model": model, "train_args": model.args, "date": "", "version": ""}, checkpoint)
    return Path(YOLO(str(checkpoint), task="detect").export(format="onnx", dynamic=True, imgsz=64, verbose=False))
