"""All that one call of ``maskdet detect`` writes, opened and closed together."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from maskdet.results import MaskResult
from maskdet.sources import Picture
from maskdet.writers.lines import CsvWriter, JsonLinesWriter, ResultWriter, open_text
from maskdet.writers.pictures import PictureWriter


class Outputs:
    """JSON Lines, CSV and annotated pictures, each where one was asked for.

    Use it as a context manager; files are made on entering.
    """

    def __init__(self, *, json: str | None = None, csv: str | None = None, pictures: str | None = None) -> None:
        """Name the targets: files (``"-"`` for standard output) and the folder of pictures."""
        self._json, self._csv, self._pictures = json, csv, pictures
        self._stack = ExitStack()
        self._writers: list[ResultWriter] = []
        self._painter: PictureWriter | None = None

    def __enter__(self) -> Self:
        """Open everything.

        Raises:
            SourceError: a target cannot be written.
        """
        if self._json:
            self._writers.append(JsonLinesWriter(self._stack.enter_context(open_text(self._json))))
        if self._csv:
            self._writers.append(CsvWriter(self._stack.enter_context(open_text(self._csv))))
        if self._pictures:
            self._painter = PictureWriter(Path(self._pictures))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything."""
        self._stack.close()

    def write(self, picture: Picture, result: MaskResult) -> None:
        """Write one result everywhere.

        Raises:
            SourceError: its annotated picture cannot be written; the lines are then written all the same.
        """
        for writer in self._writers:
            writer.write(result)
        if self._painter:
            self._painter.write(result, picture.relative)
