"""The model behind every request: one queue, and threads that decode a picture, look at it and render the answer.

Nothing of it runs in the event loop. Pictures that wait together, and are to be looked at alike, go through the model
as one batch where it takes batches; a batch waits for others only while they are known to be coming, and never longer
than ``GATHER_SECONDS``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from maskdet.detector.inference.model import MaskDetector
from maskdet.errors import first_line
from maskdet.prediction.pipeline import PredictBatch, choose_predictor
from maskdet.results import ImageInfo, MaskResult
from maskdet.serve.body import decode
from maskdet.serve.options import Look
from maskdet.serve.problems import ProblemError, busy
from maskdet.sessions.processor import usable_cores
from maskdet.sources.picture import Picture

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from maskdet.classifier.inference.model import MaskClassifier
    from maskdet.detector.inference.runtime import Runtime
    from maskdet.serve.metrics import Metrics

#: Longest time that a picture waits for others of its batch.
GATHER_SECONDS: Final = 0.005

#: Pictures of one batch on a device that computes them together; the processor does better side by side.
DEVICE_BATCH: Final = 8

#: What becomes of a result: made into bytes, in the thread that made it.
Render = Callable[[MaskResult], Any]


@dataclass(slots=True, eq=False)
class _Job:
    """One picture on its way."""

    given: bytes | Picture
    info: ImageInfo
    look: Look
    render: Render
    reserved: bool
    answer: Future[Any] = field(default_factory=Future)
    since: float = field(default_factory=time.perf_counter)
    picture: Picture | None = None


class Engine:
    """Looks at pictures in threads of its own; ``start`` and ``stop`` begin and end them.

    Attributes:
        network: the loaded network.
        detector: looks at pictures as the server was started to.
        classifier: the loaded classifier.
        observer: is told what is done, where somebody counts it.
        usual: how pictures are looked at where a request does not say.
        room: pictures that may wait.
        ready: the model has answered once.
    """

    def __init__(
        self,
        network: Runtime,
        classifier: MaskClassifier,
        *,
        device: str = "cpu",
        threads: int = 1,
        usual: Look | None = None,
        room: int = 8,
        alone: Runtime | None = None,
    ) -> None:
        """Take loaded models, the ``device`` and ``threads`` that the network was loaded with, and see above.

        ``alone`` is the same network on all cores: it looks at a picture that has nobody beside it.

        Raises:
            ValueError: the network cannot look so.
        """
        self.network, self._alone, self._device, self._threads = network, alone, device, threads
        self.classifier, self.usual, self.room = classifier, usual or Look(), room
        self.detector = detector = self._detector(self.usual)
        self.observer: Metrics | None = None
        self.ready = False
        self._batch = 1 if detector.workers > 1 or usable_cores() == 1 else DEVICE_BATCH
        self._waiting: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._coming = self._running = 0
        self._ending = False
        self._seconds = 0.1  # of one picture, as the last ones took
        # As many at once as keep the processor busy; one more decodes for a device.
        self._in_model = threading.Semaphore(detector.workers)
        self._workers = [
            threading.Thread(target=self._work, name=f"maskdet-model-{number}", daemon=True)
            for number in range(max(detector.workers, min(usable_cores(), 2)))
        ]
        if len(self._workers) > 1:  # side by side, each with a thread of its own
            cv2.setNumThreads(1)
        self._predictor = lru_cache(maxsize=64)(self._open)

    def start(self) -> None:
        """Begin; the models are warmed first, and pictures are taken meanwhile."""

        def warm() -> None:
            picture = np.zeros((self.detector.info.imgsz, self.detector.info.imgsz, 3), np.uint8)
            info = ImageInfo(None, picture.shape[1], picture.shape[0])
            try:
                for alone in (False, True)[: 1 + bool(self._alone)]:
                    self._predictor(self.usual, alone)([picture], [info], keep_pixels=False)
                self._predictor(Look(mode="classify"), False)([picture], [info], keep_pixels=False)
            except Exception as error:
                log.error("the model cannot be used: %s", first_line(error), exc_info=error)
            else:
                self.ready = True

        for thread in (threading.Thread(target=warm, name="maskdet-warm", daemon=True), *self._workers):
            thread.start()

    def stop(self) -> None:
        """Take no more pictures, and let those that wait go unanswered."""
        with self._changed:
            self._ending = True
            waiting, self._waiting = self._waiting, deque()
            self._changed.notify_all()
        for job in waiting:
            job.answer.cancel()

    @property
    def load(self) -> tuple[int, int]:
        """How many pictures are waiting, and how many are looked at."""
        return len(self._waiting), self._running

    @property
    def full(self) -> bool:
        """Whether a picture would be refused now."""
        return sum(not job.reserved for job in tuple(self._waiting)) >= self.room

    def refusal(self) -> ProblemError:
        """Return what is said where there is no room: when it may be tried again."""
        return busy(self._seconds * (len(self._waiting) + 1) / len(self._workers))

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Say that a picture is coming: a batch may wait for it."""
        self._coming += 1
        try:
            yield
        finally:
            with self._changed:
                self._coming -= 1
                self._changed.notify_all()

    def submit(
        self,
        given: bytes | Picture,
        render: Render,
        *,
        info: ImageInfo,
        look: Look | None = None,
        reserved: bool = False,
    ) -> Future[Any]:
        """Put a picture in the queue.

        Args:
            given: an encoded picture, or a decoded one.
            render: what becomes of its result; called in a thread, and what it returns is the answer.
            info: its name and frame; the size is put in.
            look: how to look at it, as usual if not given.
            reserved: it has its place, however many wait: cameras and further pictures of one request.

        Returns:
            What ``render`` returns, once it is there; or a ``ProblemError``.

        Raises:
            ProblemError: the queue is full.
        """
        job = _Job(given, info, look or self.usual, render, reserved)
        with self._changed:
            if self._ending or (self.full and not reserved):
                raise self.refusal()
            self._waiting.append(job)
            self._changed.notify()
        return job.answer

    def _work(self) -> None:
        while group := self._take():
            try:
                self._answer([job for job in group if job.answer.set_running_or_notify_cancel()])
            finally:
                with self._changed:
                    self._running -= len(group)

    def _take(self) -> list[_Job]:
        """Wait for a picture, and for those that go with it; none when all ends."""
        with self._changed:
            while not self._waiting:
                if self._ending:
                    return []
                self._changed.wait()
            group = [self._waiting.popleft()]
            until = time.perf_counter() + GATHER_SECONDS
            while len(group) < self._batch:
                alike = next((job for job in self._waiting if job.look == group[0].look), None)
                if alike is not None:
                    self._waiting.remove(alike)
                    group.append(alike)
                elif self._coming <= 0 or (left := until - time.perf_counter()) <= 0 or self._ending:
                    break
                else:
                    self._changed.wait(left)
            self._running += len(group)
        return group

    def _answer(self, group: list[_Job]) -> None:
        """Decode, look and render; whatever goes wrong is the answer of whom it concerns."""
        decoded = [job for job in group if self._decode(job)]
        if not decoded:
            return
        pictures = [job.picture for job in decoded if job.picture is not None]
        try:
            with self._in_model:
                start = time.perf_counter()
                nobody_else = self._running == len(group) and not self._waiting
                predict = self._predictor(decoded[0].look, nobody_else)
                results = predict([one.pixels for one in pictures], [one.info for one in pictures], keep_pixels=True)
                seconds = (time.perf_counter() - start) / len(decoded)
        except BaseException as error:
            for job in decoded:
                job.answer.set_exception(error)
            return
        self._seconds += (seconds - self._seconds) / 8
        for job, result in zip(decoded, results, strict=True):
            self._observe("model", seconds)
            if self.observer is not None:
                self.observer.faces(result)
            try:
                job.answer.set_result(job.render(result))
            except BaseException as error:
                job.answer.set_exception(error)

    def _decode(self, job: _Job) -> bool:
        start = time.perf_counter()
        self._observe("queue", start - job.since)
        try:
            if isinstance(job.given, Picture):
                job.picture = job.given
            else:
                job.picture = decode(job.given, job.info, job.look, self.detector.info.imgsz)
                self._observe("decode", time.perf_counter() - start)
        except BaseException as error:
            job.answer.set_exception(error)
            return False
        finally:
            job.given = b""
        return True

    def _observe(self, stage: str, seconds: float) -> None:
        if self.observer is not None:
            self.observer.stage(stage, seconds)

    def _detector(self, look: Look, alone: bool = False) -> MaskDetector:
        network, threads = (self._alone, 0) if alone and self._alone else (self.network, self._threads)
        return MaskDetector(runtime=network, device=self._device, threads=threads, **look.detector_options())

    def _open(self, look: Look, alone: bool) -> PredictBatch:
        """Return what looks so; it shares the loaded networks."""
        if look.mode == "classify":
            return choose_predictor("classify", classifier=self.classifier).predict_batch
        try:
            detector = self._detector(look, alone)
        except ValueError as error:  # what the model cannot do: a size that it was not exported for
            raise ProblemError(422, str(error), reason="option") from None
        classifier = None if look.mode == "detect" else self.classifier
        return choose_predictor(look.mode, detector, classifier).predict_batch
