"""The way of a picture: file → decode → detector → result, in batches, with bad files reported and passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from maskdet.detector.model import MaskDetector
from maskdet.errors import SourceError
from maskdet.results import MaskResult
from maskdet.sources import Picture, PictureFile


def detect_files(
    files: Iterable[PictureFile], detector: MaskDetector, *, batch: int, report: Callable[[SourceError], None]
) -> Iterator[tuple[Picture, MaskResult]]:
    """Yield every readable picture with its result, in order.

    Args:
        files: what to read.
        detector: what to ask.
        batch: pictures decoded and run at once.
        report: is told of every file that cannot be read.
    """
    readable = decode_files(files, report)
    while group := list(islice(readable, batch)):
        results = detector.detect_batch([one.pixels for one in group], [one.info for one in group])
        yield from zip(group, results, strict=True)


def decode_files(files: Iterable[PictureFile], report: Callable[[SourceError], None]) -> Iterator[Picture]:
    """Yield every readable picture; ``report`` is told of the others."""
    for file in files:
        try:
            yield file.decode()
        except SourceError as error:
            report(error)
