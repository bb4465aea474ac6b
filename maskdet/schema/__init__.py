"""The JSON schema of what maskdet writes, shipped beside this file as ``maskdet-1.json``."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def result_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of one ``maskdet/1`` object: a line of ``maskdet detect --json``.

    Readers should pass over members that they do not know: new ones may come without a new version.
    """
    schema: dict[str, Any] = json.loads((files(__package__) / "maskdet-1.json").read_text(encoding="utf-8"))
    return schema
