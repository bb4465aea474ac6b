"""What a detector gets wrong: faces missed, classes mistaken, false alarms, and labels that look wrong themselves.

Boxes are matched with faces without regard to class, the most confident first, as in the confusion matrix: a face found
as another class is one mistake, not a miss and a false alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.coco import SIZES, coco_iou, match, within_sizes
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.inference.postprocess import Detections

#: missed: no box above the threshold found the face · wrong_class: one did, with another class · misplaced: a box that
#: overlaps a face, but by less than IoU 0.5 · twice: a second box on a face · no_face: a box where no face is labelled.
MistakeKind = Literal["missed", "wrong_class", "misplaced", "twice", "no_face"]
KINDS: Final[tuple[MistakeKind, ...]] = ("missed", "wrong_class", "misplaced", "twice", "no_face")

#: A box with less than this overlap with any face stands where no face is labelled.
NEAR_IOU: Final = 0.1
FOUND_IOU: Final = 0.5

#: From this confidence on it is worth looking whether the label is wrong, not the detector.
DOUBTFUL_CONF: Final = 0.7

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake.

    Attributes:
        label: class id of the face concerned, None where there is none.
        found: class id of the box concerned; of a missed face, that of the surest box below the threshold on it.
        confidence: of that box, 0 to 1; None where there is none.
        iou: overlap of face and box, 0 without both.
        box: of the face if there is one, else of the box; xyxy in pixels of the photo.
    """

    photo: int
    kind: MistakeKind
    label: int | None
    found: int | None
    confidence: float | None
    iou: float
    box: Box

    @property
    def side(self) -> float:
        """Square root of the box's area, in pixels."""
        x1, y1, x2, y2 = self.box
        return float(np.sqrt(max(x2 - x1, 0.0) * max(y2 - y1, 0.0)))

    @property
    def size(self) -> str:
        """Name of the size range; a face on a border is counted in the smaller one."""
        within = within_sizes(np.array([self.box]))[0]
        return next(name for name, inside in zip(SIZES, within, strict=True) if inside and name != "all")

    @property
    def class_id(self) -> int:
        """The class that the mistake is counted under: the label's, or that of the box where there is no face."""
        return self.label if self.label is not None else int(self.found or 0)

    @property
    def doubtful(self) -> bool:
        """Whether the label may be at fault: a sure box of another class on the face, or where no face is labelled."""
        sure = self.confidence is not None and self.confidence >= DOUBTFUL_CONF
        return sure and self.kind in ("wrong_class", "no_face")


def find_mistakes(truths: Sequence[Truth], found: Sequence[Detections], *, conf: float) -> list[Mistake]:
    """Return every mistake above a confidence threshold, photo by photo.

    Args:
        found: one a photo, the best class of a box, from a lower threshold on.
        conf: boxes at or below it are not reported.
    """
    mistakes: list[Mistake] = []
    for photo, (truth, detected) in enumerate(zip(truths, found, strict=True)):
        order = np.argsort(-detected.confidences, kind="stable")
        mistakes += _of_photo(photo, truth, detected.take(order), conf)
    return mistakes


def _of_photo(photo: int, truth: Truth, detected: Detections, conf: float) -> Iterable[Mistake]:
    """Yield one photo's mistakes; ``detected`` is the most confident first."""
    overlap = coco_iou(detected.boxes, truth.boxes)
    reported = int(np.count_nonzero(detected.confidences > conf))
    face = match(overlap[:reported], np.array([FOUND_IOU]))[0]

    def mistake(kind: MistakeKind, label: int | None, box: int | None) -> Mistake:
        """Return the mistake about a labelled face and a box, either by its place."""
        shown = truth.boxes[label] if label is not None else detected.boxes[box]
        x1, y1, x2, y2 = (float(value) for value in shown)
        return Mistake(
            photo,
            kind,
            None if label is None else int(truth.class_ids[label]),
            None if box is None else int(detected.class_ids[box]),
            None if box is None else float(detected.confidences[box]),
            0.0 if label is None or box is None else float(overlap[box, label]),
            (x1, y1, x2, y2),
        )

    for label in np.setdiff1d(np.arange(len(truth.class_ids)), face).tolist():
        unsure = np.flatnonzero(overlap[reported:, label] >= FOUND_IOU) + reported
        yield mistake("missed", label, int(unsure[0]) if len(unsure) else None)
    for box in range(reported):
        label = int(face[box])
        if label >= 0:
            if detected.class_ids[box] != truth.class_ids[label]:
                yield mistake("wrong_class", label, box)
            continue
        nearest = int(overlap[box].argmax()) if len(truth.class_ids) else -1
        near = float(overlap[box, nearest]) if nearest >= 0 else 0.0
        if near >= FOUND_IOU:
            yield mistake("twice", nearest, box)
        elif near >= NEAR_IOU:
            yield mistake("misplaced", nearest, box)
        else:
            yield mistake("no_face", None, box)


def worst_first(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Return the mistakes with the worst first: missed faces that left no trace, then all others by confidence.

    A missed face is the worse the less sure the best box on it is, any other mistake the worse the surer.
    """

    def badness(mistake: Mistake) -> tuple[float, float]:
        sure = mistake.confidence or 0.0
        return (sure if mistake.kind == "missed" else -sure, -mistake.side)

    return sorted(mistakes, key=badness)


def count_mistakes(truths: Sequence[Truth], mistakes: Sequence[Mistake]) -> dict[str, Any]:
    """Count mistakes by kind, size and class.

    Returns:
        ``"faces"``: size -> class -> labelled faces; ``"mistakes"``: kind -> size -> class -> mistakes; ``"doubtful"``:
        kind -> how many labels look wrong.
    """
    boxes: npt.NDArray[np.float64] = np.concatenate([truth.boxes for truth in truths])
    labels = np.concatenate([truth.class_ids for truth in truths])
    every = [
        Mistake(0, "missed", int(label), None, None, 0.0, tuple(box))
        for box, label in zip(boxes.tolist(), labels, strict=True)
    ]
    return {
        "faces": _by_size(every),
        "mistakes": {kind: _by_size([one for one in mistakes if one.kind == kind]) for kind in KINDS},
        "doubtful": {
            kind: sum(one.doubtful for one in mistakes if one.kind == kind) for kind in ("wrong_class", "no_face")
        },
    }


def _by_size(mistakes: Sequence[Mistake]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {size: dict.fromkeys(CLASS_NAMES, 0) for size in SIZES}
    for one in mistakes:
        for size in ("all", one.size):
            counts[size][CLASS_NAMES[one.class_id]] += 1
    return counts
