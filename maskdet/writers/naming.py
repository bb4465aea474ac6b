"""One name for all that is written of a picture: ``gate/a.jpg`` gives ``gate/a.txt``, ``gate/a.xml`` and so on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from maskdet.sources import Picture

#: The end of the name that a frame gets.
_FRAME: Final = re.compile(r"_\d{6,}$")


class OutputNames:
    """Gives each picture a name, without ending, that no other picture of the call has.

    The name is the picture's own, in the same subfolder. A second picture of the same name, from another folder or with
    another ending, gets ``-2`` behind it, the next ``-3``; frames of a video are called ``STEM_000012``. Capital and
    small letters count as the same, as on many file systems.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        #: Of each name the number to try next, so that thousands of one name are named in linear time.
        self._next: dict[tuple[str, bool], int] = {}
        #: Names that look like those of frames, without their numbers.
        self._like_frames: set[str] = set()
        self._videos: dict[tuple[str | None, Path], Path] = {}
        self._video_names: set[str] = set()

    def name(self, picture: Picture) -> Path:
        """Return where the picture's files go, relative to the folder of each kind of file, without an ending."""
        frame = picture.info.frame
        if frame is None:
            return self.of_picture(picture.relative)
        video = picture.info.path, picture.relative
        if video not in self._videos:
            stem = picture.relative.with_name(picture.relative.stem)
            self._videos[video] = self._first_free(stem, video=True)
            self._video_names.add(_fold(self._videos[video]))
        base = self._videos[video]
        return base.with_name(f"{base.name}_{frame:06d}")

    def of_picture(self, relative: Path) -> Path:
        """Take and return the name of a picture that is no frame, from its place below the folder it was found in."""
        free = self._first_free(relative.with_name(relative.stem))
        folded = _fold(free)
        self._taken.add(folded)
        if _FRAME.search(folded):
            self._like_frames.add(_FRAME.sub("", folded))
        return free

    def _first_free(self, stem: Path, *, video: bool = False) -> Path:
        key = _fold(stem), video
        number, candidate = self._next.get(key, 1), stem
        if number > 1:
            candidate = stem.with_name(f"{stem.name}-{number}")
        while not self._is_free(_fold(candidate), video=video):
            number += 1
            candidate = stem.with_name(f"{stem.name}-{number}")
        self._next[key] = number
        return candidate

    def _is_free(self, folded: str, *, video: bool) -> bool:
        if video:
            # None of its frames may meet a picture either. Frames are not remembered: a camera never stops.
            return folded not in self._video_names and folded not in self._like_frames
        return folded not in self._taken and not (_FRAME.search(folded) and _FRAME.sub("", folded) in self._video_names)


def _fold(path: Path) -> str:
    return path.as_posix().casefold()
