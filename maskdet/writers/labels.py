"""Label files: one text file a picture, YOLO or Pascal VOC."""

from __future__ import annotations

from pathlib import Path

from maskdet.files.atomic import write_bytes
from maskdet.results import MaskResult
from maskdet.sources import Picture


class YoloWriter:
    """Writes ``NAME.txt``; a picture without a face gets an empty file, which to YOLO is a background picture."""

    def __init__(self, folder: Path, *, confidence: bool = False) -> None:
        """Write below ``folder``, with the confidence at the end of each line where it is asked for."""
        self._folder, self._confidence = folder, confidence

    def write(self, _picture: Picture, result: MaskResult, name: Path) -> None:
        """Write one file.

        Raises:
            SourceError: it cannot be written.
        """
        text = result.to_yolo(confidence=self._confidence)
        write_bytes(self._folder / name.with_name(f"{name.name}.txt"), text.encode())


class VocWriter:
    """Writes ``NAME.xml``."""

    def __init__(self, folder: Path) -> None:
        """Write below ``folder``."""
        self._folder = folder

    def write(self, picture: Picture, result: MaskResult, name: Path) -> None:
        """Write one file.

        Raises:
            SourceError: it cannot be written.
        """
        # A frame is no file yet: whoever takes the video apart finds it under the name of its labels.
        filename = picture.relative.name if picture.info.frame is None else f"{name.name}.jpg"
        text = result.to_voc(filename=filename)
        write_bytes(self._folder / name.with_name(f"{name.name}.xml"), text.encode())
