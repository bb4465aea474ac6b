from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskdet.errors import SourceError
from maskdet.prediction.pipeline import Predictor, Session, answer, batches
from maskdet.results import ImageInfo, MaskResult, ModelInfo
from maskdet.sources import Clip, Picture, Source


def picture(clip: Clip | None = None) -> Picture:
    return Picture(np.zeros((2, 3, 3), np.uint8), ImageInfo(None, 3, 2), Path("a.png"), clip)


def test_errors_are_reported_and_do_not_break_a_batch(stub: Any) -> None:
    told: list[SourceError] = []
    error = SourceError("b.png", "damaged")
    items = [picture(), error, picture(), picture()]
    answers = list(answer(items, stub.detect_batch, report=told.append, batch=2))
    assert [one for one, _ in answers] == [items[0], items[2], items[3]]
    assert told == [error]
    assert stub.batches == [2, 1]


def test_a_live_frame_never_waits_for_a_full_batch() -> None:
    live = Clip("0", Path("webcam.mp4"), 25, None, live=True)
    items = [picture(live), picture(live), picture(), picture()]
    assert [len(group) for group in batches(items, 4)] == [1, 1, 2]


class Slow:
    """A model whose earlier pictures take longer than later ones; notes how many it is asked at once."""

    def __init__(self) -> None:
        self.inside = self.most = self.asked = 0
        self._lock = threading.Lock()

    def __call__(self, images: Any, infos: Any, *, keep_pixels: bool = True) -> list[MaskResult]:
        with self._lock:
            self.inside += 1
            self.asked += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.02 if infos[0].frame % 2 == 0 else 0.001)
        with self._lock:
            self.inside -= 1
        if infos[0].frame == 13:
            raise ValueError("thirteen")
        return [MaskResult([], info, ModelInfo("slow", 64, 0.25), 1.0) for info in infos]


def frames(count: int, clip: Clip | None = None) -> Iterator[Picture]:
    for number in range(count):
        yield Picture(np.zeros((2, 3, 3), np.uint8), ImageInfo(None, 3, 2, frame=number), Path("a.png"), clip)


def test_side_by_side_keeps_the_order() -> None:
    model = Slow()
    answers = list(answer(frames(12), model, report=pytest.fail, workers=3))
    assert [picture.info.frame for picture, _ in answers] == list(range(12))
    assert [result.image.frame for _, result in answers] == list(range(12))
    assert 1 < model.most <= 3


def test_side_by_side_no_more_is_taken_than_works_and_waits() -> None:
    taken = []
    source = (taken.append(one.info.frame) or one for one in frames(100))
    answers = answer(source, Slow(), report=pytest.fail, workers=3)
    next(answers)
    assert taken == [0, 1, 2, 3]
    answers.close()


def test_side_by_side_an_error_comes_in_its_place_and_ends_the_run() -> None:
    model, seen = Slow(), []
    with pytest.raises(ValueError, match="thirteen"):
        for picture, _ in answer(frames(100), model, report=pytest.fail, workers=2):
            seen.append(picture.info.frame)
    assert seen == list(range(13))
    assert model.asked <= 16  # 13, two beside it, one that waited


def test_side_by_side_a_live_frame_is_answered_before_the_next_is_taken() -> None:
    live = Clip("0", Path("webcam.mp4"), 25, None, live=True)
    taken = []
    source = (taken.append(one.info.frame) or one for one in frames(5, live))
    answers = answer(source, Slow(), report=pytest.fail, workers=3)
    next(answers)
    assert taken == [0]
    answers.close()


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_errors_come_in_their_place(workers: int, batch: int) -> None:
    """Pictures 0 to 9 with an error before, between and behind them; what was answered is always told first."""
    items: list[Picture | SourceError] = list(frames(10))
    for place in (10, 7, 7, 4, 0):
        items.insert(place, SourceError(f"bad-{place}", "damaged"))
    told: list[object] = []
    slow = Slow()
    for one, result in answer(items, slow, report=lambda error: told.append(error.path), batch=batch, workers=workers):
        assert one.info == result.image
        told.append(one.info.frame)
    assert told == ["bad-0", 0, 1, 2, 3, "bad-4", 4, 5, 6, "bad-7", "bad-7", 7, 8, 9, "bad-10"]


@pytest.mark.parametrize("workers", [1, 4])
def test_what_comes_before_an_error_is_yielded_before_it_is_raised(workers: int) -> None:
    def fail(error: SourceError) -> None:
        raise error

    items = [*frames(3), SourceError("bad", "damaged"), *frames(3)]
    answers = answer(items, Slow(), report=fail, workers=workers)
    assert [next(answers)[0].info.frame for _ in range(3)] == [0, 1, 2]
    with pytest.raises(SourceError, match="bad"):
        next(answers)


class Counted(Source):
    """Gives pictures one after another; notes how many of them are in memory when it makes the next."""

    def __init__(self, alive: list[weakref.ref[Any]], seen: list[int]) -> None:
        self._alive, self._seen = alive, seen

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        self._seen.append(sum(one() is not None for one in self._alive))
        pixels = np.zeros((200, 300, 3), np.uint8)
        self._alive.append(weakref.ref(pixels))
        yield Picture(pixels, ImageInfo(None, 300, 200), Path("a.png"))
        del pixels


@pytest.mark.parametrize(("workers", "batch"), [(1, 1), (1, 4), (2, 1), (2, 3)])
def test_a_large_picture_is_in_memory_alone(
    stub: Any, monkeypatch: pytest.MonkeyPatch, workers: int, batch: int
) -> None:
    monkeypatch.setattr("maskdet.sources.picture._LARGE", 100_000)
    alive: list[weakref.ref[Any]] = []
    seen: list[int] = []
    sources = [Counted(alive, seen) for _ in range(6)]
    session = Session(predictor=Predictor(stub.detect_batch, workers), batch=batch, keep_pixels=False)
    for one, result in session.answers(sources, report=lambda _: None):
        del one, result
    assert seen == [0] * 6
