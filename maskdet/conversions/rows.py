"""Flat rows, one a face: for CSV and data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from maskdet.results import MaskResult

#: Columns of ``MaskResult.to_rows``, of ``to_pandas`` and of the CSV.
ROW_COLUMNS: Final[tuple[str, ...]] = (
    "path", "frame", "name", "class", "confidence", "x1", "y1", "x2", "y2", "track_id",
)  # fmt: skip


def to_rows(result: MaskResult) -> list[dict[str, Any]]:
    """Return one row a face, its keys ``ROW_COLUMNS``, its numbers rounded as in the JSON."""
    origin = {"path": result.image.path, "frame": result.image.frame}
    rows = []
    for face in result.faces:
        entry = face.to_dict()
        row = {**origin, **entry, **entry["box"]}
        rows.append({column: row[column] for column in ROW_COLUMNS})
    return rows
