"""Labelled faces that the detector found, whatever class it gave them: on these the classes are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from maskdet.chain.split_answers import PhotoAnswers
from maskdet.detector.labelled import Truth
from maskdet.detector.matching import MATCH_IOU, coco_iou, match


@dataclass(frozen=True, slots=True, eq=False)
class MatchedFaces:
    """Pairs of a labelled face and the box that found it, in the order of the photos.

    Attributes:
        photos: (M,) int64, the photo of each pair.
        found: (M,) int64, the box's index in ``PhotoAnswers.boxes`` of its photo.
        faces: (M,) int64, the face's index in ``Truth.boxes`` of its photo.
        labels: (M,) int64, the face's class.
    """

    photos: npt.NDArray[np.int64]
    found: npt.NDArray[np.int64]
    faces: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]

    def of_boxes(self, tables: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return (M, …) rows out of one table a photo with a row a found box."""
        return _rows(tables, self.found, self.photos)

    def of_faces(self, tables: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return (M, …) rows out of one table a photo with a row a labelled face."""
        return _rows(tables, self.faces, self.photos)


def match_faces(truths: Sequence[Truth], answers: Sequence[PhotoAnswers], *, conf: float) -> MatchedFaces:
    """Match boxes with labelled faces without regard to class, the most confident box first, each face once.

    Args:
        truths: one a photo.
        answers: one a photo, in the same order.
        conf: boxes whose highest score by the detector is at or below it are left out.

    Raises:
        MissingExtraError: faster-coco-eval, whose IoU is used, is not installed.
        ValueError: the two differ in length.
    """
    columns: list[npt.NDArray[np.int64]] = []
    for photo, (truth, answer) in enumerate(zip(truths, answers, strict=True)):
        reported = np.flatnonzero(answer.scores.max(axis=1, initial=0) > conf)
        face = match(coco_iou(answer.boxes[reported], truth.boxes), np.array([MATCH_IOU]))[0]
        hit = face >= 0
        pairs = np.full((4, np.count_nonzero(hit)), photo, dtype=np.int64)
        pairs[1:] = reported[hit], face[hit], truth.class_ids[face[hit]]
        columns.append(pairs)
    photos, found, faces, labels = np.concatenate([np.zeros((4, 0), np.int64), *columns], axis=1)
    return MatchedFaces(photos, found, faces, labels)


def _rows(
    tables: Sequence[npt.NDArray[Any]], rows: npt.NDArray[np.int64], photos: npt.NDArray[np.int64]
) -> npt.NDArray[Any]:
    starts = np.cumsum([0, *(len(table) for table in tables)])
    return np.concatenate(tables)[starts[photos] + rows]
