"""Evaluation: a detector, or predictions at hand, against the labels of a split.

Detections are made as YOLO's ``val`` makes them: confidence from 0.001, NMS at IoU 0.7, a box for every class above the
threshold, at most 300 a photo. Average precision is COCO's (101 recalls); ultralytics integrates the same curve with
another rule, so its figures differ a little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.average_precision import ap_of_draws, ap_rows_of, by_iou, by_size, match_tables
from maskdet.detector.evaluation.calibration import calibration_errors, judge
from maskdet.detector.evaluation.coco import coco_scores, within_sizes
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth, in_classes, read_split, scored_ids
from maskdet.detector.evaluation.near_training import NearPhotos, score_near
from maskdet.detector.evaluation.operating_point import operating_point
from maskdet.detector.evaluation.report import ApRow, Settings, ValReport, row_names
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF, DEFAULT_IOU
from maskdet.detector.inference.postprocess import MAX_DETECTIONS, Detections
from maskdet.detector.inference.thresholds import calibrated_confs
from maskdet.imaging.decode import decode_file
from maskdet.statistics.figures import Figure, draw_groups, draw_photos, figure_of, mean_of_known
from maskdet.terminal.progress import track

#: YOLO's threshold for ``val``: low enough that the precision-recall curve is complete.
VAL_CONF: Final = 0.001

#: Draws of photos behind each interval, and where they start.
RESAMPLES: Final = 1000
SEED: Final = 0


def evaluate(
    subject: MaskDetector | Sequence[Detections],
    data: str | Path | LabelledSplit,
    split: str = "val",
    *,
    conf: float = VAL_CONF,
    iou: float = DEFAULT_IOU,
    batch: int = 16,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    near: NearPhotos | None = None,
    quiet: bool = True,
) -> ValReport:
    """Score a detector, or predictions, on a labelled split.

    Args:
        subject: a detector; or its answers, one a photo in the order of ``LabelledSplit.photos``, xyxy in pixels of the
            upright photo. Answers given this way are also what counts at the shipped threshold.
        data: a ``data.yaml``, its folder, or a split already read.
        split: its key in ``data.yaml``; unused with a split already read.
        resamples: draws behind each interval, 0 for no intervals.
        seed: where the draws start.
        near: which photos resemble trained ones, to be scored with and without them; None for not.

    Raises:
        DatasetError: the data set cannot be used for scoring.
        AnnotationError: a label line that cannot be used.
        SourceError: a photo that cannot be decoded.
        MissingExtraError: faster-coco-eval is not installed.
        ValueError: a number of predictions other than that of the photos, or a detector with ``tile``.
    """
    labelled = data if isinstance(data, LabelledSplit) else read_split(data, split, any_classes=True)
    if isinstance(subject, MaskDetector):
        labelled = labelled.spelled_as(subject.names)
        if subject.tiled:
            raise ValueError("a detector with tiles is scored by its predictions: give those")
        limits = (DEFAULT_CONF, VAL_CONF)
        found, reported, all_reported = detect_split(
            subject, labelled, conf=conf, iou=iou, batch=batch, quiet=quiet, report_confs=limits
        )
        settings = Settings(conf, iou, MAX_DETECTIONS, resamples, seed)
        model, imgsz = subject.info.name, subject.info.imgsz
    else:
        if len(subject) != len(labelled.photos):
            raise ValueError(f"{len(subject)} predictions for {len(labelled.photos)} photos")
        found = reported = all_reported = list(subject)
        settings = Settings(None, None, None, resamples, seed)
        model, imgsz = None, None
    scores, names = coco_scores(labelled.truths, found, labelled.names), row_names(labelled.names)
    ap = ap_rows(labelled.truths, found, scores.ap, resamples=resamples, seed=seed, names=names)
    as_reported = ap
    if found is not all_reported:
        given = coco_scores(labelled.truths, all_reported, labelled.names).ap
        as_reported = ap_rows(labelled.truths, all_reported, given, resamples=resamples, seed=seed, names=names)
    errors: dict[float, dict[str, Figure]] = {}
    if model is not None and labelled.names == CLASS_NAMES:
        groups = np.arange(len(labelled.photos)) if near is None else near.groups
        draws = draw_groups(groups, resamples=resamples, rng=np.random.default_rng(seed))
        errors = calibration_errors(judge(labelled.truths, all_reported), draws)
    return ValReport(
        data=labelled.data,
        split=labelled.split,
        photos=len(labelled.photos),
        ap=ap,
        as_reported=as_reported["all"],
        point=operating_point(labelled.truths, reported, conf=DEFAULT_CONF, classes=len(labelled.names)),
        curves=scores.curves,
        settings=settings,
        model=model,
        imgsz=imgsz,
        repeated=labelled.repeated,
        names=names,
        calibration=errors,
        near_training=None if near is None else score_near(labelled, found, near, resamples=resamples, seed=seed),
    )


def detect_split(
    detector: MaskDetector,
    labelled: LabelledSplit,
    *,
    conf: float,
    iou: float,
    batch: int,
    quiet: bool,
    report_confs: Sequence[float] = (DEFAULT_CONF,),
) -> tuple[list[Detections], ...]:
    """Run a detector over a split.

    Args:
        conf: threshold for average precision, on the score as trained: what the file's calibration makes of it is
            used, so that a calibration changes no average precision.

    Returns:
        What average precision needs (every class of a box above ``conf``), and what ``maskdet detect`` reports (the
        best class of a box) above each of ``report_confs``; each one a photo, in pixels of the photo.

    Raises:
        SourceError: a photo that cannot be decoded.
        WeightsError: the detector has none of the labelled classes.
    """
    answers: tuple[list[Detections], ...] = tuple([] for _ in (conf, *report_confs))
    limits = calibrated_confs(detector.metadata, conf, len(detector.names))
    photos = iter(track(labelled.photos, label="val", quiet=quiet))
    while group := list(islice(photos, batch)):
        images = [decode_file(photo) for photo in group]
        for looks in detect_at(detector, images, limits, iou, report_confs, labelled.names):
            for kept, answer in zip(answers, looks, strict=True):
                kept.append(answer)
    return answers


def detect_low(detector: MaskDetector, labelled: LabelledSplit, *, batch: int, quiet: bool) -> list[Detections]:
    """Return what ``maskdet detect`` would report of each photo of a split, from a low threshold on."""
    _, reported = detect_split(
        detector, labelled, conf=VAL_CONF, iou=DEFAULT_IOU, batch=batch, quiet=quiet, report_confs=[VAL_CONF]
    )
    return reported


def detect_at(
    detector: MaskDetector,
    images: Sequence[npt.NDArray[np.uint8]],
    conf: float | npt.NDArray[np.float64],
    iou: float,
    report_confs: Sequence[float] = (DEFAULT_CONF,),
    names: Sequence[str] = CLASS_NAMES,
) -> Iterator[tuple[Detections, ...]]:
    """Run the network once and select at several thresholds.

    Args:
        images: each (H, W, 3) uint8 BGR.
        conf: one for all classes, or (C,) one for each of the detector's.
        names: the classes that are scored, which those of the model are matched with by name.

    Yields:
        For each picture what average precision needs (every class of a box above ``conf``), then what ``maskdet
        detect`` reports above each of ``report_confs``; with the ids of ``names``.

    Raises:
        WeightsError: none can be matched.
    """
    ids = scored_ids(detector.names, names, detector.info.name)
    for look in detector.look(images):
        every = look.select(conf=float(np.min(conf)), iou=iou, multi_label=True)
        if np.ndim(conf):
            every = every.take(every.confidences > np.asarray(conf)[every.class_ids])
        reported = (look.select(conf=one, iou=DEFAULT_IOU, agnostic=detector.agnostic) for one in report_confs)
        yield tuple(in_classes(one, ids, len(names)) for one in (every, *reported))


def ap_rows(
    truths: Sequence[Truth],
    found: Sequence[Detections],
    ap: npt.NDArray[np.float64],
    *,
    resamples: int,
    seed: int,
    names: Sequence[str] = CLASS_NAMES,
) -> dict[str, dict[str, ApRow]]:
    """Put average precision, its intervals and the number of faces together.

    Args:
        ap: (10, C, 4) float64 by IoU threshold, class and size, NaN where no face is labelled.
        seed: where the draws start.

    Returns:
        Size range -> class name or ``"mean"`` -> row.
    """
    stacked = ap_draws(truths, found, ap, resamples=resamples, seed=seed)
    return rows_of(stacked, truths, names)


def ap_draws(
    truths: Sequence[Truth],
    found: Sequence[Detections],
    ap: npt.NDArray[np.float64],
    *,
    resamples: int,
    seed: int,
) -> npt.NDArray[np.float64]:
    """Return (1 + resamples, 10, C + 1, 4) float64: AP itself, then that of each draw, as in ``ap_rows``.

    By IoU threshold, class (the last is the mean of the known) and size. The same photos are drawn whatever was found,
    so that two detectors can be compared draw by draw.
    """
    return ap_of_weights(truths, found, ap, draw_photos(len(truths), resamples=resamples, seed=seed))


def ap_of_weights(
    truths: Sequence[Truth],
    found: Sequence[Detections],
    ap: npt.NDArray[np.float64],
    weights: npt.NDArray[np.int32],
) -> npt.NDArray[np.float64]:
    """Return what ``ap_draws`` does, for draws at hand: (B, P) int32, how often each photo counts in each."""
    tables = match_tables(truths, found, ap.shape[1])
    drawn = ap_of_draws(tables, weights) if len(weights) else np.zeros((0, *ap.shape))
    stacked = np.concatenate([ap[None], drawn])
    return np.concatenate([stacked, mean_of_known(stacked, axis=2)], axis=2)


def rows_of(
    stacked: npt.NDArray[np.float64], truths: Sequence[Truth], names: Sequence[str] = CLASS_NAMES
) -> dict[str, dict[str, ApRow]]:
    """Return what ``ap_rows`` does, from what ``ap_draws`` gave."""
    of_iou, faces = by_iou(stacked), count_faces(truths, len(names))

    def row_of(row: int, column: int) -> ApRow:
        figures = {label: figure_of(values[:, row, column]) for label, values in of_iou.items()}
        return ApRow(int(faces[row, column]), **figures)

    return by_size(row_of, ap_rows_of(names))


def count_faces(truths: Sequence[Truth], classes: int = len(CLASS_NAMES)) -> npt.NDArray[np.int64]:
    """Return (classes + 1, 4) int64, labelled faces by class (the last row all of them) and size."""
    within = within_sizes(np.concatenate([truth.boxes for truth in truths]))
    class_ids = np.concatenate([truth.class_ids for truth in truths])
    of_class = class_ids == np.arange(classes)[:, None]
    counted = of_class.astype(np.int64) @ within.astype(np.int64)
    return np.concatenate([counted, counted.sum(axis=0, keepdims=True)])
