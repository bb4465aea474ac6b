"""Results as text: JSON Lines and CSV as they come, label files one a picture, one COCO file for all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol, TextIO

from maskdet.classes import CLASS_NAMES
from maskdet.files.atomic import write_bytes
from maskdet.results import MaskResult
from maskdet.results.json_lines import to_line
from maskdet.results.labels import categories
from maskdet.results.rows import ROW_COLUMNS
from maskdet.sources import Picture
from maskdet.terminal.console import named_errors, program_output, to_bytes


class ResultWriter(Protocol):
    """Anything that takes one result after another."""

    def write(self, result: MaskResult) -> None:
        """Take one result."""
        ...


class JsonLinesWriter:
    """One ``maskdet/1`` object a line."""

    def __init__(self, file: TextIO, target: str) -> None:
        self._file, self._target = file, target

    def write(self, result: MaskResult) -> None:
        """Write one line and flush it, so that a reader of a pipe sees it at once."""
        with named_errors(self._target):
            self._file.write(result.to_json() + "\n")
            self._file.flush()


def spreadsheet_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of ``MaskResult.to_rows`` as it stands in a CSV file."""
    from maskdet.results.rows import path_cell, text_cell

    return {**row, "path": path_cell(row["path"]), "name": text_cell(row["name"])}


class CsvWriter:
    """One row a face, under a header that is there even without a face."""

    def __init__(self, file: TextIO, target: str) -> None:
        import csv

        self._file, self._target = file, target
        self._rows = csv.DictWriter(file, ROW_COLUMNS, lineterminator="\n")
        with named_errors(target):
            self._rows.writeheader()

    def write(self, result: MaskResult) -> None:
        """Write the rows of one result."""
        with named_errors(self._target):
            self._rows.writerows(map(spreadsheet_row, result.to_rows()))
            self._file.flush()


class YoloWriter:
    """Writes ``NAME.txt``; a picture without a face gets an empty file, which to YOLO is a background picture."""

    def __init__(self, folder: Path, *, confidence: bool = False) -> None:
        self._folder, self._confidence = folder, confidence

    def write(self, _picture: Picture, result: MaskResult, name: Path) -> None:
        """Write one file."""
        text = result.to_yolo(confidence=self._confidence)
        write_bytes(self._folder / name.with_name(f"{name.name}.txt"), text.encode())


class VocWriter:
    """Writes ``NAME.xml``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, picture: Picture, result: MaskResult, name: Path) -> None:
        """Write one file."""
        # A frame is no file yet: whoever takes the video apart finds it under the name of its labels.
        filename = picture.relative.name if picture.info.frame is None else f"{name.name}.jpg"
        text = result.to_voc(filename=filename)
        write_bytes(self._folder / name.with_name(f"{name.name}.xml"), text.encode())


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
        """Write the file."""
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
