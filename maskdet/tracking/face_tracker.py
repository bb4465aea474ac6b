"""``FaceTracker``: results of consecutive frames in, the same results with ids out.

The tracking itself is ByteTrack (arXiv 2110.06864) of the ``trackers`` package, by boxes alone: nobody is recognised,
and who leaves for longer than a second comes back as somebody else. It does not look at classes, so a face keeps its id
while its answer changes, which is what the vote is for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.postprocess import non_maximum_suppression
from maskdet.extras import require
from maskdet.results import MaskResult
from maskdet.tracking import HISTORY, TrackVote, VoteBook

#: As `yolo track` has them: every face that is reported may start a track; one lost is looked for over a second.
ACTIVATION: Final = 0.25
LOST_SECONDS: Final = 1.0
#: Least overlap of a face with where its track expects it.
LEAST_IOU: Final = 0.2
#: A face gets its id when it was seen in so many frames running.
SURE_AFTER: Final = 2

#: Two answers that overlap by more are about one face, to which the detector may well give two classes. Of the 3346
#: faces labelled in the training photos one pair overlaps by more than 0.3, and that is one face labelled twice.
SAME_FACE_IOU: Final = 0.5


class FaceTracker:
    """Gives faces ids over the frames of videos, and each person one vote.

    Feed it frames in order. A result whose ``image.path`` differs from the last one's begins another video: ids are
    never shared between videos, and go on counting from 1. Results of photos (a path but no frame number) stay without
    ids.
    """

    def __init__(self, *, frame_rate: float = 30.0, history: int = HISTORY) -> None:
        """Start without tracks.

        Args:
            frame_rate: results a second of video: its own rate divided by the stride.
            history: finished tracks whose votes ``votes`` still lists.

        Raises:
            MissingExtraError: the ``track`` extra is not installed.
            ValueError: a frame rate that is not positive.
        """
        self._library = require("trackers", what="tracking", extra="track")
        self._set_rate(frame_rate)
        self._book = VoteBook(history)
        self._video: str | None = None
        self._last_id = 0
        self._begin()

    def _set_rate(self, frame_rate: float) -> None:
        if not (frame_rate > 0 and math.isfinite(frame_rate)):
            raise ValueError(f"frame_rate must be positive, not {frame_rate}")
        self._frame_rate = frame_rate
        self._patience = math.ceil(LOST_SECONDS * frame_rate)

    def _begin(self) -> None:
        """Forget all tracks, not their votes."""
        self._tracker = self._library.ByteTrackTracker(
            lost_track_buffer=math.ceil(30 * LOST_SECONDS),  # counted in frames of 30 a second, whatever the rate
            frame_rate=self._frame_rate,
            track_activation_threshold=ACTIVATION,
            minimum_consecutive_frames=SURE_AFTER,
            minimum_iou_threshold=LEAST_IOU,
            high_conf_det_threshold=ACTIVATION,
        )
        #: The tracker's own id -> ours, and the update in which it was last seen; both only while it may come back.
        self._ids: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self._updates = 0

    def update(self, result: MaskResult, *, frame_rate: float | None = None) -> MaskResult:
        """Take the next frame and return it with ``track_id`` set on each face that the tracker is sure of.

        A face has None until it was seen in two frames running, and so has a second answer on one face. ``frame_rate``
        is the results a second of this video, where the caller knows; it is heeded at its first frame.

        Raises:
            ValueError: a frame rate that is not positive.
        """
        image = result.image
        if image.path is not None and image.frame is None:
            return result
        if image.path != self._video:
            if frame_rate is not None:
                self._set_rate(frame_rate)
            self.finish()
            self._video = image.path
        frame = self._updates if image.frame is None else image.frame
        found = self._ask(result)
        faces = [replace(face, track_id=found.get(index)) for index, face in enumerate(result.faces)]
        for face in faces:
            self._book.add(face, frame, image.path, result.model.names)
        self._updates += 1
        self._close_lost()
        return replace(result, faces=faces)

    def _ask(self, result: MaskResult) -> dict[int, int]:
        """Return our id of each face, by its index, where the tracker has one."""
        supervision: Any = require("supervision", what="tracking", extra="track")
        asked = one_a_face(result.boxes, result.confidences)
        tracked = self._tracker.update(
            supervision.Detections(
                xyxy=result.boxes[asked],
                confidence=result.confidences[asked],
                data={"face": asked},  # the tracker returns its boxes in an order of its own
            )
        )
        if not len(tracked):
            return {}
        ids: dict[int, int] = {}
        for index, theirs in zip(tracked.data["face"].tolist(), tracked.tracker_id.tolist(), strict=True):
            if theirs < 0:
                continue
            if theirs not in self._ids:
                self._last_id += 1
                self._ids[theirs] = self._last_id
            self._seen[theirs] = self._updates
            ids[index] = self._ids[theirs]
        return ids

    def _close_lost(self) -> None:
        """Close the tracks that the tracker has given up; one more frame than its patience, to be on the safe side."""
        for theirs, seen in list(self._seen.items()):
            if self._updates - seen > self._patience + 2:
                del self._seen[theirs]
                self._book.close(self._ids.pop(theirs))

    def finish(self) -> None:
        """Close all tracks; the next frame begins another video. Votes and counts stay."""
        self._book.close_all()
        self._begin()

    def votes(self) -> list[TrackVote]:
        """Return one vote a person, by id; those of people still in the picture as they stand now."""
        return self._book.votes()

    @property
    def counts(self) -> dict[str, int]:
        """People per class voted, zero included, in class order."""
        return self._book.counts

    @property
    def people(self) -> int:
        """How many people were counted."""
        return self._book.people

    @property
    def compliance(self) -> float | None:
        """Share of people who wear a mask properly by their vote, or None where there is nobody."""
        return self._book.compliance


def one_a_face(boxes: npt.NDArray[np.float32], confidences: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Return the (K,) indices of the most confident answer on each face, of (N, 4) boxes xyxy and (N,) confidences.

    >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], np.float32)
    >>> one_a_face(boxes, np.array([0.5, 0.8, 0.4], np.float32)).tolist()
    [1, 2]
    """
    return non_maximum_suppression(boxes, confidences, SAME_FACE_IOU)


def track(results: Iterable[MaskResult], tracker: FaceTracker | None = None) -> Iterator[MaskResult]:
    """Yield results with ids, one at a time.

    Args:
        results: frames in order, as ``maskdet.predict(…, stream=True)`` yields them.
        tracker: to be asked for ``votes`` and ``counts`` afterwards; else one of its own.

    Raises:
        MissingExtraError: the ``track`` extra is not installed; raised at once, not at the first frame.
    """
    return map((tracker or FaceTracker()).update, results)
