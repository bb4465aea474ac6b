"""Detector, classifier and chain scored on labelled photos: a split of a YOLO data set, or a whole Pascal VOC folder.

Average precision is measured for the detector as it ships (NMS for each class alone), and, on the same boxes after NMS
over all classes together, for the scores of the detector and the fused ones: each box stands for every class with a
score above ``VAL_CONF``. Classes are compared on the labelled faces that the detector found above a threshold, whatever
class it gave them: there the four ways of answering differ in nothing but the class.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from maskdet.chain.evaluation.answers import MatchedFaces, PhotoAnswers, ask_both, every_class, least_conf, match_faces
from maskdet.chain.evaluation.report import (
    FINDERS,
    NAMERS,
    ClassDraws,
    ClassRow,
    CompareReport,
    Discord,
    Settings,
    Subject,
    class_draws,
)
from maskdet.chain.predictor import DEFAULT_RULE, FusionRule
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.datasets.photos.photo import Collection
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.read import read_voc
from maskdet.detector.evaluation.average_precision import AP_ROWS, by_iou
from maskdet.detector.evaluation.coco import MATCH_IOU, SIZES, coco_scores, within_sizes
from maskdet.detector.evaluation.evaluate import RESAMPLES, SEED, VAL_CONF, ap_of_weights, rows_of
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth, read_split
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF, DEFAULT_IOU
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import DatasetError
from maskdet.statistics.figures import Figure, draw_photos, figure_of
from maskdet.statistics.mcnemar import exact_p

#: What ``LabelledSplit.split`` says of a VOC folder, which has no splits that maskdet reads.
WHOLE: Final = "all"


def read_labelled(data: str | Path, split: str | None = None) -> LabelledSplit:
    """Read photos and labels; a folder without a ``data.yaml`` is read as ``maskdet convert`` does, without splits.

    Raises:
        DatasetError: it cannot be used for scoring, or a split of a VOC folder was asked for.
        AnnotationError: a label that cannot be used.
        SourceError: a photo that cannot be decoded.
    """
    path = Path(data)
    if not path.is_dir() or (path / "data.yaml").is_file():
        return read_split(path, split or "val")
    if split is not None:
        raise DatasetError(path, "no data.yaml in it; a Pascal VOC folder has no splits and is scored as a whole")
    collection, _ = read_voc(path, ReadOptions(quiet=True))
    return from_collection(collection, path)


def from_collection(collection: Collection, folder: Path) -> LabelledSplit:
    """Return a data set at hand as one split.

    Raises:
        DatasetError: no face is labelled in it.
    """
    photos = collection.photos
    if not any(len(photo.class_ids) for photo in photos):
        raise DatasetError(folder, "has no labelled faces")
    return LabelledSplit(
        folder.resolve().name,
        WHOLE,
        tuple(photo.picture.path for photo in photos),
        tuple(Truth(photo.boxes, photo.class_ids) for photo in photos),
        sum(mend.kind == "repeated" for mend in collection.mends),
    )


_Ints = npt.NDArray[np.int64]


def compare(
    detector: MaskDetector,
    classifier: MaskClassifier,
    labelled: LabelledSplit,
    *,
    rule: FusionRule = DEFAULT_RULE,
    conf: float = DEFAULT_CONF,
    iou: float = DEFAULT_IOU,
    batch: int = 16,
    resamples: int = RESAMPLES,
    quiet: bool = True,
) -> CompareReport:
    """Run both networks over a split, the detector's own thresholds unused, and score everything.

    Boxes above ``conf`` are those whose classes are compared; average precision starts at ``VAL_CONF``. ``iou`` is that
    of NMS; without ``resamples`` there are no intervals.

    Raises:
        SourceError: a photo that cannot be decoded.
        MissingExtraError: faster-coco-eval is not installed.
        ValueError: a detector with ``tile``.
    """
    if detector.tiled:
        raise ValueError("a detector with tiles cannot be compared: it is scored on whole pictures")
    answers = ask_both(detector, classifier, labelled, iou=iou, batch=batch, quiet=quiet)
    settings = Settings(least_conf(detector), conf, iou, MATCH_IOU, resamples, SEED)
    return score_answers(labelled, answers, Subject(detector.info), Subject(classifier.info), rule, settings)


def score_answers(
    labelled: LabelledSplit,
    answers: Sequence[PhotoAnswers],
    detector: Subject,
    classifier: Subject,
    rule: FusionRule,
    settings: Settings,
    weights: npt.NDArray[np.int32] | None = None,
) -> CompareReport:
    """Score answers at hand, one a photo; see ``compare``.

    ``weights``, (B, P) int32, are draws at hand: how often each photo counts; else photos are drawn by ``settings``.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
        ValueError: another number of answers than of photos.
    """
    truths = labelled.truths
    if weights is None:
        weights = draw_photos(len(truths), resamples=settings.resamples, seed=settings.seed)
    fused = [answer.fused(rule) for answer in answers]
    matched, named = name_faces(truths, answers, fused, settings.conf)
    draws = ap_stacks(truths, answers, fused, weights, settings.ap_conf)
    found_boxes = matched.of_faces([truth.boxes for truth in truths])
    by_size = {name: _by_size(matched.photos, matched.labels, named[name], found_boxes, weights) for name in NAMERS}
    chain, alone = by_size["chain"]["all"], by_size["detector"]["all"]
    return CompareReport(
        data=labelled.data,
        split=labelled.split,
        photos=len(labelled.photos),
        repeated=labelled.repeated,
        detector=detector,
        classifier=classifier,
        rule=rule,
        settings=settings,
        ap={finder: rows_of(stacked, truths) for finder, stacked in draws.items()},
        ap_gain={finder: _gain(draws["chain"] - draws[finder]) for finder in FINDERS if finder != "chain"},
        classes={size: {name: ClassRow.of(by_size[name][size]) for name in NAMERS} for size in SIZES},
        class_gain={
            "accuracy": figure_of(chain.accuracy - alone.accuracy),
            "macro_f1": figure_of(chain.macro_f1 - alone.macro_f1),
        },
        labelled_faces=_every_label(truths, answers, weights),
        confusion={name: by_size[name]["all"].matrix for name in NAMERS},
        discord=_discord(matched, named["detector"], named["chain"]),
    )


def name_faces(
    truths: Sequence[Truth], answers: Sequence[PhotoAnswers], fused: Sequence[npt.NDArray[np.float32]], conf: float
) -> tuple[MatchedFaces, dict[str, _Ints]]:
    """Return the M faces found above ``conf``, and the (M,) classes that each of ``NAMERS`` gives them."""
    matched = match_faces(truths, answers, conf=conf)
    return matched, {
        "detector": matched.of_boxes([answer.scores for answer in answers]).argmax(axis=1),
        "classifier": matched.of_boxes([answer.on_boxes for answer in answers]).argmax(axis=1),
        "classifier_on_labels": matched.of_faces([answer.on_faces for answer in answers]).argmax(axis=1),
        "chain": matched.of_boxes(fused).argmax(axis=1),
    }


def ap_stacks(
    truths: Sequence[Truth],
    answers: Sequence[PhotoAnswers],
    fused: Sequence[npt.NDArray[np.float32]],
    weights: npt.NDArray[np.int32],
    conf: float = VAL_CONF,
) -> dict[str, npt.NDArray[np.float64]]:
    """Return average precision of each finder, measured and drawn; ``fused`` has the chain's (N, 3) scores a photo.

    (1 + B, 10, 4, 4) float64, as ``ap_of_weights`` of ``maskdet.detector.evaluation.evaluate`` gives it for
    ``weights``, (B, P) int32: how often each photo counts in each draw. Scores above ``conf`` count.
    """
    found: dict[str, list[Detections]] = {
        "shipped": [answer.shipped for answer in answers],
        "detector": [every_class(answer.boxes, answer.scores, conf) for answer in answers],
        "chain": [every_class(answer.boxes, scores, conf) for answer, scores in zip(answers, fused, strict=True)],
    }
    return {
        finder: ap_of_weights(truths, boxes, coco_scores(truths, boxes).ap, weights) for finder, boxes in found.items()
    }


def _gain(draws: npt.NDArray[np.float64]) -> dict[str, dict[str, Figure]]:
    """Return the gain on faces of every size, from differences of what ``ap_draws`` gave."""
    return {
        label: {name: figure_of(values[:, row, 0]) for row, name in enumerate(AP_ROWS)}
        for label, values in by_iou(draws).items()
    }


def _by_size(
    photos: _Ints, labels: _Ints, answers: _Ints, boxes: npt.NDArray[np.float64], weights: npt.NDArray[np.int32]
) -> dict[str, ClassDraws]:
    """Score (N,) answers for the faces of each size range; ``boxes`` are the labelled ones, (N, 4)."""
    within = within_sizes(boxes)
    return {
        size: class_draws(
            photos[within[:, column]],
            labels[within[:, column]],
            answers[within[:, column]],
            photo_count=weights.shape[1],
            weights=weights,
        )
        for column, size in enumerate(SIZES)
    }


def _every_label(
    truths: Sequence[Truth], answers: Sequence[PhotoAnswers], weights: npt.NDArray[np.int32]
) -> dict[str, ClassRow]:
    """Score the classifier on every labelled face, found or not."""
    photos = np.repeat(np.arange(len(truths)), [len(truth.class_ids) for truth in truths])
    labels = np.concatenate([truth.class_ids for truth in truths])
    named = np.concatenate([answer.on_faces for answer in answers]).argmax(axis=1)
    boxes = np.concatenate([truth.boxes for truth in truths])
    scored = _by_size(photos, labels, named, boxes, weights)
    return {size: ClassRow.of(draws) for size, draws in scored.items()}


def _discord(matched: MatchedFaces, detector: _Ints, chain: _Ints) -> Discord:
    first, second = detector == matched.labels, chain == matched.labels
    only = int(np.count_nonzero(first & ~second)), int(np.count_nonzero(second & ~first))
    both, neither = int(np.count_nonzero(first & second)), int(np.count_nonzero(~first & ~second))
    detector_only, chain_only = only
    return Discord(both=both, detector_only=detector_only, chain_only=chain_only, neither=neither, p=exact_p(*only))
