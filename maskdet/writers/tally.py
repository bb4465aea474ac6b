"""What one run has seen: pictures one by one, videos and streams as sums, so that an endless one needs no memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from maskdet.classes import compliance_of
from maskdet.results import MaskResult
from maskdet.sources import Clip, Picture


@dataclass(slots=True)
class ClipTally:
    """Sums over the frames of one video or stream so far.

    Attributes:
        time_ms: spent on them, as in ``MaskResult.time_ms``.
        counts: faces per class, a face counted once a frame, in class order.
    """

    path: str
    frames: int = 0
    time_ms: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, result: MaskResult) -> None:
        """Add one frame."""
        self.frames += 1
        self.time_ms += result.time_ms
        for name, count in result.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count

    @property
    def faces(self) -> int:
        """Faces of all classes."""
        return sum(self.counts.values())

    @property
    def compliance(self) -> float | None:
        """Share of the faces that wear a mask properly; None without a face, or where the classes say nothing of it."""
        return compliance_of(self.counts)


@dataclass(slots=True)
class Tally:
    """The results of single pictures, without pixels, and the sums of videos and streams, in order."""

    pictures: list[MaskResult] = field(default_factory=list)
    clips: dict[Clip, ClipTally] = field(default_factory=dict)

    def add(self, picture: Picture, result: MaskResult) -> None:
        """Add one result."""
        if picture.clip is None:
            self.pictures.append(result.without_pixels())
            return
        if picture.clip not in self.clips:
            self.clips[picture.clip] = ClipTally(picture.clip.path)
        self.clips[picture.clip].add(result)
