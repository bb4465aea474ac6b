"""A classifier that is loaded when the first face needs it: many a photo has none, and is answered sooner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from maskdet.weights import default_model

if TYPE_CHECKING:
    from maskdet.classifier.inference.model import MaskClassifier


class OnDemand:
    """A classifier to be; calling it, from any thread, loads it once and returns it, or raises what went wrong.

    Attributes:
        name: as its ``info`` will have it.
    """

    def __init__(self, name: str, load: Callable[[], MaskClassifier]) -> None:
        """Keep ``load`` for the first call."""
        self.name = name
        self._load, self._lock = load, Lock()
        self._loaded: MaskClassifier | None = None

    def __call__(self) -> MaskClassifier:
        """Return the classifier."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def __getstate__(self) -> dict[str, Any]:
        """Return the loaded classifier, which travels by its file."""
        return {"name": self.name, "loaded": self()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Hold the classifier."""
        loaded = state["loaded"]
        self.__init__(state["name"], lambda: loaded)  # type: ignore[misc]  # a copy begins as an original does


def on_demand(weights: str | None = None, **options: Any) -> OnDemand:
    """Return a classifier to be, the shipped one unless another is named; ``options`` are of ``MaskClassifier``.

    Raises:
        WeightsError: none is named and none is shipped.
    """

    def load() -> MaskClassifier:
        from maskdet.classifier.inference.model import MaskClassifier

        return MaskClassifier(weights, **options)

    return OnDemand(default_model("classify").name if weights is None else Path(weights).stem, load)
