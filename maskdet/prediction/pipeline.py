"""The way of a picture: source → batch → model → result, with what cannot be read reported and passed over.

Reading, the model and what is done with the results overlap: the source decodes ahead in its own thread, batches go
through the model side by side where the model says that this pays, and results come back in the order of the pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Unpack, cast, get_args

import numpy as np
import numpy.typing as npt

from maskdet.chain.on_demand import OnDemand, on_demand
from maskdet.errors import SourceError
from maskdet.prediction.quality import Quality, default_mode, with_quality
from maskdet.results import ImageInfo, MaskResult
from maskdet.sources import Picture, read
from maskdet.sources.reader import AHEAD, Item

if TYPE_CHECKING:
    from concurrent.futures import Future

    from maskdet.classifier.inference.model import MaskClassifier
    from maskdet.detector.inference.model import MaskDetector
    from maskdet.detector.inference.options import DetectorOptions
    from maskdet.tracking.face_tracker import FaceTracker


Mode = Literal["detect", "classify", "chain", "compare"]


class PredictBatch(Protocol):
    """What answers for a batch of pictures; ``MaskDetector.detect_batch`` is one."""

    def __call__(
        self, images: Sequence[npt.NDArray[np.uint8]], infos: Sequence[ImageInfo], *, keep_pixels: bool = True
    ) -> list[MaskResult]:
        """Return one result a picture, (H, W, 3) uint8 BGR each; it holds its picture, for ``plot``, where told to."""
        ...


class Predictor(NamedTuple):
    """What to ask, and how many calls at once, each in a thread, keep the processor busy."""

    predict_batch: PredictBatch
    workers: int = 1


def choose_predictor(
    mode: Mode | None = None,
    detector: MaskDetector | None = None,
    classifier: MaskClassifier | OnDemand | None = None,
    quality: Quality = "standard",
    **options: Unpack[DetectorOptions],
) -> Predictor:
    """Return what answers for a batch of pictures.

    Args:
        mode: see ``maskdet.predict``.
        detector: a loaded model, else one is loaded with ``options`` where the mode needs it.
        classifier: likewise; the shipped one is loaded for the first face that needs it.
        quality: which options take the place of those that are not given.

    Raises:
        ValueError: an unknown mode, or an option out of its range.
        TypeError: options beside a loaded detector, or a model or options that the mode does not use.
        WeightsError: a model cannot be used.
    """
    if mode is not None and mode not in get_args(Mode):
        raise ValueError(f"unknown mode {mode!r}: the modes are {', '.join(get_args(Mode))}")
    if detector is not None and quality != "standard":
        raise TypeError("quality chooses the detector: give one of the two")
    if detector is not None and options:
        raise TypeError(f"{', '.join(options)} belong to the detector: give them to MaskDetector(...)")
    if mode == "detect" and classifier is not None:
        raise TypeError("mode='detect' asks no classifier: use chain or compare")
    if mode == "classify" and (detector is not None or options):
        raise TypeError("mode='classify' asks no detector: each picture is taken as a face crop")
    if mode == "classify":
        from maskdet.classifier.inference.model import MaskClassifier

        given = classifier() if isinstance(classifier, OnDemand) else classifier
        return Predictor((given or MaskClassifier()).predict_batch)
    asked = mode is not None
    if not asked and classifier is not None:
        mode = "chain"
    if detector is None:
        chosen = with_quality(quality, mode=mode, **options)
        mode = chosen.pop("mode") or default_mode(chosen.get("weights"))
        options = cast("DetectorOptions", chosen)
    else:
        spec = getattr(getattr(detector, "runtime", None), "spec", None)
        mode = mode or default_mode(getattr(spec, "path", None) or "")
    if mode != "detect" and classifier is None:
        classifier = on_demand(threads=1 if detector and detector.workers > 1 else options.get("threads", 0))
    from maskdet.detector.inference.model import MaskDetector

    detector = detector or MaskDetector(**options)
    if mode == "detect":
        return Predictor(detector.detect_batch, detector.workers)
    from maskdet.chain.predictor import ChainPredictor

    if asked and isinstance(classifier, OnDemand):
        classifier()  # what is wrong with it is said before anything is read
    return Predictor(ChainPredictor(detector, classifier, mode=mode).predict_batch, detector.workers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is asked and who keeps faces apart, and how sources go through: of the command line and of ``predict``.

    Attributes:
        predictor: what to ask.
        tracker: gives faces of videos their ids.
        batch: pictures run at once.
        stride: of a video or stream every how-many-th frame is looked at.
        keep_pixels: let each result hold its picture.
    """

    predictor: Predictor
    tracker: FaceTracker | None = None
    batch: int = 1
    stride: int = 1
    keep_pixels: bool = True

    def answers(self, source: Any, *, report: Callable[[SourceError], None]) -> Generator[tuple[Picture, MaskResult]]:
        """Read a source ahead and yield every readable picture with its result; closing it releases camera and files.

        What cannot be read is told to ``report``.
        """
        ask, workers = self.predictor
        ahead = max(AHEAD, self.batch * workers)
        with closing(read(source, stride=self.stride, ahead=ahead)) as items:
            yield from answer(
                items, ask, report=report, batch=self.batch, keep_pixels=self.keep_pixels, workers=workers
            )

    def identify(self, picture: Picture, result: MaskResult) -> MaskResult:
        """Return the result with the ids of its faces, where there is a tracker; call it with each, in order."""
        return result if self.tracker is None else self.tracker.update(result, frame_rate=picture.rate)


