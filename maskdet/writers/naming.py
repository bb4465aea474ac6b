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
        """Start with every name free."""
        self._taken: set[str] = set()
        self._videos: dict[tuple[str | None, Path], Path] = {}
        self._video_names: set[str] = set()

    def name(self, picture: Picture) -> Path:
        """Return where the picture's files go, relative to the folder of each kind of file, without an ending."""
        relative = picture.relative
        stem = relative.with_name(relative.stem)
        frame = picture.info.frame
        if frame is None:
            free = self._first_free(stem)
            self._taken.add(_fold(free))
            return free
        video = picture.info.path, relative
        if video not in self._videos:
            self._videos[video] = self._first_free(stem, video=True)
            self._video_names.add(_fold(self._videos[video]))
        base = self._videos[video]
        return base.with_name(f"{base.name}_{frame:06d}")

    def _first_free(self, stem: Path, *, video: bool = False) -> Path:
        number, candidate = 1, stem
        while not self._is_free(_fold(candidate), video=video):
            number += 1
            candidate = stem.with_name(f"{stem.name}-{number}")
        return candidate

    def _is_free(self, folded: str, *, video: bool) -> bool:
        if video:
            # None of its frames may meet a picture either. Frames are not remembered: a camera never stops.
            clash = any(_FRAME.sub("", taken) == folded and taken != folded for taken in self._taken)
            return folded not in self._video_names and not clash
        return folded not in self._taken and not (_FRAME.search(folded) and _FRAME.sub("", folded) in self._video_names)


def _fold(path: Path) -> str:
    return path.as_posix().casefold()
