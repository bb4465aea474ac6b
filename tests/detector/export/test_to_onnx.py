"""How far two networks of one format differ: the parity that an export tells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskdet.detector.export.to_onnx import Parity, compare_runtimes


class Fixed:
    """A network that gives one answer."""

    def __init__(self, *boxes: tuple[float, ...]) -> None:
        self.answer = np.array([boxes], np.float32).transpose(0, 2, 1)

    def __call__(self, batch: Any) -> Any:
        return self.answer


def test_a_box_that_nothing_could_report_may_lie_elsewhere() -> None:
    one = Fixed((10, 10, 20, 20, 0.9, 0.1), (50, 50, 10, 10, 0.0004, 0.0))
    two = Fixed((10, 11, 20, 20, 0.9, 0.3), (50, 53, 10, 10, 0.0, 0.0004))
    batches = [np.zeros((1, 3, 32, 32), np.float32)]
    assert compare_runtimes(one, two, batches) == Parity(3.0, pytest.approx(0.2))  # type: ignore[arg-type]
    assert compare_runtimes(one, two, batches, least=0.001) == Parity(1.0, pytest.approx(0.2))  # type: ignore[arg-type]
