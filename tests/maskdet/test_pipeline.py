from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from maskdet.errors import SourceError
from maskdet.pipeline import answer, batches
from maskdet.results import ImageInfo
from maskdet.sources import Clip, Picture


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
    assert [len(group) for group in batches(items, 4, lambda _: None)] == [1, 1, 2]
