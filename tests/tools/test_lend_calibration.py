"""One detector's calibration in the file of another."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from maskdet.detector.export.calibrated_onnx import write_calibration
from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.detector.inference.thresholds import Calibration, read_calibration


def test_the_borrower_carries_numbers_and_thresholds_and_says_whose(
    tool: ModuleType, as_exported: Path, tmp_path: Path
) -> None:
    lender, target = tmp_path / "lender.onnx", tmp_path / "lent.onnx"
    write_calibration(as_exported, lender, Calibration(0.5, 0.25), {"fitted_on": "some photos", "chain": {"conf": 1}})

    tool.lend(lender, as_exported, target)

    assert read_calibration(OnnxRuntime(target, name="lent").spec.metadata) == {
        "schema": "maskdet-calibration/1",
        "temperature": 0.5,
        "bias": 0.25,
        "fitted_on": "of lender, from which it went on: some photos",
        "chain": {"conf": 1},
    }


def test_nothing_to_lend(tool: ModuleType, as_exported: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="has no calibration to lend"):
        tool.lend(as_exported, as_exported, tmp_path / "lent.onnx")
