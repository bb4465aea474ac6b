"""JSON Lines and CSV: one record after another, each line complete once written."""

from __future__ import annotations

from typing import Any, Protocol, TextIO

from maskdet.results import MaskResult
from maskdet.results.rows import ROW_COLUMNS
from maskdet.terminal.console import named_errors


class ResultWriter(Protocol):
    """Anything that takes one result after another."""

    def write(self, result: MaskResult) -> None:
        """Take one result.

        Raises:
            SourceError: it cannot be written.
        """
        ...


class JsonLinesWriter:
    """One ``maskdet/1`` object a line."""

    def __init__(self, file: TextIO, target: str) -> None:
        """Write to ``file``, which messages call ``target``."""
        self._file, self._target = file, target

    def write(self, result: MaskResult) -> None:
        """Write one line and flush it, so that a reader of a pipe sees it at once."""
        with named_errors(self._target):
            self._file.write(result.to_json() + "\n")
            self._file.flush()


def spreadsheet_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of ``MaskResult.to_rows`` as it stands in a CSV file."""
    from maskdet.results.spreadsheet import path_cell, text_cell

    return {**row, "path": path_cell(row["path"]), "name": text_cell(row["name"])}


class CsvWriter:
    """One row a face, under a header that is there even without a face."""

    def __init__(self, file: TextIO, target: str) -> None:
        """Write the header to ``file``, which messages call ``target``."""
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
