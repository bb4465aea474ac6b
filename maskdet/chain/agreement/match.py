"""How often detector and classifier say the same of a face, over all that one run has seen."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from maskdet.detector.evaluation.coco import SIZES
from maskdet.results import Face, MaskResult

#: Disagreements that are remembered one by one; later ones are only counted, for a camera never stops.
LISTED: Final = 1000


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A face of which the two say different things.

    Attributes:
        path: its picture, as results name it.
        frame: of a video, counted from 0.
        face: box and detector's answer; ``face.classifier`` holds the classifier's.
    """

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
    """Faces, and those of which the two disagree.

    Attributes:
        pictures: pictures or frames looked at.
        faces: faces found in them.
        disagree: those of which the two say different things.
        detector: class name -> faces that the detector takes for it.
        classifier: the same of the classifier.
    """

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
    """Everything counted in one run.

    Attributes:
        total: all faces.
        sources: path -> its faces; a video is one source.
        sizes: size range (a key of ``SIZES`` but ``"all"``) -> its faces, each face in one range.
        listed: the first ``LISTED`` disagreements.
    """

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
