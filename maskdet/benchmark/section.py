"""The parts of a benchmark's report, and the sections by name; each one's code is imported when it is run."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from maskdet.benchmark.runs import Rounds, Sample


@dataclass(frozen=True, slots=True)
class Settings:
    """What a benchmark is asked to do.

    Attributes:
        source: a folder of photos, None for generated ones.
        imgsz: longer side of the detector's input in pixels, None for the model's own.
        frame_size: width and height of its frames in pixels.
        warm_up: run everything once unmeasured before.
        sizes: numbers of files (converter) or photos (size), None for each section's own.
    """

    source: Path | None = None
    voc: Path | None = None
    weights: str | None = None
    classifier: str | None = None
    yolo_weights: str | None = None
    yolo: bool = True
    imgsz: int | None = None
    limit: int = 170
    frames: int = 60
    frame_size: tuple[int, int] = (1920, 1080)
    runs: int = 3
    warm_up: bool = True
    sizes: tuple[int, ...] | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of every row: its key there, its heading with the unit, and what the project wants it to be."""

    key: str
    heading: str
    decimals: int = 2
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured; a figure that could not be had is missing, and a note says why there are none."""

    name: str
    figures: Mapping[str, float] = field(default_factory=dict)
    command: str | None = None
    note: str | None = None
    rounds: Sequence[Sample] = ()

    @classmethod
    def of(cls, rounds: Rounds, name: str, command: str | None = None, **ratios: float | None) -> Row:
        """Build the row of one way, with ratios beside its medians; those that are None are left out."""
        figures = rounds.medians(name) | {key: value for key, value in ratios.items() if value is not None}
        return cls(name, figures, command, rounds.failed.get(name), rounds.samples.get(name, []))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, figures to 4 decimals."""
        return {
            "name": self.name,
            "command": self.command,
            "note": self.note,
            "figures": _rounded(self.figures),
            "rounds": [_rounded(one) for one in self.rounds],
        }


@dataclass(frozen=True, slots=True)
class Section:
    """One table; ``name`` is as ``--only`` takes it, and notes say what a reader must know to judge the figures."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "name": self.name,
            "title": self.title,
            "columns": {column.key: column.heading for column in self.columns},
            "targets": {column.key: column.target for column in self.columns if column.target is not None},
            "rows": [row.to_dict() for row in self.rows],
            "notes": list(self.notes),
        }


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in figures.items()}


#: Name -> "module:function".
SECTIONS: Final[dict[str, str]] = {
    "cold": "maskdet.benchmark.cold:measure_cold",
    "folder": "maskdet.benchmark.folder:measure_folder",
    "quality": "maskdet.benchmark.quality:measure_quality",
    "video": "maskdet.benchmark.folder:measure_video",
    "classifier": "maskdet.benchmark.classifier:measure_classifier",
    "converter": "maskdet.benchmark.growth:measure_converter",
    "size": "maskdet.benchmark.growth:measure_size",
}

#: Those that run without ``--only``; the others take minutes more.
DEFAULT: Final = ("cold", "folder", "video", "classifier")

#: Those that run ``yolo predict`` too.
BESIDE_YOLO: Final = frozenset({"cold", "folder", "quality", "video"})


def run_section(name: str, settings: Settings) -> Section:
    """Measure one section in a temporary folder that is removed at the end."""
    module, _, function = SECTIONS[name].partition(":")
    measure = cast(Callable[[Settings, Path], Section], getattr(importlib.import_module(module), function))
    with tempfile.TemporaryDirectory(prefix="maskdet-benchmark-") as folder:
        return measure(settings, Path(folder).resolve())
