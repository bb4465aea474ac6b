"""Which photos a training run has seen, and what it started from, as a file in the run's folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from maskdet.datasets.photos.seen import KEY, marks_of
from maskdet.extras import require

#: In the folder of a run; ``maskdet export`` puts it into the model's metadata.
SEEN_FILE: Final = "seen.txt"
#: By which the folder of one of our runs is known.
_OPTIONS_FILE: Final = "maskdet.yaml"


def seen_before(start: Path) -> str | None:
    """Return the marks of the photos that the weights to start from have seen: none, of another program's weights.

    None where they are ours and carry no marks: then nothing is known of what is trained from them either.
    """
    if start.suffix == ".onnx":
        onnx = require("onnx", what="training from an ONNX file", extra="train")
        known = {entry.key: entry.value for entry in onnx.load(start, load_external_data=False).metadata_props}
        return known.get(KEY, None if "maskdet_training" in known else "")
    folder = start.absolute().parent.parent
    noted = folder / SEEN_FILE
    if noted.is_file():
        return noted.read_text(encoding="ascii").strip()
    return None if (folder / _OPTIONS_FILE).is_file() else ""


def note_seen(folder: Path, photos: Iterable[Path], before: str | None) -> None:
    """Write the marks of the photos that a run trains on, and of those seen ``before``, into the run's folder.

    Raises:
        SourceError: a photo cannot be read.
    """
    if before is None:
        (folder / SEEN_FILE).unlink(missing_ok=True)
    else:
        (folder / SEEN_FILE).write_text(marks_of(photos, before) + "\n", encoding="ascii")
