"""The detector that is measured: its file and the size of its input."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maskdet.benchmark.section import Settings


@dataclass(frozen=True, slots=True)
class DetectorFile:
    """A model file that was tried.

    Attributes:
        name: how results call it.
        path: absolute.
        imgsz: longer side of its input in pixels.
        yolo_path: what ``yolo predict`` runs, absolute.
    """

    name: str
    path: Path
    imgsz: int
    yolo_path: Path

    @property
    def options(self) -> tuple[str, ...]:
        """The options of ``maskdet detect`` that choose it."""
        return "--weights", str(self.path), "--imgsz", str(self.imgsz)

    def yolo_words(self, source: Path, folder: Path, *more: str) -> tuple[str, ...]:
        """Return the arguments of ``yolo`` that do the same with ``source``, what it writes going to ``folder``."""
        words = ("detect", "predict", f"model={self.yolo_path}", f"source={source}", f"imgsz={self.imgsz}")
        return *words, "device=cpu", f"project={folder}", "name=yolo", "exist_ok=True", *more


def check_rival(weights: str) -> None:
    """Load what ``yolo`` is to run once, as ``maskdet`` loads it: ``yolo`` itself would run whatever a file says.

    Raises:
        WeightsError: the file cannot be used.
        MissingExtraError: a ``.pt`` file without the ``train`` extra.
    """
    from maskdet.detector.runtime import load_runtime

    load_runtime(Path(weights), name=Path(weights).stem)


def find_detector(settings: Settings) -> DetectorFile:
    """Load the detector once, so that a wrong file is said before anything is measured.

    Raises:
        WeightsError: a file cannot be used.
        MissingExtraError: a ``.pt`` file without the ``train`` extra.
        ValueError: the network does not take this size of input.
    """
    from maskdet.detector.model import MaskDetector
    from maskdet.errors import WeightsError
    from maskdet.weights import resolve_weights

    _, path = resolve_weights(settings.weights)
    info = MaskDetector(settings.weights, imgsz=settings.imgsz).info
    other = path if settings.yolo_weights is None else Path(settings.yolo_weights)
    if not other.exists():
        raise WeightsError(other, "no such file")
    return DetectorFile(info.name, path.resolve(), info.imgsz, other.resolve())
