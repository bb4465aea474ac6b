"""The sections of a benchmark by name; each one's code is imported when it is run."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from maskdet.benchmark.measuring.section import Section, Settings

#: Name -> "module:function".
SECTIONS: Final[dict[str, str]] = {
    "cold": "maskdet.benchmark.sections.cold:measure_cold",
    "folder": "maskdet.benchmark.sections.folder:measure_folder",
    "video": "maskdet.benchmark.sections.folder:measure_video",
    "classifier": "maskdet.benchmark.sections.classifier:measure_classifier",
    "converter": "maskdet.benchmark.sections.converter:measure_converter",
    "size": "maskdet.benchmark.sections.size:measure_size",
}

#: Those that run without ``--only``; the others take minutes more.
DEFAULT: Final = ("cold", "folder", "video", "classifier")

#: Those that run ``yolo predict`` too.
BESIDE_YOLO: Final = frozenset({"cold", "folder", "video"})


def run_section(name: str, settings: Settings) -> Section:
    """Measure one section in a temporary folder that is removed at the end.

    Raises:
        MaskdetError: something it needs cannot be used, or a command of ours failed.
    """
    module, _, function = SECTIONS[name].partition(":")
    measure = cast(Callable[[Settings, Path], Section], getattr(importlib.import_module(module), function))
    with tempfile.TemporaryDirectory(prefix="maskdet-benchmark-") as folder:
        return measure(settings, Path(folder).resolve())
