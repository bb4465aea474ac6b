"""The way of a picture: source → batch → model → result, with what cannot be read reported and passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.results import ImageInfo, MaskResult
from maskdet.sources import Picture


class PredictBatch(Protocol):
    """What answers for a batch of pictures; ``MaskDetector.detect_batch`` is one."""

    def __call__(
        self, images: Sequence[npt.NDArray[np.uint8]], infos: Sequence[ImageInfo], *, keep_pixels: bool = True
    ) -> list[MaskResult]:
        """Return one result a picture.

        Args:
            images: each (H, W, 3) uint8 BGR.
            infos: one a picture.
            keep_pixels: let each result hold its picture, for ``plot``.
        """
        ...


def answer(
    items: Iterable[Picture | SourceError],
    predict_batch: PredictBatch,
    *,
    report: Callable[[SourceError], None],
    batch: int = 1,
    keep_pixels: bool = True,
) -> Iterator[tuple[Picture, MaskResult]]:
    """Yield every readable picture with its result, in order.

    Args:
        items: pictures, or errors in the place of those that cannot be read.
        predict_batch: what to ask.
        report: is told of every error.
        batch: pictures run at once; the frame of a live stream never waits for another.
        keep_pixels: let each result hold its picture.
    """
    for group in batches(items, batch, report):
        results = predict_batch([one.pixels for one in group], [one.info for one in group], keep_pixels=keep_pixels)
        yield from zip(group, results, strict=True)
        # Else this batch stays in memory while the next is gathered.
        group.clear()
        results.clear()


def batches(
    items: Iterable[Picture | SourceError], size: int, report: Callable[[SourceError], None]
) -> Iterator[list[Picture]]:
    """Gather up to ``size`` pictures at a time; ``report`` is told of the errors between them."""
    group: list[Picture] = []
    for item in items:
        if isinstance(item, SourceError):
            report(item)
            continue
        group.append(item)
        if len(group) >= size or (item.clip is not None and item.clip.live):
            yield group
            group = []
        del item
    if group:
        yield group
