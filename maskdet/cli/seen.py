"""One line where a model is scored on photos that it has learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from maskdet.terminal.console import say


def warn_of_seen(name: str, metadata: Mapping[str, str], weights: Path, photos: Sequence[Path]) -> None:
    """Say how many of the photos a model has learnt from, by what its file carries, or is recorded of a shipped one.

    Args:
        metadata: of the model's file.
        weights: that file.

    Raises:
        SourceError: a photo cannot be read.
    """
    from maskdet.datasets.photos.seen import KEY, photos_among
    from maskdet.weights import seen_marks

    marks = metadata.get(KEY) or seen_marks(weights)
    seen = photos_among(photos, marks) if marks else []
    if seen:
        say(f"warning: {name} has learnt from {len(seen)} of these {len(photos)} photos: its figures are too good")
