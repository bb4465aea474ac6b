"""``maskdet val --mistakes``: what fails and why, as counts, as a gallery and as a CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from maskdet.cli.options.model import ModelOptions
from maskdet.terminal.console import console
from maskdet.terminal.report_table import report_table

if TYPE_CHECKING:
    from maskdet.detector.evaluation.labelled_split import LabelledSplit
    from maskdet.detector.evaluation.mistakes import Mistake
    from maskdet.detector.inference.postprocess import Detections

SCHEMA: Final = "maskdet-mistakes/1"


@dataclass(frozen=True, kw_only=True)
class FoundMistakes:
    """The mistakes of a detector, or of one a fold, the worst first, and what they were found on."""

    labelled: LabelledSplit
    found: Sequence[Detections]
    mistakes: Sequence[Mistake]
    models: Sequence[Path]
    conf: float

    def to_dict(self, command: str) -> dict[str, Any]:
        """Return the counts in the ``maskdet-mistakes/1`` schema."""
        from maskdet.detector.evaluation.mistakes import DOUBTFUL_CONF, FOUND_IOU, NEAR_IOU, count_mistakes
        from maskdet.weights import checksum

        labelled = self.labelled
        limits = {"found_iou": FOUND_IOU, "near_iou": NEAR_IOU, "doubtful_conf": DOUBTFUL_CONF}
        return {
            "schema": SCHEMA,
            "command": command,
            "data": {"name": labelled.data, "split": labelled.split, "photos": len(labelled.photos)},
            "models": [{"name": path.stem, "sha256": checksum(path)} for path in self.models],
            "settings": {"conf": self.conf, **limits},
            **count_mistakes(labelled.truths, self.mistakes),
        }


def find(settings: Mapping[str, Any], model: ModelOptions, *, folds: bool, quiet: bool) -> FoundMistakes:
    """Run the detector, or each fold's on the photos that it has not seen, and find its mistakes.

    Raises:
        MaskdetError: data or a model cannot be used.
        click.UsageError: ``--folds`` without models, or with a split.
    """
    from maskdet.cli.val_folds import detect_low, read
    from maskdet.detector.evaluation.labelled_split import read_split
    from maskdet.detector.evaluation.mistakes import find_mistakes, worst_first
    from maskdet.detector.inference.options import DEFAULT_CONF
    from maskdet.weights import resolve_weights

    batch = settings.get("batch", 16)
    if folds:
        fold_set, models = read(settings, model, quiet=quiet)
        labelled = fold_set.pooled
        found = [one for fold in detect_low(model, models, fold_set, batch=batch, quiet=quiet) for one in fold]
    else:
        from maskdet.detector.evaluation.evaluate import detect_low as detect

        labelled = read_split(str(settings["data"]), str(settings.get("split", "val")))
        models = [resolve_weights(model.weights)[1]]
        found = detect(model.open_detector(), labelled, batch=batch, quiet=quiet)
    conf = settings.get("conf", DEFAULT_CONF)
    mistakes = worst_first(find_mistakes(labelled.truths, found, conf=conf))
    return FoundMistakes(labelled=labelled, found=found, mistakes=mistakes, models=models, conf=conf)


def print_counts(report: Mapping[str, Any]) -> None:
    """Print the counts of a ``maskdet-mistakes/1`` report."""
    from maskdet.classes import CLASS_NAMES

    screen = console()
    data = report["data"]
    table = report_table(f"{data['name']} ({data['split']}): mistakes above confidence {report['settings']['conf']}")
    table.add_column("mistake", no_wrap=True)
    for name in ("side", *CLASS_NAMES):
        table.add_column(name, justify="right", no_wrap=True)
    for kind, sizes in {"faces": report["faces"], **report["mistakes"]}.items():
        for size, row in sizes.items():
            table.add_row(kind if size == "all" else "", size, *(f"{row[name]:,}" for name in CLASS_NAMES))
        table.add_section()
    screen.print(table)
    doubtful = ", ".join(f"{kind} {count}" for kind, count in report["doubtful"].items())
    screen.print(f"labels that look wrong: {doubtful}", markup=False)
