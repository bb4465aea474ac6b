"""One COCO file for all pictures of a call, written when the last one is done."""

from __future__ import annotations

import json
from pathlib import Path

from maskdet.classes import CLASS_NAMES
from maskdet.files.atomic import write_bytes
from maskdet.results import MaskResult
from maskdet.results.coco import categories
from maskdet.results.json_lines import to_line
from maskdet.sources import Picture
from maskdet.terminal.console import named_errors, program_output, to_bytes


class CocoWriter:
    """Collects pictures and annotations; ``finish`` writes the file, whole or not at all.

    ``file_name`` is the picture's place below the folder that was searched, so that it holds beside that folder;
    where two pictures share it, and for the second the path as it was named. ``path`` is the ``image.path`` of the
    JSON, and ``frame`` that of a video.
    """

    def __init__(self, target: str) -> None:
        """Write to the file ``target``, ``"-"`` for standard output."""
        self._target = target
        # Kept as text, a fifth of the memory of dictionaries: a camera may run for a day.
        self._images: list[str] = []
        self._annotations: list[str] = []
        self._names: set[str] = set()
        self._classes: tuple[str, ...] = CLASS_NAMES

    def write(self, picture: Picture, result: MaskResult, name: Path) -> None:
        """Take one result."""
        self._classes = result.model.names
        image = result.image
        image_id = len(self._images) + 1
        entry = {
            "id": image_id,
            "file_name": self._file_name(picture, name),
            "width": image.width,
            "height": image.height,
            "path": image.path,
        }
        if image.frame is not None:
            entry["frame"] = image.frame
        self._images.append(to_line(entry))
        self._annotations += map(to_line, result.to_coco(image_id, first_id=len(self._annotations) + 1))

    def _file_name(self, picture: Picture, name: Path) -> str:
        if picture.info.frame is not None:
            return name.with_name(f"{name.name}.jpg").as_posix()
        place = picture.relative.as_posix()
        if place in self._names and picture.info.path is not None:
            place = Path(picture.info.path).as_posix()
        self._names.add(place)
        return place

    def finish(self) -> None:
        """Write the file.

        Raises:
            SourceError: it cannot be written.
        """
        from maskdet.version import __version__

        info = json.dumps({"description": "faces found by maskdet", "version": __version__})
        text = (
            f'{{"info": {info},\n"categories": {json.dumps(categories(self._classes))},\n'
            f'"images": [{_lines(self._images)}],\n"annotations": [{_lines(self._annotations)}]}}\n'
        )
        if self._target == "-":
            with named_errors(self._target):
                output = program_output()
                output.write(text)
                output.flush()
        else:
            write_bytes(Path(self._target), to_bytes(text))


def _lines(entries: list[str]) -> str:
    return "\n" + ",\n".join(entries) + "\n" if entries else ""
