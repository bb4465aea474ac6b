"""Detector, classifier and chain over grouped folds: each fold by networks that have not seen it.

Average precision is the mean of the folds, as ``maskdet.detector.evaluation.folds.cross_validation`` gives it; what the
chain gains is the same mean of differences, drawn in pairs. The class on the faces found is counted over all photos
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.chain.evaluation.answers import PhotoAnswers, ask_both, least_conf
from maskdet.chain.evaluation.report import FINDERS, CompareReport, Settings, Subject
from maskdet.chain.evaluation.split import ap_stacks, score_answers
from maskdet.chain.predictor import DEFAULT_RULE, FusionRule
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.detector.evaluation.average_precision import by_iou, by_size
from maskdet.detector.evaluation.coco import MATCH_IOU
from maskdet.detector.evaluation.evaluate import RESAMPLES, SEED, VAL_CONF
from maskdet.detector.evaluation.folds.cross_validation import FOLD, draw_folds, fold_figure
from maskdet.detector.evaluation.folds.fold_set import FoldSet
from maskdet.detector.evaluation.folds.report import FoldModel, check_unseen
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF, DEFAULT_IOU
from maskdet.results import ModelInfo
from maskdet.statistics.figures import FoldFigure, plain

SCHEMA: Final = "maskdet-compare-folds/1"

#: ``"ap50"`` and ``"ap50_95"`` -> size range -> class or ``"mean"`` -> the figure.
ApTable = Mapping[str, Mapping[str, Mapping[str, FoldFigure]]]


@dataclass(frozen=True, slots=True)
class FoldPair:
    """The two networks of one fold, and what the report says of them."""

    detector: MaskDetector
    classifier: MaskClassifier
    models: tuple[FoldModel, FoldModel]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FoldCompareReport:
    """Every figure of one comparison over folds, by finder; ``leaks`` counts groups that lie in several.

    ``pooled`` is of all photos as one set; its draws are those of groups within folds too.
    """

    models: tuple[tuple[FoldModel, FoldModel], ...]
    ap: Mapping[str, ApTable]
    ap_gain: Mapping[str, ApTable]
    pooled: CompareReport
    leaks: int
    command: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the ``maskdet-compare-folds/1`` schema, as plain JSON types."""
        whole = self.pooled.to_dict()
        data = {**whole["data"], "folds": len(self.models), "groups_in_several_folds": self.leaks}
        return {
            "schema": SCHEMA,
            "command": self.command,
            "detectors": [plain(detector) for detector, _ in self.models],
            "classifiers": [plain(classifier) for _, classifier in self.models],
            "rule": whole["rule"],
            "data": data,
            "settings": whole["settings"],
            "ap": plain(self.ap),
            "ap_gain": plain(self.ap_gain),
            "pooled": {key: whole[key] for key in ("ap", "ap_gain", *_OF_CLASSES)},
        }


_OF_CLASSES: Final = ("classes", "class_gain", "classifier_on_every_label", "confusion", "mcnemar")


def compare_folds(
    pairs: Iterable[FoldPair],
    folds: FoldSet,
    *,
    conf: float = DEFAULT_CONF,
    iou: float = DEFAULT_IOU,
    batch: int = 16,
    quiet: bool = True,
) -> FoldCompareReport:
    """Run both networks of each fold over its photos and score everything; options as of ``compare``.

    The pair of each fold is asked for when its turn comes.

    Raises:
        SourceError: a photo that cannot be decoded.
        WeightsError: a detector says that it was trained on another fold.
        MissingExtraError: faster-coco-eval is not installed.
    """
    answers: list[list[PhotoAnswers]] = []
    models: list[tuple[FoldModel, FoldModel]] = []
    ap_conf = VAL_CONF
    for number, pair in enumerate(pairs, 1):
        check_unseen(pair.detector, number)
        test = folds.tests[number - 1]
        answers.append(ask_both(pair.detector, pair.classifier, test, iou=iou, batch=batch, quiet=quiet))
        models.append(pair.models)
        # One threshold for all folds, low enough for each.
        ap_conf = min(ap_conf, least_conf(pair.detector))
    settings = Settings(ap_conf, conf, iou, MATCH_IOU, RESAMPLES, SEED)
    return score_folds(folds, answers, tuple(models), DEFAULT_RULE, settings)


def score_folds(
    folds: FoldSet,
    answers: Sequence[Sequence[PhotoAnswers]],
    models: tuple[tuple[FoldModel, FoldModel], ...],
    rule: FusionRule,
    settings: Settings,
) -> FoldCompareReport:
    """Score answers at hand, for each fold one a photo; see ``compare_folds``.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
        ValueError: another number of answers than of photos.
    """
    weights = draw_folds(folds, resamples=settings.resamples, seed=settings.seed)
    stacks = [
        ap_stacks(test.truths, mine, [answer.fused(rule) for answer in mine], drawn, settings.ap_conf)
        for test, mine, drawn in zip(folds.tests, answers, weights, strict=True)
    ]
    every = {finder: np.stack([stack[finder] for stack in stacks]) for finder in FINDERS}
    flat = [answer for fold in answers for answer in fold]
    detector, classifier = (
        Subject(ModelInfo(_template(part), part[0].imgsz, 0.0)) for part in zip(*models, strict=True)
    )
    return FoldCompareReport(
        models=models,
        ap={finder: _table(stacked) for finder, stacked in every.items()},
        ap_gain={finder: _table(every["chain"] - stacked) for finder, stacked in every.items() if finder != "chain"},
        pooled=score_answers(folds.pooled, flat, detector, classifier, rule, settings, np.concatenate(weights, axis=1)),
        leaks=folds.leaks,
    )


def _template(models: Sequence[FoldModel]) -> str:
    """Return what the models of fold 1 … K are called together."""
    return models[0].name.replace("1", FOLD)


def _table(stacked: npt.NDArray[np.float64]) -> ApTable:
    """Return the figures of (K, 1 + B, 10, 4, 4) average precision, or of differences of it."""
    of_iou = by_iou(stacked)

    def figure(label: str, row: int, column: int) -> FoldFigure:
        return fold_figure(of_iou[label][:, :, row, column])

    return {label: by_size(partial(figure, label)) for label in of_iou}
