"""Tracking: each face of a video keeps an id over its frames, and its frames cast one vote, so a person counts once.

Each frame adds its confidence to the class it answers; the class with the largest sum is the vote. A face seen with a
mask at .9 and .8 and, while it turned away, without one at .6 is thus one person with a mask, by 1.7 to 0.6.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Final

from maskdet.classes import CLASS_NAMES, compliance_of
from maskdet.results import CONFIDENCE_DECIMALS, Face

#: Finished tracks that are kept one by one; the sums go on counting beyond them.
HISTORY: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackVote:
    """What is known of one person.

    Attributes:
        name: the class voted, one of the model's.
        share: its part of all confidence summed up over the track, 0 to 1.
        weights: each class's sum of confidences, in class order.
        frames: how many frames the face was seen in since it has its id.
        first_frame: the first of them, counted from 0 as in ``ImageInfo.frame``.
        path: the video, ``None`` where it has no name.
    """

    track_id: int
    name: str
    class_id: int
    share: float
    weights: tuple[float, ...]
    frames: int
    first_frame: int
    last_frame: int
    path: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the vote as a JSON object."""
        return {
            "track_id": self.track_id,
            "path": self.path,
            "name": self.name,
            "class": self.class_id,
            "share": round(self.share, CONFIDENCE_DECIMALS),
            "frames": self.frames,
            "first_frame": self.first_frame,
            "last_frame": self.last_frame,
        }


@dataclass(slots=True)
class _Track:
    """Sums of a track that may still grow: of constant size, however long it lasts."""

    track_id: int
    path: str | None
    first_frame: int
    last_frame: int
    frames: int = 0
    names: tuple[str, ...] = CLASS_NAMES
    weights: list[float] = field(default_factory=list)

    def vote(self) -> TrackVote:
        """Return the vote as it stands; of equal classes the first in class order."""
        best = self.weights.index(max(self.weights))
        total = sum(self.weights)
        return TrackVote(
            track_id=self.track_id,
            name=self.names[best],
            class_id=best,
            share=self.weights[best] / total if total else 0.0,
            weights=tuple(self.weights),
            frames=self.frames,
            first_frame=self.first_frame,
            last_frame=self.last_frame,
            path=self.path,
        )


class VoteBook:
    """The votes of all tracks, open and closed; memory grows with neither the frames nor, past ``history``, the people.

    >>> book = VoteBook()
    >>> for frame, (class_id, confidence) in enumerate([(0, 0.9), (1, 0.6), (0, 0.8)]):
    ...     book.add(Face(CLASS_NAMES[class_id], class_id, confidence, (0, 0, 9, 9), track_id=1), frame)
    >>> (vote,) = book.votes()
    >>> vote.name, vote.frames, round(vote.share, 3)
    ('with_mask', 3, 0.739)
    """

    def __init__(self, history: int = HISTORY) -> None:
        """Keep the last ``history`` closed votes one by one; older ones only in ``counts``."""
        self._open: dict[int, _Track] = {}
        self._closed: deque[TrackVote] = deque(maxlen=history)
        self._names: tuple[str, ...] = CLASS_NAMES
        self._closed_counts: Counter[str] = Counter()

    def add(self, face: Face, frame: int, path: str | None = None, names: tuple[str, ...] = CLASS_NAMES) -> None:
        """Let one frame speak, its number never smaller than one before; a face without ``track_id`` has no vote."""
        if face.track_id is None:
            return
        track = self._open.get(face.track_id)
        if track is None:
            track = self._open[face.track_id] = _Track(
                face.track_id, path, frame, frame, names=names, weights=[0.0] * len(names)
            )
            self._names = names
        track.frames += 1
        track.last_frame = frame
        track.weights[face.class_id] += face.confidence

    def close(self, track_id: int) -> None:
        """Reduce a track to its vote: it will not be seen again."""
        vote = self._open.pop(track_id).vote()
        self._closed.append(vote)
        self._closed_counts[vote.name] += 1

    def close_all(self) -> None:
        """Close every open track, at the end of a video."""
        for track_id in list(self._open):
            self.close(track_id)

    def votes(self) -> list[TrackVote]:
        """Return the votes by id: those closed (the last ``history`` of them) and, as they stand, the open ones."""
        votes = [*self._closed, *(track.vote() for track in self._open.values())]
        return sorted(votes, key=lambda vote: vote.track_id)

    @property
    def counts(self) -> dict[str, int]:
        """People per class, zero included, in class order."""
        counted = self._closed_counts + Counter(track.vote().name for track in self._open.values())
        return {str(name): counted[name] for name in self._names}

    @property
    def people(self) -> int:
        """How many people were counted."""
        return sum(self.counts.values())

    @property
    def compliance(self) -> float | None:
        """Share of people whose vote is ``with_mask``; None without people, or where the classes say nothing of it."""
        return compliance_of(self.counts)
