"""The way of a picture: source → batch → model → result, with what cannot be read reported and passed over.

Reading, the model and what is done with the results overlap: the source decodes ahead in its own thread, batches go
through the model side by side where the model says that this pays, and results come back in the order of the pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.results import ImageInfo, MaskResult
from maskdet.sources import Picture, read
from maskdet.sources.reader import AHEAD

if TYPE_CHECKING:
    from concurrent.futures import Future


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


class Predictor(NamedTuple):
    """What to ask, and how many times at once that pays.

    Attributes:
        predict_batch: answers for a batch.
        workers: calls at once, each in a thread, that keep the processor busy.
    """

    predict_batch: PredictBatch
    workers: int = 1


def answer_source(
    source: Any,
    predictor: Predictor,
    *,
    report: Callable[[SourceError], None],
    batch: int = 1,
    stride: int = 1,
    keep_pixels: bool = True,
) -> Generator[tuple[Picture, MaskResult]]:
    """Read a source ahead and yield every readable picture with its result; closing it releases camera and files.

    Args:
        source: see ``maskdet.sources.read``.
        predictor: what to ask.
        report: is told of every error.
        batch: pictures run at once.
        stride: of a video or stream every how-many-th frame is looked at.
        keep_pixels: let each result hold its picture.
    """
    ask, workers = predictor
    with closing(read(source, stride=stride, ahead=max(AHEAD, batch * workers))) as items:
        yield from answer(items, ask, report=report, batch=batch, keep_pixels=keep_pixels, workers=workers)


def answer(
    items: Iterable[Picture | SourceError],
    predict_batch: PredictBatch,
    *,
    report: Callable[[SourceError], None],
    batch: int = 1,
    keep_pixels: bool = True,
    workers: int = 1,
) -> Generator[tuple[Picture, MaskResult]]:
    """Yield every readable picture with its result, in order.

    Args:
        items: pictures, or errors in the place of those that cannot be read.
        predict_batch: what to ask.
        report: is told of every error.
        batch: pictures run at once; the frame of a live stream never waits for another.
        keep_pixels: let each result hold its picture.
        workers: batches in the model at once, each in a thread; with more than one ``predict_batch`` must be
            thread-safe. One more batch waits, and no more than that are in memory.
    """

    def ask(group: list[Picture]) -> list[MaskResult]:
        return predict_batch([one.pixels for one in group], [one.info for one in group], keep_pixels=keep_pixels)

    groups = batches(items, batch, report)
    if workers > 1:
        yield from _side_by_side(groups, ask, workers)
        return
    for group in groups:
        results = ask(group)
        yield from zip(group, results, strict=True)
        # Else this batch stays in memory while the next is gathered.
        group.clear()
        results.clear()


def _side_by_side(
    groups: Iterable[list[Picture]], ask: Callable[[list[Picture]], list[MaskResult]], workers: int
) -> Generator[tuple[Picture, MaskResult]]:
    """Yield every picture with its result, in order, with ``workers`` groups asked for at once."""
    from concurrent.futures import ThreadPoolExecutor  # which a single picture does not need

    pending: deque[tuple[list[Picture], Future[list[MaskResult]]]] = deque()

    def finish() -> Iterator[tuple[Picture, MaskResult]]:
        group, future = pending.popleft()
        yield from zip(group, future.result(), strict=True)

    with ThreadPoolExecutor(workers, thread_name_prefix="maskdet-worker") as pool:
        try:
            for group in groups:
                pending.append((group, pool.submit(ask, group)))
                # A live frame is answered at once; else one batch waits, so that no worker does.
                live = group[-1].clip is not None and group[-1].clip.live
                while len(pending) > (0 if live else workers):
                    yield from finish()
            while pending:
                yield from finish()
        finally:
            for _, future in pending:
                future.cancel()


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
