"""Which runtimes can run a detector's file here, and how each is asked for: the one place that lists them."""

from __future__ import annotations

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
    return [RuntimeChoice("torch" if weights.suffix == ".pt" else "onnx")]


def load(name: str, weights: Path) -> Runtime:
    """Load a model file in the runtime of this name, on the CPU with a thread a core.

    Raises:
        WeightsError: the file cannot be used.
        MissingExtraError: the runtime is not installed.
    """
    return load_runtime(weights, name=name)
