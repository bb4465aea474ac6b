"""A small generated data set; real photos come from the folder in MASKDET_DATA and are never copied here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def ten_photos(make_voc: Callable[..., Path]) -> Path:
    """Ten photos with two boxes each, the rare class in four of them."""
    rare = {1, 4, 6, 9}
    return make_voc(
        {
            f"p{number}": [
                ("with_mask", 5, 6, 30, 40),
                ("mask_weared_incorrect" if number in rare else "without_mask", 40, 10, 70, 50),
            ]
            for number in range(10)
        }
    )
