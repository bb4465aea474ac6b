from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maskdet.detector.training.train import check_run_folder, train
from maskdet.errors import MaskdetError


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of an earlier training."""
    folder = tmp_path / "run"
    (folder / "weights").mkdir(parents=True)
    (folder / "args.yaml").write_text("epochs: 1\n", encoding="utf-8")
    (folder / "weights/best.pt").write_bytes(b"weights")
    return folder


@pytest.mark.parametrize(("key", "name"), [("model", "weights/best.pt"), ("cfg", "args.yaml"), ("data", "data.yaml")])
def test_a_run_is_not_written_over_what_it_reads(run: Path, key: str, name: str) -> None:
    with pytest.raises(MaskdetError, match=f"^{key}=.* lies in .*another name="):
        check_run_folder({"exist_ok": True, key: str(run / "weights/.." / name)}, run)


def test_a_run_is_not_written_over_what_no_training_made(run: Path) -> None:
    (run / "args.yaml").rename(run / "notes.yaml")
    with pytest.raises(MaskdetError, match="earlier trainings only"):
        check_run_folder({"exist_ok": True, "model": "yolov8n.pt"}, run)


@pytest.mark.parametrize("more", [{}, {"exist_ok": False}, {"exist_ok": True, "resume": True}])
def test_resumed_and_new_runs_write_over_nothing(run: Path, more: dict[str, Any]) -> None:
    check_run_folder({**more, "model": str(run / "weights/best.pt")}, run)


def test_an_earlier_run_may_be_written_over(run: Path) -> None:
    check_run_folder({"exist_ok": True, "model": "yolov8n.pt", "pretrained": True}, run)
    check_run_folder({"exist_ok": True, "model": str(run / "weights/best.pt")}, run.with_name("new"))


def test_train_says_so_before_anything_is_read(run: Path) -> None:
    pytest.importorskip("ultralytics")
    model = str(run / "weights/best.pt")
    with pytest.raises(MaskdetError, match="lies in"):
        train({"data": "no.yaml", "model": model, "project": str(run.parent), "name": "run", "exist_ok": True})
    assert (run / "weights/best.pt").read_bytes() == b"weights"
