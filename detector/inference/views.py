"""What a network answered to one picture, however often it looked: the whole, a close-up, more views; and its boxes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.close_ups import add_close_ups
from maskdet.detector.inference.letterbox import Letterbox
from maskdet.detector.inference.postprocess import Detections, select, to_picture
from maskdet.detector.inference.tiles import MERGE_IOU, longer_than


class RawView(NamedTuple):
    """What the network answered to one view.

    Attributes:
        output: as ``maskdet.detector.inference.postprocess.select`` takes it.
        letterbox: back to the pixels of what was shown.
        mirrored: what was shown is the picture's mirror image.
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
        share: see ``maskdet.detector.inference.close_ups.CloseUps``.
        others: more views of the whole picture, to be fused with the first; none without ``augment``.
    """

    size: tuple[int, int]
    whole: tuple[npt.NDArray[np.float32], Letterbox]
    close: tuple[npt.NDArray[np.float32], Letterbox] | None = None
    share: float = 0.0
    others: tuple[RawView, ...] = ()

    def select(self, *, conf: float, iou: float, agnostic: bool = False, multi_label: bool = False) -> Detections:
        """Pick the boxes of the picture; the arguments are those of ``maskdet.detector.inference.postprocess.select``.

        Returns:
            Boxes in pixels of the picture, most confident first.
        """

        def boxes(raw: npt.NDArray[np.float32], letterbox: Letterbox) -> Detections:
            found = select(raw, conf=conf, iou=iou, agnostic=agnostic, multi_label=multi_label)
            return to_picture(found, letterbox)

        if self.others:
            from maskdet.detector.inference.augmented import fused_views

            views = [RawView(*self.whole), *self.others]
            whole = fused_views(views, conf=conf, iou=iou, agnostic=agnostic, multi_label=multi_label)
        else:
            whole = boxes(*self.whole)
        if self.close is None:
            return whole
        close = longer_than(boxes(*self.close), self.share * max(self.size))
        return add_close_ups(whole, close, self.size, iou=min(iou, MERGE_IOU), agnostic=agnostic)
