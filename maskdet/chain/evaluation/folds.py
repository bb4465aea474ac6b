"""Detector, classifier and chain over grouped folds: each fold by networks that have not seen it.

Average precision is the mean of the folds, as ``maskdet.detector.evaluation.folds.cross_validation`` gives it; what the
chain gains is the same mean of differences, drawn in pairs. So is the class on the faces found, and counted over all
photos together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.chain.evaluation.answers import PhotoAnswers, ask_both, least_conf
from maskdet.chain.evaluation.answers_file import FoldAnswers, rounded
from maskdet.chain.evaluation.report import FINDERS, NAMERS, ClassDraws, CompareReport, Settings, Subject, class_draws
from maskdet.chain.evaluation.split import ap_stacks, name_faces, score_answers
from maskdet.chain.predictor import DEFAULT_RULE, FusionRule
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.datasets.grouping.folds import SERIES
from maskdet.detector.evaluation.average_precision import by_iou, by_size
from maskdet.detector.evaluation.coco import MATCH_IOU
from maskdet.detector.evaluation.evaluate import RESAMPLES, SEED, VAL_CONF
from maskdet.detector.evaluation.folds.cross_validation import FOLD, draw_folds, fold_figure
from maskdet.detector.evaluation.folds.fold_set import FoldSet
from maskdet.detector.evaluation.folds.report import FoldModel, kept, parts_of
from maskdet.detector.evaluation.folds.unseen import check_unseen
from maskdet.detector.evaluation.labelled_split import Truth
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
class FoldCompareScores:
    """Every figure of one set of photos.

    Attributes:
        ap, ap_gain: by finder, mean of the folds.
        classes: namer -> ``"accuracy"`` and ``"macro_f1"`` on the faces found, mean of the folds.
        pooled: of all photos as one set; its draws are those of groups within folds too.
    """

    ap: Mapping[str, ApTable]
    ap_gain: Mapping[str, ApTable]
    classes: Mapping[str, Mapping[str, FoldFigure]]
    pooled: CompareReport

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON types."""
        whole = self.pooled.to_dict()
        pooled = {key: whole[key] for key in ("ap", "ap_gain", *_OF_CLASSES)}
        faces = {key: whole["data"][key] for key in ("photos", "faces")}
        own = {key: plain(getattr(self, key)) for key in ("ap", "ap_gain", "classes")}
        return {**faces, **own, "pooled": pooled}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FoldCompareReport:
    """One comparison over folds; ``leaks`` counts groups of alike photos that lie in several.

    Attributes:
        parts: ``fold1`` … ``foldK``, and perhaps ``series``.
        sets: as those of ``maskdet.detector.evaluation.folds.report.FoldReport``.
    """

    parts: tuple[str, ...]
    models: tuple[tuple[FoldModel, FoldModel], ...]
    sets: Mapping[str, FoldCompareScores]
    leaks: int
    command: str | None = None

    @property
    def folds(self) -> int:
        """How many folds there are beside the series."""
        return sum(part != SERIES for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the ``maskdet-compare-folds/1`` schema, as plain JSON types.

        The figures of all photos stand at the top, those of other sets under their names.
        """
        whole = self.sets["all"].pooled.to_dict()
        folds = {"folds": self.folds, "parts": list(self.parts)}
        figures = {name: scores.to_dict() for name, scores in self.sets.items()}
        first = {key: value for key, value in figures.pop("all").items() if key not in ("photos", "faces")}
        return {
            "schema": SCHEMA,
            "command": self.command,
            "detectors": [plain(detector) for detector, _ in self.models],
            "classifiers": [plain(classifier) for _, classifier in self.models],
            "rule": whole["rule"],
            "data": {**whole["data"], **folds, "groups_in_several_folds": self.leaks},
            "settings": whole["settings"],
            **first,
            **figures,
        }


_OF_CLASSES: Final = ("classes", "class_gain", "classifier_on_every_label", "confusion", "mcnemar")


def ask_folds(
    pairs: Iterable[FoldPair],
    folds: FoldSet,
    *,
    iou: float = DEFAULT_IOU,
    batch: int = 16,
    quiet: bool = True,
) -> FoldAnswers:
    """Run both networks of each part over its photos; the pair of each is asked for when its turn comes.

    Raises:
        SourceError: a photo that cannot be decoded.
        WeightsError: a network has seen photos of its fold, or does not say what it has seen.
    """
    answers: list[list[PhotoAnswers]] = []
    models: list[tuple[FoldModel, FoldModel]] = []
    ap_conf = VAL_CONF
    for pair, test, part in zip(pairs, folds.tests, folds.names, strict=True):
        for metadata, model in zip((pair.detector.metadata, pair.classifier.spec.metadata), pair.models, strict=True):
            check_unseen(metadata, model.name, test.photos, part)
        said = ask_both(pair.detector, pair.classifier, test, iou=iou, batch=batch, quiet=quiet)
        answers.append([rounded(answer) for answer in said])
        models.append(pair.models)
        # One threshold for all folds, low enough for each.
        ap_conf = min(ap_conf, least_conf(pair.detector))
    return FoldAnswers(folds=folds, answers=answers, models=tuple(models), ap_conf=ap_conf, iou=iou)


def compare_folds(kept: FoldAnswers, *, conf: float = DEFAULT_CONF, resamples: int = RESAMPLES) -> FoldCompareReport:
    """Score what both networks of each part said; options as of ``compare``.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
    """
    settings = Settings(kept.ap_conf, conf, kept.iou, MATCH_IOU, resamples, SEED)
    return score_folds(kept.folds, kept.answers, kept.models, DEFAULT_RULE, settings)


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
    known: dict[tuple[str, bytes], _PartScores] = {}  # most sets share their folds, and the draws of them
    return FoldCompareReport(
        parts=folds.names,
        models=models,
        sets={
            name: _score(part, kept(answers, keep), models, rule, settings, known)
            for name, part, keep in parts_of(folds)
        },
        leaks=folds.leaks,
    )


def _score(
    folds: FoldSet,
    answers: Sequence[Sequence[PhotoAnswers]],
    models: tuple[tuple[FoldModel, FoldModel], ...],
    rule: FusionRule,
    settings: Settings,
    known: dict[tuple[str, bytes], _PartScores],
) -> FoldCompareScores:
    weights = draw_folds(folds, resamples=settings.resamples, seed=settings.seed)
    stacks, named = [], []
    for at in folds.averaged:
        key = (folds.names[at], weights[at].tobytes())
        if key not in known:
            known[key] = _score_part(folds.tests[at].truths, answers[at], weights[at], rule, settings)
        stack, draws = known[key]
        stacks.append(stack)
        named.append(draws)
    every = {finder: np.stack([stack[finder] for stack in stacks]) for finder in FINDERS}
    detector, classifier = (
        Subject(ModelInfo(_template(part), part[0].imgsz, 0.0)) for part in zip(*models, strict=True)
    )
    flat = [answer for part in answers for answer in part]
    drawn = np.concatenate(weights, axis=1)
    return FoldCompareScores(
        ap={finder: _table(stacked) for finder, stacked in every.items()},
        ap_gain={finder: _table(every["chain"] - stacked) for finder, stacked in every.items() if finder != "chain"},
        classes={
            namer: {
                figure: fold_figure(np.stack([getattr(one[namer], figure) for one in named]))
                for figure in ("accuracy", "macro_f1")
            }
            for namer in NAMERS
        },
        pooled=score_answers(folds.pooled, flat, detector, classifier, rule, settings, drawn),
    )


#: By finder as ``ap_stacks`` gives it, and by namer.
_PartScores = tuple[dict[str, npt.NDArray[np.float64]], dict[str, ClassDraws]]


def _score_part(
    truths: Sequence[Truth],
    answers: Sequence[PhotoAnswers],
    drawn: npt.NDArray[np.int32],
    rule: FusionRule,
    settings: Settings,
) -> _PartScores:
    fused = [answer.fused(rule) for answer in answers]
    matched, classes = name_faces(truths, answers, fused, settings.conf)
    draws = {
        namer: class_draws(matched.photos, matched.labels, ids, photo_count=len(truths), weights=drawn)
        for namer, ids in classes.items()
    }
    return ap_stacks(truths, answers, fused, drawn, settings.ap_conf), draws


def _template(models: Sequence[FoldModel]) -> str:
    """Return what the models of fold 1 … K are called together."""
    return models[0].name.replace("1", FOLD)


def _table(stacked: npt.NDArray[np.float64]) -> ApTable:
    """Return the figures of (K, 1 + B, 10, 4, 4) average precision, or of differences of it."""
    of_iou = by_iou(stacked)

    def figure(label: str, row: int, column: int) -> FoldFigure:
        return fold_figure(of_iou[label][:, :, row, column])

    return {label: by_size(partial(figure, label)) for label in of_iou}
