"""What a source gives: pictures, and for frames the clip that they belong to."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.results import ImageInfo

#: Bytes of pixels: 25 megapixels.
_LARGE: Final = 75_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A video or a stream while it is read; its frames share one object, and two readings are never equal.

    Attributes:
        path: what results call it, with no password in it.
        relative: its place below the folder it was found in, for naming outputs.
        fps: frames a second that are yielded: those of the file divided by the stride.
        frames: how many frames will be yielded, as far as the file tells; None where it does not.
        live: a camera or stream, where a frame not taken in time is dropped.
    """

    path: str
    relative: Path
    fps: float
    frames: int | None
    live: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture.

    Attributes:
        pixels: (H, W, 3) uint8 BGR, upright.
        info: its origin and size.
        relative: its place below the folder it was found in (its bare name for a single file), for naming outputs.
        clip: the video or stream it is a frame of, or None.
        seconds: where in the video it stands, as far as the file tells.
    """

    pixels: npt.NDArray[np.uint8]
    info: ImageInfo
    relative: Path
    clip: Clip | None = None
    seconds: float | None = None

    @property
    def rate(self) -> float | None:
        """Frames a second of the video it is part of, or None."""
        return None if self.clip is None else self.clip.fps

    @property
    def is_large(self) -> bool:
        """Whether it takes so much memory that it should be there alone, as a frame of 8K does."""
        return self.pixels.nbytes > _LARGE


class Source(ABC):
    """Something that pictures can be read from."""

    #: A camera or stream that never ends by itself.
    endless: ClassVar[bool] = False

    @abstractmethod
    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield the pictures, of a video every ``stride``-th frame; ``stop`` is set when no more are wanted.

        Closing the iterator releases whatever is held open.

        Raises:
            SourceError: nothing, or no more, can be read.
        """


@dataclass(frozen=True, slots=True)
class Missed(Source):
    """Something found that gives no picture: its error in its place, or nothing where it is worth a note only."""

    error: SourceError
    note: bool = False

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield nothing; see ``Source.read``."""
        if not self.note:
            raise self.error
        return iter(())