def answer(
    items: Iterable[Item],
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
        report: is told of every error, after the results of what came before it; may raise.
        batch: pictures run at once; the frame of a live stream never waits for another.
        keep_pixels: let each result hold its picture.
        workers: batches in the model at once, each in a thread; with more than one ``predict_batch`` must be
            thread-safe. One more batch waits, and no more than that are in memory.
    """

    def ask(group: list[Item]) -> list[MaskResult]:
        pictures = [one for one in group if isinstance(one, Picture)]
        infos = [one.info for one in pictures]
        return predict_batch([one.pixels for one in pictures], infos, keep_pixels=keep_pixels) if pictures else []

    groups = batches(items, batch)
    if workers > 1:
        yield from _side_by_side(groups, ask, report, workers)
        return
    for group in groups:
        results = ask(group)
        yield from _pair(group, results, report)
        # Else this batch stays in memory while the next is gathered.
        group.clear()
        results.clear()


def _pair(
    group: list[Item], results: list[MaskResult], report: Callable[[SourceError], None]
) -> Iterator[tuple[Picture, MaskResult]]:
    """Yield every picture of a batch with its result, and report each error in its place."""
    waiting = iter(results)
    for item in group:
        if isinstance(item, SourceError):
            report(item)
        else:
            yield item, next(waiting)


def _side_by_side(
    groups: Iterable[list[Item]],
    ask: Callable[[list[Item]], list[MaskResult]],
    report: Callable[[SourceError], None],
    workers: int,
) -> Generator[tuple[Picture, MaskResult]]:
    """Yield every picture with its result, in order, with ``workers`` groups asked for at once."""
    from concurrent.futures import ThreadPoolExecutor  # which a single picture does not need

    #: None for an error alone, which waits for its turn but for no worker.
    pending: deque[tuple[list[Item], Future[list[MaskResult]] | None]] = deque()

    def finish() -> Iterator[tuple[Picture, MaskResult]]:
        group, future = pending.popleft()
        yield from _pair(group, [] if future is None else future.result(), report)

    with ThreadPoolExecutor(workers, thread_name_prefix="maskdet-worker") as pool:
        try:
            for group in groups:
                last = group[-1]
                pending.append(
                    (group, pool.submit(ask, group) if len(group) > 1 or isinstance(last, Picture) else None)
                )
                # A live frame is answered at once; else one batch waits, so that no worker does.
                live = isinstance(last, Picture) and last.clip is not None and last.clip.live
                alone = isinstance(last, Picture) and (live or last.is_large)
                del group, last  # else a large picture is held while the next is decoded
                while pending and (pending[0][1] is None or _busy(pending) > (0 if alone else workers)):
                    yield from finish()
            while pending:
                yield from finish()
        finally:
            for _, future in pending:
                if future is not None:
                    future.cancel()


def _busy(pending: Iterable[tuple[list[Item], Future[list[MaskResult]] | None]]) -> int:
    return sum(future is not None for _, future in pending)


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Gather up to ``size`` pictures at a time, with the errors between them; an error before a batch comes alone."""
    group: list[Item] = []
    count = 0
    for item in items:
        group.append(item)
        if isinstance(item, SourceError):
            if not count:
                yield group
                group = []
            continue
        count += 1
        if count >= size or item.is_large or (item.clip is not None and item.clip.live):
            yield group
            group, count = [], 0
        del item
    if group:
        yield group
