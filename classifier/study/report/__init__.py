"""The crop study's report: one folder with the text, the figures as CSV, and the pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2

from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.study.collapse import CollapseRow, format_collapse
from maskdet.classifier.study.published import LISTED_FALSE_ALARMS, LISTED_MISSED
from maskdet.classifier.study.report.collapse import collapse_section, collapse_title
from maskdet.classifier.study.report.comparison import comparison
from maskdet.classifier.study.report.csv_files import (
    confusion_csv,
    mcnemar_csv,
    misclassified_csv,
    networks_csv,
    per_class_csv,
)
from maskdet.classifier.study.report.groups import groups_table
from maskdet.classifier.study.report.mistakes import MAX_CELLS, Pixels, draw_gallery, find_mistakes, mistakes_table
from maskdet.classifier.study.report.networks import network_tables
from maskdet.classifier.study.report.pairs import CELLS, pairs_sentence, pairs_table
from maskdet.classifier.study.report.plots import confusion_matrices, error_bars, learning_curves, roc_curves
from maskdet.classifier.study.report.results import (
    classes_table,
    figures_table,
    folds_table,
    overlap_table,
    sizes_section,
    times_table,
)
from maskdet.classifier.study.report.words import data_section, definitions, recipes, summary
from maskdet.classifier.study.sections import Entry, Section
from maskdet.classifier.training.run import is_view
from maskdet.errors import DatasetError
from maskdet.extras import require
from maskdet.files.atomic import write_bytes
from maskdet.imaging.encode import png


def write_report(
    sections: Sequence[Section],
    out: Path,
    *,
    records: Sequence[CropRecord],
    pixels: Pixels | None = None,
    collapse: Sequence[CollapseRow] | None = None,
    commands: Sequence[str] = (),
    machine: str = "",
    absent: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write ``report.md``, the CSV files and the pictures into ``out``; the same figures give the same bytes.

    Pictures that the report before this one showed, and this one does not, are removed.

    Galleries need ``pixels``, which gives a crop's (h, w, 3) uint8 BGR by its name. ``commands`` are what was typed to
    make the runs. ``absent`` says why a network of the study was not run; without a word there it is "not run", or,
    where it was trained from scratch only, "not run: weights unavailable".

    Returns:
        The files written, ``report.md`` last.

    Raises:
        DatasetError: there is no run.
        MissingExtraError: matplotlib is not installed.
        SourceError: the folder cannot be written, or a crop cannot be read.
    """
    require("matplotlib", what="the study's report", extra="plots")
    if not sections:
        raise DatasetError(out, "no trained network to report on: train one first")
    known = {record.crop: record for record in records}
    files: dict[str, bytes] = {
        "networks.csv": networks_csv(sections).encode(),
        "per_class.csv": per_class_csv(sections).encode(),
        "confusion.csv": confusion_csv(sections).encode(),
        "mcnemar.csv": mcnemar_csv(sections).encode(),
        "misclassified.csv": misclassified_csv(sections, known).encode(),
    }
    if collapse:
        files["collapse.csv"] = format_collapse(collapse).encode()
    parts = [
        "# The crop study: what was printed, what it says, and what we measured",
        summary(sections, collapse or (), records),
        "## The data, and how it is divided",
        data_section(sections, records),
    ]
    for section in sections:
        files |= _pictures(section)
        galleries = {} if pixels is None else _galleries(section, known, pixels)
        files |= galleries
        parts += _section_text(section, records, absent or {}, list(galleries))
    parts += ["## Network by network", network_tables(sections), "## Parameters", sizes_section(sections)]
    if collapse:
        parts += [f"## {collapse_title(collapse)}", collapse_section(collapse)]
    parts += ["## How it was made", _made(sections, commands, machine), "### What the figures mean", definitions()]
    parts += ["## Files", _list_of_files(list(files))]
    files["report.md"] = ("\n\n".join(part for part in parts if part) + "\n").encode()
    before = _shown_by(out / "report.md")
    written = [write_bytes(out / name, data) for name, data in files.items()]
    for name in before - files.keys():
        (out / name).unlink(missing_ok=True)
    return written


def _shown_by(report: Path) -> set[str]:
    """Return the names of the pictures that a report at hand shows out of its own folder."""
    if not report.is_file():
        return set()
    return set(re.findall(r"!\[[^\]]*\]\(([\w.-]+\.png)\)", report.read_text(encoding="utf-8", errors="replace")))


def _pictures(section: Section) -> dict[str, bytes]:
    slug = section.slug
    pictures = {
        f"errors-{slug}.png": png(error_bars(section)),
        f"confusion-{slug}.png": png(confusion_matrices(section)),
        f"roc-{slug}.png": png(roc_curves(section)),
    }
    return pictures | {f"curves-{entry.slug}.png": png(learning_curves(entry)) for entry in _trained(section)}


