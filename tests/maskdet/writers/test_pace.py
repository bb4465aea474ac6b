from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.writers.pace import Pace, choose_rate


@pytest.mark.parametrize(
    ("times", "fps", "rate"),
    [
        ([], 25, 25),
        ([0.0], 25, 25),
        ([0, 1 / 30, 2 / 30], 30, 30),
        ([0, 0.004, 0.008, 0.013, 0.017], 240, 240),  # a container that counts milliseconds
        ([0, 0.033, 0.067, 0.1], 30, 30),
        ([0, 0.1, 0.2, 5, 5.1, 9], 1.15, 10),
        ([0, 0.001, 5], 1, 60),  # no more than a screen shows
        ([0, 0, -5, math.nan], 25, 25),
        ([0, 10, 20], 0.1, 0.1),
    ],
)
def test_the_rate_that_shows_each_frame_at_its_time(times: list[float], fps: float, rate: float) -> None:
    assert choose_rate(times, fps) == pytest.approx(rate)


def test_frames_are_held_as_long_as_they_are_shown() -> None:
    pace = Pace(10, 1.15)
    assert [pace.copies(step) for step in (0.1, 0.1, 4.8, 0.1, 3.9)] == [1, 1, 48, 1, 39]


def test_a_constant_rate_copies_each_frame_once() -> None:
    pace = Pace(29.97, 29.97)
    steps = [round((number + 1) / 29.97, 3) - round(number / 29.97, 3) for number in range(2000)]
    assert {pace.copies(step) for step in steps} == {1}


@given(st.lists(st.floats(), max_size=40))
def test_no_times_make_it_endless(steps: list[float]) -> None:
    pace = Pace(60, 25)
    assert 0 <= sum(pace.copies(step) for step in steps) <= 3000 + 14 * len(steps)
