"""The window of ``--show``."""

from __future__ import annotations

import os
import sys
from typing import Final, Self

import cv2

from maskdet.errors import SourceError
from maskdet.results import MaskResult

_TITLE: Final = "maskdet"

#: q and Esc.
_END_KEYS: Final = (ord("q"), 27)


class Viewer:
    """A window of annotated pictures: q, Esc or closing it ends, any other key goes on from a single picture."""

    def __enter__(self) -> Self:
        """Open the window (``SourceError``: there is no display, or this OpenCV was built without windows)."""
        # Asked for first: where Qt finds no display it ends the whole process.
        if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise SourceError("--show", "there is no display here (DISPLAY is not set); use --save DIR instead")
        try:
            cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            raise SourceError("--show", "this OpenCV cannot open windows; use --save DIR instead") from error
        return self

    def __exit__(self, *_: object) -> None:
        cv2.destroyAllWindows()

    def show(self, result: MaskResult, *, wait: bool) -> bool:
        """Show one annotated picture and return whether to go on; ``wait`` for a key, as for a single picture."""
        cv2.imshow(_TITLE, result.plot())
        key = cv2.waitKey(1) & 0xFF
        while wait and key == 0xFF and self._is_open():
            key = cv2.waitKey(50) & 0xFF
        return key not in _END_KEYS and self._is_open()

    @staticmethod
    def _is_open() -> bool:
        return cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1
