"""Faces as rows: for CSV files that no spreadsheet computes, data frames, and supervision."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from maskdet.extras import require

if TYPE_CHECKING:
    import pandas as pd
    import supervision as sv

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


#: What makes a formula of a cell; tab and line ends are skipped first. The wide forms count in East Asian locales.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def path_cell(path: str | None) -> str | None:
    """Return a path for a CSV file: the same file, by a name that is no formula.

    >>> path_cell("=1+1.jpg"), path_cell("photos/=1+1.jpg"), path_cell("-")
    ('./=1+1.jpg', 'photos/=1+1.jpg', '-')
    """
    return f"./{path}" if path is not None and path != "-" and path.startswith(_FORMULA) else path


def text_cell(text: str | None) -> str | None:
    """Return another text for a CSV file: with an apostrophe in front where it would be a formula.

    >>> text_cell("=HYPERLINK()"), text_cell("with_mask")
    ("'=HYPERLINK()", 'with_mask')
    """
    return f"'{text}" if text is not None and text.startswith(_FORMULA) else text


def plain_path(cell: str) -> str:
    """Return the path that ``path_cell`` was given.

    >>> plain_path("./=1+1.jpg"), plain_path("./a.jpg")
    ('=1+1.jpg', './a.jpg')
    """
    return cell[2:] if cell.startswith("./") and cell[2:].startswith(_FORMULA) else cell


#: The tracker id of a face without one among others that have one, as trackers give it.
UNTRACKED = -1


def to_detections(result: MaskResult) -> sv.Detections:
    """Return the faces as ``supervision.Detections``; see ``MaskResult.to_supervision``."""
    module = require("supervision", what="to_supervision()", extra="supervision")
    ids = [face.track_id for face in result.faces]
    tracked = any(one is not None for one in ids)
    return module.Detections(
        xyxy=result.boxes,
        confidence=result.confidences,
        class_id=result.class_ids,
        tracker_id=np.array([UNTRACKED if one is None else one for one in ids], dtype=np.int64) if tracked else None,
        data={"class_name": np.array([face.name for face in result.faces], dtype=np.str_)},
    )


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    r"""Return rows as the text of a CSV file.

    >>> csv_text([["a", "b"], [1, "x,y"]])
    'a,b\n1,"x,y"\n'
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