def _trained(section: Section) -> list[Entry]:
    """Return the entries that were trained for this section's task: the others' curves are in their own section."""
    return [entry for entry in section.entries if not is_view(entry.run)]


def _galleries(section: Section, known: Mapping[str, CropRecord], pixels: Pixels) -> dict[str, bytes]:
    galleries = {}
    for entry in section.entries:
        mistakes = find_mistakes(entry, known)
        if mistakes:
            sheet = draw_gallery(mistakes, pixels)
            galleries[f"misclassified-{entry.slug}.png"] = cv2.imencode(".png", sheet)[1].tobytes()
    return galleries


def _section_text(
    section: Section,
    records: Sequence[CropRecord],
    absent: Mapping[str, str],
    galleries: Sequence[str],
) -> list[str]:
    slug = section.slug
    parts = [f"## {section.title[0].upper()}{section.title[1:]}"]
    if section.task == "binary":
        parts.append(comparison(section, absent))
    parts += [
        f"![Test errors with their intervals, the study's beside ours](errors-{slug}.png)",
        "### Every figure",
        "Brackets: 95 % intervals. Train and dev errors are those of the network that was kept.",
        figures_table(section),
        "### Class by class",
        classes_table(section),
        f"![Confusion matrices](confusion-{slug}.png)",
        f"![ROC curves](roc-{slug}.png)",
    ]
    folds = folds_table(section)
    if folds:
        parts += ["### Fold by fold", "Each fold is the test part once; *all* pools their answers.", folds]
    parts += [
        "### Test crops that training had seen something of",
        overlap_table(section),
        "### What the test part is made of",
        groups_table(section, records),
    ]
    if section.pairs:
        parts += [
            "### Which networks differ",
            f"{pairs_sentence(section)} {CELLS}",
            pairs_table(section),
        ]
    parts += ["### Time and size", _TIMES, times_table(section), "### Learning curves"]
    parts += [f"![Learning curves of {entry.label}](curves-{entry.slug}.png)" for entry in _trained(section)]
    return parts + _mistakes_text(section, galleries, {record.crop: record for record in records})


_TIMES = (
    "Seconds an epoch include scoring dev; ms a crop is one crop's share of a batch of 16 through the network on "
    "the CPU. Both depend on what else the machine was doing, up to twice as long for one and the same network: they "
    "say what a training costs, and compare no networks. In brackets the epoch that was kept; bold marks the fewest "
    "parameters. Early stopping ends a training when dev loss has not become lower for as many epochs as the patience."
)


def _mistakes_text(section: Section, galleries: Sequence[str], known: Mapping[str, CropRecord]) -> list[str]:
    """Return the galleries and a table of what they show, each under its network's name."""
    if not galleries:
        return []
    listed = (
        f" The study lists {LISTED_MISSED + LISTED_FALSE_ALARMS} misclassified test crops: {LISTED_MISSED} missed "
        f"*without_mask* and {LISTED_FALSE_ALARMS} false alarms."
        if section.task == "binary"
        else ""
    )
    parts = [
        "### What went wrong",
        "Every test crop answered wrongly, the surest mistake first: label -> answer in the label's colour, the "
        "probability of the answer and the face's size in the photo (root of its box's area), the crop's file, which "
        "is called after photo and face. Paths in the tables are those that `maskdet convert --crops` writes."
        f"{listed} With photo and box, and beyond the {MAX_CELLS} shown of a network, all are in `misclassified.csv`.",
    ]
    for entry in section.entries:
        name = f"misclassified-{entry.slug}.png"
        if name in galleries:
            shown = f"the surest {MAX_CELLS} of " if entry.scores.wrong > MAX_CELLS else ""
            parts += [f"{entry.label}: {shown}{entry.scores.wrong:,}.", f"![Mistakes of {entry.label}]({name})"]
            parts.append(mistakes_table(find_mistakes(entry, known)))
        else:
            parts.append(f"{entry.label}: none.")
    return parts


def _made(sections: Sequence[Section], commands: Sequence[str], machine: str) -> str:
    parts = []
    if machine:
        parts.append(f"Machine: {machine}.")
    if commands:
        parts.append("```bash\n" + "\n".join(commands) + "\n```")
    parts += ["### Recipes", recipes(sections)]
    return "\n\n".join(parts)


_FILES = {
    "networks.csv": "every figure, a line a training; `fold` is `all` where folds are pooled",
    "per_class.csv": "precision, recall, F1 of each class",
    "confusion.csv": "the confusion matrices, a line a cell",
    "mcnemar.csv": "every pair of networks",
    "misclassified.csv": "every wrong answer on a test crop, with its photo and box",
    "collapse.csv": "every training of the collapse experiment",
}


def _list_of_files(names: Sequence[str]) -> str:
    return "\n".join(f"- [`{name}`]({name}): {_FILES[name]}" for name in names if name in _FILES)
