from __future__ import annotations

import inspect

from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DetectorOptions


def test_the_group_names_every_keyword_of_the_detector() -> None:
    signature = inspect.signature(MaskDetector)
    assert list(DetectorOptions.__annotations__) == list(signature.parameters)
    for name, parameter in signature.parameters.items():
        assert parameter.annotation == DetectorOptions.__annotations__[name].__forward_arg__
