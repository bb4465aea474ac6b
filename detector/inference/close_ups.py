"""Close-ups: each picture seen a second time at a small input, for faces larger than the network was trained on.

A detector knows the sizes of face that it saw in training. Where these were small and one face now fills the picture,
the usual input shows it many times too large; a small input shows it at a size that the network knows, for a few
hundredths of the cost. What the second look finds counts only from a certain size on, and joins the first look's boxes
before NMS. The numbers were chosen on re-framed training photos (``docs/experiments.md``).

A face that fills the picture may get a sure and wrong answer at the first look, so an exported model asks for close-ups
of every picture; one can ask for them only where the first look is not sure enough.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.runtime import ModelSpec
from maskdet.detector.inference.tiles import MERGE_IOU, View, merge_views
from maskdet.errors import WeightsError

#: The key of a model's metadata that says that it wants close-ups.
KEY: Final = "close_ups"


class CloseUps(NamedTuple):
    """How the second look is taken.

    Attributes:
        imgsz: longer side of its input, pixels.
        share: a box counts when its longer side exceeds this share of the picture's longer side, 0 to 1.
        below: a picture gets its second look when the best confidence of the first is below this; 1 for every picture.
    """

    imgsz: int
    share: float
    below: float = 1.0

    def to_dict(self) -> dict[str, float]:
        """Return what ``read_close_ups`` reads, ``below`` only where it is not 1."""
        values: dict[str, float] = self._asdict()
        return values if self.below < 1 else {"imgsz": self.imgsz, "share": self.share}


#: What an exported model asks for by itself, and what is taken where close-ups are asked for of one that says nothing.
DEFAULT_CLOSE_UPS: Final = CloseUps(160, 0.25)


def read_close_ups(value: object, path: Path) -> CloseUps:
    """Return what a model says of close-ups.

    Args:
        value: ``{"imgsz": pixels, "share": 0 to 1}``, with ``"below"`` or without, or that as JSON text.

    Raises:
        WeightsError: it is something else.

    >>> read_close_ups('{"imgsz": 160, "share": 0.25}', Path("a.onnx"))
    CloseUps(imgsz=160, share=0.25, below=1.0)
    """
    try:
        given: Any = json.loads(value) if isinstance(value, str) else value
        found = CloseUps(int(given["imgsz"]), float(given["share"]), float(given.get("below", 1.0)))
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise WeightsError(path, f"its {KEY} must be imgsz and share, not {str(value)[:80]}") from error
    if not 32 <= found.imgsz <= 8192 or not 0 <= found.share < 1 or not 0 < found.below <= 1:
        raise WeightsError(
            path, f"its {KEY} need 32 pixels or more and a share from 0 to less than 1, not {str(value)[:80]}"
        )
    return found


def wanted_close_ups(path: Path, metadata: Mapping[str, str]) -> CloseUps | None:
    """Return how a model's metadata wants close-ups, None where they want none.

    Raises:
        WeightsError: what they say cannot be read.
    """
    value = metadata.get(KEY)
    return None if value is None else read_close_ups(value, path)


def choose_close_ups(asked: bool | CloseUps | None, path: Path, spec: ModelSpec, imgsz: int) -> CloseUps | None:
    """Return how a detector takes close-ups; what the model wants by itself gives way where it cannot be had.

    Args:
        asked: what the caller asked for, None for nothing.
        imgsz: the usual input, pixels.

    Raises:
        ValueError: they were asked for and the network cannot take them.
        WeightsError: what the file says of them cannot be read.
    """
    if asked is False:
        return None
    wanted = asked if isinstance(asked, CloseUps) else wanted_close_ups(path, spec.metadata)
    if wanted is None and asked is None:
        return None
    wanted = wanted or DEFAULT_CLOSE_UPS
    chosen = wanted._replace(imgsz=-(-wanted.imgsz // spec.stride) * spec.stride)
    if asked is True and chosen.below < 1:
        # Who asks for close-ups gets them of every picture; where the first look is sure, small boxes are often wrong.
        chosen = CloseUps(chosen.imgsz, max(chosen.share, DEFAULT_CLOSE_UPS.share))
    if spec.dynamic and chosen.imgsz < imgsz:
        return chosen
    if asked is None:
        return None
    if not spec.dynamic:
        raise ValueError(f"{path} was exported for {spec.imgsz} px only; close-ups need dynamic=True")
    raise ValueError(f"close-ups of {chosen.imgsz} px need a larger input than {imgsz} px")


def add_close_ups(
    whole: Detections, close: Detections, size: tuple[int, int], *, iou: float = MERGE_IOU, agnostic: bool = False
) -> Detections:
    """Let what the second look found join the first look's boxes.

    Args:
        size: (height, width) of the picture, pixels.

    Returns:
        Boxes in pixels of the picture, most confident first; ``whole`` itself where there is nothing to add.
    """
    if not len(close.boxes):
        return whole
    height, width = size
    # A view of the whole picture has no inner border that could cut a box.
    view = View(np.array([0, 0, width, height]), close)
    return merge_views(whole, [view], size, iou=iou, agnostic=agnostic)
