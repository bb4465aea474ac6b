"""The models of a command, loaded as its options ask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

if TYPE_CHECKING:
    from maskdet.classifier.inference.model import MaskClassifier
    from maskdet.detector.inference.model import MaskDetector
    from maskdet.detector.inference.options import DetectorOptions
    from maskdet.sessions.choice import RuntimeName


def open_detector(**options: Unpack[DetectorOptions]) -> MaskDetector:
    """Load a detector.

    Raises:
        click.UsageError: an option out of its range, or one that does not go with another or with the file.
        MaskdetError: the file or the device cannot be used, or a package is missing.
    """
    from maskdet.detector.inference.model import MaskDetector

    try:
        return MaskDetector(**options)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def open_classifier(weights: str | Path | None, *, device: str, runtime: RuntimeName) -> MaskClassifier:
    """Load the classifier beside a detector.

    Args:
        weights: an ``.onnx`` file, the name of a shipped model, or None for the default one.
        device: where both run.
        runtime: what runs the detector.

    Raises:
        MaskdetError: the file or the device cannot be used, or a package is missing.
    """
    from maskdet.classifier.inference.model import MaskClassifier

    # It is an ONNX file, also where the detector is a .pt.
    return MaskClassifier(weights, device=device, runtime="auto" if runtime == "torch" else runtime)
