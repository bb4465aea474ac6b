"""The scale stress test: is each re-framed picture's target found, and with which class; ``maskdet-stress/1``.

Intervals draw photos, not pictures: a photo's faces and the pictures made of each move together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.photos.picture_file import look_at
from maskdet.detector.evaluation.average_precision import AP_ROWS, MatchTable, weighted_ap
from maskdet.detector.evaluation.coco import MATCH_IOU, coco_iou, match
from maskdet.detector.evaluation.evaluate import RESAMPLES, SEED, VAL_CONF, detect_at
from maskdet.detector.evaluation.labelled_split import LabelledSplit
from maskdet.detector.evaluation.report import Settings
from maskdet.detector.evaluation.stress_frames import BUCKETS, Frame, Image, plan_frames, render
from maskdet.detector.inference.close_ups import CloseUps
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF, DEFAULT_IOU
from maskdet.detector.inference.postprocess import MAX_DETECTIONS, Detections
from maskdet.imaging.decode import decode_file
from maskdet.statistics.figures import Figure, draw_photos, figure_of, mean_of_known, plain, with_measured
from maskdet.terminal.progress import track

SCHEMA: Final = "maskdet-stress/1"


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """One class, or the mean of the classes, in one bucket.

    Attributes:
        faces: targets, each the middle of one picture.
        recall: share of them that are reported at the shipped threshold, box and class right.
        found: share of them that are reported there as whatever class.
        ap50: AP at IoU 0.5 of the targets; what is detected on other labelled faces counts neither way.
    """

    faces: int
    recall: Figure
    found: Figure
    ap50: Figure


@dataclass(frozen=True, slots=True)
class Bucket:
    """The pictures of one bucket.

    Attributes:
        false_alarms: boxes a picture that are reported at the shipped threshold, and are neither its target with the
            class right nor on another labelled face.
        rows: class name or ``"mean"`` -> figures; the faces of the mean are all.
    """

    photos: int
    false_alarms: Figure
    rows: dict[str, ScaleRow]

    def to_dict(self) -> dict[str, Any]:
        """Return the bucket in the ``maskdet-stress/1`` schema."""
        return {"photos": self.photos, "false_alarms": plain(self.false_alarms), "classes": plain(self.rows)}


@dataclass(frozen=True, slots=True)
class ScaleReport:
    """Every figure of one stress test.

    Attributes:
        conf: recall counts boxes above this confidence.
        close_ups: how the model saw each picture once more, None where it did not.
        sha256: checksum of the model's file, where one was given; likewise ``command``.

    The rest is as in ``ValReport``.
    """

    data: str
    split: str
    photos: int
    conf: float
    buckets: dict[str, Bucket]
    settings: Settings
    model: str
    imgsz: int
    close_ups: CloseUps | None = None
    sha256: str | None = None
    command: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the ``maskdet-stress/1`` schema, as plain JSON types."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "model": {
                "name": self.model,
                "sha256": self.sha256,
                "imgsz": self.imgsz,
                "close_ups": None if self.close_ups is None else self.close_ups.to_dict(),
            },
            "data": {"name": self.data, "split": self.split, "photos": self.photos},
            "settings": {
                "conf": self.settings.conf,
                "iou": self.settings.iou,
                "max_detections": self.settings.max_detections,
                "interval": {"coverage": 0.95, "resamples": self.settings.resamples, "seed": self.settings.seed},
            },
            "recall_conf": self.conf,
            "buckets": plain(self.buckets),
        }


Ints = npt.NDArray[np.int64]
#: Rows: the measured value, then one a draw.
Draws = npt.NDArray[np.float64]


def stress(
    detector: MaskDetector,
    labelled: LabelledSplit,
    *,
    most: int | None = None,
    conf: float = VAL_CONF,
    iou: float = DEFAULT_IOU,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    quiet: bool = True,
) -> ScaleReport:
    """Run a detector over the re-framed pictures of a split and score it.

    Args:
        most: at most so many pictures a bucket and class, None for all.
        conf: threshold for average precision; recall is measured at the shipped one.
        resamples: draws behind each interval, 0 for no intervals.
        seed: where the draws start.

    Raises:
        SourceError: a photo that cannot be decoded.
        MissingExtraError: faster-coco-eval is not installed.
        ValueError: a detector with ``tile``.
    """
    if detector.tiled:
        raise ValueError("a detector with tiles cannot be stressed: it is scored on whole pictures")
    frames = plan_frames(labelled.truths, [look_at(photo).size for photo in labelled.photos], most=most)
    every: list[Detections] = []
    reported: list[Detections] = []
    with_bar = iter(track(frames, label="stress", quiet=quiet))
    for image in pictures(labelled, with_bar):
        (both,) = detect_at(detector, [image], conf, iou)
        every.append(both[0])
        reported.append(both[1])
    return ScaleReport(
        data=labelled.data,
        split=labelled.split,
        photos=len(labelled.photos),
        conf=DEFAULT_CONF,
        buckets=score_frames(frames, every, reported, len(labelled.photos), resamples=resamples, seed=seed),
        settings=Settings(conf, iou, MAX_DETECTIONS, resamples, seed),
        model=detector.info.name,
        imgsz=detector.info.imgsz,
        close_ups=detector.close_ups,
    )


def pictures(labelled: LabelledSplit, frames: Iterator[Frame]) -> Iterator[Image]:
    """Yield the picture of each frame, (H, W, 3) uint8 BGR; consecutive frames of one photo decode it once."""
    for photo, group in groupby(frames, key=lambda frame: frame.photo):
        image = decode_file(labelled.photos[photo])
        for frame in group:
            yield render(image, frame)


def score_frames(
    frames: Sequence[Frame],
    every: Sequence[Detections],
    reported: Sequence[Detections],
    photos: int,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Bucket]:
    """Score answers at hand; return bucket -> figures, in the order of ``BUCKETS``.

    Args:
        reported: what ``maskdet detect`` reports, one a frame, already above its threshold.
        photos: how many photos the frames are cut from, those without a frame among them.
        seed: where the draws start.

    Raises:
        ValueError: another number of answers than of frames.
    """
    if not len(frames) == len(every) == len(reported):
        raise ValueError(f"{len(frames)} pictures, {len(every)} and {len(reported)} answers")
    drawn = draw_photos(photos, resamples=resamples, seed=seed)
    weights = with_measured(drawn)
    scored = {}
    for bucket in BUCKETS:
        mine = [at for at, frame in enumerate(frames) if frame.bucket == bucket]
        scored[bucket] = _score_bucket(
            [frames[at] for at in mine], [every[at] for at in mine], [reported[at] for at in mine], weights
        )
    return scored


def _score_bucket(
    frames: Sequence[Frame], every: Sequence[Detections], reported: Sequence[Detections], weights: npt.NDArray[np.int32]
) -> Bucket:
    photos = np.array([frame.photo for frame in frames], dtype=np.int64)
    class_ids = np.array([frame.class_id for frame in frames], dtype=np.int64)
    pairs = list(zip(frames, reported, strict=True))
    found = np.array([_hits(frame, one).any() for frame, one in pairs], np.bool_)
    right = np.array([(_hits(frame, one) & (one.class_ids == frame.class_id)).any() for frame, one in pairs], np.bool_)
    figures: list[tuple[Draws, Draws, Draws]] = []
    for class_id in range(len(CLASS_NAMES)):
        mine = class_ids == class_id
        ap = weighted_ap(match_table(class_id, frames, every, weights.shape[1]), weights)[:, 0]
        figures.append((_share(right[mine], photos[mine], weights), _share(found[mine], photos[mine], weights), ap))
    stacked = np.array(figures)  # (3 classes, 3 figures, 1 + resamples)
    stacked = np.concatenate([stacked, mean_of_known(stacked, axis=0)])
    faces = [*(int((class_ids == class_id).sum()) for class_id in range(len(CLASS_NAMES))), len(frames)]
    rows = {
        name: ScaleRow(count, *(figure_of(draws) for draws in rows))
        for name, count, rows in zip(AP_ROWS, faces, stacked, strict=True)
    }
    wrong = [_false_alarms(frame, one) for frame, one in pairs]
    return Bucket(len(np.unique(photos)), figure_of(_share(np.array(wrong), photos, weights)), rows)


def _hits(frame: Frame, found: Detections) -> npt.NDArray[np.bool_]:
    """Say of each box whether it overlaps the target enough."""
    hit: npt.NDArray[np.bool_] = coco_iou(found.boxes, frame.target[None])[:, 0] >= MATCH_IOU
    return hit


def _share(values: npt.NDArray[np.generic], photos: Ints, weights: npt.NDArray[np.int32]) -> Draws:
    """Return the mean of (N,) values for each of (B, P) weights of their photos; NaN where none counts."""
    length = weights.shape[1]
    total = weights @ np.bincount(photos, weights=values.astype(np.float64), minlength=length)
    count = weights @ np.bincount(photos, minlength=length)
    share: Draws = np.divide(total, count, out=np.full(len(weights), np.nan), where=count > 0)
    return share


def match_class(class_id: int, frame: Frame, found: Detections) -> tuple[Detections, Ints]:
    """Match the boxes of one class in one picture.

    Returns:
        The boxes of the class, most confident first, at most ``MAX_DETECTIONS``; and (N,) int64 for each: 1 it found
        the target, whose class this is; 0 it found another labelled face, of whatever class; -1 neither.
    """
    mine = np.flatnonzero(found.class_ids == class_id)
    boxes = found.take(mine[np.argsort(-found.confidences[mine], kind="stable")][:MAX_DETECTIONS])
    target = frame.target[None] if frame.class_id == class_id else np.zeros((0, 4))
    ignored = np.arange(len(target) + len(frame.others)) >= len(target)
    overlap = coco_iou(boxes.boxes, np.concatenate([target, frame.others]))
    (face,) = match(overlap, np.array([MATCH_IOU]), ignored)
    # Index -1 (no match) reads the extra last entry.
    return boxes, np.append(np.where(ignored, 0, 1), -1)[face]


def match_table(class_id: int, frames: Sequence[Frame], every: Sequence[Detections], photos: int) -> MatchTable:
    """Put the matches of one class together, by photo; ``right`` and ``counted`` have one row, for ``MATCH_IOU``."""
    confidences, of_photo, outcomes = [np.zeros(0, np.float32)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    targets = np.zeros(photos, dtype=np.int64)
    for frame, found in zip(frames, every, strict=True):
        boxes, outcome = match_class(class_id, frame, found)
        confidences.append(boxes.confidences)
        of_photo.append(np.full(len(outcome), frame.photo, dtype=np.int64))
        outcomes.append(outcome)
        targets[frame.photo] += frame.class_id == class_id
    order = np.argsort(-np.concatenate(confidences), kind="stable")
    outcome = np.concatenate(outcomes)[order]
    return MatchTable(np.concatenate(of_photo)[order], (outcome == 1)[None], (outcome != 0)[None], targets)


def _false_alarms(frame: Frame, reported: Detections) -> int:
    """Count what is reported and is neither the target nor another face."""
    return sum(int((match_class(class_id, frame, reported)[1] < 0).sum()) for class_id in range(len(CLASS_NAMES)))
