"""Face-mask detection: find faces in pictures and say whether each wears its mask, not, or wrongly.

>>> import maskdet
>>> result = maskdet.predict("examples/astronaut.jpg")
>>> result.counts
{'with_mask': 0, 'without_mask': 1, 'mask_weared_incorrect': 0}
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskdet.extras import switch_off
from maskdet.imaging.limits import limit_opencv
from maskdet.version import __version__

if TYPE_CHECKING:
    from maskdet.api import predict
    from maskdet.classes import CLASS_NAMES
    from maskdet.classifier.inference.model import CropAnswer, MaskClassifier
    from maskdet.detector.inference.model import MaskDetector
    from maskdet.errors import (
        AnnotationError,
        DatasetError,
        DeviceError,
        MaskdetError,
        MissingExtraError,
        SourceError,
        WeightsError,
    )
    from maskdet.results import Face, MaskResult
    from maskdet.results.json_lines import read_results
    from maskdet.schema import result_schema
    from maskdet.tracking.face_tracker import FaceTracker, track


# In a checkout, detector/, classifier/, datasets/ and weights/ lie beside this folder. Python prefers the folder it is
# started in to what is installed: without this, nobody who installed a checkout could import from within it.
if not Path(__file__).with_name("weights").is_dir():
    __path__.append(str(Path(__file__).resolve().parent.parent))

# What an import does, for it must come before those of onnxruntime and OpenCV.
switch_off()
limit_opencv()

#: Public name -> module that defines it, where that is not ``errors``; imported on first use.
_HOMES = {
    "CLASS_NAMES": "maskdet.classes",
    **dict.fromkeys(("Face", "MaskResult"), "maskdet.results"),
    **dict.fromkeys(("FaceTracker", "track"), "maskdet.tracking.face_tracker"),
    **dict.fromkeys(("CropAnswer", "MaskClassifier"), "maskdet.classifier.inference.model"),
    "MaskDetector": "maskdet.detector.inference.model",
    "predict": "maskdet.api",
    "read_results": "maskdet.results.json_lines",
    "result_schema": "maskdet.schema",
}

__all__ = [
    "CLASS_NAMES",
    "AnnotationError",
    "CropAnswer",
    "DatasetError",
    "DeviceError",
    "Face",
    "FaceTracker",
    "MaskClassifier",
    "MaskDetector",
    "MaskResult",
    "MaskdetError",
    "MissingExtraError",
    "SourceError",
    "WeightsError",
    "__version__",
    "predict",
    "read_results",
    "result_schema",
    "track",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'maskdet' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES.get(name, "maskdet.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
