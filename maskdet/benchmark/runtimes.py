"""Which runtimes can run a detector's file here, and how each is asked for: the one place that lists them."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from maskdet.detector.runtime import Runtime, load_runtime


@dataclass(frozen=True, slots=True)
class RuntimeChoice:
    """A runtime at hand.

    Attributes:
        name: for people and for ``load``.
        options: what to add to ``maskdet detect``.
    """

    name: str
    options: tuple[str, ...] = ()


def runtimes_for(weights: Path) -> list[RuntimeChoice]:
    """Return the runtimes at hand for a model file, the default one first."""
    if weights.suffix == ".pt":
        return [RuntimeChoice("torch")]
    names = [] if weights.is_dir() else ["onnx"]
    if weights.is_dir() or importlib.util.find_spec("openvino") is not None:
        names.append("openvino")
    return [RuntimeChoice(name, ("--runtime", name)) for name in names]


def load(name: str, weights: Path, threads: int = 0) -> Runtime:
    """Load a model file in the runtime of this name, on the CPU; ``threads`` as in ``MaskDetector``.

    Raises:
        WeightsError: the file cannot be used.
        MissingExtraError: the runtime is not installed.
    """
    return load_runtime(weights, name=name, runtime=name, threads=threads)
