"""What ``--quality`` stands for, and which mode answers where none is named: plain options, and single ones win."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

from maskdet.classes import CLASS_NAMES
from maskdet.files.paths import AnyPath
from maskdet.weights import card_of, classifier_at_hand, default_model, shipped_models

#: fast: the detector in 8 bits, alone, a little smaller · standard: the defaults · best: what makes the answer better.
Quality = Literal["fast", "standard", "best"]


class Preset(NamedTuple):
    """The options that a word stands for; None for what is chosen where nothing is asked for."""

    weights: str | None = None
    mode: Literal["detect", "chain"] | None = None
    imgsz: int | None = None


PRESETS: Final[dict[Quality, Preset]] = {
    "fast": Preset(weights="maskdet-n-int8", mode="detect", imgsz=512),
    "standard": Preset(),
    # Close-ups of every photo and further views (augment) are no better on photos from elsewhere: docs/experiments.md.
    "best": Preset(weights="maskdet-s"),
}


def with_quality(quality: Quality, **given: Any) -> dict[str, Any]:
    """Return the given options, those that are None replaced by the preset's; ``mode`` only where it is given.

    Raises:
        ValueError: another word.

    >>> with_quality("best", weights=None, augment=True)
    {'weights': 'maskdet-s', 'augment': True}
    """
    if quality not in PRESETS:
        raise ValueError(f"quality must be one of {', '.join(get_args(Quality))}, not {quality!r}")
    preset = {name: value for name, value in PRESETS[quality]._asdict().items() if name != "mode" or name in given}
    if given.get("weights") is not None:
        del preset["imgsz"]  # it is the preset's model's
    return {**given, **{name: value for name, value in preset.items() if given.get(name) is None and value is not None}}


def default_mode(detector: AnyPath | None) -> Literal["detect", "chain"]:
    """Return what answers where nobody says: the chain, where a detector comes with the classifier that belongs to it.

    These are the shipped detectors of the classifier's classes. A detector of one's own was trained on other faces than
    the shipped classifier: it answers alone unless a classifier is named.

    Args:
        detector: its file, the name of a shipped one, or None for the default one.
    """
    name = None if detector is None else os.fsdecode(detector)
    model = default_model() if name is None else shipped_models().get(name)
    card = model.card if model else card_of(Path(str(name)))
    belongs = card.get("classes") == list(CLASS_NAMES)
    return "chain" if belongs and classifier_at_hand() else "detect"
