"""Lists of names: a text file with a picture, video, folder or pattern a line, as ultralytics takes it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from maskdet.errors import SourceError

#: A list of a million names; more text than that is something else.
_MAX_BYTES: Final = 256 * 2**20


def read_names(path: Path) -> list[str]:
    """Return the names in a list, without empty lines; of a ``.csv`` all cells but a heading ``source``.

    Raises:
        SourceError: the file cannot be read, is larger than a list can be, or holds no name.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise SourceError(path, f"cannot be read ({error.strerror})") from error
    if len(data) > _MAX_BYTES:
        raise SourceError(path, "too large for a list of names")
    # Names that are no UTF-8 are kept as they are.
    lines = data.decode("utf-8-sig", errors="surrogateescape").splitlines()
    if path.suffix.lower() == ".csv":
        try:
            rows = list(csv.reader(lines))
        except csv.Error as error:
            raise SourceError(path, f"cannot be read as CSV ({error})") from error
        lines = [cell for row in (rows[1:] if rows[:1] == [["source"]] else rows) for cell in row]
    names = [name for line in lines if (name := line.strip())]
    if not names:
        raise SourceError(path, "a list without a name in it")
    return names
