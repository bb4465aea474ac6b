"""Write figures into README, docs and the models' cards from the JSON that commands wrote; ``--check`` only compares.

::

    python tools/update_readme.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cards import cards
from figures.arithmetic import arithmetic
from figures.augmented import chain_augmented, folds_augmented, public_augmented
from figures.calibration import calibration, shipped_errors
from figures.chain import compare_folds
from figures.classifier import classifier, study
from figures.converter import converter
from figures.defaults import qualities, steps
from figures.detector import accuracy, mistakes
from figures.elsewhere import sources_left_out
from figures.folds import fold_parts, folds
from figures.foreign import foreign_faces
from figures.models import models
from figures.server import server
from figures.speed import benchmark, classifier_speed, size
from figures.stress import close_ups, scales
from figures.tiling import tiling
from figures.training import train_speed, train_speed_intro

ROOT = Path(__file__).resolve().parent.parent
START, END = "<!-- figures: start -->\n", "<!-- figures: end -->"

HELD_OUT = ROOT / "benchmarks/results/defaults_public.json"


def quality_table(report: dict[str, Any]) -> str:
    """Return the table of ``--quality`` from both of its reports."""
    return qualities(report, json.loads(HELD_OUT.read_text(encoding="utf-8")))


def steps_held_out(report: dict[str, Any]) -> str:
    """Return the table of the defaults on the public split's held-out photos, under the heading of both."""
    return f"### What each default gives\n\n{steps(report)}"


def steps_elsewhere(report: dict[str, Any]) -> str:
    """Return the table of the defaults on the sources left out, and what is not blind in it."""
    return (
        f"{steps(report)}\nThe thresholds of the last row were chosen on photos of these sources; no other row was.\n"
    )


#: Page -> its parts in order: the JSON, and what is made of it.
PAGES: dict[str, tuple[tuple[str, Callable[[dict[str, Any]], str]], ...]] = {
    "README.md": (("weights/models.json", models), ("benchmarks/results/defaults.json", quality_table)),
    "docs/results.md": (
        ("benchmarks/results/folds.json", folds),
        ("benchmarks/results/folds_augment.json", folds_augmented),
        ("weights/maskdet-n-public.val.json", accuracy),
        ("benchmarks/results/public_augment.json", public_augmented),
        ("weights/maskdet-c.val.json", classifier),
        ("benchmarks/results/compare_folds.json", compare_folds),
        ("benchmarks/results/compare_folds_augment.json", chain_augmented),
        ("docs/study/study.json", study),
        ("benchmarks/results/defaults_public.json", steps_held_out),
        ("benchmarks/results/defaults.json", steps_elsewhere),
        ("benchmarks/results/heldout-maskdet-n-public.json", sources_left_out),
        ("benchmarks/results/foreign_faces.json", foreign_faces),
    ),
    "docs/accuracy.md": (
        ("weights/models.json", shipped_errors),
        ("benchmarks/results/calibration.json", calibration),
        ("benchmarks/results/mistakes.json", mistakes),
    ),
    "docs/convert.md": (("benchmarks/results/fold_parts.json", fold_parts),),
    "docs/benchmark.md": (
        ("benchmarks/results/benchmark_cold.json", benchmark),
        ("benchmarks/results/quality.json", benchmark),
        ("benchmarks/results/benchmark.json", benchmark),
        ("benchmarks/results/classifier_speed.json", classifier_speed),
        ("benchmarks/results/converter.json", converter),
        ("benchmarks/results/size.json", size),
        ("benchmarks/results/train_speed.json", train_speed_intro),
        ("benchmarks/results/train_accuracy.json", train_speed),
    ),
    "docs/serve/index.md": (("benchmarks/results/serve.json", server),),
    "docs/int8.md": (("benchmarks/results/int8.json", arithmetic),),
    "docs/small-faces.md": (("benchmarks/results/tiling.json", tiling),),
    "docs/scales.md": (
        ("benchmarks/results/stress.json", scales),
        ("benchmarks/results/close_ups.json", close_ups),
    ),
}


def read(path: str) -> dict[str, Any] | None:
    """Return a JSON file of the repository, or None where it was not made yet."""
    file = ROOT / path
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def rendered(page: str) -> str:
    """Return everything between a page's markers."""
    parts = []
    for path, render in PAGES[page]:
        report = read(path)
        if report is not None:
            parts.append(render(report))
    return "\n".join(parts)


def updated(page: str, text: str) -> str:
    """Return a page with its figures replaced."""
    before, rest = text.split(START)
    return before + START + rendered(page) + END + rest.split(END, 1)[1]


def main() -> None:
    """Write, or with ``--check`` exit with 1 where a page is out of date."""
    stale = []
    pages = ((ROOT / page, updated(page, (ROOT / page).read_text(encoding="utf-8"))) for page in PAGES)
    for page, new in (*pages, *cards()):
        if new == page.read_text(encoding="utf-8"):
            continue
        if "--check" in sys.argv:
            stale.append(str(page.relative_to(ROOT)))
        else:
            page.write_text(new, encoding="utf-8")
    if stale:
        sys.exit(f"{', '.join(stale)}: figures out of date; run python tools/update_readme.py")


if __name__ == "__main__":
    main()
