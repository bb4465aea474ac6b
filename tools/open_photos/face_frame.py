"""A face's own coordinate system from five landmarks: where a mask's outline lies on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FaceFrame:
    """The axes of one face, from its landmarks.

    A point on the face is (across, down): ``across`` in distances between the eyes from the middle line, to the picture's
    right; ``down`` from 0 between the eyes to 1 between the corners of the mouth. The nose lies near 0.6, the chin near 1.7.

    Attributes:
        eyes: the middle between the eyes, (2,) x, y in pixels.
        across: from the picture's left eye to its right one, (2,) pixels.
        down: from the eyes' middle to the mouth's, (2,) pixels.
        turn: how far the nose lies beside the middle line, in distances between the eyes; negative: to the left.
    """

    eyes: Points
    across: Points
    down: Points
    turn: float

    @classmethod
    def of(cls, landmarks: Points) -> FaceFrame:
        """Make the frame from (5, 2) landmarks in pixels: the eyes, the nose, the corners of the mouth, left first."""
        left, right, nose, mouth_left, mouth_right = landmarks.astype(np.float64)
        eyes, mouth = (left + right) / 2, (mouth_left + mouth_right) / 2
        across, down = right - left, mouth - eyes
        base = np.stack([across, down], axis=1)
        turn = float(np.linalg.solve(base, nose - eyes)[0])
        return cls(eyes=eyes, across=across, down=down, turn=turn)

    @property
    def is_plain(self) -> bool:
        """Whether both eyes are to be seen and the face stands roughly upright in its own frame."""
        wide, high = np.linalg.norm(self.across), np.linalg.norm(self.down)
        upright = abs(float(self.across @ self.down)) < 0.5 * wide * high
        return bool(upright and 0.6 < high / wide < 2.2 and abs(self.turn) < 0.45)

    def points(self, outline: Points) -> Points:
        """Return (N, 2) pixels of (N, 2) points on the face; the far side of a turned face is shortened.

        The middle line bends with the nose: a mask stands off the face there.
        """
        across, down = outline[:, 0], outline[:, 1]
        bend = self.turn * np.exp(-(((down - 0.6) / 0.6) ** 2))
        side = np.where(across > 0, 1 - self.turn, 1 + self.turn)
        return self.eyes + np.outer(across * side + bend, self.across) + np.outer(down, self.down)
