"""Flat rows, one a face: for CSV and data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from maskdet.extras import require

if TYPE_CHECKING:
    import pandas as pd

    from maskdet.results import MaskResult

#: Columns of ``MaskResult.to_rows``, of ``to_pandas`` and of the CSV.
ROW_COLUMNS: Final[tuple[str, ...]] = (
    "path", "frame", "name", "class", "confidence", "x1", "y1", "x2", "y2", "track_id",
)  # fmt: skip

#: Their types in a data frame, so that frames with and without faces can be put together.
_DTYPES: Final = {
    "path": "object", "frame": "Int64", "name": "object", "class": "int64", "confidence": "float64",
    "x1": "float64", "y1": "float64", "x2": "float64", "y2": "float64", "track_id": "Int64",
}  # fmt: skip


def to_frame(result: MaskResult) -> pd.DataFrame:
    """Return one row a face as a data frame; see ``MaskResult.to_pandas``."""
    module = require("pandas", what="to_pandas()", extra="pandas")
    frame: pd.DataFrame = module.DataFrame(to_rows(result), columns=list(ROW_COLUMNS)).astype(_DTYPES)
    return frame


def to_rows(result: MaskResult) -> list[dict[str, Any]]:
    """Return one row a face, its keys ``ROW_COLUMNS``, its numbers rounded as in the JSON."""
    origin = {"path": result.image.path, "frame": result.image.frame}
    rows = []
    for face in result.faces:
        entry = face.to_dict()
        row = {**origin, **entry, **entry["box"]}
        rows.append({column: row[column] for column in ROW_COLUMNS})
    return rows
