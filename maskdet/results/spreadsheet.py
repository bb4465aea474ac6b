"""Cells of a CSV file that no spreadsheet computes.

Excel and LibreOffice take a cell that begins with one of a few signs for a formula. File names may begin so, and
names of classes.
"""

from __future__ import annotations

from typing import Final

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
