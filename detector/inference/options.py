"""What a detector is made with: the options of ``MaskDetector`` as one group, for whoever passes them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

if TYPE_CHECKING:
    from maskdet.detector.inference.close_ups import CloseUps
    from maskdet.detector.inference.runtime import Runtime
    from maskdet.detector.inference.thresholds import Threshold
    from maskdet.files.paths import AnyPath
    from maskdet.sessions.devices import Device, Precision, RuntimeName

#: YOLO's defaults; a model with thresholds of its own has these instead of the first.
DEFAULT_CONF: Final = 0.25
DEFAULT_IOU: Final = 0.7


class DetectorOptions(TypedDict, total=False):
    """The keywords of ``MaskDetector``, which says what each is: ``**options: Unpack[DetectorOptions]``."""

    weights: AnyPath | None
    conf: Threshold
    iou: float
    imgsz: int | None
    agnostic_nms: bool
    tile: bool | int
    close_ups: bool | CloseUps | None
    augment: bool
    device: Device
    threads: int
    runtime: RuntimeName | Runtime
    precision: Precision
    trust_weights: bool
