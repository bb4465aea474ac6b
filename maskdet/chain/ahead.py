"""The classifier loaded beside the detector, in a thread: the first face that needs it waits for it, if at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from maskdet.weights import default_model

if TYPE_CHECKING:
    from maskdet.classifier.inference.model import MaskClassifier


class LoadedAhead:
    """A classifier that is being loaded; calling it waits and returns it, or raises what went wrong.

    Attributes:
        name: as its ``info`` will have it.
    """

    def __init__(self, name: str, load: Callable[[], MaskClassifier]) -> None:
        """Start ``load`` in a thread, which the end of the program waits for."""
        self.name = name
        self._loaded: MaskClassifier | BaseException | None = None
        self._thread: Thread | None = Thread(target=self._load, args=(load,), name="maskdet-classifier")
        self._thread.start()

    def __call__(self) -> MaskClassifier:
        """Return the classifier."""
        if self._thread is not None:
            self._thread.join()
        if isinstance(self._loaded, BaseException):
            raise self._loaded
        assert self._loaded is not None
        return self._loaded

    def _load(self, load: Callable[[], MaskClassifier]) -> None:
        try:
            self._loaded = load()
        except BaseException as error:  # it is raised where the classifier is asked for
            self._loaded = error

    def __getstate__(self) -> dict[str, Any]:
        """Return the loaded classifier: a thread does not travel."""
        return {"name": self.name, "loaded": self()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Hold the classifier."""
        self.name, self._loaded, self._thread = state["name"], state["loaded"], None


def load_ahead(weights: str | None = None, **options: Any) -> LoadedAhead:
    """Begin to load a classifier, the shipped one unless another is named; ``options`` are of ``MaskClassifier``.

    Raises:
        WeightsError: none is named and none is shipped.
    """

    def load() -> MaskClassifier:
        from maskdet.classifier.inference.model import MaskClassifier

        return MaskClassifier(weights, **options)

    return LoadedAhead(default_model("classify").name if weights is None else Path(weights).stem, load)
