from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.benchmark import commands
from maskdet.benchmark.quality import measure_quality
from maskdet.benchmark.section import Settings


def test_every_word_has_a_row_beside_yolo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed: list[str] = []

    def figures(command: commands.Command, folder: Path) -> dict[str, float]:
        typed.append(command.shown)
        return {"wall_s": 7.0 if command.shown.startswith("yolo") else 2.0, "cpu_s": 1.0, "peak_mb": 1.0}

    monkeypatch.setattr(commands.Command, "figures", figures)
    monkeypatch.setattr(commands, "yolo_is_there", lambda: True)
    section = measure_quality(Settings(runs=1, warm_up=False, limit=2, quiet=True), tmp_path)
    rows = {row.name: row for row in section.rows}
    assert list(rows) == ["fast", "standard", "best", "yolo predict"]
    assert rows["fast"].figures["times_yolo"] == pytest.approx(3.5)
    assert "times_yolo" not in rows["yolo predict"].figures
    assert [shown.split("--quality ")[1].split()[0] for shown in typed[:3]] == ["fast", "standard", "best"]
    assert "model=maskdet-n.onnx" in typed[3]
