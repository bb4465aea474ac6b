"""What a network answered to one picture, however often it looked: the whole, a close-up, more views; and its boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.close_ups import add_close_ups
from maskdet.detector.inference.letterbox import Letterbox
from maskdet.detector.inference.postprocess import (
    MAX_DETECTIONS,
    Detections,
    box_iou,
    non_maximum_suppression,
    select,
    to_picture,
)
from maskdet.detector.inference.runtime import ModelSpec
from maskdet.detector.inference.tiles import MERGE_IOU, longer_than


class RawView(NamedTuple):
    """What the network answered to one view.

    Attributes:
        output: as ``maskdet.detector.inference.postprocess.select`` takes it.
    """

    output: npt.NDArray[np.float32]
    letterbox: Letterbox
    mirrored: bool = False


class Look(NamedTuple):
    """What the network answered to one picture, before boxes are selected.

    Attributes:
        size: (height, width) of the picture, pixels.
        whole: the output as ``maskdet.detector.inference.postprocess.select`` takes it, and the letterbox back to the
            picture.
        close: the same at the small input; None without close-ups.
        others: more views of the whole picture, to be fused with the first; none without ``augment``.
    """

    size: tuple[int, int]
    whole: tuple[npt.NDArray[np.float32], Letterbox]
    close: tuple[npt.NDArray[np.float32], Letterbox] | None = None
    share: float = 0.0
    others: tuple[RawView, ...] = ()

    def select(self, *, conf: float, iou: float, agnostic: bool = False, multi_label: bool = False) -> Detections:
        """Pick the boxes of the picture; arguments as in ``maskdet.detector.inference.postprocess.select``."""

        def boxes(raw: npt.NDArray[np.float32], letterbox: Letterbox) -> Detections:
            found = select(raw, conf=conf, iou=iou, agnostic=agnostic, multi_label=multi_label)
            return to_picture(found, letterbox)

        if self.others:
            from maskdet.detector.inference.views import fused_views

            views = [RawView(*self.whole), *self.others]
            whole = fused_views(views, conf=conf, iou=iou, agnostic=agnostic, multi_label=multi_label)
        else:
            whole = boxes(*self.whole)
        if self.close is None:
            return whole
        close = longer_than(boxes(*self.close), self.share * max(self.size))
        return add_close_ups(whole, close, self.size, iou=min(iou, MERGE_IOU), agnostic=agnostic)


class AugmentedView(NamedTuple):
    """How a picture is shown once more.

    Attributes:
        scale: of the usual input's size.
    """

    scale: float
    mirrored: bool


#: What ``--augment`` adds to the usual view.
VIEWS: Final = (AugmentedView(1.0, True), AugmentedView(0.8, False), AugmentedView(0.8, True))

#: Overlap from which boxes are one face: the paper's.
FUSION_IOU: Final = 0.55

#: A view's boxes join the fusion from this part of the threshold on: a face need not pass it in every view.
JOINS_FROM: Final = 0.1

#: Below this a threshold is that of a precision-recall curve, where boxes short of it are noise by the thousand.
LEAST: Final = 0.001


def other_views(
    run: Callable[[Sequence[npt.NDArray[np.uint8]], int], Iterator[tuple[npt.NDArray[np.float32], Letterbox]]],
    images: Sequence[npt.NDArray[np.uint8]],
    imgsz: int,
    spec: ModelSpec,
) -> Iterator[tuple[RawView, ...]]:
    """Yield for each picture what the network answers to ``VIEWS``, of its own size only where its shape is fixed.

    Args:
        run: shows pictures to the network at a size in pixels.
        images: each (H, W, 3) uint8 BGR.
        imgsz: the usual size, pixels.
    """
    mirrored = [np.ascontiguousarray(image[:, ::-1]) for image in images]
    views = [view for view in VIEWS if spec.dynamic or view.scale == 1]
    outputs = [
        run(mirrored if view.mirrored else images, round(view.scale * imgsz / spec.stride) * spec.stride)
        for view in views
    ]
    for answers in zip(*outputs, strict=True):
        yield tuple(RawView(raw, back, view.mirrored) for (raw, back), view in zip(answers, views, strict=True))


def fused_views(
    views: Sequence[RawView], *, conf: float, iou: float, agnostic: bool = False, multi_label: bool = False
) -> Detections:
    """Select the boxes of every view and fuse them.

    Args:
        conf: boxes must be more confident than this once they are fused.
        agnostic: boxes of different classes are one face too; its class is the surest of the fused scores.
        multi_label: see ``maskdet.detector.inference.postprocess.select``.
    """
    found = []
    for output, letterbox, mirrored in views:
        one = select(
            output, conf=max(conf * JOINS_FROM, min(conf, LEAST)), iou=iou, agnostic=agnostic, multi_label=multi_label
        )
        one = to_picture(one, letterbox)
        found.append(mirror(one, letterbox.source[1]) if mirrored else one)
    fused = fuse(found, agnostic=agnostic)
    return fused.take(np.flatnonzero(fused.confidences > conf)[:MAX_DETECTIONS])


def mirror(found: Detections, width: int) -> Detections:
    """Return boxes of a mirrored picture where they are in the picture itself, ``width`` pixels wide.

    >>> box = Detections(np.array([[1, 2, 4, 6]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64))
    >>> mirror(box, 10).boxes.tolist()
    [[6.0, 2.0, 9.0, 6.0]]
    """
    left, top, right, bottom = found.boxes.T
    return found._replace(boxes=np.stack([width - right, top, width - left, bottom], axis=1))


def fuse(views: Sequence[Detections], *, agnostic: bool = False) -> Detections:
    """Fuse the boxes of several views of one picture, which err differently (test-time augmentation).

    Boxes of one class that overlap are one face: its box is their mean weighted by confidence, its confidence the mean
    over the views of the best in each, where a view that does not see the face counts as 0. That is weighted boxes
    fusion (Solovyev, Wang and Gabruseva, 2021, arXiv:1910.13302); the NMS over all views of ultralytics'
    ``augment=True`` keeps the surest view's word and gains a third of it (``docs/experiments.md``).

    Args:
        views: boxes in pixels of the picture.

    Returns:
        One box a face and class (or a face), most confident first; with ``scores`` where the views have them.
    """
    boxes = np.concatenate([view.boxes for view in views])
    confidences = np.concatenate([view.confidences for view in views])
    class_ids = np.concatenate([view.class_ids for view in views])
    seen_in = np.repeat(np.arange(len(views)), [len(view.boxes) for view in views])
    # Classes are kept apart by moving each to a plane of its own, beside the picture.
    planes = boxes if agnostic else boxes + class_ids[:, None].astype(np.float32) * (boxes.max(initial=0.0) + 1)
    heads = non_maximum_suppression(planes, confidences, FUSION_IOU)
    owner, joins = _owners(planes, heads)
    weights = _totals(confidences[joins], owner[joins], len(heads))
    sums = np.stack([_totals(side[joins] * confidences[joins], owner[joins], len(heads)) for side in boxes.T], axis=1)
    fused = Detections(
        (sums / weights[:, None]).astype(np.float32),
        _mean_of_best(confidences[joins], owner[joins], seen_in[joins], (len(heads), len(views))),
        class_ids[heads],
    )
    known = [view.scores for view in views if view.scores is not None]
    if len(known) == len(views):
        scores = np.concatenate(known)[joins]
        fused = fused._replace(
            scores=np.stack(
                [_mean_of_best(one, owner[joins], seen_in[joins], (len(heads), len(views))) for one in scores.T], axis=1
            )
        )
    if agnostic and fused.scores is not None and len(heads):
        fused = fused._replace(confidences=fused.scores.max(axis=1), class_ids=fused.scores.argmax(axis=1))
    return fused.take(np.argsort(-fused.confidences, kind="stable"))


def _owners(
    boxes: npt.NDArray[np.float32], heads: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return which head each of (N, 4) boxes overlaps most, and whether by enough to belong to it."""
    if not len(heads):
        return np.zeros(len(boxes), np.int64), np.zeros(len(boxes), np.bool_)
    overlap = box_iou(boxes, boxes[heads])
    owner: npt.NDArray[np.int64] = overlap.argmax(axis=1)
    joins: npt.NDArray[np.bool_] = overlap.max(axis=1) > FUSION_IOU
    owner[heads], joins[heads] = np.arange(len(heads)), True  # a box without area overlaps nothing, itself neither
    return owner, joins


def _totals(values: npt.NDArray[np.float32], owner: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.float64]:
    totals: npt.NDArray[np.float64] = np.zeros(count)
    np.add.at(totals, owner, values)
    return totals


def _mean_of_best(
    values: npt.NDArray[np.float32],
    owner: npt.NDArray[np.int64],
    seen_in: npt.NDArray[np.int64],
    shape: tuple[int, int],
) -> npt.NDArray[np.float32]:
    """Return (K,): for each head the mean over the views of the best value in each."""
    best = np.zeros(shape, np.float32)
    np.maximum.at(best, (owner, seen_in), values)
    mean: npt.NDArray[np.float32] = best.mean(axis=1)
    return mean
