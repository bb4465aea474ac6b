"""``maskdet.predict``: the functional API, a thin layer over sources, models and results."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias, Unpack, overload

from maskdet.arguments import whole_number
from maskdet.errors import SourceError
from maskdet.prediction.pipeline import Mode, Session, choose_predictor
from maskdet.prediction.quality import Quality
from maskdet.results import MaskResult
from maskdet.sessions.processor import threads_each
from maskdet.sources import is_many, is_single

if TYPE_CHECKING:
    from maskdet.classifier.inference.model import MaskClassifier
    from maskdet.detector.inference.model import MaskDetector
    from maskdet.detector.inference.options import DetectorOptions
    from maskdet.tracking.face_tracker import FaceTracker

#: What becomes of a picture that cannot be read: see ``predict``.
OnError: TypeAlias = Literal["raise", "skip"] | Callable[[SourceError], None]


@overload
def predict(
    source: Any,
    *,
    stream: Literal[True],
    mode: Mode | None = ...,
    quality: Quality = ...,
    detector: MaskDetector | None = ...,
    classifier: MaskClassifier | None = ...,
    track: bool | FaceTracker = ...,
    batch: int = ...,
    vid_stride: int = ...,
    keep_pixels: bool | None = ...,
    on_error: OnError = ...,
    **options: Unpack[DetectorOptions],
) -> Generator[MaskResult]: ...


@overload
def predict(
    source: Any,
    *,
    stream: Literal[False] = ...,
    mode: Mode | None = ...,
    quality: Quality = ...,
    detector: MaskDetector | None = ...,
    classifier: MaskClassifier | None = ...,
    track: bool | FaceTracker = ...,
    batch: int = ...,
    vid_stride: int = ...,
    keep_pixels: bool | None = ...,
    on_error: OnError = ...,
    **options: Unpack[DetectorOptions],
) -> MaskResult | list[MaskResult]: ...


def predict(
    source: Any,
    *,
    stream: bool = False,
    mode: Mode | None = None,
    quality: Quality = "standard",
    detector: MaskDetector | None = None,
    classifier: MaskClassifier | None = None,
    track: bool | FaceTracker = False,
    batch: int = 1,
    vid_stride: int = 1,
    keep_pixels: bool | None = None,
    on_error: OnError = "raise",
    **options: Unpack[DetectorOptions],
) -> MaskResult | list[MaskResult] | Generator[MaskResult]:
    """Find the faces in a picture, in many or in a video, and how each wears its mask.

    Args:
        source: a path, folder or glob pattern of pictures and videos; the index of a webcam; the URL of a picture,
            video or stream (``http``, ``https``, ``rtsp``, …); ``"-"`` for a picture on standard input; encoded
            ``bytes``; an open binary file; an (H, W, 3) uint8 BGR array; a PIL image; or an iterable of these.
        stream: return a generator, which holds a few pictures in memory at a time, however long the video. Closing it
            (or leaving its loop) releases camera and file.
        mode: ``detect`` the detector alone; ``classify`` each picture already is a face crop; ``chain`` the detector
            finds faces and the classifier's probabilities decide together with its own; ``compare`` the detector's
            answer, with the classifier's and whether they agree beside it. None for the chain with a shipped detector
            or a ``classifier``, and for the detector alone with one of your own.
        quality: ``fast`` the detector in 8 bits, alone; ``standard`` the defaults; ``best`` the larger detector,
            chained: each says what stands in the place of options that are not given.
        detector: a loaded model to use; else one is loaded for this call, which for a folder, video or list looks at
            as many pictures side by side as there are cores (``MaskDetector(threads=1)`` does so too).
        classifier: likewise, for every mode but ``detect``.
        track: give faces ids over the frames of a video; a ``FaceTracker`` of your own can then be asked for votes.
        batch: pictures run at once.
        vid_stride: of a video or stream every how-many-th frame is looked at, from the first on.
        keep_pixels: let each result hold its picture, for ``plot`` and ``save``. By default all do but the frames of a
            video in a list, which would fill the memory.
        on_error: what becomes of a picture that cannot be read. ``"raise"``: a stream ends with its error, after all
            results that come before it; without ``stream`` these are in the error's ``results``. ``"skip"``: all others
            are answered. A function is called with each error, in its place between the results, and all others are
            answered; what it raises ends the call.
        **options: passed to ``MaskDetector`` (``weights``, ``conf``, ``iou``, ``imgsz``, …).

    Returns:
        One ``MaskResult`` for a single picture (an empty list where it cannot be read and its error is passed over); a
        list for several, or for a video, one a frame; a generator with
        ``stream=True``. ``result.image.frame`` is the number of the frame, from 0.

    Raises:
        SourceError: a picture cannot be read; or a live stream, which never ends, without ``stream=True``.
        WeightsError: the model cannot be used.
        ValueError: ``batch`` or ``vid_stride`` below 1, or an unknown ``mode`` or ``on_error``.
        MissingExtraError: ``track`` without the ``track`` extra.
        TypeError: ``options`` or a model that this mode does not use, a number that is none, or a source of unknown
            type.
    """
    batch = whole_number("batch", batch, low=1)
    vid_stride = whole_number("vid_stride", vid_stride, low=1)
    report = _reporter(on_error)
    if detector is None and mode != "classify" and is_many(source):
        options.setdefault("threads", threads_each())
    predictor = choose_predictor(mode, detector, classifier, quality, **options)
    tracker = None
    if track:
        from maskdet.tracking.face_tracker import FaceTracker as Tracker

        tracker = Tracker() if track is True else track
    keep = keep_pixels is not False
    session = Session(predictor=predictor, tracker=tracker, batch=batch, stride=vid_stride, keep_pixels=keep)
    if stream:
        return _stream(session, source, report)
    results, of_video = _collect(session, source, report, keep_frames=bool(keep_pixels))
    return results[0] if results and is_single(source) and not of_video else results


def _stream(session: Session, source: Any, report: Callable[[SourceError], None]) -> Generator[MaskResult]:
    with closing(session.answers(source, report=report)) as answers:
        for picture, result in answers:
            yield session.identify(picture, result)
            del picture, result


def _collect(
    session: Session, source: Any, report: Callable[[SourceError], None], *, keep_frames: bool
) -> tuple[list[MaskResult], bool]:
    """Return all results, and whether any is a frame of a video."""
    results: list[MaskResult] = []
    of_video = False
    try:
        with closing(session.answers(source, report=report)) as answers:
            for picture, found in answers:
                result = session.identify(picture, found)
                if picture.clip is None:
                    results.append(result)
                    continue
                if picture.clip.live:
                    raise SourceError(picture.clip.path, "a live stream never ends: use predict(..., stream=True)")
                of_video = True
                results.append(result if keep_frames else result.without_pixels())
    except SourceError as error:
        error.results = results
        raise
    return results, of_video


def _reporter(on_error: OnError) -> Callable[[SourceError], None]:
    """Return what is told of every error."""
    if callable(on_error):
        return on_error
    known: dict[object, Callable[[SourceError], None]] = {"raise": _raise, "skip": lambda _: None}
    if on_error not in known:
        raise ValueError(f"on_error must be 'raise', 'skip' or a function that takes the error, not {on_error!r}")
    return known[on_error]


def _raise(error: SourceError) -> NoReturn:
    raise error
