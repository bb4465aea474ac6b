"""All that one call of ``maskdet detect`` writes, opened and closed together.

Lines are written and flushed as the results come, for pictures and videos alike: a run that is killed leaves every line
whole but perhaps the last. Pictures and videos appear whole or not at all.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from maskdet.results import MaskResult
from maskdet.sources import Picture
from maskdet.writers.lines import CsvWriter, JsonLinesWriter, ResultWriter, open_text
from maskdet.writers.pictures import PictureWriter
from maskdet.writers.video import VideoWriter


class Outputs:
    """JSON Lines, CSV, annotated pictures and videos, each where one was asked for.

    Use it as a context manager; files are made on entering.
    """

    def __init__(self, *, json: str | None = None, csv: str | None = None, pictures: str | None = None) -> None:
        """Name the targets: files (``"-"`` for standard output) and the folder of pictures."""
        self._json, self._csv, self._pictures = json, csv, pictures
        self._stack = ExitStack()
        self._writers: list[ResultWriter] = []
        self._painter: PictureWriter | None = None
        self._films: VideoWriter | None = None

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
            self._films = self._stack.enter_context(VideoWriter(Path(self._pictures)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything."""
        self._stack.close()

    def write(self, picture: Picture, result: MaskResult) -> None:
        """Write one result everywhere.

        Raises:
            SourceError: its annotated picture or video cannot be written; the lines are then written all the same.
        """
        for writer in self._writers:
            writer.write(result)
        if picture.clip is not None:
            if self._films:
                self._films.write(picture.clip, result)
        elif self._painter:
            self._painter.write(result, picture.relative)
