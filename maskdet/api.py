"""``maskdet.predict``: the functional API, a thin layer over ``MaskDetector``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, overload

from maskdet.detector.model import MaskDetector
from maskdet.errors import SourceError
from maskdet.results import MaskResult
from maskdet.sources import is_single, pictures

if TYPE_CHECKING:
    from maskdet.tracking.face_tracker import FaceTracker


@overload
def predict(
    source: Any,
    *,
    stream: Literal[True],
    detector: MaskDetector | None = ...,
    track: bool | FaceTracker = ...,
    **options: Any,
) -> Iterator[MaskResult]: ...


@overload
def predict(
    source: Any,
    *,
    stream: Literal[False] = ...,
    detector: MaskDetector | None = ...,
    track: bool | FaceTracker = ...,
    **options: Any,
) -> MaskResult | list[MaskResult]: ...


def predict(
    source: Any,
    *,
    stream: bool = False,
    detector: MaskDetector | None = None,
    track: bool | FaceTracker = False,
    **options: Any,
) -> MaskResult | list[MaskResult] | Iterator[MaskResult]:
    """Find the faces in a picture or in many, and how each wears its mask.

    Args:
        source: a path, folder or glob pattern; encoded ``bytes``; an (H, W, 3) uint8 BGR array; a PIL image; or an
            iterable of these.
        stream: return a generator that holds one picture in memory at a time.
        detector: a loaded model to use; else one is loaded for this call.
        track: give faces ids over the frames of a video; a ``FaceTracker`` of your own can then be asked for votes.
        **options: passed to ``MaskDetector`` (``weights``, ``conf``, ``iou``, ``imgsz``, …).

    Returns:
        One ``MaskResult`` for a single picture, a list for several, a generator with ``stream=True``.

    Raises:
        SourceError: a picture cannot be read.
        WeightsError: the model cannot be used.
        MissingExtraError: ``track`` without the ``track`` extra.
        TypeError: ``options`` beside a ``detector``, or a source of unknown type.
    """
    if detector is not None and options:
        raise TypeError(f"{', '.join(options)} belong to the detector: give them to MaskDetector(...)")
    results = _results(source, detector or MaskDetector(**options))
    if track:
        from maskdet.tracking.face_tracker import track as track_results

        results = track_results(results, None if track is True else track)
    if stream:
        return results
    return next(results) if is_single(source) else list(results)


def _results(source: Any, detector: MaskDetector) -> Iterator[MaskResult]:
    for picture in pictures(source):
        if isinstance(picture, SourceError):
            raise picture
        yield detector.detect_batch([picture.pixels], [picture.info])[0]
