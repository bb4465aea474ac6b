"""Other classes than ours, and ours in another order or number, from training to detection."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.cli import main


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    assert isinstance(stop.value.code, int)
    return stop.value.code


def write_data(folder: Path, names: tuple[str, ...]) -> Path:
    """Write a data set of two photos a split, with one face of every class on each."""
    draw = np.random.default_rng(0)
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (folder / kind / split).mkdir(parents=True)
        for photo in range(2):
            picture = draw.integers(0, 256, (64, 64, 3), np.uint8)
            cv2.imwrite(str(folder / "images" / split / f"{photo}.png"), picture)
            lines = [f"{index} {0.2 + 0.25 * index} 0.5 0.2 0.3\n" for index in range(len(names))]
            (folder / "labels" / split / f"{photo}.txt").write_text("".join(lines))
    (folder / "data.yaml").write_text(f"train: images/train\nval: images/val\nnames: [{', '.join(names)}]\n")
    return folder / "data.yaml"


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    ("names", "scored"),
    [
        (("helmet", "head"), ("helmet", "head")),
        (
            ("mask_weared_incorrect", "with_mask", "without_mask"),
            ("with_mask", "without_mask", "mask_weared_incorrect"),
        ),
        (("no_mask", "mask"), ("no_mask", "mask")),
    ],
    ids=["other", "alphabetical", "two of three"],
)
def test_what_was_trained_can_be_scored_exported_and_used(
    names: tuple[str, ...],
    scored: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for module in ("ultralytics", "faster_coco_eval", "onnx"):
        if find_spec(module) is None:  # imported here, ultralytics would ask the network for a font
            pytest.skip(f"needs {module}")
    data = write_data(tmp_path / "set", names)
    monkeypatch.chdir(tmp_path)
    plain = ["epochs=1", "imgsz=32", "batch=2", "workers=0", "device=cpu", "plots=False", "early_share=0"]
    assert run("train", f"data={data}", "model=yolov8n.yaml", *plain, f"project={tmp_path}") == 0
    said = capsys.readouterr().err
    (suggested,) = (line.split()[2:] for line in said.splitlines() if line.startswith("next:"))
    assert suggested[0] == "export"
    weights = Path(suggested[1].removeprefix("model="))
    assert run(*suggested) == 0
    for file in (weights, weights.with_suffix(".onnx")):
        capsys.readouterr()
        assert run("val", f"model={file}", f"data={data}", "--json", "-") == 0
        report = json.loads(capsys.readouterr().out)
        assert report["data"]["faces"] == dict.fromkeys(scored, 2)
        assert report["confusion"]["labels"] == [*scored, "background"]
        assert (
            run("detect", tmp_path / "set/images/val/0.png", "--weights", file, "--conf", 0.00001, "--json", "-") == 0
        )
        result = json.loads(capsys.readouterr().out)
        assert tuple(result["counts"]) == scored
        assert {(one["name"], one["class"]) for one in result["detections"]} <= {*zip(scored, range(9), strict=False)}
