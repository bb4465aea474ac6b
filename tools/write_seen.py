"""Write ``weights/seen.json``: what the shipped models have learnt from, of those whose files do not say it themselves.

::

    python tools/write_seen.py public      # the folder that maskdet convert --split public wrote
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cards import WEIGHTS

from maskdet.datasets.photos.seen import marks_of
from maskdet.datasets.yolo.data_yaml import find_data_yaml, read_data_yaml


def main() -> None:
    """Mark the photos of both parts; a model of the public split has seen one of them, any other model both."""
    described = read_data_yaml(find_data_yaml(sys.argv[1]))
    models = json.loads((WEIGHTS / "models.json").read_text(encoding="utf-8"))["models"]
    record = {
        "photos": {part: marks_of(described.pictures(part)) for part in ("train", "val")},
        "models": {
            name: ["train"] if entry["split"].startswith("public") else ["train", "val"]
            for name, entry in models.items()
        },
    }
    Path(WEIGHTS / "seen.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
