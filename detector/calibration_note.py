"""What a detector's file says of its calibration: a note in its metadata, read without what wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

#: Key of the file's metadata, and the form of what stands there.
KEY: Final = "maskdet_calibration"
SCHEMA: Final = "maskdet-calibration/1"


def read_calibration(metadata: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what a file's metadata says of its calibration, None where it has none.

    Raises:
        ValueError: it is no JSON object.
    """
    text = metadata.get(KEY)
    if text is None:
        return None
    try:
        note = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its {KEY} is no JSON") from error
    if not isinstance(note, dict):
        raise ValueError(f"its {KEY} is no JSON object")
    return note
