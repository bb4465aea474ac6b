"""How often detector and classifier say the same of a face, over all that one run has seen, and the tables of it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.coco import SIZES
from maskdet.results import Face, MaskResult
from maskdet.results.draw import SHORT_NAMES
from maskdet.terminal.console import cell, console, named_errors
from maskdet.writers.tables import CLASS_STYLES, class_label, new_table, print_fitting

if TYPE_CHECKING:
    from rich.table import Table

#: Disagreements that are remembered one by one; later ones are only counted, for a camera never stops.
LISTED: Final = 1000


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A face of which the two say different things; ``face.classifier`` holds the classifier's answer."""

    path: str | None
    frame: int | None
    face: Face

    @property
    def side(self) -> float:
        """See ``side_of``."""
        return side_of(self.face)

    @property
    def second(self) -> tuple[str, float]:
        """The classifier's class and its confidence."""
        answer = self.face.classifier or {}
        return str(answer["name"]), float(answer["confidence"])


@dataclass(slots=True)
class Count:
    """Faces, and those of which the two disagree; by class name how many detector and classifier take for it."""

    pictures: int = 0
    faces: int = 0
    disagree: int = 0
    detector: Counter[str] = field(default_factory=Counter)
    classifier: Counter[str] = field(default_factory=Counter)

    @property
    def agreement(self) -> float | None:
        """Share of the faces of which both say the same, None without a face."""
        return 1 - self.disagree / self.faces if self.faces else None

    def add(self, face: Face) -> None:
        """Count one face."""
        self.faces += 1
        self.disagree += not agrees(face)
        self.detector[face.name] += 1
        self.classifier[(face.classifier or {}).get("name", face.name)] += 1


def side_of(face: Face) -> float:
    """Return the side of a face in pixels: the square root of its box's area, as wherever faces are sorted by size.

    >>> side_of(Face("with_mask", 0, 0.9, (0, 0, 8, 18)))
    12.0
    """
    x1, y1, x2, y2 = face.box
    return math.sqrt(max(0.0, x2 - x1) * max(0.0, y2 - y1))


def agrees(face: Face) -> bool:
    """Say whether the classifier's class is the detector's; also where no classifier was asked."""
    return bool((face.classifier or {}).get("agrees", True))


@dataclass(slots=True)
class Agreement:
    """What one run counted: by path (a video is one source), by range of sizes, and the first disagreements."""

    total: Count = field(default_factory=Count)
    sources: dict[str | None, Count] = field(default_factory=dict)
    sizes: dict[str, Count] = field(default_factory=lambda: {size: Count() for size in SIZES if size != "all"})
    listed: list[Disagreement] = field(default_factory=list)

    def add(self, result: MaskResult) -> None:
        """Count the faces of one picture or frame, as ``compare`` answers for them."""
        source = self.sources.setdefault(result.image.path, Count())
        for count in (self.total, source):
            count.pictures += 1
        for face in result.faces:
            for count in (self.total, source, self.sizes[_range_of(side_of(face))]):
                count.add(face)
            if not agrees(face) and len(self.listed) < LISTED:
                self.listed.append(Disagreement(result.image.path, result.image.frame, face))


def _range_of(side: float) -> str:
    """Return the first range that holds a side of this length: one of exactly 16 px is below, not between."""
    return next(size for size, (_, high) in SIZES.items() if size != "all" and side <= high)


#: Disagreements shown one by one; all are in the JSON and the CSV.
SHOWN: Final = 40


def print_agreement(agreement: Agreement) -> None:
    """Print a line a source, the faces on which the two disagree, and how often they agree by size of the face."""
    if not agreement.sources:
        return
    screen = console()
    with named_errors("-"):
        print_fitting(screen, lambda narrow: _sources_table(agreement, narrow))
        if agreement.listed:
            print_fitting(screen, lambda narrow: _faces_table(agreement, narrow))
            more = agreement.total.disagree - min(SHOWN, len(agreement.listed))
            if more:
                screen.print(f"and {more} more: --json and --csv have every face")
        screen.print(summary(agreement))


def summary(agreement: Agreement) -> str:
    """Return faces and agreement in one line, also by size."""
    total = agreement.total
    faces = f"{total.faces} face{'' if total.faces == 1 else 's'}"
    if not total.faces:
        return faces
    sizes = [f"{size} {_share(count)} of {count.faces}" for size, count in agreement.sizes.items() if count.faces]
    return f"{faces}, both say the same of {total.faces - total.disagree} ({_share(total)}): {', '.join(sizes)}"


def _share(count: Count) -> str:
    return "–" if count.agreement is None else f"{count.agreement:.1%}"


def _sources_table(agreement: Agreement, narrow: bool) -> Table:
    table = new_table(
        narrow,
        show_footer=len(agreement.sources) > 1,
        caption="n / m: n faces for the detector, m for the classifier",
        caption_justify="left",
    )
    table.add_column("source", f"{len(agreement.sources)} sources", overflow="fold")
    frames = agreement.total.pictures > len(agreement.sources)
    total = agreement.total
    if frames:
        table.add_column("frames", str(total.pictures), justify="right", no_wrap=True)
    # The short names leave room for the path on a narrow screen.
    for (name, style), head in zip(CLASS_STYLES.items(), SHORT_NAMES, strict=True):
        label = head.replace(" ", "\n") if narrow else head
        table.add_column(label, _both(total, name), justify="right", style=style, no_wrap=True)
    table.add_column("faces", str(total.faces), justify="right", no_wrap=True)
    table.add_column("differ" if narrow else "disagree", str(total.disagree), justify="right", no_wrap=True)
    table.add_column("agree" if narrow else "agreement", _share(total), justify="right", no_wrap=True)
    for path, count in agreement.sources.items():
        numbers = (count.faces, count.disagree)
        cells = [str(count.pictures)] if frames else []
        cells += [_both(count, name) for name in CLASS_NAMES]
        cells += [str(number) if number else "·" for number in numbers]
        table.add_row(cell(path), *cells, _share(count))
    return table


def _both(count: Count, name: str) -> str:
    """Return how many faces detector and classifier take for this class: one number where it is the same."""
    first, second = count.detector[name], count.classifier[name]
    return f"{first} / {second}" if first != second else str(first) if first else "·"


def _faces_table(agreement: Agreement, narrow: bool) -> Table:
    table = new_table(narrow, title="they disagree on", title_justify="left", title_style="bold")
    table.add_column("picture", overflow="fold")
    table.add_column("box x1, y1, x2, y2 (px)", no_wrap=True)
    table.add_column("side", justify="right", no_wrap=True)
    for label in ("detector", "classifier"):
        table.add_column(label, no_wrap=True)
        table.add_column("", justify="right", no_wrap=True)
    for one in agreement.listed[:SHOWN]:
        face = one.face
        name, confidence = one.second
        path = cell(one.path) + ("" if one.frame is None else f" frame {one.frame}")
        box = ", ".join(f"{value:.0f}" for value in face.box)
        answers = (_named(face.name, narrow), f"{face.confidence:.2f}", _named(name, narrow), f"{confidence:.2f}")
        table.add_row(path, box, f"{one.side:.0f} px", *answers)
    return table


def _named(name: str, narrow: bool) -> str:
    label = cell(class_label(name, narrow))
    return f"[{CLASS_STYLES[name]}]{label}[/]" if name in CLASS_STYLES else label
