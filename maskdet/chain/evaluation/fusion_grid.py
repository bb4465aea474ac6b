"""Every fusion rule of a grid scored on kept answers: the networks have run, the rest is arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from maskdet.chain.evaluation.answers import MatchedFaces, PhotoAnswers, every_class, match_faces
from maskdet.chain.fusion import FusionRule
from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.coco import coco_scores
from maskdet.detector.evaluation.evaluate import VAL_CONF
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.inference.options import DEFAULT_CONF

#: The weights and least sides (pixels) that are tried.
WEIGHTS: Final = tuple(round(step / 10, 1) for step in range(11))
LEAST_SIDES: Final = (0.0, 8.0, 12.0, 16.0, 24.0, 32.0)

#: Decimals of the figures.
DECIMALS: Final = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """The figures of one rule; None where no such face is labelled or none was found.

    Attributes:
        rule: what was tried.
        ap50: by class.
        map50: mean AP at IoU 0.5 over the classes that are labelled.
        map50_95: mean AP at IoU 0.5 to 0.95.
        accuracy: share of the found faces whose class is right.
        macro_recall: mean over the classes of the share that is right: rare classes count as much as frequent ones.
    """

    rule: FusionRule
    ap50: tuple[float | None, ...]
    map50: float | None
    map50_95: float | None
    accuracy: float | None
    macro_recall: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return one flat row."""
        return {
            "weight": self.rule.weight,
            "least_side": self.rule.least_side,
            **{f"ap50_{name}": value for name, value in zip(CLASS_NAMES, self.ap50, strict=True)},
            "map50": self.map50,
            "map50_95": self.map50_95,
            "accuracy": self.accuracy,
            "macro_recall": self.macro_recall,
        }


def score_grid(
    truths: Sequence[Truth],
    answers: Sequence[PhotoAnswers],
    weights: Sequence[float] = WEIGHTS,
    least_sides: Sequence[float] = LEAST_SIDES,
    *,
    conf: float = DEFAULT_CONF,
) -> Iterator[Cell]:
    """Score every weight with every least side.

    Weight 0 is the detector alone whatever the side, so it is scored once.

    Args:
        truths: one a photo.
        answers: one a photo, in the same order.
        weights: 0 to 1 each.
        least_sides: pixels.
        conf: boxes above it are those whose classes ``accuracy`` counts.

    Yields:
        The cells, least sides within weights.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
        ValueError: a weight or side out of its range, or ``truths`` and ``answers`` differ in length.
    """
    rules = [
        FusionRule(weight, side)
        for weight in weights
        for side in (least_sides if weight else least_sides[:1])
    ]  # fmt: skip
    matched = match_faces(truths, answers, conf=conf)
    for rule in rules:
        yield score_rule(truths, answers, matched, rule)


def score_rule(
    truths: Sequence[Truth], answers: Sequence[PhotoAnswers], matched: MatchedFaces, rule: FusionRule
) -> Cell:
    """Score one rule; see ``score_grid``."""
    fused = [answer.fused(rule) for answer in answers]
    found = [every_class(answer.boxes, scores, VAL_CONF) for answer, scores in zip(answers, fused, strict=True)]
    ap = coco_scores(truths, found).ap[:, :, 0]
    right = matched.of_boxes(fused).argmax(axis=1) == matched.labels
    recalls = [right[matched.labels == class_id].mean() for class_id in np.unique(matched.labels)]
    return Cell(
        rule,
        tuple(_known(value) for value in ap[0]),
        _mean(ap[0]),
        _mean(ap.mean(axis=0)),
        _mean(right),
        _mean(recalls),
    )


def _known(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), DECIMALS)


def _mean(values: Any) -> float | None:
    """Return the mean of those that are known, None of none."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return round(float(known.mean()), DECIMALS) if known.size else None
