"""JSON Lines and CSV: one record after another, each line complete once written."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from maskdet.conversions.rows import ROW_COLUMNS
from maskdet.errors import SourceError
from maskdet.results import MaskResult


class ResultWriter(Protocol):
    """Anything that takes one result after another."""

    def write(self, result: MaskResult) -> None:
        """Take one result."""
        ...


class JsonLinesWriter:
    """One ``maskdet/1`` object a line."""

    def __init__(self, file: TextIO) -> None:
        """Write to ``file``."""
        self._file = file

    def write(self, result: MaskResult) -> None:
        """Write one line and flush it, so that a reader of a pipe sees it at once."""
        self._file.write(result.to_json() + "\n")
        self._file.flush()


class CsvWriter:
    """One row a face, under a header that is there even without a face."""

    def __init__(self, file: TextIO) -> None:
        """Write the header to ``file``."""
        self._file = file
        self._rows = csv.DictWriter(file, ROW_COLUMNS, lineterminator="\n")
        self._rows.writeheader()

    def write(self, result: MaskResult) -> None:
        """Write the rows of one result."""
        self._rows.writerows(result.to_rows())
        self._file.flush()


@contextmanager
def open_text(target: str) -> Iterator[TextIO]:
    """Open a file for text, ``"-"`` meaning standard output.

    Raises:
        SourceError: the file cannot be written.
    """
    if target == "-":
        yield sys.stdout
        return
    try:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        file = Path(target).open("w", encoding="utf-8", newline="")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise SourceError(target, f"cannot be written ({error.strerror})") from error
    with file:
        yield file
